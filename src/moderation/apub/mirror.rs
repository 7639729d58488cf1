//! What happens when the home of a mirrored course passes on an act of moderation?

use super::acts::term_of;
use super::standing::do_act;
use crate::actor::{self, Actor};
use crate::course::{self, Course, ban};
use crate::db::Tx;
use crate::discussion;
use crate::error::{Error, Result};
use crate::federation::{Context, Received, early, wire};
use serde_json::Value;

/// Whether what a course passed on is an act of moderation.
pub fn is_act(inner: &Value) -> bool {
    let undone = wire::kind(inner.get("object").unwrap_or(&Value::Null));
    match wire::kind(inner) {
        Some("Block" | "Lock" | "Add" | "Remove") => true,
        Some("Undo") => matches!(undone, Some("Block" | "Lock" | "Delete")),
        _ => false,
    }
}

/// `Announce` of a Block, Lock, Add, Remove, or their Undo, by the Group of a mirrored course: done here as far as it is
/// about that very course. The Group alone is believed, and about nothing but its own (FEP-1b12, CRS-21).
pub async fn mirrored(context: &Context, got: &Received) -> Result<()> {
    let (group, inner) = (got.signer.clone(), got.object().clone());
    got.settle(context, move |tx| {
        let course = course::find_by_actor(tx, group.id)?.filter(|_| !group.here);
        let course = course.ok_or_else(|| Error::denied("Only a course that is mirrored here may announce."))?;
        act(tx, &group, &course, &inner)
    })
    .await
}

fn act(tx: &mut Tx<'_>, group: &Actor, course: &Course, inner: &Value) -> Result<()> {
    let (what, undone) = match wire::kind(inner) {
        Some("Undo") => (inner.get("object").unwrap_or(&Value::Null), true),
        _ => (inner, false),
    };
    let object = wire::id(what, "object").unwrap_or_default();
    let target = wire::id(what, "target").unwrap_or_default();
    let own = |end: &str| target.strip_suffix(end) == Some(group.uri.as_str());
    match wire::kind(what) {
        Some("Block") if target == group.uri => {
            // Whom nobody here knows nobody here needs to keep out.
            let Some(whom) = actor::find_by_uri(tx, object)? else { return Ok(()) };
            match undone {
                true => ban::unbanned_by_home(tx, group, whom.id),
                false => ban::banned_by_home(tx, group, &whom, &term_of(what)),
            }
        }
        Some("Add" | "Remove") if own("/featured") || own("/moderators") => known(do_act(tx, group, course.id, inner)),
        Some("Lock") => {
            let Some(parent) = discussion::Parent::find(tx, object)? else { return Ok(()) };
            if parent.course(tx)? != course.id {
                return Err(Error::denied("It is in another course."));
            }
            do_act(tx, group, course.id, inner)
        }
        Some("Delete") => {
            let post = discussion::find_by_uri(tx, object)?.filter(|post| post.course_id == course.id);
            early::reopen(tx, object, group.id)?;
            post.map_or(Ok(()), |post| discussion::restore(tx, group, post.id))
        }
        _ => Err(Error::denied("A course may act upon its own alone.")),
    }
}

/// What is about somebody or something unknown here has no effect.
fn known(done: Result<()>) -> Result<()> {
    match done {
        Err(Error::NotFound | Error::Denied(_)) => Ok(()),
        other => other,
    }
}
