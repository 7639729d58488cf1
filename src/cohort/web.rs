//! How is a cohort planned and led in a browser?

use super::{Cohort, Enrolling, Plan};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::course::{self, Course};
use crate::db::Tx;
use crate::error::Result;
use crate::http::{Answer, Form, Page, SignedIn, redirect, redirect_with, render};
use crate::id::CohortId;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};

/// Planning and leading cohorts.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/c/{name}/cohorts/new", get(new))
        .route("/c/{name}/cohorts", post(create))
        .route("/cohorts/{id}", get(show))
        .route("/cohorts/{id}/edit", get(edit).post(update))
        .route("/cohorts/{id}/opening", post(open))
        .route("/cohorts/{id}/start", post(start))
        .route("/cohorts/{id}/end", get(ask_end).post(end))
}

#[derive(Template)]
#[template(path = "cohort/form.html", config = ".askama.toml")]
struct FormPage {
    page: Page,
    form: Form,
    group: Actor,
    /// Nothing while it is planned anew.
    cohort: Option<Cohort>,
    action: String,
    /// Whether everyone who asks needs an answer, because the course is private.
    private: bool,
    ways: [(&'static str, &'static str, &'static str); 2],
}

const WAYS: [(&str, &str, &str); 2] = [
    ("open", "Open", "Everyone who asks gets a seat; when all are taken, people wait in line."),
    ("moderated", "By application", "People write what moves them; you accept or decline."),
];

fn plan(form: &Form) -> Plan {
    let text = |name| form.text(name).to_owned();
    Plan {
        name: text("name"),
        starts_on: text("starts_on"),
        ends_on: text("ends_on"),
        zone: text("zone"),
        seats: text("seats"),
        enrolling: text("enrolling"),
    }
}

async fn organized(app: &App, name: String, by: &Actor) -> Result<(Course, Actor)> {
    let by = by.clone();
    app.read(move |db| {
        let (course, group) = course::visible(db, &name, Some(&by))?;
        course::may_organize(db, &by, &course)?;
        Ok((course, group))
    })
    .await
}

async fn led(app: &App, public_id: String, by: &Actor) -> Result<(Cohort, Course, Actor)> {
    let by = by.clone();
    app.read(move |db| {
        let cohort = super::get_public(db, &public_id)?;
        let course = course::get(db, cohort.course_id)?;
        course::may_organize(db, &by, &course)?;
        let group = actor::get(db, course.actor_id)?;
        Ok((cohort, course, group))
    })
    .await
}

async fn new(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>) -> Answer {
    let (course, group) = organized(&app, name, &person.actor).await?;
    let form = Form::of([
        ("zone", person.zone.clone()),
        ("seats", "20".to_owned()),
        ("enrolling", Enrolling::Open.to_string()),
    ]);
    let action = format!("{}/cohorts", group.path());
    Ok(render(&FormPage { page, form, group, cohort: None, action, private: course.private, ways: WAYS })?
        .into_response())
}

async fn create(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let (course, group) = organized(&app, name, &person.actor).await?;
    let (by, wanted) = (person.actor, plan(&form));
    let of = course.clone();
    let done = app.write(move |tx| super::plan(tx, &by, &of, &wanted)).await;
    match form.or_problems(done)? {
        Ok(_) => Ok(redirect_with(&group.path(), "Planned. Open it when people may come in.")),
        Err(form) => {
            let action = format!("{}/cohorts", group.path());
            let again =
                FormPage { page, form: *form, group, cohort: None, action, private: course.private, ways: WAYS };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&again)?).into_response())
        }
    }
}

/// A cohort has no page of its own: the course's page shows it.
async fn show(State(app): State<App>, page: Page, Path(id): Path<String>) -> Answer {
    let visitor = page.visitor.actor().cloned();
    let path = app
        .read(move |db| {
            let cohort = super::get_public(db, &id)?;
            let course = course::get(db, cohort.course_id)?;
            let group = actor::get(db, course.actor_id)?;
            let name = group.path().trim_start_matches("/c/").to_owned();
            course::visible(db, &name, visitor.as_ref())?;
            Ok(group.path())
        })
        .await?;
    Ok(redirect(&path))
}

async fn edit(State(app): State<App>, page: Page, person: SignedIn, Path(id): Path<String>) -> Answer {
    let (cohort, course, group) = led(&app, id, &person.actor).await?;
    let form = Form::of([
        ("name", cohort.name.clone()),
        ("starts_on", cohort.starts_on.clone()),
        ("ends_on", cohort.ends_on.clone()),
        ("zone", cohort.zone.clone()),
        ("seats", cohort.seats.to_string()),
        ("enrolling", cohort.enrolling.to_string()),
    ]);
    let action = format!("{}/edit", cohort.path());
    Ok(render(&FormPage { page, form, group, cohort: Some(cohort), action, private: course.private, ways: WAYS })?
        .into_response())
}

async fn update(State(app): State<App>, page: Page, person: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let (cohort, course, group) = led(&app, id, &person.actor).await?;
    let (by, wanted, which) = (person.actor, plan(&form), cohort.id);
    let done = app.write(move |tx| super::edit(tx, &by, which, &wanted)).await;
    match form.or_problems(done)? {
        Ok(_) => Ok(redirect_with(&group.path(), "Saved.")),
        Err(form) => {
            let action = format!("{}/edit", cohort.path());
            let again = FormPage {
                page,
                form: *form,
                group,
                cohort: Some(cohort),
                action,
                private: course.private,
                ways: WAYS,
            };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&again)?).into_response())
        }
    }
}

type Step = fn(&mut Tx<'_>, &Actor, CohortId) -> Result<Cohort>;

async fn step(app: &App, person: SignedIn, id: String, step: Step, said: fn(&Course) -> &'static str) -> Answer {
    let (cohort, course, group) = led(app, id, &person.actor).await?;
    app.write(move |tx| step(tx, &person.actor, cohort.id)).await?;
    Ok(redirect_with(&group.path(), said(&course)))
}

async fn open(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    step(&app, person, id, super::open, |course| match course.private {
        true => "It is open: people can ask for a place.",
        false => "It is open: people can enroll.",
    })
    .await
}

async fn start(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    step(&app, person, id, super::start, |_| "It is running.").await
}

#[derive(Template)]
#[template(path = "cohort/end.html", config = ".askama.toml")]
struct End {
    page: Page,
    group: Actor,
    cohort: Cohort,
    is_running: bool,
}

async fn ask_end(State(app): State<App>, page: Page, person: SignedIn, Path(id): Path<String>) -> Answer {
    let (cohort, _, group) = led(&app, id, &person.actor).await?;
    let is_running = cohort.state == super::CohortState::Running;
    Ok(render(&End { page, group, cohort, is_running })?.into_response())
}

async fn end(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let (cohort, ..) = led(&app, id.clone(), &person.actor).await?;
    if cohort.state == super::CohortState::Running {
        step(&app, person, id, super::complete, |_| "The run is completed.").await
    } else {
        step(&app, person, id, super::cancel, |_| "The run is called off.").await
    }
}
