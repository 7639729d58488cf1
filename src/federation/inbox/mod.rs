//! How does an activity come in? Checked cheapest first, one row, `202`; worked on afterwards.
//!
//! What is here is not told before the signature is found right: not that an activity came before, nor whose a thing is.
//! Nothing is fetched for a request without a well-formed, fresh signature over this very body, and nothing is stored
//! that does not pass every check. What is answered 202 is on disk.

mod asking;
mod authority;
mod lanes;
mod limit;
mod mandate;
mod proof;
mod refusal;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod vouching;
pub mod worker;

pub use asking::{Asked, asker};
pub use refusal::Refusal;

use super::received::Context;
use super::synchronization;
use super::wire::Bounds;
use crate::app::App;
use crate::http::client::Client;
use crate::link::host_of;
use crate::net::media;
use crate::net::signature::{Incoming, Unverified, check_headers};
use authority::Facts;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use refusal::malformed;
use shape::Shape;
use vouching::{Vouched, Vouching};

/// `POST` to any inbox. Which one does not matter: an activity says itself whom it is for.
pub async fn receive(State(app): State<App>, context: Context, request: Request) -> Response {
    match take(&app, &context, request).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn take(app: &App, context: &Context, request: Request) -> Result<(), Refusal> {
    check_outside(app, request.headers())?;
    let network = request.extensions().get::<Client>().map(Client::network).unwrap_or_default();
    if !app.net().memory.may_send(&network) {
        return Err(Refusal { status: StatusCode::TOO_MANY_REQUESTS, reason: "too-many" });
    }
    let (parts, body) = request.into_parts();
    let largest = app.config().federation.largest_activity;
    let body = match Limited::new(body, largest).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if is_of_length(&*error) => return Err(TOO_LARGE),
        Err(_) => return Err(malformed("body")),
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let incoming = Incoming { method: &Method::POST, target, headers: &parts.headers, origin: app.links().origin() };
    let mut signature = Unverified::read(incoming, &body, app.now().system())?;
    let shape = shape::read(&body, app.links(), Bounds::of(app))?;
    limit::check_shape(app, &shape)?;
    signature.prefer(|key| host_of(key).as_ref() == Some(&shape.host));
    let facts = ask(app, &shape, &signature).await?;
    authority::may_speak(&facts)?;
    if authority::is_of_nobody(&shape, &facts) {
        return Ok(());
    }
    let line = facts.line;
    let Some(vouched) = vouching::vouch(context, shape, facts, &signature, &network).await? else { return Ok(()) };
    limit::check_host(app, &vouched.sender).await?;
    let signer = (vouched.how == Vouching::Signature).then_some(vouched.actor);
    put(app, vouched, body, line).await?;
    if let Some(signer) = signer {
        // What was taken in stays taken in: the next one says it again.
        synchronization::hear(app, signer, &parts.headers, &signature).await.ok();
    }
    Ok(())
}

/// Whether a body was cut off for its length, here or by the bound of every request.
fn is_of_length(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// Whether a body could be taken, as far as it tells by itself and when nothing is known of it: for whoever feeds it
/// anything at all.
pub fn examine(body: &[u8], links: &crate::link::Links) -> Result<(), Refusal> {
    let shape = shape::read(body, links, Bounds::default())?;
    authority::authorise(&shape, &Facts::default()).map(drop)
}

const TOO_LARGE: Refusal = Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, reason: "too-large" };

/// What the headers alone tell.
fn check_outside(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok()).unwrap_or_default();
    let length = text(header::CONTENT_LENGTH).parse::<u64>().unwrap_or(0);
    let largest = u64::try_from(app.config().federation.largest_activity).unwrap_or(u64::MAX);
    if length > largest {
        return Err(TOO_LARGE);
    }
    let kind = text(header::CONTENT_TYPE);
    if !kind.is_empty() && !media::is_activity(kind) && !media::is_one_of(kind, &["application/ld+json"]) {
        return Err(Refusal { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, reason: "media-type" });
    }
    check_headers(headers, &Method::POST)?;
    // Signed for another server (SIG-03): whatever stands in front of us, the signature speaks of this name.
    let host = text(header::HOST).to_ascii_lowercase();
    if host != app.links().host() && !app.config().hosts().contains(&host) {
        return Err(Refusal { status: StatusCode::MISDIRECTED_REQUEST, reason: "other-host" });
    }
    Ok(())
}

async fn ask(app: &App, shape: &Shape, signature: &Unverified) -> Result<Facts, Refusal> {
    let (shape, key_id, links) = (shape.clone(), signature.key_id().to_owned(), app.links().clone());
    Ok(app.look_up(move |db| authority::gather(db, &shape, &key_id, &links)).await?)
}

async fn put(app: &App, vouched: Vouched, body: Bytes, line: Option<super::peer::LineState>) -> Result<(), Refusal> {
    let body = match vouched.how {
        Vouching::Origin => vouched.shape.activity.to_string(),
        Vouching::Signature | Vouching::Proof => String::from_utf8(body.into()).map_err(|_| malformed("json"))?,
    };
    let was_down = line.is_some_and(|line| line != super::peer::LineState::Healthy);
    let heard = was_down && vouched.how == Vouching::Signature;
    let stored = app
        .write(move |tx| {
            if heard {
                super::peer::heard(tx, &vouched.shape.host)?;
            }
            store::insert(tx, &vouched, &body)
        })
        .await?;
    let result = if stored { "stored" } else { "duplicate" };
    metrics::counter!("hedgeschool_inbox_taken_total", "result" => result).increment(1);
    Ok(())
}
