//! Which documents does this instance serve to other servers?

mod discovery;
#[cfg(test)]
mod tests;
mod thing;

use super::inbox;
use super::run::Documents;
use super::{collection, document};
use crate::actor::{self, Actor, ActorKind, ActorState};
use crate::app::App;
use crate::domain;
use crate::error::{Error, Result};
use crate::http::negotiate::wire_with;
use crate::http::{Answer, wire};
use crate::link::host_of_uri;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;

/// All inboxes and all documents that no feature serves. `documents` makes those of objects.
///
/// Whoever puts the router together adds `FederationMiddleware` around everything, so that handlers get a `Context`.
pub fn routes(documents: Documents) -> Router<App> {
    Router::new()
        .route("/inbox", post(inbox::receive))
        .route("/actor/inbox", post(inbox::receive))
        .route("/u/{handle}/inbox", post(inbox::receive))
        .route("/c/{name}/inbox", post(inbox::receive))
        .route("/actor", get(instance))
        .route("/actor/{collection}", get(of_instance))
        .route("/u/{handle}/outbox", get(outbox_of_person))
        .route("/u/{handle}/followers", get(followers_of_person))
        .route("/u/{handle}/following", get(following_of_person))
        .route("/a/{id}", get(thing::activity))
        .route("/o/{id}", get(thing::object))
        .route("/.well-known/webfinger", get(discovery::webfinger))
        .route("/.well-known/nodeinfo", get(discovery::nodeinfo_index))
        .route("/nodeinfo/2.1", get(discovery::nodeinfo))
        .layer(Extension(documents))
}

/// The instance actor's document; also what `GET /` answers to who wants ActivityPub (Lemmy reads a site from there).
pub async fn instance(State(app): State<App>) -> Answer {
    let document = app
        .read(|db| {
            let instance = actor::instance(db)?;
            document::to_wire(db, &instance)
        })
        .await?;
    Ok(wire(&document))
}

/// The document of a person or bot here, for the handler of `/u/{handle}` when `wants_wire`: 410 for who is gone.
pub async fn person(app: &App, handle: &str) -> Answer {
    let actor = find(app, handle, is_person).await?;
    if actor.state == ActorState::Gone {
        return Ok(wire_with(StatusCode::GONE, &tombstone(&actor.uri)));
    }
    let document = app.read(move |db| document::to_wire(db, &actor)).await?;
    Ok(wire(&document))
}

/// What stands where something was (AP 6.4).
pub fn tombstone(uri: &str) -> serde_json::Value {
    json!({"@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "Tombstone"})
}

fn is_person(actor: &Actor) -> bool {
    matches!(actor.kind, ActorKind::Person | ActorKind::Bot)
}

/// An actor here of the wanted kind; a suspended one is not there.
async fn find(app: &App, handle: &str, wanted: fn(&Actor) -> bool) -> Result<Actor> {
    let handle = handle.to_owned();
    let found = app
        .read(move |db| {
            let found = actor::find_here(db, &handle)?;
            discovery::shown(db, found)
        })
        .await?;
    found.filter(|actor| wanted(actor) && actor.state != ActorState::Suspended).ok_or(Error::NotFound)
}

async fn of_instance(State(app): State<App>, Path(name): Path<String>) -> Answer {
    let actor = app.read(actor::instance).await?;
    collection_of(&app, actor, &name).await
}

async fn collection_of(app: &App, actor: Actor, name: &str) -> Answer {
    let document = match name {
        "outbox" => app.read(move |db| collection::outbox(db, &actor)).await?,
        "followers" => app.read(move |db| collection::followers(db, &actor)).await?,
        "following" => collection::following(&actor),
        _ => return Err(Error::NotFound),
    };
    Ok(wire(&document))
}

async fn outbox_of_person(State(app): State<App>, Path(handle): Path<String>) -> Answer {
    collection_of(&app, find(&app, &handle, is_person).await?, "outbox").await
}

async fn followers_of_person(State(app): State<App>, Path(handle): Path<String>) -> Answer {
    collection_of(&app, find(&app, &handle, is_person).await?, "followers").await
}

async fn following_of_person(State(app): State<App>, Path(handle): Path<String>) -> Answer {
    collection_of(&app, find(&app, &handle, is_person).await?, "following").await
}

/// Refuses requests that somebody of a blocked server signed, before anything else is done for them (MOD-01). Whether
/// the signature is right does not matter: who signs in the name of a blocked server is served nothing.
pub async fn refuse_blocked(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    if request.method() == Method::GET
        && let Some(host) = signing_host(request.headers())
    {
        app.look_up(move |db| domain::check(db, &host)).await?;
    }
    Ok(next.run(request).await)
}

/// The host of the key that a request names.
fn signing_host(headers: &HeaderMap) -> Option<String> {
    let of = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?.to_ascii_lowercase();
        let (_, rest) = text.split_once("keyid=\"")?;
        host_of_uri(rest.split('"').next()?)
    };
    of("signature").or_else(|| of("signature-input"))
}
