//! Where do organizers let posts of strangers in, or refuse them?

use super::{Around, around};
use crate::actor::Actor;
use crate::app::App;
use crate::course;
use crate::db::Db;
use crate::discussion::{self, HELD, Held};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "discussion/held.html", config = ".askama.toml")]
struct Waiting {
    page: Page,
    around: Around,
    rows: Vec<(Held, Actor)>,
    /// How many there are, of which the page shows the oldest.
    count: i64,
}

impl Waiting {
    /// Whether the page does not show all.
    fn is_cut(&self) -> bool {
        self.count > HELD
    }
}

/// The course of this name, for its organizers; for others there is no such page.
fn decided(db: &mut Db, name: &str, by: &Actor) -> Result<Around> {
    let (course, group) = course::visible(db, name, Some(by))?;
    discussion::may_decide(db, by, &course)?;
    around(db, (course, group), Some(by))
}

pub(super) async fn index(State(app): State<App>, page: Page, who: SignedIn, Path(name): Path<String>) -> Answer {
    let by = who.actor.clone();
    let (around, rows, count) = app
        .read(move |db| {
            let around = decided(db, &name, &by)?;
            let rows = discussion::held(db, around.course.id)?;
            let count = discussion::count_held(db, around.course.id)?;
            Ok((around, rows, count))
        })
        .await?;
    Ok(render(&Waiting { page, around, rows, count })?.into_response())
}

pub(super) async fn let_in(
    State(app): State<App>,
    who: SignedIn,
    Path((name, id)): Path<(String, String)>,
    _form: Form,
) -> Answer {
    let (by, list) = (who.actor.clone(), format!("/c/{name}/held"));
    let done = app
        .write(move |tx| {
            decided(tx, &name, &by)?;
            discussion::let_in(tx, &by, &id)
        })
        .await;
    match done {
        Ok(_) => Ok(redirect_with(&list, "The post is in the discussion.")),
        Err(Error::Denied(reason)) => Ok(redirect_with(&list, &format!("It could not be let in: {reason}"))),
        Err(other) => Err(other),
    }
}

pub(super) async fn refuse(
    State(app): State<App>,
    who: SignedIn,
    Path((name, id)): Path<(String, String)>,
    _form: Form,
) -> Answer {
    let (by, list) = (who.actor.clone(), format!("/c/{name}/held"));
    app.write(move |tx| {
        decided(tx, &name, &by)?;
        discussion::refuse_held(tx, &by, &id)
    })
    .await?;
    Ok(redirect_with(&list, "The post was refused. Nobody is told."))
}
