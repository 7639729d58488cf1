//! What happens when the home of a mirrored course passes on what was written in it?

use crate::actor::{self, Actor};
use crate::app::App;
use crate::course::{self, Course};
use crate::db::Tx;
use crate::discussion::wire::{Incoming, is_post, read_any};
use crate::discussion::{self, Parent};
use crate::error::{Error, Result};
use crate::federation::{Context, Received, early, fetch, wire};
use crate::id::CourseId;
use crate::link::same_host;
use serde_json::Value;

/// `Announce` by the Group of a course that is mirrored here, of a post or of a `Create`, `Update` or `Delete` of one.
///
/// Only the Group's own word says what is in the course, and only a document from the author's own server says what the
/// author wrote: an embedded post of a third server is cut to its id and fetched there (ORI-12, CRS-19). What is no post
/// is without effect here.
pub async fn announced(context: &Context, got: &Received) -> Result<()> {
    let app: &App = context.app_data();
    let group = got.signer.id;
    let course = app.read(move |db| course::find_by_actor(db, group)).await?.filter(|_| !got.signer.here);
    let course = course.ok_or_else(|| Error::denied("Only a course that is mirrored here may announce."))?;
    let inner = match got.object() {
        Value::String(uri) if app.links().is_ours(uri) => return confirm(context, got, uri).await,
        Value::String(uri) => fetch::document(context, uri).await?,
        embedded => embedded.clone(),
    };
    match wire::kind(&inner) {
        Some("Create" | "Update") => take(context, got, &course, inner.get("object").unwrap_or(&Value::Null)).await,
        Some("Delete") => drop_post(context, got, &course, &inner).await,
        Some("Announce") => Err(Error::denied("An announcement of an announcement is not followed.")),
        Some(_) if is_post(&inner) => take(context, got, &course, &inner).await,
        _ => got.settle(context, |_| Ok(())).await,
    }
}

/// The course passed on a post that was written here: what it says of the text is not looked at.
async fn confirm(context: &Context, got: &Received, uri: &str) -> Result<()> {
    let (group, uri) = (got.signer.clone(), uri.to_owned());
    got.settle(context, move |tx| discussion::confirm(tx, &group, &uri)).await
}

async fn take(context: &Context, got: &Received, course: &Course, object: &Value) -> Result<()> {
    let app: &App = context.app_data();
    let uri = wire::id_of(object).ok_or_else(|| Error::denied("The announcement holds no post."))?;
    if app.links().is_ours(uri) {
        return confirm(context, got, uri).await;
    }
    let (group, over) = (got.signer.id, uri.to_owned());
    if app.read(move |db| early::is_over(db, &over, group)).await? {
        return got.settle(context, |_| Ok(())).await;
    }
    let embedded = (object.is_object() && same_host(uri, &got.signer.uri)).then_some(object);
    let Some((incoming, author)) = believed(context, (&got.signer, course), uri, embedded).await? else {
        return got.settle(context, |_| Ok(())).await;
    };
    let (group, course) = (got.signer.clone(), course.id);
    got.settle(context, move |tx| put_in(tx, (&group, course), &author, &incoming)).await
}

/// Brings a post of a mirrored course here, or what changed of it, from its own server, because its home lists it.
pub async fn bring(context: &Context, group: &Actor, course: &Course, uri: &str) -> Result<()> {
    let Some((incoming, author)) = believed(context, (group, course), uri, None).await? else { return Ok(()) };
    let (app, group, course): (&App, _, _) = (context.app_data(), group.clone(), course.id);
    app.write(move |tx| put_in(tx, (&group, course), &author, &incoming)).await
}

/// A post that says itself that it is in this course, and its author. Nothing when it is no post.
async fn believed(
    context: &Context,
    (group, course): (&Actor, &Course),
    uri: &str,
    embedded: Option<&Value>,
) -> Result<Option<(Incoming, Actor)>> {
    let document = match embedded {
        Some(document) => document.clone(),
        None => fetch::document(context, uri).await?,
    };
    if wire::text(&document, "id") != Some(uri) {
        return Err(Error::denied("The document has another id than was announced."));
    }
    if !is_post(&document) {
        return Ok(None);
    }
    let incoming = read_any(&document)?;
    incoming.may_be_in(course, group)?;
    belongs(context.app_data(), &incoming, group, course).await?;
    let author = fetch::actor(context, &incoming.author).await?;
    Ok(Some((incoming, author)))
}

fn put_in(tx: &mut Tx<'_>, (group, course): (&Actor, CourseId), author: &Actor, incoming: &Incoming) -> Result<()> {
    let new = incoming.new_post(course, tx.now());
    let post = discussion::take_in(tx, group, author, new)?;
    if post.is_deleted() || incoming.updated_at.is_none() {
        return Ok(());
    }
    discussion::edit(tx, author, post.id, incoming.change(tx.now())).map(drop)
}

/// Refuses a post that does not say itself that it is in this course: it names the course or answers something in it.
async fn belongs(app: &App, incoming: &Incoming, group: &Actor, course: &Course) -> Result<()> {
    if incoming.addressed.contains(&group.uri) {
        return Ok(());
    }
    let (id, parent) = (course.id, incoming.in_reply_to.clone());
    let inside = app.read(move |db| {
        let parent = match parent {
            Some(uri) => Parent::find(db, &uri)?,
            None => None,
        };
        match parent {
            Some(parent) => Ok(parent.course(db)? == id),
            None => Ok(false),
        }
    });
    if inside.await? { Ok(()) } else { Err(Error::denied("The post is not in the course that announced it.")) }
}

/// A post is gone: believed when the Group's own server deleted it or kept it, otherwise when its server has it no more.
async fn drop_post(context: &Context, got: &Received, course: &Course, inner: &Value) -> Result<()> {
    let app: &App = context.app_data();
    let uri = wire::id(inner, "object").ok_or_else(|| Error::denied("The Delete names nothing."))?.to_owned();
    let asked = uri.clone();
    let post = app.read(move |db| discussion::find_by_uri(db, &asked)).await?;
    if post.is_none() && same_host(&uri, &got.signer.uri) {
        // Its beginning may still be on its way.
        let group = got.signer.id;
        return got.settle(context, move |tx| early::remember(tx, &uri, group)).await;
    }
    let Some(post) = post.filter(|post| post.course_id == course.id && !post.is_deleted()) else {
        return got.settle(context, |_| Ok(())).await;
    };
    let by = wire::id(inner, "actor").unwrap_or_default();
    let author = post.author_id;
    let author = app.read(move |db| actor::get(db, author)).await?;
    let by_author = by == author.uri;
    let trusted = same_host(&uri, &got.signer.uri) || (same_host(by, &got.signer.uri) && !by_author);
    if !trusted && !is_gone(context, &uri).await? {
        return Err(Error::denied("The post is still there on its own server."));
    }
    let by = if by_author { author } else { got.signer.clone() };
    let reason = wire::text(inner, "summary").unwrap_or_default().to_owned();
    got.settle(context, move |tx| discussion::delete(tx, &by, post.id, &reason)).await
}

async fn is_gone(context: &Context, uri: &str) -> Result<bool> {
    match fetch::document(context, uri).await {
        Ok(document) => Ok(wire::kind(&document) == Some("Tombstone")),
        Err(Error::NotFound) => Ok(true),
        Err(other) => Err(other),
    }
}
