//! How do closing, pinning and appointing travel between servers?

use super::acts::{course_here, pass_on_act};
use crate::actor::{self, Actor};
use crate::assignment;
use crate::course;
use crate::db::Tx;
use crate::discussion;
use crate::error::{Error, Result};
use crate::event::{Event, Happened};
use crate::federation::object::{self, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, announce, wire};
use crate::id::{AssignmentId, CourseId, PostId};
use serde_json::Value;

/// Which act an event is on the wire: its type, its object, and what is added to or removed from.
fn act_of(tx: &mut Tx<'_>, what: &Happened, group: &Actor) -> Result<Option<(&'static str, String, Option<String>)>> {
    let list = |name: &str| Some(format!("{}/{name}", group.uri));
    let add = |added: bool| if added { "Add" } else { "Remove" };
    Ok(match what {
        Happened::Locked { uri, .. } => Some(("Lock", uri.clone(), None)),
        Happened::Pinned { uri, pinned, .. } => Some((add(*pinned), uri.clone(), list("featured"))),
        Happened::OrganizersChanged { whom, added, .. } => {
            Some((add(*added), actor::get(tx, *whom)?.uri, list("moderators")))
        }
        _ => None,
    })
}

/// Follows from `Locked`, `Pinned` and `OrganizersChanged` by somebody here in a course here: Lock, `Undo{Lock}`, Add or
/// Remove, passed on whole to servers that know courses (A12). What is closed also says so itself, for GoToSocial.
pub fn announce_standing(tx: &mut Tx<'_>, event: &Event, id: CourseId) -> Result<()> {
    let course = course::get(tx, id)?;
    let group = actor::get(tx, course.actor_id)?;
    let Some(by) = event.by.map(|by| actor::get(tx, by)).transpose()?.filter(|by| by.here && group.here) else {
        return Ok(());
    };
    let Some((kind, object, target)) = act_of(tx, &event.what, &group)? else { return Ok(()) };
    let (to, cc) = ([wire::PUBLIC.to_owned()], [group.uri.clone()]);
    let uri = tx.links().activity(&tx.new_id());
    let mut act = wire::activity(kind, &uri, &by.uri, &to, &cc, object.clone().into());
    if let Some(fields) = act.as_object_mut() {
        fields.insert("audience".into(), group.uri.clone().into());
        fields.extend(target.map(|target| ("target".to_owned(), Value::from(target))));
    }
    if matches!(event.what, Happened::Locked { locked: false, .. }) {
        if let Some(fields) = act.as_object_mut() {
            fields.remove("@context");
        }
        let uri = tx.links().activity(&tx.new_id());
        act = wire::activity("Undo", &uri, &by.uri, &to, &cc, act);
        if let Some(fields) = act.as_object_mut() {
            fields.insert("audience".into(), group.uri.clone().into());
        }
    }
    outbox::send(tx, &by, &act, &object, &Audience::nobody())?;
    pass_on_act(tx, &course, &by, &act, &object)?;
    if matches!(event.what, Happened::Locked { .. }) { say_so(tx, &object) } else { Ok(()) }
}

/// The author's Update of what was closed or opened again, when the author is here.
fn say_so(tx: &mut Tx<'_>, uri: &str) -> Result<()> {
    let Some(known) = object::find(tx, uri)? else { return Ok(()) };
    match known.kind {
        ObjectKind::Post => discussion::apub::announce_edited(tx, PostId(known.local_id)),
        ObjectKind::Assignment => assignment::apub::announce_changed(tx, AssignmentId(known.local_id), false),
        _ => Ok(()),
    }
}

/// Whether an Add or Remove is about who organizes a course, or what it shows first: the rest is of other features.
pub fn is_about_course(activity: &Value) -> bool {
    let target = wire::id(activity, "target").unwrap_or_default();
    target.ends_with("/featured") || target.ends_with("/moderators")
}

/// `Lock`, `Add` and `Remove` by an organizer elsewhere, in a course here: done, and passed on as it came.
pub async fn stand(context: &Context, got: &Received) -> Result<()> {
    let (signer, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| {
        let course = course_of(tx, &activity)?;
        let Some(group) = actor::get(tx, course.actor_id).ok().filter(|group| group.here) else {
            return Err(Error::denied("The course does not live here."));
        };
        do_act(tx, &signer, course.id, &activity)?;
        let object = wire::id(&activity, "object").unwrap_or_default().to_owned();
        let audience = crate::enrollment::audience(tx, &course)?;
        announce::announce(tx, &group, &signer, &activity, &object, audience)
    })
    .await
}

/// The course of a Lock, by what is closed, or of an Add or Remove, by its target.
pub(super) fn course_of(tx: &mut Tx<'_>, act: &Value) -> Result<course::Course> {
    let object = wire::id(act, "object").ok_or_else(|| Error::denied("The activity names nothing."))?;
    if wire::kind(act) == Some("Lock") {
        let parent = discussion::Parent::find(tx, object)?.ok_or(Error::NotFound)?;
        let id = parent.course(tx)?;
        return course::get(tx, id);
    }
    let target = wire::id(act, "target").unwrap_or_default();
    let bare = ["/featured", "/moderators"].iter().find_map(|end| target.strip_suffix(end)).unwrap_or(target);
    course_here(tx, bare).map(|(course, _)| course)
}

/// Does a Lock, an Add or a Remove, or an `Undo{Lock}`, in the name of whoever may.
pub(super) fn do_act(tx: &mut Tx<'_>, by: &Actor, course: CourseId, act: &Value) -> Result<()> {
    let (inner, undone) = match wire::kind(act) {
        Some("Undo") => (act.get("object").unwrap_or(&Value::Null), true),
        _ => (act, false),
    };
    let object = wire::id(inner, "object").ok_or_else(|| Error::denied("The activity names nothing."))?;
    let target = wire::id(inner, "target").unwrap_or_default();
    let added = (wire::kind(inner) == Some("Add")) != undone;
    if wire::kind(inner) == Some("Lock") {
        discussion::lock(tx, by, object, !undone)
    } else if target.ends_with("/featured") {
        discussion::pin(tx, by, object, added)
    } else {
        let whom = actor::find_by_uri(tx, object)?.ok_or(Error::NotFound)?;
        course::appoint(tx, by, course, &whom, added)
    }
}
