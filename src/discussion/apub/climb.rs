//! What does an answer to something unknown belong to? Its parents are fetched until one is known (checklist 48).

use crate::actor::{self, Actor};
use crate::app::App;
use crate::course::Course;
use crate::db::{Db, Tx};
use crate::discussion::wire::{Incoming, read};
use crate::discussion::{self, Parent};
use crate::error::{Error, Result};
use crate::federation::{Context, fetch};
use crate::id::CourseId;

/// Parents that are fetched at most, each with its author: no more than what one activity may cause (NET-07).
const STEPS: usize = 8;

/// What stands between an answer and what is known.
#[derive(Debug, Default)]
pub(super) struct Climb {
    /// The nearest post or assignment above it that is known here, and its course.
    pub(super) known: Option<(String, CourseId)>,
    /// What was fetched on the way, lowest first.
    between: Vec<(Incoming, Actor)>,
}

/// Climbs from what a post answers up to what is known. What cannot be fetched, is not public or is no post ends the
/// climb without a find; only a server that does not answer now is an error, so that it is tried again later.
pub(super) async fn climb(context: &Context, from: &Incoming) -> Result<Climb> {
    let app: &App = context.app_data();
    let mut climb = Climb::default();
    let mut next = from.in_reply_to.clone();
    for _ in 0..STEPS {
        let Some(uri) = next.take() else { break };
        let asked = uri.clone();
        climb.known = app.read(move |db| place(db, &asked)).await?;
        let seen = uri == from.uri || climb.between.iter().any(|(post, _)| post.uri == uri);
        // Ids with a fragment are never fetched (checklist 30).
        if climb.known.is_some() || seen || uri.contains('#') || app.links().is_ours(&uri) {
            break;
        }
        let Some((post, author)) = post(context, &uri).await? else { break };
        next.clone_from(&post.in_reply_to);
        climb.between.push((post, author));
    }
    Ok(climb)
}

fn place(db: &mut Db, uri: &str) -> Result<Option<(String, CourseId)>> {
    match Parent::find(db, uri)? {
        Some(parent) => Ok(Some((uri.to_owned(), parent.course(db)?))),
        None => Ok(None),
    }
}

/// A public post and its author, from their own server.
pub(super) async fn post(context: &Context, uri: &str) -> Result<Option<(Incoming, Actor)>> {
    let found = async {
        let document = fetch::document(context, uri).await?;
        let post = read(&document)?;
        if post.uri != uri {
            return Err(Error::denied("The document has another id than was asked for."));
        }
        let author = fetch::actor(context, &post.author).await?;
        Ok((post, author))
    };
    match found.await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_transient() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Takes in an answer that was missed: found where its parent lives, fetched where it lives itself, and written only when
/// its author belongs to the course and what it answers is there. The course does not pass it on.
pub async fn pull(context: &Context, course: &Course, uri: &str) -> Result<()> {
    let Some((incoming, author)) = post(context, uri).await? else { return Ok(()) };
    let (app, course): (&App, _) = (context.app_data(), course.clone());
    app.write(move |tx| {
        let new = incoming.new_post(course.id, tx.now());
        if new.in_reply_to.is_none() {
            return Err(Error::denied("It answers nothing."));
        }
        discussion::write(tx, &author, new).map(drop)
    })
    .await
}

impl Climb {
    /// Writes down what was found on the way, as far as its authors belong to the course; the course does not pass it
    /// on, because its authors did not send it here.
    pub(super) fn take_in(&self, tx: &mut Tx<'_>, course: &Course) -> Result<()> {
        let anchor = self.known.as_ref().map(|(uri, _)| uri.clone());
        for (post, author) in self.between.iter().rev() {
            let author = actor::get(tx, author.id)?;
            if discussion::may_write(tx, &author, course).is_err() {
                continue;
            }
            let mut new = post.new_post(course.id, tx.now());
            new.anchor.clone_from(&anchor);
            match discussion::write(tx, &author, new) {
                Err(Error::Denied(_) | Error::Invalid(_)) | Ok(_) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }
}
