//! Who hears that somebody liked a post or an assignment?

use crate::actor::{self, Actor};
use crate::course;
use crate::db::Tx;
use crate::discussion::{self, Parent};
use crate::enrollment;
use crate::error::Result;
use crate::federation::announce::{self, Said};
use crate::federation::{Context, Received, wire};
use serde_json::Value;

/// `Like`, `Dislike` and the `Undo` of these about what stands in a course here: of who may write there the course passes
/// it on to forums, which count votes. Nothing is kept of it.
pub async fn vote(context: &Context, got: &Received) -> Result<()> {
    let (by, activity) = (got.signer.clone(), got.activity.clone());
    got.settle(context, move |tx| pass_on(tx, &by, &activity)).await
}

fn pass_on(tx: &mut Tx<'_>, by: &Actor, activity: &Value) -> Result<()> {
    let vote = match wire::kind(activity) {
        Some("Undo") => activity.get("object").unwrap_or(&Value::Null),
        _ => activity,
    };
    let Some(uri) = wire::id(vote, "object").filter(|_| is_for_all(activity)) else { return Ok(()) };
    let Some(parent) = Parent::find(tx, uri)? else { return Ok(()) };
    let id = parent.course(tx)?;
    let course = course::get(tx, id)?;
    let group = actor::get(tx, course.actor_id)?;
    let is_gone = matches!(&parent, Parent::Post(post) if post.is_deleted());
    if !group.here || is_gone || discussion::may_write(tx, by, &course).is_err() {
        return Ok(());
    }
    let audience = enrollment::audience(tx, &course)?;
    announce::relay_vote(tx, &group, &Said { author: by, activity, raw: None, about: uri }, audience)
}

/// Most software addresses a vote to nobody; one that is for somebody alone stays with them.
fn is_for_all(activity: &Value) -> bool {
    wire::is_public(activity) || ["to", "cc"].iter().all(|key| wire::ids(activity, key).is_empty())
}
