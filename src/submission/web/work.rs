//! Which pages show handed-in work to its author and to who leads the run, and who gets its files?

use super::Handed;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment;
use crate::assignment::web::Shown;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::{Context, inbox};
use crate::http::{Answer, Page, SignedIn, Visitor, render};
use crate::media;
use crate::submission::{self, Submission};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse;
use std::collections::HashMap;

/// Rows of one page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "submission/index.html", config = ".askama.toml")]
struct IndexPage {
    page: Page,
    shown: Shown,
    rows: Vec<Row>,
    filter: String,
    text: String,
    back: Option<String>,
    on: Option<String>,
}

struct Row {
    submission: Submission,
    author: Actor,
    versions: usize,
}

impl IndexPage {
    fn filters() -> [(&'static str, &'static str); 5] {
        [
            ("", "All"),
            ("submitted", "In time"),
            ("late", "Late"),
            ("under_review", "Under review"),
            ("withdrawn", "Withdrawn"),
        ]
    }
}

/// Which rows are asked for.
#[derive(serde::Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: usize,
}

/// With their authors and numbers of versions, read at once.
fn rows(db: &mut Db, some: Vec<Submission>) -> Result<Vec<Row>> {
    let ids: Vec<_> = some.iter().map(|submission| submission.author_id).collect();
    let authors: HashMap<_, _> = actor::list(db, &ids)?.into_iter().map(|author| (author.id, author)).collect();
    let versions = submission::count_versions(db, &some)?;
    let row = |submission: Submission| {
        let author = authors.get(&submission.author_id)?.clone();
        Some(Row { author, versions: versions.get(&submission.id).copied().unwrap_or_default(), submission })
    };
    Ok(some.into_iter().filter_map(row).collect())
}

pub(super) async fn index(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let filter = wanted.state.clone();
    let (shown, mut rows) = app
        .read(move |db| {
            let shown = Shown::find(db, &id, Some(&me.actor))?;
            assignment::may_lead(db, &me.actor, &shown.cohort)?;
            let all = submission::list_of(db, shown.assignment.id)?;
            let some: Vec<_> = all.into_iter().filter(|s| filter.is_empty() || s.state.as_str() == filter).collect();
            let some = some.into_iter().skip(wanted.page.saturating_mul(ROWS)).take(ROWS + 1);
            Ok((shown, rows(db, some.collect())?))
        })
        .await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let at = |number: usize| format!("{}/submissions?state={}&page={number}", shown.assignment.path(), wanted.state);
    let back = wanted.page.checked_sub(1).map(at);
    let on = more.then(|| at(wanted.page + 1));
    let text = format!("Page {}", wanted.page + 1);
    Ok(render(&IndexPage { filter: wanted.state.clone(), text, back, on, page, rows, shown })?.into_response())
}

#[derive(Template)]
#[template(path = "submission/show.html", config = ".askama.toml")]
struct ShowPage {
    page: Page,
    shown: Shown,
    handed: Handed,
    is_mine: bool,
}

pub(super) async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let by = me.actor.clone();
    let (shown, handed) = app
        .read(move |db| {
            let submission = submission::get_public(db, &id)?;
            submission::may_see(db, &by, &submission)?;
            let assignment = assignment::get(db, submission.assignment_id)?;
            Ok((Shown::find(db, &assignment.public_id, Some(&by))?, Handed::of(db, submission)?))
        })
        .await?;
    let is_mine = handed.submission.author_id == me.actor.id;
    Ok(render(&ShowPage { page, shown, handed, is_mine })?.into_response())
}

/// A file, for whoever may have it; for everyone else it is as if it were not there (MED-08).
pub(super) async fn file(
    State(app): State<App>,
    context: Context,
    visitor: Visitor,
    Path(id): Path<String>,
    (target, headers): (Uri, HeaderMap),
) -> Answer {
    let by = match visitor.actor() {
        Some(person) => person.clone(),
        None => inbox::asker(&context, &headers, &target).await?.ok_or(Error::NotFound)?,
    };
    let file = app
        .read(move |db| {
            let file = media::get_public(db, &id)?;
            submission::may_fetch(db, &by, &file)?;
            Ok(file)
        })
        .await?;
    media::web::serve(&app, &file).await
}
