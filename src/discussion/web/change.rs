//! Which pages let somebody edit or delete a post?

use super::written;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::course;
use crate::discussion::{self, Change, Post};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "discussion/edit.html", config = ".askama.toml")]
struct Edit {
    page: Page,
    post: Post,
    form: Form,
}

/// A post that this person may still change.
async fn own(app: &App, who: &SignedIn, id: String) -> Result<Post> {
    let actor = who.actor.clone();
    let by = actor.id;
    let post = app.read(move |db| discussion::seen(db, &id, &actor)).await?;
    if post.is_deleted() {
        return Err(Error::NotFound);
    }
    if post.author_id == by { Ok(post) } else { Err(Error::denied("Only its author may edit a post.")) }
}

pub(super) async fn edit(State(app): State<App>, page: Page, who: SignedIn, Path(id): Path<String>) -> Answer {
    let post = own(&app, &who, id).await?;
    let form = Form::of([("title", post.title.clone()), ("body", post.body_md.clone())]);
    Ok(render(&Edit { page, post, form })?.into_response())
}

pub(super) async fn update(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let post = own(&app, &who, id).await?;
    let (by, key) = (who.actor.clone(), post.id);
    let result = match written(&form) {
        Ok((title, body_md, body_html)) => {
            app.write(move |tx| {
                let at = tx.now();
                discussion::edit(tx, &by, key, Change { title, body_md, body_html, at })
            })
            .await
        }
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(post) => Ok(redirect_with(&post.path(), "Your post was changed.")),
        Err(form) => {
            let edit = Edit { page, post, form: *form };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&edit)?).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "discussion/delete.html", config = ".askama.toml")]
struct Delete {
    page: Page,
    post: Post,
    author: Actor,
    own: bool,
    form: Form,
}

async fn load_delete(app: &App, page: Page, who: &SignedIn, (id, form): (String, Form)) -> Result<Delete> {
    let by = who.actor.clone();
    let (post, author, own) = app
        .read(move |db| {
            let post = discussion::seen(db, &id, &by)?;
            let course = course::get(db, post.course_id)?;
            let own = post.author_id == by.id;
            if post.is_deleted() {
                return Err(Error::NotFound);
            }
            if !own && !course::organizes(db, &by, &course)? {
                return Err(Error::denied("Only its author and organizers of the course may delete a post."));
            }
            let author = actor::get(db, post.author_id)?;
            Ok((post, author, own))
        })
        .await?;
    Ok(Delete { page, post, author, own, form })
}

pub(super) async fn confirm(State(app): State<App>, page: Page, who: SignedIn, Path(id): Path<String>) -> Answer {
    let delete = load_delete(&app, page, &who, (id, Form::default())).await?;
    Ok(render(&delete)?.into_response())
}

pub(super) async fn delete(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let (by, wanted, reason) = (who.actor.clone(), id.clone(), form.text("reason").to_owned());
    let result = app
        .write(move |tx| {
            let post = discussion::seen(tx, &wanted, &by)?;
            discussion::delete(tx, &by, post.id, &reason)?;
            let group = course::get(tx, post.course_id)?.actor_id;
            Ok(format!("{}/discussion", actor::get(tx, group)?.path()))
        })
        .await;
    match form.or_problems(result)? {
        Ok(path) => Ok(redirect_with(&path, "The post is deleted.")),
        Err(form) => {
            let delete = load_delete(&app, page, &who, (id, *form)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&delete)?).into_response())
        }
    }
}
