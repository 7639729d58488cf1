//! How do bans, and posts that are brought back, travel between servers?

use super::standing;
use crate::actor::{self, Actor};
use crate::clock::Time;
use crate::course::ban::{self, Term};
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::discussion;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, announce, wire};
use crate::id::{ActorId, CourseId, PostId};
use serde_json::{Value, json};

/// A ban as threadiverse software knows it (A9).
fn block_of(uri: &str, (by, whom, group): (&Actor, &Actor, &Actor)) -> Value {
    let (to, cc) = ([wire::PUBLIC.to_owned()], [group.uri.clone()]);
    let mut block = wire::activity("Block", uri, &by.uri, &to, &cc, whom.uri.clone().into());
    if let Some(fields) = block.as_object_mut() {
        fields.insert("target".into(), group.uri.clone().into());
        fields.insert("audience".into(), group.uri.clone().into());
    }
    block
}

/// What acts on a person in a course are filed under.
fn about(group: &Actor, whom: &Actor) -> String {
    format!("{}#{}", group.uri, whom.uri)
}

/// Follows from `Banned` by somebody here in a course here: a Block, passed on to servers that know courses and to the
/// banned person's own. Microblogs would take it for a personal one and get the Reject of the Follow instead.
pub fn announce_ban(tx: &mut Tx<'_>, event: &Event, course: CourseId, whom: ActorId, removes: bool) -> Result<()> {
    let Some(by) = event.by.map(|id| actor::get(tx, id)).transpose()? else { return Ok(()) };
    let (course, whom) = (course::get(tx, course)?, actor::get(tx, whom)?);
    let group = actor::get(tx, course.actor_id)?;
    let Some(ban) = ban::find_ban(tx, course.id, whom.id)? else { return Ok(()) };
    if !by.here || !group.here {
        return Ok(());
    }
    let mut block = block_of(&ban.uri, (&by, &whom, &group));
    if let Some(fields) = block.as_object_mut() {
        fields.insert("removeData".into(), removes.into());
        fields.insert("summary".into(), ban.reason.clone().into());
        if let Some(at) = ban.ends_at {
            fields.insert("endTime".into(), at.rfc3339().into());
        }
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    pass_on(tx, (&course, &group), (&by, &whom), &block)
}

/// Follows from `Unbanned` by somebody here, or by time: the Undo of that Block.
pub fn announce_unban(tx: &mut Tx<'_>, event: &Event, lifted: (CourseId, ActorId, ActorId, &str)) -> Result<()> {
    let (course, whom, by_then, uri) = lifted;
    let (course, whom) = (course::get(tx, course)?, actor::get(tx, whom)?);
    let (group, by_then) = (actor::get(tx, course.actor_id)?, actor::get(tx, by_then)?);
    let by = match event.by {
        Some(id) => actor::get(tx, id)?,
        None => by_then.clone(),
    };
    if !by.here || !group.here {
        return Ok(());
    }
    // Whoever lifts it speaks for themselves; the Block that ends keeps its author.
    let mut block = block_of(uri, (&by_then, &whom, &group));
    if let Some(fields) = block.as_object_mut() {
        fields.remove("@context");
    }
    let id = tx.links().activity(&tx.new_id());
    let (to, cc) = ([wire::PUBLIC.to_owned()], [group.uri.clone()]);
    let mut undo = wire::activity("Undo", &id, &by.uri, &to, &cc, block);
    if let Some(fields) = undo.as_object_mut() {
        fields.insert("audience".into(), group.uri.clone().into());
    }
    pass_on(tx, (&course, &group), (&by, &whom), &undo)
}

fn pass_on(
    tx: &mut Tx<'_>,
    (course, group): (&Course, &Actor),
    (by, whom): (&Actor, &Actor),
    activity: &Value,
) -> Result<()> {
    let about = about(group, whom);
    if by.here {
        outbox::send(tx, by, activity, &about, &Audience::nobody())?;
    }
    let audience = enrollment::audience(tx, course)?.and(Audience::servers([whom]));
    announce::announce(tx, group, by, activity, &about, audience)
}

/// `Block`: by an organizer with `target`, a ban from a course here; of a course here by anybody, that they want to hear
/// nothing more of it: their following and places end (AP 6.9). All else is refused or without effect.
pub async fn block(context: &Context, got: &Received) -> Result<()> {
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| take_block(tx, &signer, &activity)).await
}

fn take_block(tx: &mut Tx<'_>, signer: &Actor, activity: &Value) -> Result<()> {
    let object = wire::id(activity, "object").ok_or_else(|| Error::denied("The Block names nobody."))?;
    let Some(target) = wire::id(activity, "target") else { return walk_away(tx, signer, object) };
    let (course, group) = course_here(tx, target)?;
    let whom = actor::find_by_uri(tx, object)?.ok_or(Error::NotFound)?;
    let known = ban::find_ban(tx, course.id, whom.id)?;
    let term = term_of(activity);
    if known.is_some_and(|ban| Some(ban.uri) == term.uri) {
        return Ok(());
    }
    let audience = enrollment::audience(tx, &course)?.and(Audience::servers([&whom]));
    ban::ban(tx, signer, &course, &whom, &term)?;
    announce::announce(tx, &group, signer, activity, &about(&group, &whom), audience)
}

/// What a Block says of the how.
pub(super) fn term_of(activity: &Value) -> Term {
    let ends_at = ["endTime", "expires"].iter().find_map(|key| wire::text(activity, key));
    let reason = wire::text(activity, "summary").or_else(|| wire::text(activity, "content")).unwrap_or_default();
    Term {
        reason: crate::text::plain(crate::text::truncate(reason, 2000)).unwrap_or_default(),
        ends_at: ends_at.and_then(Time::parse_rfc3339),
        removes: activity.get("removeData").and_then(Value::as_bool).unwrap_or_default(),
        uri: wire::text(activity, "id").map(str::to_owned),
    }
}

/// Somebody wants to hear nothing more of a course here.
fn walk_away(tx: &mut Tx<'_>, signer: &Actor, object: &str) -> Result<()> {
    let Some(group) = actor::find_by_uri(tx, object)?.filter(|group| group.here) else { return Ok(()) };
    let Some(course) = course::find_by_actor(tx, group.id)? else { return Ok(()) };
    enrollment::leave_course(tx, signer, &course)?;
    enrollment::unfollow(tx, signer, &course)
}

/// `Undo` of a Block or of a removal (`Delete` with a reason) in a course here, by one who may.
pub async fn undo(context: &Context, got: &Received) -> Result<()> {
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| take_undo(tx, &signer, &activity)).await
}

fn take_undo(tx: &mut Tx<'_>, signer: &Actor, activity: &Value) -> Result<()> {
    let inner = activity.get("object").unwrap_or(&Value::Null);
    let object = wire::id(inner, "object").ok_or_else(|| Error::denied("What is undone names nothing."))?;
    if wire::kind(inner) == Some("Lock") {
        let course = standing::course_of(tx, inner)?;
        standing::do_act(tx, signer, course.id, activity)?;
        return pass_on_act(tx, &course, signer, activity, object);
    }
    if wire::kind(inner) == Some("Delete") {
        let post = discussion::find_by_uri(tx, object)?.ok_or(Error::NotFound)?;
        let course = course::get(tx, post.course_id)?;
        let group = actor::get(tx, course.actor_id)?;
        if !group.here {
            return Ok(());
        }
        discussion::restore(tx, signer, post.id)?;
        let audience = enrollment::audience(tx, &course)?;
        return announce::announce(tx, &group, signer, activity, &post.uri, audience);
    }
    // The Undo of a personal block asks for nothing: who wants to hear of the course again follows it again.
    let Some(target) = wire::id(inner, "target") else { return Ok(()) };
    let (course, group) = course_here(tx, target)?;
    let whom = actor::find_by_uri(tx, object)?.ok_or(Error::NotFound)?;
    if ban::find_ban(tx, course.id, whom.id)?.is_none() {
        return course::may_govern(tx, signer, &course);
    }
    ban::unban(tx, signer, &course, whom.id)?;
    let audience = enrollment::audience(tx, &course)?.and(Audience::servers([&whom]));
    announce::announce(tx, &group, signer, activity, &about(&group, &whom), audience)
}

/// Passes an act of moderation by somebody here on to servers that know courses.
pub(super) fn pass_on_act(tx: &mut Tx<'_>, course: &Course, by: &Actor, act: &Value, about: &str) -> Result<()> {
    let group = actor::get(tx, course.actor_id)?;
    let audience = enrollment::audience(tx, course)?;
    announce::announce(tx, &group, by, act, about, audience)
}

/// A course that lives here.
pub(super) fn course_here(db: &mut Db, uri: &str) -> Result<(Course, Actor)> {
    let group = actor::find_by_uri(db, uri)?.filter(|group| group.here);
    let group = group.ok_or_else(|| Error::denied("The course does not live here."))?;
    let course = course::find_by_actor(db, group.id)?.ok_or(Error::NotFound)?;
    Ok((course, group))
}

/// Follows from `PostRestored` by somebody here in a course here: the Undo of the removal, passed on whole; microblogs,
/// from which the announcement was taken back, are sent it anew.
pub fn announce_restored(tx: &mut Tx<'_>, event: &Event, id: PostId) -> Result<()> {
    let Some(by) = event.by.map(|by| actor::get(tx, by)).transpose()? else { return Ok(()) };
    let post = discussion::get(tx, id)?;
    let course = course::get(tx, post.course_id)?;
    let group = actor::get(tx, course.actor_id)?;
    if !group.here {
        return Ok(());
    }
    if by.here {
        let (to, cc) = ([wire::PUBLIC.to_owned(), group.uri.clone()], [group.followers.clone().unwrap_or_default()]);
        let removal = outbox::list_about(tx, by.id, "Delete", &post.uri)?.into_iter().next().map(|sent| sent.uri);
        let removal = removal.unwrap_or_else(|| tx.links().activity(&tx.new_id()));
        let inner = json!({
            "id": removal, "type": "Delete", "actor": by.uri, "object": post.uri, "to": to, "cc": cc,
            "audience": group.uri,
        });
        let id = tx.links().activity(&tx.new_id());
        let mut undo = wire::activity("Undo", &id, &by.uri, &to, &cc, inner);
        if let Some(fields) = undo.as_object_mut() {
            fields.insert("audience".into(), group.uri.clone().into());
        }
        outbox::send(tx, &by, &undo, &post.uri, &Audience::nobody())?;
        let audience = enrollment::audience(tx, &course)?;
        announce::announce(tx, &group, &by, &undo, &post.uri, audience)?;
    }
    announce::again(tx, &group, &post.uri)
}
