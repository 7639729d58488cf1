//! How does one go on at one's own server, and come from another one, in a browser?

use super::{Thing, find, way_on};
use crate::actor::{Actor, ActorKind};
use crate::app::App;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::federation::webfinger::{self, Handle, Sought, WebfingerError};
use crate::federation::{Context, fetch, wire};
use crate::http::limit::network_of;
use crate::http::{Answer, Form, Page, SignedIn, redirect, render};
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;
use std::time::Duration;

/// Going on elsewhere, and coming from elsewhere.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/interactions/new", get(new).post(create))
        .route("/authorize_interaction", get(ask).post(look_up))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    uri: String,
}

/// Longest id that is looked at, in bytes.
const LONGEST: usize = 2048;

#[derive(Template)]
#[template(path = "interaction/new.html", config = ".askama.toml")]
struct NewPage {
    page: Page,
    thing: Thing,
    form: Form,
}

async fn thing(app: &App, uri: &str) -> Result<Thing> {
    let uri = uri.to_owned();
    app.read(move |db| find(db, &uri)).await
}

async fn new(State(app): State<App>, page: Page, Query(asked): Query<Asked>) -> Answer {
    let thing = thing(&app, &asked.uri).await?;
    let form = Form::of([("uri", asked.uri)]);
    Ok(render(&NewPage { page, thing, form })?.into_response())
}

#[derive(Template)]
#[template(path = "interaction/ready.html", config = ".askama.toml")]
struct ReadyPage {
    page: Page,
    thing: Thing,
    /// The visitor's account.
    handle: String,
    host: String,
    /// Where to go on; nothing when that server does not say.
    on: Option<String>,
}

async fn create(State(app): State<App>, page: Page, form: Form) -> Answer {
    let thing = thing(&app, form.text("uri")).await?;
    // One question to the server that the visitor names, for a form of ours alone.
    if !app.net().memory.may_ask_of_handle(&network_of(&page.visitor.address)) {
        return Err(Error::TooMany(Duration::from_secs(60)));
    }
    let result = way(&app, &thing, form.text("handle")).await;
    match form.or_problems(result)? {
        Ok((handle, on)) => {
            let host = handle.host.clone();
            Ok(render(&ReadyPage { page, thing, handle: format!("@{handle}"), host, on })?.into_response())
        }
        Err(form) => {
            let shown = NewPage { page, thing, form: *form };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

/// Where this account goes on. Asks its host once, and follows nothing that it says.
async fn way(app: &App, thing: &Thing, typed: &str) -> Result<(Handle, Option<String>)> {
    let wrong = |text: &'static str| Error::invalid("handle", text);
    let handle = match webfinger::parse_handle(typed) {
        Some(Sought::Handle(handle)) => handle,
        _ => return Err(wrong("Please write the handle of your account, such as @you@example.social.")),
    };
    if handle.host == app.links().host() {
        return Err(wrong("That account is of this school. Please sign in instead."));
    }
    let links = match webfinger::templates(&app.net().client, &handle, app.now().system()).await {
        Ok(links) => links,
        Err(WebfingerError::Status(status)) if status.is_client_error() => {
            return Err(wrong("The server knows no account of that name. Please look at it once more."));
        }
        Err(WebfingerError::Fetch(_) | WebfingerError::Status(_)) => {
            return Err(wrong("That server cannot be asked just now. Is its name right?"));
        }
        Err(_) => Vec::new(),
    };
    let on = way_on(&links, thing, &handle.host, app.net().client.rules().allow_loopback_names);
    Ok((handle, on))
}

#[derive(Template)]
#[template(path = "interaction/authorize.html", config = ".askama.toml")]
struct AskPage {
    page: Page,
    uri: String,
    /// Its host, so that people see where they send this server.
    host: String,
    problem: Option<String>,
}

/// A page with one button: looking only is no reason to ask other servers (NET-12, WEB-06).
async fn ask(State(app): State<App>, page: Page, _: SignedIn, Query(asked): Query<Asked>) -> Answer {
    let uri = read(&asked.uri)?;
    let known = uri.clone();
    if let Ok(thing) = app.read(move |db| find(db, &known)).await {
        return Ok(redirect(&thing.path));
    }
    Ok(render(&AskPage { page, host: host(&uri), uri, problem: None })?.into_response())
}

/// Finds a course, a person or a post by its address or handle and leads to its page here.
async fn look_up(State(app): State<App>, context: Context, page: Page, me: SignedIn, form: Form) -> Answer {
    let uri = read(form.text("uri"))?;
    if !app.net().memory.may_look_up(me.actor.id) {
        return Err(Error::TooMany(Duration::from_secs(60)));
    }
    match resolve(&app, &context, &uri).await {
        Ok(path) => Ok(redirect(&path)),
        Err(Error::Internal(error)) => Err(Error::Internal(error)),
        Err(error) => {
            let problem = match error {
                Error::NotFound => "No course, person or post of a course was found there.".to_owned(),
                Error::Unavailable(_) => "That server does not answer just now. Please try again later.".to_owned(),
                other => other.to_string(),
            };
            let shown = AskPage { page, host: host(&uri), uri, problem: Some(problem) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

/// An address or a handle; anything else is no question.
fn read(uri: &str) -> Result<String> {
    let uri = uri.trim();
    let sound = uri.len() <= LONGEST && webfinger::parse_handle(uri).is_some();
    if sound { Ok(uri.to_owned()) } else { Err(Error::NotFound) }
}

fn host(uri: &str) -> String {
    match webfinger::parse_handle(uri) {
        Some(Sought::Handle(handle)) => handle.host,
        Some(Sought::Url(url)) => crate::link::host_of(&url).unwrap_or_default(),
        None => String::new(),
    }
}

async fn resolve(app: &App, context: &Context, uri: &str) -> Result<String> {
    let asked = uri.to_owned();
    if let Ok(thing) = app.read(move |db| find(db, &asked)).await {
        return Ok(thing.path);
    }
    let actor = match webfinger::parse_handle(uri) {
        Some(Sought::Handle(handle)) => fetch::acct(context, &format!("@{handle}")).await?,
        _ if app.links().is_ours(uri) => return Err(Error::NotFound),
        _ => match named(app, context, uri).await? {
            Found::Actor(actor) => *actor,
            Found::Path(path) => return Ok(path),
        },
    };
    if actor.kind == ActorKind::Course && !actor.here {
        catalogue::apub::mirror(context, &actor.uri).await?;
    }
    Ok(actor.path())
}

enum Found {
    Actor(Box<Actor>),
    Path(String),
}

/// What a document elsewhere is. Of posts only those that a course here has already are known: their author cannot put
/// them into a course by being looked at.
async fn named(app: &App, context: &Context, uri: &str) -> Result<Found> {
    let document = fetch::document(context, uri).await?;
    let id = wire::id_of(&document).unwrap_or(uri).to_owned();
    if document.get("inbox").is_some() {
        return Ok(Found::Actor(Box::new(fetch::actor(context, &id).await?)));
    }
    Ok(Found::Path(app.read(move |db| find(db, &id)).await?.path))
}
