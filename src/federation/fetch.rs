//! How is something of another server looked up?
//!
//! Through the library and our guarded client: addresses, redirects, sizes and media types are checked below, fetch
//! limits and that a document's id is where it was found by the library, what it may claim in [`super::document`]. Whether
//! it is what was asked for, and when something is fresh, is decided here, by our clock.

use super::document;
use super::peer;
use super::received::{Context, Received};
use super::webfinger::{self, Sought, WebfingerError};
use super::wire::{self, Bounds};
use crate::actor::{self, Actor, ActorState, RemoteActor};
use crate::app::App;
use crate::clock::Time;
use crate::db::Tx;
use crate::domain;
use crate::error::{Error, Result};
use crate::link::same_host;
use crate::net::client::{FetchError, Verdict};
use activitypub_federation::error::Error as Library;
use activitypub_federation::fetch::fetch_object_http;
use bytes::Bytes;
use moka::sync::Cache;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc;
use url::Url;

/// A document is believed for so long.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Somebody is not asked again sooner, whatever is signed in their name (SIG-14).
const PATIENCE: Duration = Duration::from_secs(300);
/// Documents that wait for a right signature, in bytes.
const MOST_SIGHTED: u64 = 8 << 20;

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
    may_meet(app, uri).await?;
    match sight(context, uri).await? {
        Some(sighted) => store(app, sighted).await.map(Some),
        None => Ok(find(app, uri).await?.filter(|known| known.state == ActorState::Gone)),
    }
}

/// Refuses somebody unknown of a domain of which too many were met within a minute, whatever names it makes up below
/// itself (NET-08).
async fn may_meet(app: &App, uri: &str) -> Result<()> {
    spend(app, uri, str::to_owned).await
}

/// Refuses to ask for somebody unknown in whose name this network signed, when it made us ask for too many of that domain
/// within a minute. Of the domain itself one more is met only when the signature was right: see [`keep`].
pub async fn may_ask(app: &App, network: &str, uri: &str) -> Result<()> {
    spend(app, uri, |domain| format!("{network} {domain}")).await
}

async fn spend(app: &App, uri: &str, whose: impl Fn(&str) -> String) -> Result<()> {
    if find(app, uri).await?.is_some() {
        return Ok(());
    }
    let host = crate::link::host_of_uri(uri).unwrap_or_default();
    if app.net().memory.may_meet(&whose(domain::name::registrable(&host))) {
        return Ok(());
    }
    metrics::counter!("hedgeschool_fetches_refused_total", "reason" => "new-actors").increment(1);
    Err(Error::TooMany(Duration::from_secs(60)))
}

/// Documents of those who were asked for and not stored, because what was signed in their name was not theirs.
struct Sighted(Cache<String, (Time, RemoteActor)>);

impl Default for Sighted {
    fn default() -> Self {
        let weigh = |uri: &String, (_, of): &(Time, RemoteActor)| {
            let keys: usize = of.keys.iter().map(|(id, pem)| id.len() + pem.len()).sum();
            u32::try_from(1024 + uri.len() + of.summary.len() + of.url.len() + keys).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(MOST_SIGHTED).time_to_live(PATIENCE).build())
    }
}

/// What an actor's server said of them within the last five minutes, when it was not stored.
pub fn sighted(app: &App, uri: &str) -> Option<RemoteActor> {
    let uri = uri.split('#').next().unwrap_or_default();
    let (at, sighted) = app.kept::<Sighted>().0.get(uri)?;
    (app.now().since(at) < PATIENCE && at <= app.now()).then_some(sighted)
}

/// What an actor's server says of them now, or said within the last five minutes, without storing it: for somebody whose
/// signature is yet to be checked. Nothing when it was stored then, or nothing fit came, or comes of somebody known.
///
/// Wherever a redirect leads, only a document with the very id that was asked for is of that actor (FEP-fe34). Somebody
/// known who is gone (410) is marked so.
pub async fn sight(context: &Context, uri: &str) -> Result<Option<RemoteActor>> {
    let app = context.app_data();
    let (uri, now) = (uri.split('#').next().unwrap_or_default(), app.now());
    if let Some(sighted) = sighted(app, uri) {
        return Ok(Some(sighted));
    }
    if app.links().is_ours(uri) || app.net().memory.was_tried(uri, now, PATIENCE) {
        return Ok(None);
    }
    app.net().memory.note_try(uri, now);
    let url = Url::parse(uri).map_err(|_| Error::denied("An actor's id is not an address."))?;
    metrics::counter!("hedgeschool_fetches_total", "what" => "actor").increment(1);
    let answer = fetch_object_http::<App, Value>(&url, context).await;
    peer::remember_schemes(app).await;
    match answer.map_err(Error::from).and_then(|answer| read_as(app, uri, &answer.object)) {
        Ok(sighted) => {
            app.kept::<Sighted>().0.insert(uri.to_owned(), (now, sighted.clone()));
            Ok(Some(sighted))
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

fn read_as(app: &App, uri: &str, said: &Value) -> Result<RemoteActor> {
    let sighted = document::read(said)?;
    let same = sighted.uri == uri && is_bounded(app, said);
    if same { Ok(sighted) } else { Err(Error::denied("The actor is not the one that was asked for.")) }
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

/// Refuses so many further fetches when that is more than one activity may cause, counting those of the library.
pub fn check_budget(context: &Context, further: usize) -> Result<()> {
    let done = usize::try_from(context.request_count()).unwrap_or(usize::MAX);
    let most = usize::try_from(context.app_data().config().federation.fetches_per_activity).unwrap_or(usize::MAX);
    if done.saturating_add(further) <= most { Ok(()) } else { Err(Library::RequestLimit.into()) }
}

/// How long a file waits for one of the places for downloads.
const WAIT: Duration = Duration::from_secs(10);

/// Fetches a file in the name of the instance; its bytes, at most so many, go `into` in pieces. After an error they are
/// not the file.
pub async fn file(context: &Context, url: &str, most: usize, into: mpsc::Sender<Bytes>) -> Result<()> {
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
    let (net, now) = (app.net(), app.now().system());
    let Ok(Ok(_place)) = tokio::time::timeout(WAIT, net.downloads.acquire()).await else {
        metrics::counter!("hedgeschool_fetches_refused_total", "reason" => "downloads").increment(1);
        return Err(Error::Unavailable("too many files are being fetched".into()));
    };
    metrics::counter!("hedgeschool_fetches_total", "what" => "file").increment(1);
    let answer = net.client.fetch_file(&url, net.signer.get().as_ref(), now, (most, into)).await;
    peer::remember_schemes(app).await;
    match answer {
        Err(FetchError::TooLarge) => Err(Error::invalid("files", format!("A file has more than {most} bytes."))),
        Err(error) => Err(of_fetch(&error)),
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) if status.is_server_error() || matches!(status.as_u16(), 408 | 429) => {
            Err(Error::Unavailable(format!("a file's server answered {status}")))
        }
        Ok(status) => Err(Error::denied(format!("A file could not be fetched: its server answered {status}."))),
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

/// Stores somebody who was found by what they signed rightly: of one domain no more strangers than are met in a minute.
pub async fn keep(app: &App, sighted: RemoteActor) -> Result<Actor> {
    may_meet(app, &sighted.uri).await?;
    store(app, sighted).await
}

/// Stores somebody elsewhere, and forgets the keys that were kept in memory.
pub async fn store(app: &App, remote: RemoteActor) -> Result<Actor> {
    let (actor, keys) = app.write(move |tx| put(tx, &remote)).await?;
    forget(app, &actor, keys);
    Ok(actor)
}

/// `Update` of an actor by itself: what is stored of them becomes what they say, in the transaction that ends the
/// activity, with what else follows. A document without keys says less than the one at its server, and changes nothing.
pub async fn updated(
    context: &Context,
    got: &Received,
    then: impl FnOnce(&mut Tx<'_>, &Actor) -> Result<()> + Send + 'static,
) -> Result<()> {
    let said = read_as(context.app_data(), &got.signer.uri, got.object())?;
    if said.kind != got.signer.kind {
        return Err(Error::denied("An actor stays of the kind that it is."));
    }
    let signer = got.signer.clone();
    let stored = got.settle(context, move |tx| {
        let stored = if said.keys.is_empty() { None } else { Some(put(tx, &said)?) };
        then(tx, stored.as_ref().map_or(&signer, |(actor, _)| actor))?;
        Ok(stored)
    });
    if let Some((actor, keys)) = stored.await? {
        forget(context.app_data(), &actor, keys);
    }
    Ok(())
}

/// Gives the ids of the keys that were theirs, and are.
fn put(tx: &mut Tx<'_>, remote: &RemoteActor) -> Result<(Actor, Vec<String>)> {
    let before = match actor::find_by_uri(tx, &remote.uri)? {
        Some(known) => actor::verifying_keys_of(tx, known.id)?,
        None => Vec::new(),
    };
    let mut actor = actor::put(tx, remote)?;
    // Somebody new of a limited server is limited from the beginning.
    if actor.state == ActorState::Active && domain::standing(tx, &actor.host)?.is_limited() {
        actor::move_to(tx, actor.id, ActorState::Limited)?;
        actor = actor::get(tx, actor.id)?;
    }
    let after = actor::verifying_keys_of(tx, actor.id)?;
    Ok((actor, before.into_iter().chain(after).map(|key| key.uri).collect()))
}

fn forget(app: &App, actor: &Actor, keys: Vec<String>) {
    // What they said before counts no more.
    app.kept::<Sighted>().0.invalidate(&actor.uri);
    for key in keys {
        app.net().memory.forget_verifying(&key);
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
