//! Where do administrators look after other servers? A list, and a page for each.

use super::admin::may_see;
use crate::actor;
use crate::app::App;
use crate::domain::Severity;
use crate::error::{Error, Result};
use crate::federation::peer::LineState;
use crate::federation::peer::book::{self, Filter, Row, Waiting};
use crate::federation::peer::probe::{Step, probe};
use crate::federation::peer::trouble::{self, Dropped, Unworked};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect_with, redirect_without, render};
use crate::id::InboxId;
use crate::setting;
use crate::site::peers;
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/admin/federation", get(index))
        .route("/admin/federation/{host}", get(show))
        .route("/admin/federation/{host}/retry", post(retry))
        .route("/admin/federation/{host}/test", post(test))
        .route("/admin/federation/{host}/note", post(note))
        .route("/admin/federation/{host}/received/{id}", post(work_again))
}

#[derive(Template)]
#[template(path = "site/peers.html", config = ".askama.toml")]
struct PeersPage {
    page: Page,
    rows: Vec<Row>,
    counts: Vec<(LineState, i64)>,
    kinds: Vec<(String, i64)>,
    q: String,
    state: String,
    software: String,
    rule: String,
    is_filtered: bool,
    is_paused: bool,
    pages: Pages,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    software: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    page: String,
}

async fn index(State(app): State<App>, page: Page, me: SignedIn, Query(wish): Query<Wish>) -> Answer {
    may_see(&me)?;
    let number: i64 = wish.page.parse().unwrap_or(1).clamp(1, 100_000);
    let software: String = wish.software.chars().take(60).collect();
    let filter = Filter {
        letters: wish.q.trim().chars().take(100).collect(),
        state: wish.state.parse().ok(),
        software: (!software.is_empty()).then(|| software.clone()),
        rule: wish.rule.parse().ok().filter(|rule| *rule != Severity::Admit),
    };
    let rule = filter.rule.map_or("", Severity::as_str).to_owned();
    let (q, state) = (filter.letters.clone(), filter.state.map_or("", LineState::as_str).to_owned());
    let is_filtered = !q.is_empty() || !state.is_empty() || !software.is_empty() || !rule.is_empty();
    let at = number - 1;
    let ((rows, more), counts, kinds, is_paused) = app
        .read(move |db| {
            let paused = setting::are_deliveries_paused(db)?;
            Ok((book::list(db, &filter, at)?, book::count(db)?, book::software(db)?, paused))
        })
        .await?;
    let asked = [("q", &q), ("state", &state), ("software", &software), ("rule", &rule)];
    let asked = serde_urlencoded::to_string(asked).unwrap_or_default();
    let pages = Pages::at(&format!("/admin/federation?{asked}"), number, more);
    let shown = PeersPage { page, rows, counts, kinds, q, state, software, rule, is_filtered, is_paused, pages };
    Ok(render(&shown)?.into_response())
}

#[derive(Template)]
#[template(path = "site/peer.html", config = ".askama.toml")]
struct PeerPage {
    page: Page,
    row: Row,
    waiting: Vec<Waiting>,
    dropped: Vec<Dropped>,
    received: i64,
    unworked: (i64, Vec<Unworked>),
    is_paused: bool,
    form: Form,
    steps: Vec<Step>,
}

/// What is shown of a line, of each kind.
const SHOWN: i64 = 20;

async fn peer_page(app: &App, page: Page, me: &SignedIn, host: &str) -> Result<PeerPage> {
    may_see(me)?;
    let name = host.to_owned();
    app.read(move |db| {
        let row = book::find(db, &name)?.ok_or(Error::NotFound)?;
        Ok(PeerPage {
            page,
            waiting: book::waiting(db, &name, SHOWN)?,
            dropped: trouble::list_dropped(db, &name, SHOWN)?,
            received: trouble::count_received(db, &name)?,
            unworked: trouble::list_unworked(db, &name, SHOWN)?,
            is_paused: setting::are_deliveries_paused(db)?,
            form: Form::of([("note", row.peer.note.clone())]),
            row,
            steps: Vec::new(),
        })
    })
    .await
}

async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(host): Path<String>) -> Answer {
    Ok(render(&peer_page(&app, page, &me, &host).await?)?.into_response())
}

async fn retry(State(app): State<App>, me: SignedIn, Path(host): Path<String>, _form: Form) -> Answer {
    let (by, name) = (me.actor.clone(), host.clone());
    let back = format!("/admin/federation/{host}");
    match app.write(move |tx| peers::retry(tx, &by, &name)).await {
        Ok(true) => Ok(redirect_with(&back, "It is tried now. Reload the page in a moment to see what came of it.")),
        Ok(false) => Ok(redirect_with(&back, "Nothing waits for this server.")),
        Err(Error::Denied(refused)) => Ok(redirect_without(&back, &refused.0)),
        Err(other) => Err(other),
    }
}

async fn work_again(
    State(app): State<App>,
    me: SignedIn,
    Path((host, id)): Path<(String, i64)>,
    _form: Form,
) -> Answer {
    let by = me.actor.clone();
    app.write(move |tx| peers::work_again(tx, &by, InboxId(id))).await?;
    let sentence = "It is worked on now. Reload the page in a moment to see what came of it.";
    Ok(redirect_with(&format!("/admin/federation/{host}"), sentence))
}

/// Asks the server now and shows what came back. A POST, because others are asked.
async fn test(State(app): State<App>, page: Page, me: SignedIn, Path(host): Path<String>, _form: Form) -> Answer {
    may_see(&me)?;
    let mut shown = peer_page(&app, page, &me, &host).await?;
    let name = host.clone();
    let known = app.read(move |db| actor::newest_of(db, &name)).await?;
    let steps = probe(&app, &host, known.map(|actor| actor.uri)).await?;
    // What was learned just now is shown as well.
    let name = host.clone();
    if let Some(row) = app.read(move |db| book::find(db, &name)).await? {
        shown.row = row;
    }
    shown.steps = steps;
    Ok(render(&shown)?.into_response())
}

async fn note(State(app): State<App>, page: Page, me: SignedIn, Path(host): Path<String>, form: Form) -> Answer {
    let (by, name, text) = (me.actor.clone(), host.clone(), form.value("note").to_owned());
    // Only servers that are known have a page.
    let mut shown = peer_page(&app, page, &me, &host).await?;
    let result = app.write(move |tx| peers::note(tx, &by, &name, &text)).await;
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with(&format!("/admin/federation/{host}"), "The note is kept.")),
        Err(form) => {
            shown.form = *form;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}
