//! Where does a course keep people out and bring posts back?

use super::Asked;
use crate::actor::{self, Actor, ActorKind};
use crate::app::App;
use crate::course::ban::{self, Ban, Term};
use crate::course::{self, Course};
use crate::db::Db;
use crate::discussion::{self, Post};
use crate::error::{Error, Problems, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::id::ActorId;
use crate::text;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use std::time::Duration;

/// The course, for those who keep it safe.
fn governed(db: &mut Db, name: &str, by: &Actor) -> Result<(Course, Actor)> {
    let (course, group) = course::visible(db, name, Some(by))?;
    course::may_govern(db, by, &course)?;
    if group.here { Ok((course, group)) } else { Err(Error::NotFound) }
}

#[derive(Template)]
#[template(path = "moderation/course.html", config = ".askama.toml")]
struct CoursePage {
    page: Page,
    group: Actor,
    bans: Vec<(Ban, Actor)>,
}

pub(super) async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(name): Path<String>) -> Answer {
    let shown = app
        .read(move |db| {
            let (course, group) = governed(db, &name, &me.actor)?;
            let bans = ban::list_bans(db, course.id)?;
            Ok(CoursePage { page, group, bans })
        })
        .await?;
    Ok(render(&shown)?.into_response())
}

#[derive(Template)]
#[template(path = "moderation/ban.html", config = ".askama.toml")]
struct BanPage {
    page: Page,
    group: Actor,
    form: Form,
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (_, group) = app.read(move |db| governed(db, &name, &me.actor)).await?;
    let form = Form::of([("who", asked.who.unwrap_or_default())]);
    Ok(render(&BanPage { page, group, form })?.into_response())
}

/// Who is meant by a handle, known here.
fn named(db: &mut Db, typed: &str, own: &str) -> Result<Actor> {
    let bare = typed.trim().trim_start_matches('@').to_ascii_lowercase();
    let found = match bare.split_once('@') {
        Some((handle, host)) if host != own => actor::find_by_acct(db, handle, host)?,
        Some((handle, _)) => actor::find_here(db, handle)?,
        None => actor::find_here(db, &bare)?,
    };
    let person = found.filter(|who| who.kind == ActorKind::Person);
    person.ok_or_else(|| Error::invalid("who", "Nobody with this handle is known here."))
}

pub(super) async fn ban(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(name): Path<String>,
    form: Form,
) -> Answer {
    let (by, wanted, own) = (me.actor.clone(), name.clone(), app.links().host().to_owned());
    let (who, reason, days) = (form.text("who").to_owned(), form.text("reason").to_owned(), days(&form));
    let removes = form.has("removes", "on");
    let result = match days {
        Err(wrong) => Err(wrong),
        Ok(days) => {
            app.write(move |tx| {
                let (course, group) = governed(tx, &wanted, &by)?;
                let whom = named(tx, &who, &own)?;
                let ends_at = days.map(|days| tx.now().plus(days));
                ban::ban(tx, &by, &course, &whom, &Term { reason, ends_at, removes, uri: None })?;
                Ok((group.path(), whom.name))
            })
            .await
        }
    };
    match form.or_problems(result)? {
        Ok((path, whom)) => Ok(redirect_with(&format!("{path}/moderation"), &format!("{whom} is banned."))),
        Err(form) => {
            let by = me.actor.clone();
            let (_, group) = app.read(move |db| governed(db, &name, &by)).await?;
            let shown = BanPage { page, group, form: *form };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

/// For how long; for good when nothing was typed.
fn days(form: &Form) -> Result<Option<Duration>> {
    if form.text("days").is_empty() {
        return Ok(None);
    }
    let mut problems = Problems::default();
    let days = form.text("days").parse::<u64>().ok().filter(|days| (1..=3650).contains(days));
    problems.add_if(days.is_none(), "days", "Please enter a number of days from 1 to 3650, or nothing.");
    problems.check()?;
    Ok(days.map(|days| Duration::from_secs(days * 24 * 3600)))
}

pub(super) async fn unban(State(app): State<App>, me: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let whom = ActorId(form.number("actor")?);
    let path = app
        .write(move |tx| {
            let (course, group) = governed(tx, &name, &me.actor)?;
            ban::unban(tx, &me.actor, &course, whom)?;
            Ok(group.path())
        })
        .await?;
    Ok(redirect_with(&format!("{path}/moderation"), "They may come in again."))
}

#[derive(Template)]
#[template(path = "moderation/removed.html", config = ".askama.toml")]
struct Removed {
    page: Page,
    post: Post,
    author: Actor,
    group: Actor,
}

/// A post that was taken away, for those who may bring it back.
fn taken(db: &mut Db, id: &str, by: &Actor) -> Result<(Post, Actor)> {
    let post = discussion::get_public(db, id)?;
    let course = course::get(db, post.course_id)?;
    if !post.is_removed() || course::may_govern(db, by, &course).is_err() {
        return Err(Error::NotFound);
    }
    let group = actor::get(db, course.actor_id)?;
    Ok((post, group))
}

pub(super) async fn removed(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = app
        .read(move |db| {
            let (mut post, group) = taken(db, &id, &me.actor)?;
            post.body_html = text::clean_again(&post.body_html);
            let author = actor::get(db, post.author_id)?;
            Ok(Removed { page, post, author, group })
        })
        .await?;
    Ok(render(&shown)?.into_response())
}

pub(super) async fn restore(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let path = app
        .write(move |tx| {
            let (post, _) = taken(tx, &id, &me.actor)?;
            discussion::restore(tx, &me.actor, post.id)?;
            Ok(post.path())
        })
        .await?;
    Ok(redirect_with(&path, "The post is back."))
}
