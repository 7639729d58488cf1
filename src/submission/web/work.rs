//! Which pages show handed-in work to its author and to who leads the run, and who gets its files?

use super::Handed;
use crate::app::App;
use crate::assignment;
use crate::assignment::web::Shown;
use crate::error::Error;
use crate::federation::{Context, inbox};
use crate::http::{Answer, Page, Pages, SignedIn, Visitor, render};
use crate::media;
use crate::submission::{self, Listed, PAGE, SubmissionState};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "submission/index.html", config = ".askama.toml")]
struct IndexPage {
    page: Page,
    shown: Shown,
    rows: Vec<Listed>,
    filter: &'static str,
    pages: Pages,
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
    page: Option<i64>,
}

pub(super) async fn index(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    // What there is no such state of is all of it.
    let state: Option<SubmissionState> = wanted.state.parse().ok();
    let number = Pages::number(wanted.page);
    let (shown, mut rows) = app
        .read(move |db| {
            let shown = Shown::find(db, &id, Some(&me.actor))?;
            assignment::may_lead(db, &me.actor, &shown.cohort)?;
            let rows = submission::page_of(db, shown.assignment.id, state, number)?;
            Ok((shown, rows))
        })
        .await?;
    let filter = state.map_or("", SubmissionState::as_str);
    let mut path = format!("{}/submissions", shown.assignment.path());
    if !filter.is_empty() {
        path = format!("{path}?state={filter}");
    }
    let pages = Pages::cut(&path, number, &mut rows, PAGE);
    Ok(render(&IndexPage { filter, pages, page, rows, shown })?.into_response())
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
    asked: inbox::Asked,
) -> Answer {
    let by = match visitor.actor() {
        Some(person) => person.clone(),
        None => inbox::asker(&context, &asked).await?.ok_or(Error::NotFound)?,
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
