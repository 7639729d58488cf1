//! How is something of another server looked up?
//!
//! Through the library's `ObjectId` and our guarded client: addresses, redirects, sizes and media types are checked
//! below, ids and fetch limits by the library, what a document may claim in [`super::document`]. When something is
//! fresh is decided here, by our clock.

use super::document;
use super::peer;
use super::received::Context;
use super::webfinger::{self, Sought, WebfingerError};
use super::wire::{self, Bounds};
use crate::actor::{self, Actor, ActorState, RemoteActor};
use crate::app::App;
use crate::domain;
use crate::error::{Error, Result};
use crate::link::same_host;
use crate::net::client::{FetchError, Verdict};
use activitypub_federation::config::Data;
use activitypub_federation::error::Error as Library;
use activitypub_federation::fetch::fetch_object_http;
use activitypub_federation::fetch::object_id::ObjectId;
use activitypub_federation::traits::Object;
use async_trait::async_trait;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// A document is believed for so long.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Somebody is not asked again sooner, whatever is signed in their name (SIG-14).
const PATIENCE: Duration = Duration::from_secs(300);

/// The actor with this id: from the database when it is fresh, otherwise from its server. When that does not answer,
/// an older document will do.
pub async fn actor(context: &Context, uri: &str) -> Result<Actor> {
    let app = context.app_data();
    let known = find(app, uri).await?;
    if app.links().is_ours(uri) {
        return known.ok_or(Error::NotFound);
    }
    if let Some(actor) = known.as_ref().filter(|actor| actor.state == ActorState::Blocked) {
        actor.may_act()?;
    }
    let now = app.now();
    let fresh = |actor: &Actor| actor.fetched_at.is_some_and(|at| now.since(at) < FRESH);
    match known {
        Some(actor) if fresh(&actor) || actor.state == ActorState::Gone => Ok(actor),
        Some(actor) => Ok(refresh(context, uri).await?.unwrap_or(actor)),
        None => match refresh(context, uri).await? {
            Some(actor) => Ok(actor),
            None => Err(Error::Unavailable(format!("{uri} could not be fetched a moment ago"))),
        },
    }
}

/// Fetches an actor anew, though not within five minutes of the last time: then there is nothing.
///
/// One who is gone (410) is marked so. An error of somebody known already is nothing, too.
pub async fn refresh(context: &Context, uri: &str) -> Result<Option<Actor>> {
    let app = context.app_data();
    let now = app.now();
    if app.links().is_ours(uri) || app.net().memory.was_tried(uri, now, PATIENCE) {
        return Ok(None);
    }
    may_meet(app, uri).await?;
    app.net().memory.note_try(uri, now);
    let mut url = Url::parse(uri).map_err(|_| Error::denied("An actor's id is not an address."))?;
    url.set_fragment(None);
    metrics::counter!("hedgeschool_fetches_total", "what" => "actor").increment(1);
    let answer = ObjectId::<Someone>::from(url).dereference_forced(context).await;
    peer::remember_schemes(app).await;
    match answer {
        Ok(someone) => Ok(Some(someone.actor)),
        Err(error) => match find(app, uri).await? {
            Some(known) if matches!(error, Error::NotFound) => {
                let id = known.id;
                app.write(move |tx| actor::move_to(tx, id, ActorState::Gone)).await?;
                Ok(find(app, uri).await?)
            }
            Some(_) => Ok(None),
            None => Err(error),
        },
    }
}

/// Refuses somebody unknown of a domain of which too many were met within a minute, whatever names it makes up below
/// itself (NET-08).
async fn may_meet(app: &App, uri: &str) -> Result<()> {
    if find(app, uri).await?.is_some() {
        return Ok(());
    }
    let host = crate::link::host_of_uri(uri).unwrap_or_default();
    if app.net().memory.may_meet(domain::name::registrable(&host)) {
        return Ok(());
    }
    metrics::counter!("hedgeschool_fetches_refused_total", "reason" => "new-actors").increment(1);
    Err(Error::TooMany(Duration::from_secs(60)))
}

/// What an actor's server says of them now, without keeping it: for somebody whose signature is yet to be checked. Not
/// within five minutes of the last time: then there is nothing.
///
/// Somebody known who is gone (410) is marked so.
pub async fn sight(context: &Context, uri: &str) -> Result<Option<RemoteActor>> {
    let app = context.app_data();
    let (uri, now) = (uri.split('#').next().unwrap_or_default(), app.now());
    if app.links().is_ours(uri) || app.net().memory.was_tried(uri, now, PATIENCE) {
        return Ok(None);
    }
    may_meet(app, uri).await?;
    app.net().memory.note_try(uri, now);
    let url = Url::parse(uri).map_err(|_| Error::denied("An actor's id is not an address."))?;
    metrics::counter!("hedgeschool_fetches_total", "what" => "actor").increment(1);
    let answer = fetch_object_http::<App, Value>(&url, context).await;
    peer::remember_schemes(app).await;
    match answer.map_err(Error::from) {
        Ok(answer) => {
            let sighted = document::read(&answer.object)?;
            match sighted.uri == uri && is_bounded(app, &answer.object) {
                true => Ok(Some(sighted)),
                false => Err(Error::denied("The actor is not the one that was asked for.")),
            }
        }
        Err(error) => match find(app, uri).await? {
            Some(known) if matches!(error, Error::NotFound) => {
                app.write(move |tx| actor::move_to(tx, known.id, ActorState::Gone)).await?;
                Ok(None)
            }
            Some(_) => Ok(None),
            None => Err(error),
        },
    }
}

/// Whether a document is small enough to be read; counted otherwise.
fn is_bounded(app: &App, document: &Value) -> bool {
    let holds = wire::is_bounded(document, Bounds::of(app));
    if !holds {
        metrics::counter!("hedgeschool_fetches_refused_total", "reason" => "too-deep").increment(1);
    }
    holds
}

/// The document with this id, from its own server; its `id` is this id. Not found when that server does not have it
/// (404), or no more (410).
pub async fn document(context: &Context, uri: &str) -> Result<Value> {
    let app = context.app_data();
    if app.links().is_ours(uri) {
        return Err(Error::denied("What lives here is not fetched from elsewhere."));
    }
    let url = Url::parse(uri).map_err(|_| Error::denied("An id is not an address."))?;
    metrics::counter!("hedgeschool_fetches_total", "what" => "document").increment(1);
    let answer = fetch_object_http::<App, Value>(&url, context).await;
    peer::remember_schemes(app).await;
    let answer = match answer {
        Err(error) if status_of(&error) == Some(404) => return Err(Error::NotFound),
        answer => answer?,
    };
    if !same_host(answer.url.as_str(), uri) || !is_bounded(app, &answer.object) {
        return Err(Error::denied("The document is not what it was asked for."));
    }
    Ok(answer.object)
}

/// The bytes at this address, asked for in the name of the instance, and at most so many of them.
pub async fn file(context: &Context, url: &str, most: usize) -> Result<bytes::Bytes> {
    let app = context.app_data();
    let url = Url::parse(url).map_err(|_| Error::denied("A file's address is none."))?;
    let host = crate::link::host_of(&url).unwrap_or_default();
    peer::recall_scheme(app, &host).await?;
    let standing = app.look_up(move |db| domain::standing(db, &host)).await?;
    if standing.reject_media {
        return Err(Error::denied("Files of that server are not taken here."));
    }
    if app.links().is_ours(url.as_str()) {
        return Err(Error::denied("A file there is not fetched."));
    }
    metrics::counter!("hedgeschool_fetches_total", "what" => "file").increment(1);
    let (net, now) = (app.net(), app.now().system());
    let answer = net.client.fetch_file(&url, net.signer.get().as_ref(), now, most).await;
    peer::remember_schemes(app).await;
    let answer = answer.map_err(|e| of_fetch(&e))?;
    match answer.status {
        status if status.is_success() => Ok(answer.body),
        status if status.is_server_error() || matches!(status.as_u16(), 408 | 429) => {
            Err(Error::Unavailable(format!("a file's server answered {status}")))
        }
        status => Err(Error::denied(format!("A file could not be fetched: its server answered {status}."))),
    }
}

/// The actor whom `@name@host` means, by WebFinger (RFC 7033), also when it is not known yet. An address of an actor
/// will do as well. The handle's host, the actor's host and the actor itself must agree (NRM-01).
pub async fn acct(context: &Context, acct: &str) -> Result<Actor> {
    let app = context.app_data();
    let handle = match webfinger::parse_handle(acct) {
        Some(Sought::Handle(handle)) => handle,
        Some(Sought::Url(url)) => return actor(context, url.as_str()).await,
        None => return Err(Error::NotFound),
    };
    let (name, host) = (handle.user.clone(), handle.host.clone());
    if host == app.links().host() {
        return app.read(move |db| actor::find_here(db, &name)).await?.ok_or(Error::NotFound);
    }
    let client = &app.net().client;
    let found = webfinger::resolve(client, &handle, app.now().system()).await.map_err(refused)?;
    let actor = actor(context, found.actor.as_str()).await?;
    webfinger::confirm(client, &found, &actor.handle, app.now().system()).await.map_err(refused)?;
    Ok(actor)
}

fn refused(error: WebfingerError) -> Error {
    match error {
        WebfingerError::Fetch(error) => of_fetch(&error),
        WebfingerError::Status(status) if status.is_server_error() => Error::Unavailable(error.to_string()),
        _ => Error::NotFound,
    }
}

fn of_fetch(error: &FetchError) -> Error {
    match error.verdict() {
        Verdict::Transient => Error::Unavailable(error.to_string()),
        Verdict::Refused | Verdict::Permanent => Error::denied(format!("It cannot be fetched: {error}.")),
    }
}

async fn find(app: &App, uri: &str) -> Result<Option<Actor>> {
    let uri = uri.split('#').next().unwrap_or_default().to_owned();
    app.look_up(move |db| actor::find_by_uri(db, &uri)).await
}

/// Stores somebody elsewhere, and forgets the keys that were kept in memory.
pub async fn store(app: &App, remote: RemoteActor) -> Result<Actor> {
    let (actor, keys) = app
        .write(move |tx| {
            let before = match actor::find_by_uri(tx, &remote.uri)? {
                Some(known) => actor::verifying_keys_of(tx, known.id)?,
                None => Vec::new(),
            };
            let mut actor = actor::put(tx, &remote)?;
            // Somebody new of a limited server is limited from the beginning.
            if actor.state == ActorState::Active && domain::standing(tx, &actor.host)?.is_limited() {
                actor::move_to(tx, actor.id, ActorState::Limited)?;
                actor = actor::get(tx, actor.id)?;
            }
            let after = actor::verifying_keys_of(tx, actor.id)?;
            Ok((actor, before.into_iter().chain(after).map(|key| key.uri).collect::<Vec<_>>()))
        })
        .await?;
    for key in keys {
        app.net().memory.forget_verifying(&key);
    }
    Ok(actor)
}

/// Anyone with an inbox, as the library's traits want to see them.
#[derive(Debug)]
struct Someone {
    actor: Actor,
    id: Url,
}

impl Someone {
    fn new(actor: Actor) -> Result<Self> {
        let id = Url::parse(&actor.uri).map_err(|_| Error::internal("an actor's id is an address"))?;
        Ok(Self { actor, id })
    }
}

#[async_trait]
impl Object for Someone {
    type DataType = App;
    type Kind = Value;
    type Error = Error;

    fn id(&self) -> &Url {
        &self.id
    }

    async fn read_from_id(id: Url, data: &Data<App>) -> Result<Option<Self>> {
        find(data.app_data(), id.as_str()).await?.map(Self::new).transpose()
    }

    async fn delete(&self, data: &Data<App>) -> Result<()> {
        let id = self.actor.id;
        data.app_data().write(move |tx| actor::move_to(tx, id, ActorState::Gone)).await
    }

    fn is_deleted(&self) -> bool {
        self.actor.state == ActorState::Gone
    }

    async fn into_json(self, data: &Data<App>) -> Result<Value> {
        data.app_data().read(move |db| document::to_wire(db, &self.actor)).await
    }

    async fn verify(json: &Value, from: &Url, data: &Data<App>) -> Result<()> {
        // Read again in `from_json`; this refuses before anything is stored.
        let remote = document::read(json)?;
        let same = same_host(&remote.uri, from.as_str()) && is_bounded(data.app_data(), json);
        if same { Ok(()) } else { Err(Error::denied("The actor is not the one that was asked for.")) }
    }

    async fn from_json(json: Value, data: &Data<App>) -> Result<Self> {
        Self::new(store(data.app_data(), document::read(&json)?).await?)
    }
}

fn status_of(error: &Library) -> Option<u16> {
    match error {
        Library::ReqwestMiddleware(reqwest_middleware::Error::Middleware(inner)) => match inner.downcast_ref() {
            Some(FetchError::Status(status)) => Some(*status),
            _ => None,
        },
        _ => None,
    }
}

impl From<Library> for Error {
    fn from(error: Library) -> Self {
        let never = || Self::denied("What was fetched is no ActivityPub document of that id.");
        match error {
            Library::NotFound | Library::ObjectDeleted(_) => Self::NotFound,
            Library::RequestLimit => {
                metrics::counter!("hedgeschool_fetches_refused_total", "reason" => "too-many").increment(1);
                Self::denied("One activity may not cause that many fetches.")
            }
            Library::UrlVerificationError(reason) => Self::denied(format!("It cannot be fetched: {reason}.")),
            Library::Other(reason) => Self::denied(reason),
            Library::FetchInvalidContentType(_) | Library::FetchWrongId(_) | Library::ParseFetchedObject(..) => never(),
            Library::ResponseBodyLimit | Library::UrlParse(_) | Library::Utf8(_) => never(),
            Library::ReqwestMiddleware(reqwest_middleware::Error::Middleware(inner)) => {
                match inner.downcast_ref::<FetchError>() {
                    Some(error) => of_fetch(error),
                    None => Self::Unavailable(inner.to_string()),
                }
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}
