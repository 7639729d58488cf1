//! What happens when somebody elsewhere writes, edits or deletes a post?

use super::outgoing::{pass_on, take_back};
use crate::actor::Actor;
use crate::app::App;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::discussion::wire::{Incoming, Whole, read};
use crate::discussion::{self, Parent};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::{Context, Received, announce, fetch, wire};
use crate::id::PostId;
use crate::link::same_host;
use serde_json::Value;

/// `Create{Page|Note|Article}` in the name of its author: taken into the discussion of a course here when the author may
/// write in it, and passed on by the course with its values unchanged. For a course elsewhere only its home's word
/// counts, so nothing happens.
pub async fn create(context: &Context, got: &Received) -> Result<()> {
    let incoming = authored(context, got).await?;
    let app: &App = context.app_data();
    let asked = incoming.clone();
    let found = app.read(move |db| course_of(db, &asked)).await?;
    let (course, group) = found.ok_or_else(|| Error::denied("The post is in no course of this server."))?;
    if !group.here {
        return got.settle(context, |_| Ok(())).await;
    }
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| {
        if object::find(tx, &incoming.uri)?.is_some_and(|known| known.owner_id == signer.id) {
            return Ok(());
        }
        let post = discussion::write(tx, &signer, incoming.new_post(course.id, tx.now()))?;
        let audience = enrollment::audience(tx, &course)?;
        announce::announce(tx, &group, &signer, &activity, &post.uri, audience)
    })
    .await
}

/// `Update{Page|Note|Article}` by its author: the post changes, and the course passes it on when it lives here. An update
/// that does not advance is without effect.
pub async fn update(context: &Context, got: &Received) -> Result<()> {
    let incoming = authored(context, got).await?;
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| {
        let post = known(tx, &incoming.uri)?.ok_or(Error::NotFound)?;
        let before = discussion::get(tx, post)?;
        let after = discussion::edit(tx, &signer, post, incoming.change(tx.now()))?;
        let changed = after.body_html != before.body_html || after.title != before.title;
        let whole = Whole::of(tx, after)?;
        if changed && whole.group.here { pass_on(tx, &whole, &activity) } else { Ok(()) }
    })
    .await
}

/// `Delete{Tombstone|id}` by the author, or by an organizer of the course, whose `summary` is the reason: the text goes,
/// and the course passes it on when it lives here.
pub async fn delete(context: &Context, got: &Received) -> Result<()> {
    let uri = wire::id(&got.activity, "object").ok_or_else(|| Error::denied("The Delete names nothing."))?.to_owned();
    let reason = wire::text(&got.activity, "summary").unwrap_or_default().to_owned();
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| {
        let Some(id) = known(tx, &uri)? else { return Ok(()) };
        let post = discussion::get(tx, id)?;
        if post.is_deleted() {
            return Ok(());
        }
        let whole = Whole::of(tx, post)?;
        discussion::delete(tx, &signer, id, &reason)?;
        if whole.group.here {
            pass_on(tx, &whole, &activity)?;
            take_back(tx, &whole.group, &uri)?;
        }
        Ok(())
    })
    .await
}

/// The post that a signer sent as their own: attributed to them, on their server (FEP-fe34).
async fn authored(context: &Context, got: &Received) -> Result<Incoming> {
    let document = match got.object() {
        Value::String(uri) if same_host(uri, &got.signer.uri) => fetch::document(context, uri).await?,
        Value::Object(_) => got.object().clone(),
        _ => return Err(Error::denied("The activity holds no post.")),
    };
    let incoming = read(&document)?;
    if incoming.author != got.signer.uri {
        return Err(Error::denied("A post can be sent by its author only."));
    }
    Ok(incoming)
}

/// The course that a post is meant for: that of what it answers, otherwise the first that it is addressed to.
fn course_of(db: &mut Db, incoming: &Incoming) -> Result<Option<(Course, Actor)>> {
    let parent = match &incoming.in_reply_to {
        Some(uri) => Parent::find(db, uri)?,
        None => None,
    };
    if let Some(parent) = parent {
        let id = parent.course(db)?;
        let course = course::get(db, id)?;
        let group = crate::actor::get(db, course.actor_id)?;
        return Ok(Some((course, group)));
    }
    for uri in &incoming.addressed {
        let Some(group) = crate::actor::find_by_uri(db, uri)? else { continue };
        if let Some(course) = course::find_by_actor(db, group.id)? {
            return Ok(Some((course, group)));
        }
    }
    Ok(None)
}

/// The post behind an id.
fn known(tx: &mut Tx<'_>, uri: &str) -> Result<Option<PostId>> {
    let found = object::find(tx, uri)?;
    Ok(found.filter(|known| known.kind == ObjectKind::Post).map(|known| PostId(known.local_id)))
}
