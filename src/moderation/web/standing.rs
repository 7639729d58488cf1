//! Where are threads and assignments closed, and posts put first?

use crate::app::App;
use crate::assignment;
use crate::course;
use crate::discussion;
use crate::error::Error;
use crate::http::{Answer, Form, SignedIn, redirect_with};
use axum::extract::{Path, State};

pub(super) async fn lock_post(State(app): State<App>, me: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let locked = form.has("to", "closed");
    let path = app
        .write(move |tx| {
            let post = discussion::seen(tx, &id, &me.actor)?;
            discussion::lock(tx, &me.actor, &post.uri, locked)?;
            Ok(post.path())
        })
        .await?;
    Ok(redirect_with(&path, if locked { "The thread is closed." } else { "The thread is open again." }))
}

pub(super) async fn pin_post(State(app): State<App>, me: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let pinned = form.has("to", "first");
    let path = app
        .write(move |tx| {
            let post = discussion::seen(tx, &id, &me.actor)?;
            discussion::pin(tx, &me.actor, &post.uri, pinned)?;
            Ok(post.path())
        })
        .await?;
    Ok(redirect_with(&path, if pinned { "The post is pinned." } else { "The post is pinned no more." }))
}

pub(super) async fn lock_assignment(
    State(app): State<App>,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let locked = form.has("to", "closed");
    let path = app
        .write(move |tx| {
            let assignment = assignment::get_public(tx, &id)?;
            let (_, course) = assignment::place(tx, &assignment)?;
            if !course::may_see(tx, &course, Some(&me.actor))? {
                return Err(Error::NotFound);
            }
            discussion::lock(tx, &me.actor, &assignment.uri, locked)?;
            Ok(assignment.path())
        })
        .await?;
    let said = if locked { "Closed: no comments and no work until you open it." } else { "It is open again." };
    Ok(redirect_with(&path, said))
}
