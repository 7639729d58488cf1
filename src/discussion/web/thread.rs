//! Which page shows a thread, and how is it answered there?

use super::{Around, Asked, around_post, written};
use crate::actor;
use crate::app::App;
use crate::assignment::{self, Assignment};
use crate::discussion::{self, Entry, NewPost, POSTS, Post};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect, redirect_with, render};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

/// A post as a page shows it.
pub(super) struct View {
    pub(super) entry: Entry,
    /// Whom it answers, unless that is the beginning of the thread.
    pub(super) answers: Option<String>,
}

impl View {
    /// Whether the visitor wrote it.
    pub(super) fn is_of(&self, page: &Page) -> bool {
        page.visitor.actor().is_some_and(|visitor| visitor.id == self.entry.post.author_id)
    }
}

pub(super) fn views(entries: Vec<Entry>) -> Vec<View> {
    let root = entries.iter().find(|entry| entry.post.thread_id.is_none()).map(|entry| entry.post.uri.clone());
    let names: Vec<(String, String)> =
        entries.iter().map(|entry| (entry.post.uri.clone(), entry.author.name.clone())).collect();
    let answers = |entry: &Entry| {
        let parent = entry.post.in_reply_to.as_ref().filter(|uri| Some(*uri) != root.as_ref())?;
        names.iter().find(|(uri, _)| uri == parent).map(|(_, name)| name.clone())
    };
    entries.into_iter().map(|entry| View { answers: answers(&entry), entry }).collect()
}

#[derive(Template)]
#[template(path = "discussion/show.html", config = ".askama.toml")]
struct Show {
    page: Page,
    around: Around,
    root: Post,
    views: Vec<View>,
    pages: Pages,
    /// The post that the form answers, and whose it is.
    answered: (String, String),
    assignment: Option<Assignment>,
    /// Whether it is closed, and whether it stands first.
    standing: (bool, bool),
    form: Form,
}

pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (wanted, by) = (id.clone(), page.visitor.actor().cloned());
    let (post, root, at) = app
        .read(move |db| {
            let post = discussion::get_public(db, &wanted)?;
            around_post(db, &post, by.as_ref())?;
            let root = discussion::get(db, post.root())?;
            let at = discussion::page_of(db, &post)?;
            Ok((post, root, at))
        })
        .await?;
    if post.id != root.id {
        let on = if at > 1 { format!("?page={at}") } else { String::new() };
        return Ok(redirect(&format!("{}{on}#p-{}", root.path(), post.public_id)));
    }
    let show = load_show(&app, page, (root, asked), Form::default()).await?;
    Ok(render(&show)?.into_response())
}

async fn load_show(app: &App, page: Page, (root, asked): (Post, Asked), form: Form) -> Result<Show> {
    let by = page.visitor.actor().cloned();
    let (number, id) = (asked.page(), root.id);
    let wanted = asked.answer.unwrap_or_else(|| root.public_id.clone());
    let (path, assignment, beginning) = (root.path(), root.assignment_id, root.clone());
    let root_of = root.clone();
    let (around, mut entries, answered, assignment, standing) = app
        .read(move |db| {
            let around = around_post(db, &beginning, by.as_ref())?;
            let entries = discussion::thread(db, id, number)?;
            let answered =
                discussion::get_public(db, &wanted).ok().filter(|post| post.root() == id).unwrap_or(beginning);
            let whose = actor::get(db, answered.author_id)?.name;
            let assignment = assignment.map(|id| assignment::get(db, id)).transpose()?;
            let standing = discussion::standing(db, &root_of)?;
            Ok((around, entries, (answered.public_id, whose), assignment, standing))
        })
        .await?;
    if entries.is_empty() {
        return Err(Error::NotFound);
    }
    let pages = Pages::cut(&path, number, &mut entries, POSTS);
    Ok(Show { page, around, root, views: views(entries), pages, answered, assignment, standing, form })
}

pub(super) async fn reply(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let (by, answered) = (who.actor.clone(), id.clone());
    let result = match written(&form) {
        Ok((_, body_md, body_html)) => {
            app.write(move |tx| {
                let parent = discussion::seen(tx, &answered, &by)?;
                if parent.is_deleted() {
                    return Err(Error::Conflict("This post was deleted in the meantime.".into()));
                }
                let (course_id, in_reply_to, published_at) = (parent.course_id, Some(parent.uri), tx.now());
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
        Ok(post) => Ok(redirect_with(&post.path(), "Your answer is out.")),
        Err(form) => {
            let wanted = id.clone();
            let root = app
                .read(move |db| {
                    let post = discussion::get_public(db, &wanted)?;
                    discussion::get(db, post.root())
                })
                .await?;
            let show = load_show(&app, page, (root, Asked { page: None, answer: Some(id) }), *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&show)?).into_response())
        }
    }
}
