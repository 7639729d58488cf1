//! Which page shows what is said about an assignment?

use super::thread::{View, views};
use super::{Around, Asked, around, written};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment::{self, Assignment, AssignmentState};
use crate::cohort;
use crate::course;
use crate::db::Db;
use crate::discussion::{self, NewPost, POSTS};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect_with, render};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "discussion/comments.html", config = ".askama.toml")]
struct Comments {
    page: Page,
    around: Around,
    assignment: Assignment,
    views: Vec<View>,
    pages: Pages,
    form: Form,
}

/// An assignment that may be talked about, with its course.
fn discussed(db: &mut Db, id: &str, by: Option<&Actor>) -> Result<(Assignment, Around)> {
    let assignment = assignment::get_public(db, id)?;
    if assignment.state == AssignmentState::Draft {
        return Err(Error::NotFound);
    }
    let course = cohort::get(db, assignment.cohort_id)?.course_id;
    let group = course::get(db, course)?.actor_id;
    let name = actor::get(db, group)?.path().trim_start_matches("/c/").to_owned();
    let row = course::visible(db, &name, by)?;
    Ok((assignment, around(db, row, by)?))
}

pub(super) async fn index(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let comments = load_comments(&app, page, (id, asked.page()), Form::default()).await?;
    Ok(render(&comments)?.into_response())
}

async fn load_comments(app: &App, page: Page, (id, number): (String, i64), form: Form) -> Result<Comments> {
    let by = page.visitor.actor().cloned();
    let (assignment, around, mut entries) = app
        .read(move |db| {
            let (assignment, around) = discussed(db, &id, by.as_ref())?;
            let entries = discussion::comments(db, assignment.id, number)?;
            Ok((assignment, around, entries))
        })
        .await?;
    let pages = Pages::cut(&format!("{}/comments", assignment.path()), number, &mut entries, POSTS);
    Ok(Comments { page, around, assignment, views: views(entries), pages, form })
}

pub(super) async fn create(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let (by, wanted) = (who.actor.clone(), id.clone());
    let result = match written(&form) {
        Ok((_, body_md, body_html)) => {
            app.write(move |tx| {
                let (assignment, around) = discussed(tx, &wanted, Some(&by))?;
                let (course_id, in_reply_to, published_at) = (around.course.id, Some(assignment.uri), tx.now());
                let title = String::new();
                let new = NewPost {
                    course_id,
                    uri: None,
                    in_reply_to,
                    anchor: None,
                    title,
                    body_md,
                    body_html,
                    published_at,
                };
                discussion::write(tx, &by, new)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(_) => Ok(redirect_with(&format!("/assignments/{id}/comments"), "Your comment is out.")),
        Err(form) => {
            let comments = load_comments(&app, page, (id, 1), *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&comments)?).into_response())
        }
    }
}
