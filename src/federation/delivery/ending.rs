//! What is written down when a line's turn ends, and of what can go no further?

use super::fate;
use super::record::Went;
use super::store::{PENDING, drop_one, hold_until, note_failure};
use crate::actor::{ActorState, follow};
use crate::clock::Time;
use crate::db::{
    Literal, Run, Tx,
    schema::{actors, deliveries, peers},
};
use crate::error::Result;
use crate::federation::peer::LineState;
use crate::id::ActorId;
use crate::link::host_of_uri;
use diesel::dsl::min;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use std::time::Duration;

/// Its server chokes on this one: tried again later, while others have their turn; not for ever.
pub(super) fn hold(tx: &mut Tx<'_>, id: i64, reason: &str) -> Result<()> {
    let row = deliveries::table.filter(deliveries::id.eq(id));
    let attempts: i64 = row.select(deliveries::attempts).first(tx)?;
    if attempts + 1 >= fate::CHOKED_TRIES {
        return drop_one(tx, id, &format!("{reason}, {} times", attempts + 1));
    }
    let wait = tx.chance().with(|lots| fate::wait(attempts + 1, None, false, lots));
    let until = tx.now().plus(wait);
    hold_until(tx, id, until)?;
    note_failure(tx, id, reason)
}

/// An inbox is gone: nothing is sent there any more, and who had it as their own follows nobody any more. Where a server
/// shares it, some were asked for since: who of them is gone follows nobody any more, and when all are the server is
/// gone: nothing that waits for it is sent, and nobody there follows any more.
pub(super) fn close_inbox(tx: &mut Tx<'_>, inbox: &str, asked: &[ActorId]) -> Result<()> {
    let host = host_of_uri(inbox).unwrap_or_default();
    let there = actors::table.filter(actors::host.eq(&host)).filter(actors::here.eq(false));
    let gone = actors::table.filter(actors::id.eq_any(asked)).filter(actors::state.eq(ActorState::Gone));
    let mut ended: Vec<ActorId> = gone.select(actors::id).load(tx)?;
    let waiting = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq(&host));
    let done = (
        deliveries::state.eq("dropped"),
        deliveries::done_at.eq(Some(tx.now())),
        deliveries::last_error.eq(Some("the inbox is gone (410)")),
    );
    if !asked.is_empty() && ended.len() == asked.len() {
        diesel::update(waiting).set(done).execute(tx)?;
        ended.extend(there.filter(actors::shared_inbox.eq(Some(inbox))).select(actors::id).load::<ActorId>(tx)?);
    } else {
        diesel::update(waiting.filter(deliveries::inbox.eq(inbox))).set(done).execute(tx)?;
    }
    ended.extend(there.filter(actors::inbox.eq(inbox)).select(actors::id).load::<ActorId>(tx)?);
    for owner in ended {
        for followed in follow::followed_by(tx, owner)? {
            follow::remove(tx, owner, followed.followed_id)?;
        }
    }
    Ok(())
}

/// These lines did not fail; each is due again at once where more waits on it, and otherwise at rest. Well is one whose
/// server answered.
pub(super) fn end_lines_well(tx: &mut Tx<'_>, lines: &[(String, Went)]) -> Result<()> {
    let now = tx.now();
    let those = |least: Went| lines.iter().filter(move |(_, went)| *went >= least).map(|(host, _)| host);
    let answered: Vec<&String> = those(Went::Answered).collect();
    for some in answered.chunks(500) {
        let well = (
            peers::state.eq(LineState::Healthy),
            peers::failures.eq(0),
            peers::failing_since.eq(None::<Time>),
            peers::not_before.eq(None::<Time>),
        );
        diesel::update(peers::table.filter(peers::host.eq_any(some.to_vec()))).set(well).execute(tx)?;
    }
    let delivered: Vec<&String> = those(Went::Delivered).collect();
    for some in delivered.chunks(500) {
        diesel::update(peers::table.filter(peers::host.eq_any(some.to_vec())))
            .set(peers::last_success_at.eq(Some(now)))
            .execute(tx)?;
    }
    let all: Vec<&String> = those(Went::Nowhere).collect();
    rest(tx, &all)
}

/// Nobody holds these lines any more; what waits on them says when they are due.
fn rest(tx: &mut Tx<'_>, hosts: &[&String]) -> Result<()> {
    let now = tx.now();
    for some in hosts.chunks(500) {
        let some = || some.to_vec();
        diesel::update(peers::table.filter(peers::host.eq_any(some())))
            .set((peers::leased_until.eq(Time(0)), peers::due_at.eq(None::<Time>)))
            .execute(tx)?;
        let waiting = || deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq_any(some()));
        let held: Vec<(String, Option<Time>)> = waiting()
            .filter(deliveries::held_until.gt(Some(now)))
            .group_by(deliveries::host)
            .select((deliveries::host, min(deliveries::held_until)))
            .load(tx)?;
        for (host, until) in held {
            diesel::update(peers::table.filter(peers::host.eq(host))).set(peers::due_at.eq(until)).execute(tx)?;
        }
        let free = deliveries::held_until.is_null().or(deliveries::held_until.le(Some(now)));
        let more: Vec<String> = waiting().filter(free).select(deliveries::host).distinct().load(tx)?;
        diesel::update(peers::table.filter(peers::host.eq_any(more))).set(peers::due_at.eq(Some(now))).execute(tx)?;
    }
    Ok(())
}

/// Nothing could be tried for a reason of ours: all stays as it was, and is tried again soon.
pub(super) fn put_off(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let due = tx.now().plus(fate::PAUSE);
    diesel::update(peers::table.filter(peers::host.eq(host)))
        .set((peers::leased_until.eq(Time(0)), peers::due_at.eq(Some(due))))
        .execute(tx)?;
    Ok(())
}

/// This line failed; it is left alone for a while, for good reason longer each time.
pub(super) fn end_line_badly(
    tx: &mut Tx<'_>,
    host: &str,
    reason: &str,
    (asked, alive): (Option<Duration>, bool),
) -> Result<()> {
    let now = tx.now();
    let line = peers::table.filter(peers::host.eq(host)).select((peers::failures, peers::failing_since));
    let Some((failures, since)) = line.first::<(i64, Option<Time>)>(tx).optional()? else { return Ok(()) };
    let since = since.unwrap_or(now);
    let dead = fate::is_dead(since, now);
    let wait = tx.chance().with(|lots| fate::wait(failures + 1, asked, dead, lots));
    let wait = if alive && !dead { wait.min(fate::LONGEST_ALIVE) } else { wait };
    diesel::update(peers::table.filter(peers::host.eq(host)))
        .set((
            peers::state.eq(if dead { LineState::Unreachable } else { LineState::Failing }),
            peers::failures.eq(failures + 1),
            peers::failing_since.eq(Some(since)),
            peers::last_failure_at.eq(Some(now)),
            peers::last_error.eq(Some(reason)),
            peers::due_at.eq(Some(now.plus(wait))),
            peers::not_before.eq(asked.map(|span| now.plus(span.min(fate::LONGEST_ASKED)))),
            peers::leased_until.eq(Time(0)),
        ))
        .execute(tx)?;
    if dead { expire(tx, host) } else { Ok(()) }
}

/// What waits for a dead server for longer than anything is kept is dropped, so that dead servers fill no queue.
fn expire(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let now = tx.now();
    let old = deliveries::table
        .filter(Literal(PENDING))
        .filter(deliveries::host.eq(host))
        .filter(deliveries::created_at.lt(now.minus(fate::LONGEST_KEPT)));
    diesel::update(old)
        .set((
            deliveries::state.eq("dropped"),
            deliveries::done_at.eq(Some(now)),
            deliveries::last_error.eq(Some("nobody was there for thirty days")),
        ))
        .execute(tx)?;
    Ok(())
}
