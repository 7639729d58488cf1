//! What is kept only for a time, and for how long?

use super::{JobKind, plan};
use crate::actor::{self, ActorState};
use crate::clock::Time;
use crate::db::schema::{activities, actors, deliveries, inbox, one_time_links, sessions};
use crate::db::{Literal, Run, Tx};
use crate::error::Result;
use crate::federation::early;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it is done.
pub const PURGE_EVERY: Duration = DAY;
/// Deliveries that never got there, for looking into what went wrong. Those that did stay as long as who sent them: whoever
/// got something must hear when it is changed or taken back, however old it is.
const DELIVERIES: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Activities that are over. Duplicates are known by these rows, and no peer repeats after so long.
const INBOX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What came in and took effect is kept for so long as it came, for looking into; that it came in, longer.
const BODIES: Duration = DAY;

/// Deletes sessions and links that are over, deliveries dropped 90 days ago and all of who is gone for as long, activities
/// done for 30 days (the text of those that took effect after one) with what they ended beforehand, and the private halves
/// of keys that were replaced; plans itself again.
pub fn purge(tx: &mut Tx<'_>) -> Result<()> {
    let now = tx.now();
    diesel::delete(sessions::table.filter(sessions::expires_at.lt(now))).execute(tx)?;
    // Used links stay until they would have ended, so that a second use can be told from nonsense.
    diesel::delete(one_time_links::table.filter(one_time_links::expires_at.lt(now.minus(DAY)))).execute(tx)?;
    let old = now.minus(DELIVERIES);
    // Literal, so that SQLite sees that the partial index serves.
    let dropped = deliveries::table.filter(Literal("deliveries.state = 'dropped'"));
    diesel::delete(dropped.filter(deliveries::done_at.lt(Some(old)))).execute(tx)?;
    let gone = activities::table
        .inner_join(actors::table.on(actors::id.eq(activities::actor_id)))
        .filter(actors::here)
        .filter(actors::state.eq(ActorState::Gone))
        .select(activities::id);
    let delivered = deliveries::table.filter(deliveries::state.eq("delivered"));
    diesel::delete(delivered.filter(deliveries::done_at.lt(Some(old))).filter(deliveries::activity_id.eq_any(gone)))
        .execute(tx)?;
    let old: Time = now.minus(INBOX);
    diesel::delete(inbox::table.filter(inbox::state.ne("pending")).filter(inbox::received_at.lt(old))).execute(tx)?;
    let effected = inbox::table.filter(inbox::state.eq("done")).filter(inbox::received_at.lt(now.minus(BODIES)));
    diesel::update(effected.filter(inbox::body.ne(""))).set(inbox::body.eq("")).execute(tx)?;
    actor::retire_keys(tx)?;
    early::forget(tx, old)?;
    plan(tx, JobKind::Purge, 0, now.plus(PURGE_EVERY))
}
