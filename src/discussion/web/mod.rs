//! Which pages has the discussion of a course?

mod change;
mod comments;
mod held;
mod thread;

use super::{NewPost, Post, THREADS, Thread};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Refused, Result};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect_with, render};
use crate::text;
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

/// The discussion of a course, threads, comments to assignments.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/c/{name}/discussion", get(index).post(create))
        .route("/c/{name}/held", get(held::index))
        .route("/c/{name}/held/{id}/admission", post(held::let_in))
        .route("/c/{name}/held/{id}/refusal", post(held::refuse))
        .route("/posts/{id}", get(thread::show))
        .route("/posts/{id}/replies", post(thread::reply))
        .route("/posts/{id}/edit", get(change::edit).post(change::update))
        .route("/posts/{id}/deletion", get(change::confirm).post(change::delete))
        .route("/assignments/{id}/comments", get(comments::index).post(comments::create))
}

#[derive(Deserialize, Default)]
struct Asked {
    page: Option<i64>,
    answer: Option<String>,
}

impl Asked {
    /// From 1, and not so far that the database would count for long.
    fn page(&self) -> i64 {
        Pages::number(self.page)
    }
}

/// The course around a post, and what the visitor may do in it.
struct Around {
    course: Course,
    group: Actor,
    /// Why the visitor may not write; nothing when they may.
    refusal: Option<String>,
    organizes: bool,
}

impl Around {
    /// What stands at a field whose text goes to all of the course.
    fn who_reads(&self) -> &'static str {
        match self.course.private {
            true => "You can use Markdown. Those who take part can read it, here and on their servers.",
            false => "You can use Markdown. Everyone can read it, here and on other servers.",
        }
    }
}

fn around(db: &mut Db, (course, group): course::Row, by: Option<&Actor>) -> Result<Around> {
    let Some(by) = by else {
        return Ok(Around { course, group, refusal: Some(String::new()), organizes: false });
    };
    let refusal = match super::may_write(db, by, &course) {
        Ok(()) => None,
        Err(Error::Denied(Refused(reason))) => Some(reason),
        Err(other) => return Err(other),
    };
    let organizes = group.here && course::organizes(db, by, &course)?;
    Ok(Around { course, group, refusal, organizes })
}

fn around_post(db: &mut Db, post: &Post, by: Option<&Actor>) -> Result<Around> {
    let course = course::get(db, post.course_id)?;
    let group = actor::get(db, course.actor_id)?;
    let name = group.path().trim_start_matches("/c/").to_owned();
    let row = course::visible(db, &name, by)?;
    around(db, row, by)
}

#[derive(Template)]
#[template(path = "discussion/index.html", config = ".askama.toml")]
struct Index {
    page: Page,
    around: Around,
    threads: Vec<Thread>,
    /// Posts of strangers that wait for this visitor, when they organize the course.
    held: i64,
    pages: Pages,
    form: Form,
}

async fn index(State(app): State<App>, page: Page, Path(name): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let index = load_index(&app, page, (name, asked.page()), Form::default()).await?;
    Ok(render(&index)?.into_response())
}

async fn load_index(app: &App, page: Page, (name, number): (String, i64), form: Form) -> Result<Index> {
    let by = page.visitor.actor().cloned();
    let (around, mut threads, held) = app
        .read(move |db| {
            let row = course::visible(db, &name, by.as_ref())?;
            let around = around(db, row, by.as_ref())?;
            let threads = super::threads(db, around.course.id, number)?;
            let held = if around.organizes { super::count_held(db, around.course.id)? } else { 0 };
            Ok((around, threads, held))
        })
        .await?;
    let pages = Pages::cut(&format!("{}/discussion", around.group.path()), number, &mut threads, THREADS);
    Ok(Index { page, around, threads, held, pages, form })
}

/// What a form with `title` and `body` says; the Markdown becomes HTML here.
fn written(form: &Form) -> Result<(String, String, String)> {
    let body = form.value("body").replace("\r\n", "\n");
    let html = text::render(&body).map_err(|error| Error::invalid("body", format!("Sorry, {error}.")))?;
    Ok((form.text("title").to_owned(), body.trim().to_owned(), html))
}

async fn create(State(app): State<App>, page: Page, who: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let (by, asked) = (who.actor.clone(), name.clone());
    let result = match written(&form) {
        Ok((title, body_md, body_html)) => {
            app.write(move |tx| {
                let (course, _) = course::visible(tx, &asked, Some(&by))?;
                let published_at = tx.now();
                let course_id = course.id;
                let new = NewPost {
                    course_id,
                    uri: None,
                    in_reply_to: None,
                    anchor: None,
                    title,
                    body_md,
                    body_html,
                    published_at,
                };
                super::write(tx, &by, new)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(post) => Ok(redirect_with(&post.path(), "Your post is out.")),
        Err(form) => {
            let index = load_index(&app, page, (name, 1), *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&index)?).into_response())
        }
    }
}
