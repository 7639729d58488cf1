//! What went wrong with another server, in either direction? For administrators.

use crate::clock::Time;
use crate::db::{
    Bell, Db, Literal, Run, Tx,
    schema::{activities, actors, deliveries, inbox, peers},
};
use crate::error::{Error, Result};
use crate::federation::peer::LineState;
use crate::id::InboxId;
use crate::setting;
use diesel::dsl::count_star;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use std::time::Duration;

// Literal, so that SQLite sees that the partial indices serve.
const WAITING: &str = "deliveries.state = 'pending'";
const DROPPED: &str = "deliveries.state = 'dropped'";
const RECEIVED: &str = "inbox.state = 'pending'";
const UNWORKED: &str = "inbox.state IN ('failed', 'refused')";

/// One delivery that was given up.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// Type of the activity.
    pub kind: String,
    /// Where to.
    pub inbox: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// What was given up on a line, newest first.
pub fn list_dropped(db: &mut Db, host: &str, most: i64) -> Result<Vec<Dropped>> {
    type Line = (String, String, Option<String>, Option<Time>, Time);
    let query = deliveries::table
        .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
        .filter(Literal(DROPPED))
        .filter(deliveries::host.eq(host));
    let columns =
        (activities::type_, deliveries::inbox, deliveries::last_error, deliveries::done_at, deliveries::created_at);
    let rows: Vec<Line> = query.order(deliveries::id.desc()).limit(most).select(columns).load(db)?;
    let made = |(kind, inbox, reason, done, created): Line| Dropped {
        kind,
        inbox,
        reason: reason.unwrap_or_default(),
        at: done.unwrap_or(created),
    };
    Ok(rows.into_iter().map(made).collect())
}

/// One activity that came in and had no effect.
#[derive(Clone, Debug)]
pub struct Unworked {
    /// Key inside.
    pub id: InboxId,
    /// Type of the activity.
    pub kind: String,
    /// Whose it is.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When it came.
    pub at: Time,
    /// Whether it failed for a reason of ours, so that another try may help; else it was refused.
    pub failed: bool,
}

/// What came in from a server and had no effect: how much that is, and the newest of it.
pub fn list_unworked(db: &mut Db, host: &str, most: i64) -> Result<(i64, Vec<Unworked>)> {
    type Line = (InboxId, String, String, Option<String>, Time, String);
    let all = || {
        inbox::table
            .inner_join(actors::table.on(actors::id.eq(inbox::signer_id)))
            .filter(Literal(UNWORKED))
            .filter(actors::host.eq(host))
    };
    let columns = (inbox::id, inbox::type_, actors::uri, inbox::reason, inbox::received_at, inbox::state);
    let rows: Vec<Line> = all().order(inbox::id.desc()).limit(most).select(columns).load(db)?;
    let made = |(id, kind, actor, reason, at, state): Line| Unworked {
        id,
        kind,
        actor,
        reason: reason.unwrap_or_default(),
        at,
        failed: state == "failed",
    };
    Ok((all().count().get_result(db)?, rows.into_iter().map(made).collect()))
}

/// How much of what came in from a server still waits to be worked on.
pub fn count_received(db: &mut Db, host: &str) -> Result<i64> {
    let waiting = inbox::table
        .inner_join(actors::table.on(actors::id.eq(inbox::signer_id)))
        .filter(Literal(RECEIVED))
        .filter(actors::host.eq(host));
    Ok(waiting.count().get_result(db)?)
}

/// Works once more on what came in and failed. Who may is asked by the verb that calls this.
pub fn work_again(tx: &mut Tx<'_>, id: InboxId) -> Result<()> {
    let now = tx.now();
    let row = inbox::table.find(id).filter(inbox::state.eq("failed"));
    let again = (inbox::state.eq("pending"), inbox::attempts.eq(0), inbox::next_at.eq(now));
    if diesel::update(row).set(again).execute(tx)? == 0 {
        return Err(Error::NotFound);
    }
    tx.ring(Bell::Inbox);
    Ok(())
}

/// What should be looked at of all servers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    /// Nothing goes out, since a backup was restored.
    pub is_paused: bool,
    /// Lines of which the last delivery failed.
    pub failing: i64,
    /// Lines on which nothing went through for seven days.
    pub unreachable: i64,
    /// Deliveries that wait for more than a day.
    pub late: i64,
    /// Activities that came in more than an hour ago and were not worked on yet.
    pub unworked: i64,
    /// Activities that came in and failed for a reason of ours.
    pub failed: i64,
}

impl Troubles {
    /// Whether all is well.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// After this time something should have gone out, or been worked on.
const LATE: Duration = Duration::from_secs(24 * 3600);
const UNWORKED_AFTER: Duration = Duration::from_secs(3600);

/// What should be looked at now.
pub fn troubles(db: &mut Db, now: Time) -> Result<Troubles> {
    let of = |db: &mut Db, state: LineState| peers::table.filter(peers::state.eq(state)).count().get_result(db);
    let late = deliveries::table.filter(Literal(WAITING)).filter(deliveries::created_at.lt(now.minus(LATE)));
    let old = inbox::table.filter(Literal(RECEIVED)).filter(inbox::received_at.lt(now.minus(UNWORKED_AFTER)));
    let failed = inbox::table.filter(Literal(UNWORKED)).filter(inbox::state.eq("failed"));
    Ok(Troubles {
        is_paused: setting::are_deliveries_paused(db)?,
        failing: of(db, LineState::Failing)?,
        unreachable: of(db, LineState::Unreachable)?,
        late: late.count().get_result(db)?,
        unworked: old.count().get_result(db)?,
        failed: failed.count().get_result(db)?,
    })
}

/// How much was given up on each of these lines.
pub(super) fn count_dropped(db: &mut Db, hosts: &[&str]) -> Result<Vec<(String, i64)>> {
    let dropped = deliveries::table.filter(Literal(DROPPED)).filter(deliveries::host.eq_any(hosts));
    Ok(dropped.group_by(deliveries::host).select((deliveries::host, count_star())).load(db)?)
}
