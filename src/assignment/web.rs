//! Which pages show and change assignments?

mod edit;
mod shown;

pub use shown::Shown;

use super::{Assignment, due, form};
use crate::actor::{self, Actor, ActorKind};
use crate::app::App;
use crate::cohort;
use crate::course;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;

/// Pages of assignments.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/c/{name}/assignments", get(index).post(edit::create))
        .route("/c/{name}/assignments/new", get(edit::new))
        .route("/assignments/{id}", get(show))
        .route("/assignments/{id}/edit", get(edit::edit).post(edit::update))
        .route("/assignments/{id}/opening", get(ask_opening).post(open))
        .route("/assignments/{id}/deadline", get(deadline).post(postpone))
        .route("/assignments/{id}/closing", get(ask_closing).post(close))
}

#[derive(Template)]
#[template(path = "assignment/show.html", config = ".askama.toml")]
struct ShowPage {
    page: Page,
    shown: Shown,
}

async fn show(State(app): State<App>, page: Page, Path(id): Path<String>) -> Answer {
    let by = page.visitor.actor().cloned();
    let shown = app.read(move |db| Shown::find(db, &id, by.as_ref())).await?;
    Ok(render(&ShowPage { page, shown })?.into_response())
}

#[derive(Template)]
#[template(path = "assignment/index.html", config = ".askama.toml")]
struct IndexPage {
    page: Page,
    group: Actor,
    leads: bool,
    /// Whether there is a run for which something can be asked.
    has_run: bool,
    all: Vec<(Assignment, String)>,
}

async fn index(State(app): State<App>, page: Page, Path(name): Path<String>) -> Answer {
    let by = page.visitor.actor().cloned();
    let zone = page.person().map(|person| person.zone.clone());
    let (group, leads, has_run, all) = app
        .read(move |db| {
            let (group, course) = find_course(db, &name)?;
            if !course::may_see(db, &course, by.as_ref())? {
                return Err(Error::NotFound);
            }
            let leads = match &by {
                Some(by) => group.here && course::organizes(db, by, &course)?,
                None => false,
            };
            let mut all = Vec::new();
            for assignment in super::list_of_course(db, course.id, leads)? {
                let run = cohort::get(db, assignment.cohort_id)?;
                let zone = zone.as_ref().unwrap_or(&run.zone);
                let until = format!("{} ({zone}) · {}", due::in_zone(assignment.due_at, zone), run.name);
                all.push((assignment, until));
            }
            let has_run = leads && !cohort::list_of(db, course.id)?.is_empty();
            Ok((group, leads, has_run, all))
        })
        .await?;
    Ok(render(&IndexPage { page, group, leads, has_run, all })?.into_response())
}

/// The course that a path names: `handle`, or `handle@host` when mirrored.
fn find_course(db: &mut Db, name: &str) -> Result<(Actor, course::Course)> {
    let group = match name.split_once('@') {
        Some((handle, host)) => actor::find_by_acct(db, handle, host)?,
        None => actor::find_here(db, name)?,
    };
    let group = group.filter(|group| group.kind == ActorKind::Course).ok_or(Error::NotFound)?;
    let course = course::find_by_actor(db, group.id)?.ok_or(Error::NotFound)?;
    Ok((group, course))
}

async fn led(app: &App, me: &SignedIn, id: String) -> Result<Shown> {
    let by = me.actor.clone();
    app.read(move |db| {
        let shown = Shown::find(db, &id, Some(&by))?;
        super::may_lead(db, &by, &shown.cohort)?;
        Ok(shown)
    })
    .await
}

#[derive(Template)]
#[template(path = "assignment/confirm.html", config = ".askama.toml")]
struct ConfirmPage {
    page: Page,
    shown: Shown,
    question: String,
    follows: String,
    action: String,
    button: &'static str,
    look: &'static str,
}

async fn ask_opening(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = led(&app, &me, id).await?;
    let until = shown.at(&page, &shown.assignment.due_at);
    let confirm = ConfirmPage {
        question: format!("Open “{}”?", shown.assignment.title),
        follows: format!(
            "Everyone in the run and everyone who follows the course hears of it, here and on other servers. Work can be \
             handed in until {until} ({}). The rubric can no longer be changed then.",
            shown.zone(&page)
        ),
        action: format!("{}/opening", shown.assignment.path()),
        button: "Open it",
        look: "",
        page,
        shown,
    };
    Ok(render(&confirm)?.into_response())
}

async fn open(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let shown = led(&app, &me, id).await?;
    let id = shown.assignment.id;
    app.write(move |tx| super::open(tx, &me.actor, id)).await?;
    Ok(redirect_with(&shown.assignment.path(), "The assignment is open."))
}

async fn ask_closing(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = led(&app, &me, id).await?;
    let confirm = ConfirmPage {
        question: format!("Close “{}”?", shown.assignment.title),
        follows: "Nothing more can be handed in or reviewed. What is there stays readable.".into(),
        action: format!("{}/closing", shown.assignment.path()),
        button: "Close it",
        look: "danger",
        page,
        shown,
    };
    Ok(render(&confirm)?.into_response())
}

async fn close(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let shown = led(&app, &me, id).await?;
    let id = shown.assignment.id;
    app.write(move |tx| super::close(tx, &me.actor, id)).await?;
    Ok(redirect_with(&shown.assignment.path(), "The assignment is closed."))
}

#[derive(Template)]
#[template(path = "assignment/deadline.html", config = ".askama.toml")]
struct DeadlinePage {
    page: Page,
    form: Form,
    shown: Shown,
}

async fn deadline(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = led(&app, &me, id).await?;
    let form = form::of(&shown.assignment, &shown.cohort.zone)?;
    Ok(render(&DeadlinePage { page, form, shown })?.into_response())
}

async fn postpone(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let shown = led(&app, &me, id).await?;
    let read = |name: &'static str| {
        due::read(form.text(name), &shown.cohort.zone).map_err(|problem| Error::invalid(name, problem))
    };
    let times = read("due").and_then(|due| Ok((due, read("review_due")?)));
    let id = shown.assignment.id;
    let result = match times {
        Ok((due, review_due)) => app.write(move |tx| super::postpone(tx, &me.actor, id, due, review_due)).await,
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with(&shown.assignment.path(), "The times are changed, and everyone hears of it.")),
        Err(form) => {
            let page = DeadlinePage { page, form: *form, shown };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&page)?).into_response())
        }
    }
}
