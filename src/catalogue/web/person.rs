//! What does a person here or elsewhere, or a course's bot, look like?

use crate::actor::{self, Actor, ActorKind};
use crate::app::App;
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation;
use crate::http::{Answer, Page, render, wants_wire};
use crate::text;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "catalogue/person.html", config = ".askama.toml")]
struct PersonPage {
    page: Page,
    actor: Actor,
    is_me: bool,
    /// Where they live now, when they moved.
    moved: Option<Actor>,
    /// What they organize; of a bot, the course for which it writes.
    courses: Vec<(Actor, Course)>,
}

pub(super) async fn show(State(app): State<App>, page: Page, headers: HeaderMap, Path(name): Path<String>) -> Answer {
    if wants_wire(&headers) {
        return federation::web::person(&app, &name).await;
    }
    let own = app.links().host().to_owned();
    let (mut actor, courses, moved) = app
        .read(move |db| {
            let (actor, courses) = find(db, &name, &own)?;
            let moved = actor::moves::moved_to(db, actor.id)?;
            Ok((actor, courses, moved))
        })
        .await?;
    actor.summary = text::clean_again(&actor.summary);
    let is_me = page.person().is_some_and(|me| me.actor.id == actor.id);
    Ok(render(&PersonPage { page, actor, is_me, moved, courses })?.into_response())
}

/// Who is meant by `handle` or `handle@host`, with the courses that everyone may see.
fn find(db: &mut Db, name: &str, own: &str) -> Result<(Actor, Vec<(Actor, Course)>)> {
    let name = name.strip_prefix('@').unwrap_or(name);
    let found = match name.split_once('@') {
        Some((handle, host)) if host != own => actor::find_by_acct(db, handle, host)?,
        Some((handle, _)) => actor::find_here(db, handle)?,
        None => actor::find_here(db, name)?,
    };
    let seen = |a: &Actor| actor::MAY_ACT.contains(&a.state) && matches!(a.kind, ActorKind::Person | ActorKind::Bot);
    let actor = found.filter(seen).ok_or(Error::NotFound)?;
    if federation::confined::is_hidden(db, &actor)? {
        return Err(Error::NotFound);
    }
    let mut courses = Vec::new();
    if actor.kind == ActorKind::Bot {
        if let Some(course) = course::find_by_bot(db, actor.id)? {
            courses.push((actor::get(db, course.actor_id)?, course));
        }
    } else {
        courses.extend(course::organized_by(db, actor.id)?.into_iter().map(|(course, group)| (group, course)));
    }
    courses.retain(|(_, course)| course.is_public());
    Ok((actor, courses))
}
