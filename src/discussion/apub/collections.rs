//! Which collections of posts are served to other servers? Answers and whole threads, paged, of what is public alone.

use crate::actor;
use crate::app::App;
use crate::assignment::{self, Assignment, AssignmentState};
use crate::course::apub::Asking;
use crate::course::{self, Course};
use crate::db::Db;
use crate::discussion::{self, Post, Which};
use crate::error::{Error, Result};
use crate::federation::collection::{FIRST, Listing, PAGE};
use crate::http::{Answer, wire};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::Value;

/// `replies` of a post or assignment (AP, FEP-7458) and `context`, its whole thread (FEP-7888, FEP-f228), each with pages.
pub fn routes() -> Router<App> {
    let of = |make: Make| {
        get(move |State(app): State<App>, asking: Asking, Path(id): Path<String>| async move {
            answer(app, asking, (id, None), make).await
        })
    };
    let after = |make: Make| {
        get(move |State(app): State<App>, asking: Asking, Path((id, after)): Path<(String, String)>| async move {
            answer(app, asking, (id, Some(after)), make).await
        })
    };
    Router::new()
        .route("/o/{id}/replies", of(replies))
        .route("/o/{id}/replies/after/{after}", after(replies))
        .route("/o/{id}/context", of(context))
        .route("/o/{id}/context/after/{after}", after(context))
}

/// Makes a piece of a collection; its id, what it is about, after which post.
type Make = fn(&mut Db, String, &Head, Option<&Post>) -> Result<Listing>;

async fn answer(app: App, asking: Asking, (id, after): (String, Option<String>), make: Make) -> Answer {
    let here = app.links().object(&id);
    let about = id.clone();
    let course = app.read(move |db| Ok(head(db, &about)?.course().clone())).await?;
    course::apub::may_read(&app, &asking, &course).await?;
    let document: Value = app
        .read(move |db| {
            let head = head(db, &id)?;
            let Some(after) = after else { return Ok(make(db, here, &head, None)?.whole()) };
            let post = if after == FIRST { None } else { Some(discussion::get_public(db, &after)?) };
            let listing = make(db, here, &head, post.as_ref())?;
            Ok(listing.leaf(&format!("{}/after/{after}", listing.id)))
        })
        .await?;
    Ok(wire(&document))
}

/// What a collection is about.
enum Head {
    Post(Box<Post>, Box<Course>),
    Assignment(Box<Assignment>, Box<Course>),
}

impl Head {
    fn course(&self) -> &Course {
        match self {
            Self::Post(_, course) | Self::Assignment(_, course) => course,
        }
    }
}

/// A post or assignment that everyone may see; drafts and what is in courses that are not listed are not there.
fn head(db: &mut Db, public_id: &str) -> Result<Head> {
    let head = match discussion::get_public(db, public_id) {
        Ok(post) => {
            let course = course::get(db, post.course_id)?;
            Head::Post(Box::new(post), Box::new(course))
        }
        Err(Error::NotFound) => {
            let assignment = assignment::get_public(db, public_id)?;
            if assignment.state == AssignmentState::Draft {
                return Err(Error::NotFound);
            }
            let (_, course) = assignment::place(db, &assignment)?;
            Head::Assignment(Box::new(assignment), Box::new(course))
        }
        Err(other) => return Err(other),
    };
    if head.course().is_shown() { Ok(head) } else { Err(Error::NotFound) }
}

/// The direct answers, oldest first.
fn replies(db: &mut Db, id: String, head: &Head, after: Option<&Post>) -> Result<Listing> {
    let uri = match head {
        Head::Post(post, _) => &post.uri,
        Head::Assignment(assignment, _) => &assignment.uri,
    };
    if after.is_some_and(|post| post.in_reply_to.as_ref() != Some(uri)) {
        return Err(Error::NotFound);
    }
    let which = Which::AnswersTo(uri);
    let (items, next) = discussion::piece(db, which, after, PAGE)?;
    let (count, updated) = discussion::measure(db, which)?;
    Ok(Listing { id: format!("{id}/replies"), count, items, next, owner: None, updated })
}

/// A whole thread with its beginning, oldest first. Only the home of a course keeps it.
fn context(db: &mut Db, id: String, head: &Head, after: Option<&Post>) -> Result<Listing> {
    let group = actor::get(db, head.course().actor_id)?;
    if !group.here {
        return Err(Error::NotFound);
    }
    let (which, first, inside) = match head {
        Head::Post(post, _) => {
            let root = discussion::get(db, post.root())?;
            let inside = after.is_none_or(|after| after.thread_id == Some(root.id));
            (Which::Thread(root.id), (root.uri.clone(), !root.is_deleted(), Some(root.changed_at)), inside)
        }
        Head::Assignment(assignment, _) => {
            let inside = after.is_none_or(|after| after.assignment_id == Some(assignment.id));
            (Which::CommentsTo(assignment.id), (assignment.uri.clone(), true, None), inside)
        }
    };
    if !inside {
        return Err(Error::NotFound);
    }
    let (uri, is_there, changed) = first;
    let (mut items, next) = discussion::piece(db, which, after, PAGE)?;
    let (count, updated) = discussion::measure(db, which)?;
    if is_there && after.is_none() {
        items.insert(0, uri);
    }
    let updated = updated.max(changed);
    let count = count + i64::from(is_there);
    Ok(Listing { id: format!("{id}/context"), count, items, next, owner: Some(group.uri), updated })
}
