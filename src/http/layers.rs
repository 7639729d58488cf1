//! What does every request pass, from the outside in? Read [`around`] from the bottom.

use super::answer::{dress, refuse};
use super::client::{Client, Peer, client, is_unnamed};
use super::limit::Limit;
use super::{files, health};
use crate::app::App;
use crate::error::Error;
use crate::measure;
use crate::stop::Stop;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::Authority};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// A form with files, on a slow line, may take so much longer.
const WITH_FILES: u32 = 6;
/// Largest body without files; an activity is far smaller.
const BODY: usize = 1 << 20;

/// The inner half: a handler's panic and error become pages, what no route knows is not found.
/// Who is visiting must be put into the request outside of this, because error pages show it.
pub fn inside(app: &App, routes: Router<App>) -> Router<App> {
    routes
        .fallback(|| async { Error::NotFound })
        .method_not_allowed_fallback(|| async {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "This address does not take that kind of request.")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), timed))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), bounded))
        .layer(from_fn(dress))
}

/// The outer half: the last line below is the first that a request meets.
pub fn around(app: &App, inside: Router<App>, stop: Stop) -> Router {
    let limit = Arc::new(Limit::new(app.config().server.requests_per_minute, Duration::from_secs(60)));
    let inside = inside.layer(from_fn_with_state((app.clone(), limit), limited));
    let asked_by_name =
        inside.merge(files::routes()).layer(CompressionLayer::new()).layer(from_fn_with_state(app.clone(), named));
    asked_by_name
        // A health check asks by whatever name it likes.
        .merge(health::routes(stop))
        .layer(from_fn_with_state(app.clone(), guarded))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(logged))
        .layer(from_fn_with_state(app.clone(), addressed))
        .with_state(app.clone())
}

/// Finds out from where the request comes.
async fn addressed(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() {
        let from = client(peer.ip(), request.headers(), &app.config().server.trusted_proxies);
        request.extensions_mut().insert(from);
    }
    next.run(request).await
}

/// Refuses an address that asks too often. Requests to inboxes are counted there; whom a proxy does not name cannot be
/// told from others.
async fn limited(State((app, limit)): State<(App, Arc<Limit>)>, request: Request, next: Next) -> Response {
    let server = &app.config().server;
    let to_inbox = request.method() == Method::POST && request.uri().path().ends_with("/inbox");
    let peer = request.extensions().get::<Peer>().copied();
    let is_named = peer.is_some_and(|Peer(peer)| !is_unnamed(peer.ip(), request.headers(), &server.trusted_proxies));
    let from = request.extensions().get::<Client>().filter(|_| is_named && !to_inbox && server.requests_per_minute > 0);
    if let Some(Err(error)) = from.map(|client| limit.check(app.clock(), &client.network())) {
        measure::request_refused();
        return error.into_response();
    }
    next.run(request).await
}

/// One line for each request. The route's pattern instead of the path, because paths hold tokens and names.
async fn logged(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let from = request.extensions().get::<Client>().map(|client| client.0.to_string()).unwrap_or_default();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    let bytes = response.body().size_hint().exact();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "hedgeschool::request", %method, %route, status, ms, bytes, %from);
    measure::request(known(&method), &route, status, took);
    response
}

/// Anyone can invent methods; counters must not grow with them.
fn known(method: &str) -> &str {
    if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method) { method } else { "other" }
}

/// Our fault, and only this request's: the process goes on (F7).
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer calls")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text =
        cause.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| cause.downcast_ref::<String>().cloned());
    Error::internal(format!("panic: {}", text.unwrap_or_default())).into_response()
}

const CSP: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What browsers are told, also with errors (WEB-07). A handler that sets one of these itself wins.
async fn guarded(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    let mut tell = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    tell(header::CONTENT_SECURITY_POLICY, CSP);
    tell(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    tell(header::REFERRER_POLICY, "same-origin");
    tell(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    tell(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if app.links().is_https() {
        tell(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    if is_page {
        tell(header::CACHE_CONTROL, "private, no-cache");
        // The same address is a document for those who ask for one.
        headers.append(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    }
    response
}

/// Only requests that ask for us by our name are for us (F6, WEB-08): 421 otherwise.
async fn named(State(app): State<App>, request: Request, next: Next) -> Response {
    let name = host_asked(&request);
    if name.as_deref().is_some_and(|name| app.config().hosts().iter().any(|host| host == name)) {
        next.run(request).await
    } else {
        refuse(StatusCode::MISDIRECTED_REQUEST, "This server is not known by that name.")
    }
}

/// Lower case, with port where it is not the default one; nothing when there are two or none.
fn host_asked(request: &Request) -> Option<String> {
    let mut lines = request.headers().get_all(header::HOST).iter();
    let (first, second) = (lines.next(), lines.next());
    if second.is_some() {
        return None;
    }
    let line = first?.to_str().ok()?;
    // A request for an absolute address must agree with its Host.
    if request.uri().authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(line)) {
        return None;
    }
    let authority: Authority = line.parse().ok()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    Some(match authority.port_u16() {
        None | Some(80 | 443) => host,
        Some(port) => format!("{host}:{port}"),
    })
}

fn with_files(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

/// Larger bodies are refused before they are read, or cut off when they do not say how large they are (DOS-02).
async fn bounded(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = if with_files(request.headers()) { app.config().server.max_upload.saturating_add(BODY) } else { BODY };
    let said =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if said.is_some_and(|said| said > u64::try_from(limit).unwrap_or(u64::MAX)) {
        if with_files(request.headers()) {
            measure::file_refused("too-large");
        }
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "What you sent is too large.");
    }
    let request = request.map(|body| Body::new(http_body_util::Limited::new(body, limit)));
    next.run(request).await
}

/// Ends what takes too long, such as a body that drips in.
async fn timed(State(app): State<App>, request: Request, next: Next) -> Response {
    let time = Duration::from_secs(app.config().server.request_seconds);
    let time = if with_files(request.headers()) { time * WITH_FILES } else { time };
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            metrics::counter!("hedgeschool_slow_requests_total", "part" => "body").increment(1);
            refuse(StatusCode::REQUEST_TIMEOUT, "This took too long. Please try again.")
        }
    }
}
