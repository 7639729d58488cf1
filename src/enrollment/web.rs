//! How does one ask for a place, give it up, and lead a roster in a browser?

mod people;

use super::{Ask, Enrollment, EnrollmentState, Part};
use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::cohort;
use crate::course;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::id::EnrollmentId;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};

/// Enrolling, following, leaving, and the roster.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/cohorts/{id}/enrollment", post(enroll))
        .route("/c/{name}/follow", post(begin_following))
        .route("/c/{name}/unfollow", post(end_following))
        .route("/c/{name}/people", get(people::index))
        .route("/enrollments/{id}/leaving", get(ask_leaving).post(leave))
        .route("/enrollments/{id}/removal", get(ask_removal).post(remove))
        .route("/enrollments/{id}/acceptance", post(accept))
        .route("/enrollments/{id}/decline", post(decline))
}

async fn enroll(State(app): State<App>, person: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let message = form.text("message").to_owned();
    let (place, path) = app
        .write(move |tx| {
            let cohort = cohort::get_public(tx, &id)?;
            let course = course::get(tx, cohort.course_id)?;
            let group = actor::get(tx, course.actor_id)?;
            let place = if group.here {
                super::enroll(tx, &person.actor, cohort.id, &Ask { message, join_uri: None })?
            } else {
                super::ask(tx, &person.actor, cohort.id, &message)?
            };
            Ok((place, group.path()))
        })
        .await?;
    Ok(redirect_with(&path, said(place.state)))
}

fn said(state: EnrollmentState) -> &'static str {
    match state {
        EnrollmentState::Asked => "Sent to the course's home. You will see here when it answers.",
        EnrollmentState::Applied => "Your application is with the organizers.",
        EnrollmentState::Waitlisted => "All seats are taken. You are on the waiting list.",
        _ => "You have a place. Welcome!",
    }
}

const TAKEN_BACK: &str = "Taken back: you no longer ask for a place.";

async fn begin_following(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (path, state, private) = app
        .write(move |tx| {
            let (course, group) = course::front(tx, &name, Some(&person.actor))?;
            Ok((group.path(), super::follow(tx, &person.actor, &course)?, course.private))
        })
        .await?;
    let said = match (state, private) {
        (FollowState::Pending, true) => "Sent to the course's home. An organizer there answers.",
        (FollowState::Pending, false) => "Sent to the course's home.",
        (FollowState::Accepted, _) => "You follow this course.",
    };
    Ok(redirect_with(&path, said))
}

async fn end_following(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (path, waited) = app
        .write(move |tx| {
            let (course, group) = course::front(tx, &name, Some(&person.actor))?;
            let known = follow::find(tx, person.actor.id, group.id)?;
            super::unfollow(tx, &person.actor, &course)?;
            Ok((group.path(), course.private && known.is_some_and(|known| known.state == FollowState::Pending)))
        })
        .await?;
    Ok(redirect_with(&path, if waited { TAKEN_BACK } else { "You no longer follow this course." }))
}

#[derive(Template)]
#[template(path = "enrollment/confirm.html", config = ".askama.toml")]
struct Confirm {
    page: Page,
    title: String,
    follows: &'static str,
    button: &'static str,
    keep: &'static str,
    back: String,
}

const NOT_ANY_MORE: &str = "Those who lead the run do not see any more that you asked, and you lose your place in the line. \
                            You may ask again.";
const LEFT: &str = "Your seat goes to the next who waits. What you handed in stays yours; you may come back while there are \
                    seats.";
const LEFT_FOR_GOOD: &str = "Your seat goes to the next who waits, and you see no more of what is in the course. What you \
                             handed in stays yours; to come back, ask for a place again.";

async fn ask_leaving(State(app): State<App>, page: Page, person: SignedIn, Path(id): Path<String>) -> Answer {
    let all = app.read(move |db| own(db, &id, &person.actor)).await?;
    let (question, button, follows, keep) = match (all.place.is_asked(), all.course.private) {
        (true, _) => ("No longer ask for a place in", "Take it back", NOT_ANY_MORE, "Go on waiting"),
        (false, false) => ("Leave", "Leave", LEFT, "Stay"),
        (false, true) => ("Leave", "Leave", LEFT_FOR_GOOD, "Stay"),
    };
    Ok(render(&Confirm {
        page,
        title: format!("{question} “{}”?", all.group.name),
        follows,
        button,
        keep,
        back: all.group.path(),
    })?
    .into_response())
}

/// One's own place; that of others does not exist.
fn own(db: &mut Db, id: &str, by: &Actor) -> Result<super::Around> {
    let place = super::get_public(db, id)?;
    if place.actor_id != by.id {
        return Err(Error::NotFound);
    }
    super::around(db, place.id)
}

async fn leave(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let (path, waited) = app
        .write(move |tx| {
            let all = own(tx, &id, &person.actor)?;
            super::leave(tx, &person.actor, all.place.id)?;
            Ok((all.group.path(), all.place.is_asked()))
        })
        .await?;
    Ok(redirect_with(&path, if waited { TAKEN_BACK } else { "You have left." }))
}

/// Somebody's place, for those who lead; for others it does not exist.
fn led(db: &mut Db, id: &str, by: &Actor) -> Result<super::Around> {
    let place = super::get_public(db, id)?;
    let all = super::around(db, place.id)?;
    if super::leads(db, by, &all.cohort)? { Ok(all) } else { Err(Error::NotFound) }
}

async fn ask_removal(State(app): State<App>, page: Page, person: SignedIn, Path(id): Path<String>) -> Answer {
    let all = app.read(move |db| led(db, &id, &person.actor)).await?;
    Ok(render(&Confirm {
        page,
        title: format!("Take {} off “{}”?", all.person.name, all.group.name),
        follows: "They are told, keep what they handed in, and cannot come into this run again. The seat goes to the next who waits.",
        button: "Take off the roster",
        keep: "Keep them",
        back: format!("{}/people", all.group.path()),
    })?
    .into_response())
}

type Step = fn(&mut Tx<'_>, &Actor, EnrollmentId) -> Result<Enrollment>;

async fn step(app: &App, person: SignedIn, id: String, step: Step, said: &'static str) -> Answer {
    let all = app
        .write(move |tx| {
            let all = led(tx, &id, &person.actor)?;
            step(tx, &person.actor, all.place.id)?;
            Ok(all)
        })
        .await?;
    // Back to the list in which they stood.
    let list = format!("{}/people{}", all.group.path(), Part::of(all.place.state).query());
    Ok(redirect_with(&list, &format!("{} {said}", all.person.name)))
}

async fn remove(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    step(&app, person, id, super::remove, "is off the roster.").await
}

async fn accept(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    step(&app, person, id, super::accept, "is accepted.").await
}

async fn decline(State(app): State<App>, person: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    step(&app, person, id, super::decline, "is declined.").await
}
