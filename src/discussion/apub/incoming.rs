//! What happens when somebody elsewhere writes, edits or deletes a post?

use super::climb::{Climb, climb};
use super::outgoing::{pass_on, take_back};
use crate::actor::Actor;
use crate::actor::follow::{self, FollowState};
use crate::app::App;
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::discussion::wire::{Incoming, Whole, read_any};
use crate::discussion::{self, Parent};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::{Context, Received, announce, early, fetch, wire};
use crate::id::{ActorId, CourseId, PostId};
use crate::link::same_host;
use serde_json::Value;

/// `Create{Page|Note|Article}` in the name of its author: taken into the discussion of a course here when the author may
/// write in it, and passed on by the course with its values unchanged; held for the organizers otherwise (checklist 46).
/// For a course elsewhere only its home's word counts, so nothing happens.
pub async fn create(context: &Context, got: &Received) -> Result<()> {
    let incoming = authored(context, got).await?;
    let app: &App = context.app_data();
    let (asked, by) = (incoming.clone(), got.signer.id);
    let (mut found, is_orphan, has_to_do) = app
        .read(move |db| {
            let (found, is_orphan) = course_of(db, &asked)?;
            let here = found.as_ref().map(|(_, group)| group.here);
            Ok((found, is_orphan, here.map_or_else(|| is_known(db, by), Ok)?))
        })
        .await?;
    let mut above = Climb::default();
    // Strangers make us ask nobody for what is meant for no course here.
    if is_orphan && incoming.public && has_to_do {
        above = climb(context, &incoming).await?;
        if let Some((_, course)) = above.known {
            found = Some(app.read(move |db| with_group(db, course)).await?);
        }
    }
    let (course, group) = found.ok_or_else(|| Error::denied("The post is in no course of this server."))?;
    if !group.here {
        return got.settle(context, |_| Ok(())).await;
    }
    incoming.may_be_in(&course, &group)?;
    let (got_too, by) = (got.clone(), got.signer.clone());
    got.settle(context, move |tx| {
        if object::find(tx, &incoming.uri)?.is_some_and(|known| known.owner_id == by.id) {
            return pass_on_late(tx, &incoming.uri, &got_too);
        }
        let mut new = incoming.new_post(course.id, tx.now());
        new.anchor = above.known.as_ref().map(|(uri, _)| uri.clone());
        if discussion::is_to_be_held(tx, &by, &course)? {
            let activity = got_too.as_it_came(tx)?;
            return discussion::hold(tx, &by, &new, &activity);
        }
        above.take_in(tx, &course)?;
        let mut post = discussion::write(tx, &by, new)?;
        if incoming.updated_at.is_some() || wire::kind(&got_too.activity) == Some("Update") {
            post = discussion::edit(tx, &by, post.id, incoming.change(tx.now()))?;
        }
        let whole = Whole::of(tx, post)?;
        pass_on_as_it_came(tx, &whole, &got_too)
    })
    .await
}

/// The course relays what an author elsewhere sent it: wrapped to forums, untouched to microblogs.
fn pass_on_as_it_came(tx: &mut Tx<'_>, whole: &Whole, got: &Received) -> Result<()> {
    let raw = got.as_it_came(tx)?;
    pass_on(tx, whole, &got.activity, Some(&raw))
}

/// A Create that came after an Update of the same: nothing changes here, but others did not hear of the beginning yet.
fn pass_on_late(tx: &mut Tx<'_>, uri: &str, got: &Received) -> Result<()> {
    let Some(post) = discussion::find_by_uri(tx, uri)?.filter(|post| !post.is_deleted()) else { return Ok(()) };
    let whole = Whole::of(tx, post)?;
    let is_new = whole.group.here && !announce::is_begun(tx, &whole.group, uri)?;
    if is_new { pass_on_as_it_came(tx, &whole, got) } else { Ok(()) }
}

/// `Update{Page|Note|Article}` by its author: the post changes, and the course passes it on when it lives here. An update
/// that does not advance is without effect. What is not known was faster than its Create, or that was lost: it is taken
/// as one.
pub async fn update(context: &Context, got: &Received) -> Result<()> {
    let incoming = authored(context, got).await?;
    let uri = incoming.uri.clone();
    let is_here =
        move |db: &mut Db| Ok(object::find(db, &uri)?.is_some() || discussion::find_held(db, &uri)?.is_some());
    if !context.app_data().look_up(is_here).await? {
        return create(context, got).await;
    }
    let (signer, got_too) = (got.signer.clone(), got.clone());
    got.settle(context, move |tx| {
        let Some(post) = known(tx, &incoming.uri)? else {
            if is_behind(tx, &incoming)? {
                return Ok(());
            }
            if !incoming.public {
                return Err(Error::denied("A private post is in no discussion."));
            }
            let change = incoming.new_post(CourseId(0), tx.now());
            let activity = got_too.as_it_came(tx)?;
            return discussion::revise_held(tx, &signer, &change, &activity);
        };
        let before = discussion::get(tx, post)?;
        let (course, group) = with_group(tx, before.course_id)?;
        incoming.may_be_in(&course, &group)?;
        let after = discussion::edit(tx, &signer, post, incoming.change(tx.now()))?;
        let changed = after.body_html != before.body_html || after.title != before.title;
        let whole = Whole::of(tx, after)?;
        if changed && whole.group.here { pass_on_as_it_came(tx, &whole, &got_too) } else { Ok(()) }
    })
    .await
}

/// `Delete{Tombstone|id}` by the author, or by an organizer of the course, whose `summary` is the reason: the text goes,
/// and the course passes it on when it lives here.
pub async fn delete(context: &Context, got: &Received) -> Result<()> {
    let uri = wire::id(&got.activity, "object").ok_or_else(|| Error::denied("The Delete names nothing."))?.to_owned();
    let reason = wire::text(&got.activity, "summary").unwrap_or_default().to_owned();
    let (signer, got_too) = (got.signer.clone(), got.clone());
    got.settle(context, move |tx| {
        let Some(id) = known(tx, &uri)? else { return end_early(tx, &signer, &uri) };
        let post = discussion::get(tx, id)?;
        // What a moderator took away its author may still delete, so that no copy stays.
        if post.is_deleted() && !(post.is_removed() && post.author_id == signer.id) {
            return Ok(());
        }
        let whole = Whole::of(tx, post)?;
        discussion::delete(tx, &signer, id, &reason)?;
        if whole.group.here {
            pass_on_as_it_came(tx, &whole, &got_too)?;
            take_back(tx, &whole.group, &uri)?;
        }
        Ok(())
    })
    .await
}

/// What is not here, or waits, is over: it shall not come to life when it arrives late.
fn end_early(tx: &mut Tx<'_>, by: &Actor, uri: &str) -> Result<()> {
    discussion::forget_held(tx, by, uri)?;
    if object::find(tx, uri)?.is_none() { early::remember(tx, uri, by.id) } else { Ok(()) }
}

/// Whether a newer text of it waits already.
fn is_behind(tx: &mut Tx<'_>, incoming: &Incoming) -> Result<bool> {
    let Some(held) = discussion::find_held(tx, &incoming.uri)? else { return Ok(false) };
    let newest: Value = serde_json::from_str(held.later_activity.as_ref().unwrap_or(&held.activity))?;
    let time = |key| wire::text(newest.get("object")?, key).and_then(Time::parse_rfc3339);
    let at = time("updated").unwrap_or(held.published_at);
    Ok(incoming.updated_at.is_some_and(|updated| updated < at))
}

/// The post that a signer sent as their own: attributed to them, on their server (FEP-fe34).
async fn authored(context: &Context, got: &Received) -> Result<Incoming> {
    let document = match got.object() {
        Value::String(uri) if same_host(uri, &got.signer.uri) => fetch::document(context, uri).await?,
        Value::Object(_) => got.object().clone(),
        _ => return Err(Error::denied("The activity holds no post.")),
    };
    let incoming = read_any(&document)?;
    if incoming.author != got.signer.uri {
        return Err(Error::denied("A post can be sent by its author only."));
    }
    Ok(incoming)
}

/// The course that a post is meant for: that of what it answers, otherwise the first that it is addressed to. And whether
/// it answers something that is not known.
fn course_of(db: &mut Db, incoming: &Incoming) -> Result<(Option<(Course, Actor)>, bool)> {
    let parent = match &incoming.in_reply_to {
        Some(uri) => Parent::find(db, uri)?,
        None => None,
    };
    if let Some(parent) = parent {
        let id = parent.course(db)?;
        return Ok((Some(with_group(db, id)?), false));
    }
    let is_orphan = incoming.in_reply_to.is_some();
    for uri in &incoming.addressed {
        let Some(group) = crate::actor::find_by_uri(db, uri)? else { continue };
        if let Some(course) = course::find_by_actor(db, group.id)? {
            return Ok((Some((course, group)), is_orphan));
        }
    }
    Ok((None, is_orphan))
}

/// Whether somebody elsewhere follows anyone here, or has a place in a course.
fn is_known(db: &mut Db, who: ActorId) -> Result<bool> {
    let follows = follow::followed_by(db, who)?.iter().any(|known| known.state == FollowState::Accepted);
    Ok(follows || !enrollment::of_person(db, who)?.is_empty())
}

fn with_group(db: &mut Db, course: CourseId) -> Result<(Course, Actor)> {
    let course = course::get(db, course)?;
    let group = crate::actor::get(db, course.actor_id)?;
    Ok((course, group))
}

/// The post behind an id.
fn known(tx: &mut Tx<'_>, uri: &str) -> Result<Option<PostId>> {
    let found = object::find(tx, uri)?;
    Ok(found.filter(|known| known.kind == ObjectKind::Post).map(|known| PostId(known.local_id)))
}
