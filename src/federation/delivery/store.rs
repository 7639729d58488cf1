//! Which rows say what is to go where?

use super::fate;
use crate::actor::follow;
use crate::clock::Time;
use crate::db::{
    Db, Run, Tx,
    schema::{activities, actors, deliveries, peers},
};
use crate::error::Result;
use crate::federation::peer::LineState;
use crate::federation::wire;
use crate::id::{ActivityId, ActorId};
use crate::link::host_of_uri;
use crate::net::signature::Scheme;
use diesel::dsl::{min, sql};
use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An activity to be sent.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) actor: ActorId,
    pub(super) kind: String,
    pub(super) public: bool,
    /// Whether this is the `Update` by which its actor shows its keys.
    pub(super) tells_of_keys: bool,
    pub(super) body: bytes::Bytes,
}

impl Parcel {
    /// How long it is worth sending. What a course passes on is worth as much as what it holds.
    pub(super) fn lifetime(&self) -> Duration {
        let whole: Value = match self.kind.as_str() {
            "Announce" => serde_json::from_slice(&self.body).unwrap_or_default(),
            _ => Value::Null,
        };
        let inner =
            whole.get("object").and_then(wire::kind).filter(|kind| matches!(*kind, "Update" | "Delete" | "Undo"));
        fate::lifetime(inner.unwrap_or(&self.kind), self.public)
    }
}

/// One delivery that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) inbox: String,
    pub(super) created_at: Time,
    pub(super) parcel: Arc<Parcel>,
}

/// The line to one server, leased, with what is next on it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) host: String,
    pub(super) state: LineState,
    /// How the server wants our signatures, once that was learned.
    pub(super) scheme: Option<Scheme>,
    pub(super) waiting: Vec<Waiting>,
}

/// Literal, so that SQLite sees that the partial index serves.
const PENDING: &str = "deliveries.state = 'pending'";
/// Deliveries of one line that are taken at once.
const MOST: i64 = 50;

type Taken = (String, LineState, Option<Scheme>);

/// Takes the lines that are due, longest due first, until `until`; other processes skip them.
pub(super) fn take_lines(tx: &mut Tx<'_>, most: i64, until: Time) -> Result<Vec<Taken>> {
    let now = tx.now();
    let due = peers::table
        .filter(peers::due_at.le(Some(now)))
        .filter(peers::leased_until.le(now))
        .order((peers::due_at, peers::id))
        .limit(most)
        .select((peers::host, peers::state, peers::scheme));
    let lines: Vec<Taken> = match &mut **tx {
        Db::Sqlite(conn) => diesel::RunQueryDsl::load(due, conn)?,
        Db::Pg(conn) => diesel::RunQueryDsl::load(due.for_update().skip_locked(), conn)?,
    };
    let hosts: Vec<&String> = lines.iter().map(|(host, ..)| host).collect();
    diesel::update(peers::table.filter(peers::host.eq_any(hosts))).set(peers::leased_until.eq(until)).execute(tx)?;
    Ok(lines)
}

type Row = (i64, ActivityId, String, Time);

/// What is next on each of these lines, as much of each as of any other. Activities that go to several are read and
/// kept once.
pub(super) fn fill_lines(db: &mut Db, lines: Vec<Taken>, now: Time) -> Result<Vec<Line>> {
    let columns = (deliveries::id, deliveries::activity_id, deliveries::inbox, deliveries::created_at);
    let free = || deliveries::held_until.is_null().or(deliveries::held_until.le(Some(now)));
    let mut parcels = HashMap::new();
    let mut filled = Vec::with_capacity(lines.len());
    for (host, state, scheme) in lines {
        let query = deliveries::table.filter(sql::<Bool>(PENDING)).filter(deliveries::host.eq(&host)).filter(free());
        let rows: Vec<Row> = query.order(deliveries::id).limit(MOST).select(columns).load(db)?;
        let mut waiting = Vec::with_capacity(rows.len());
        for (id, activity, inbox, created_at) in rows {
            let parcel = match parcels.get(&activity) {
                Some(known) => Arc::clone(known),
                None => parcel(db, activity)?,
            };
            parcels.insert(activity, Arc::clone(&parcel));
            waiting.push(Waiting { id, inbox, created_at, parcel });
        }
        filled.push(Line { host, state, scheme, waiting });
    }
    Ok(filled)
}

fn parcel(db: &mut Db, id: ActivityId) -> Result<Arc<Parcel>> {
    let columns = (activities::actor_id, activities::type_, activities::public, activities::document);
    let (actor, kind, public, document): (ActorId, String, bool, String) =
        activities::table.find(id).select(columns).first(db)?;
    let tells_of_keys = kind == "Update" && is_of_its_actor(&document);
    Ok(Arc::new(Parcel { actor, kind, public, tells_of_keys, body: document.into() }))
}

fn is_of_its_actor(document: &str) -> bool {
    let is_own = |activity: Value| wire::id(&activity, "object") == wire::id(&activity, "actor");
    serde_json::from_str(document).is_ok_and(is_own)
}

/// These got there.
pub(super) fn put_delivered(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    let now = tx.now();
    for some in ids.chunks(500) {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(some)))
            .set((
                deliveries::state.eq("delivered"),
                deliveries::attempts.eq(deliveries::attempts + 1),
                deliveries::done_at.eq(Some(now)),
                deliveries::last_error.eq(None::<String>),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// This one will never get there.
pub(super) fn drop_one(tx: &mut Tx<'_>, id: i64, reason: &str) -> Result<()> {
    let now = tx.now();
    diesel::update(deliveries::table.filter(deliveries::id.eq(id)))
        .set((
            deliveries::state.eq("dropped"),
            deliveries::attempts.eq(deliveries::attempts + 1),
            deliveries::done_at.eq(Some(now)),
            deliveries::last_error.eq(Some(reason)),
        ))
        .execute(tx)?;
    Ok(())
}

/// None of what waits, up to this delivery, will get there.
pub(super) fn drop_waiting(tx: &mut Tx<'_>, up_to: i64, reason: &str) -> Result<usize> {
    let now = tx.now();
    Ok(diesel::update(deliveries::table.filter(sql::<Bool>(PENDING)).filter(deliveries::id.le(up_to)))
        .set((
            deliveries::state.eq("dropped"),
            deliveries::done_at.eq(Some(now)),
            deliveries::last_error.eq(Some(reason)),
        ))
        .execute(tx)?)
}

/// This one did not get there yet.
pub(super) fn note_failure(tx: &mut Tx<'_>, id: i64, reason: &str) -> Result<()> {
    diesel::update(deliveries::table.filter(deliveries::id.eq(id)))
        .set((deliveries::attempts.eq(deliveries::attempts + 1), deliveries::last_error.eq(Some(reason))))
        .execute(tx)?;
    Ok(())
}

/// Its server chokes on this one: tried again later, while others have their turn; not for ever.
pub(super) fn hold(tx: &mut Tx<'_>, id: i64, reason: &str) -> Result<()> {
    let row = deliveries::table.filter(deliveries::id.eq(id));
    let attempts: i64 = row.select(deliveries::attempts).first(tx)?;
    if attempts + 1 >= fate::CHOKED_TRIES {
        return drop_one(tx, id, &format!("{reason}, {} times", attempts + 1));
    }
    let wait = tx.chance().with(|lots| fate::wait(attempts + 1, None, false, lots));
    let until = tx.now().plus(wait);
    diesel::update(row).set(deliveries::held_until.eq(Some(until))).execute(tx)?;
    note_failure(tx, id, reason)
}

/// An inbox is gone: nothing is sent there any more, and who had it as their own follows nobody any more. With the inbox
/// that a server shares the server is gone: nothing that waits for it is sent, and nobody there follows any more.
pub(super) fn close_inbox(tx: &mut Tx<'_>, inbox: &str) -> Result<()> {
    let now = tx.now();
    let host = host_of_uri(inbox).unwrap_or_default();
    let there = actors::table.filter(actors::host.eq(&host)).filter(actors::here.eq(false));
    let sharing = there.filter(actors::shared_inbox.eq(Some(inbox))).select(actors::id);
    let is_shared = sharing.first::<ActorId>(tx).optional()?.is_some();
    let waiting = deliveries::table.filter(sql::<Bool>(PENDING)).filter(deliveries::host.eq(&host));
    let ended = (
        deliveries::state.eq("dropped"),
        deliveries::done_at.eq(Some(now)),
        deliveries::last_error.eq(Some("the inbox is gone (410)")),
    );
    if is_shared {
        diesel::update(waiting).set(ended).execute(tx)?;
    } else {
        diesel::update(waiting.filter(deliveries::inbox.eq(inbox))).set(ended).execute(tx)?;
    }
    let owners = there.filter(actors::inbox.eq(inbox).or(actors::shared_inbox.assume_not_null().eq(inbox)));
    for owner in owners.select(actors::id).load::<ActorId>(tx)? {
        for followed in follow::followed_by(tx, owner)? {
            follow::remove(tx, owner, followed.followed_id)?;
        }
    }
    Ok(())
}

/// These lines are well; each is due again at once where more waits on it, and otherwise at rest.
pub(super) fn end_lines_well(tx: &mut Tx<'_>, hosts: &[String]) -> Result<()> {
    let now = tx.now();
    let rest = (
        peers::state.eq(LineState::Healthy),
        peers::failures.eq(0),
        peers::failing_since.eq(None::<Time>),
        peers::last_success_at.eq(Some(now)),
        peers::leased_until.eq(Time(0)),
        peers::due_at.eq(None::<Time>),
    );
    for some in hosts.chunks(500) {
        diesel::update(peers::table.filter(peers::host.eq_any(some))).set(rest).execute(tx)?;
        let waiting = || deliveries::table.filter(sql::<Bool>(PENDING)).filter(deliveries::host.eq_any(some));
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

/// This line is given back as it was, and tried again soon.
pub(super) fn free_line(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let soon = tx.now().plus(fate::SOON);
    diesel::update(peers::table.filter(peers::host.eq(host)))
        .set((peers::leased_until.eq(Time(0)), peers::due_at.eq(Some(soon))))
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
            peers::leased_until.eq(Time(0)),
        ))
        .execute(tx)?;
    if dead { expire(tx, host) } else { Ok(()) }
}

/// What waits for a dead server for longer than anything is kept is dropped, so that dead servers fill no queue.
fn expire(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let now = tx.now();
    let old = deliveries::table
        .filter(sql::<Bool>(PENDING))
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

/// When the next line is due that nobody holds.
pub(super) fn next_due(db: &mut Db) -> Result<Option<Time>> {
    let due = peers::table.filter(peers::due_at.is_not_null());
    let found: Option<Option<Time>> = due.order(peers::due_at).select(peers::due_at).first(db).optional()?;
    Ok(found.flatten())
}

/// Makes lines due on which something waits although nobody knows: after a crash, or when two processes crossed.
/// `alone` also ends all leases, because their holder was the process before this one.
pub(super) fn sweep(tx: &mut Tx<'_>, alone: bool) -> Result<usize> {
    let now = tx.now();
    if alone {
        diesel::update(peers::table.filter(peers::leased_until.gt(Time(0))))
            .set(peers::leased_until.eq(Time(0)))
            .execute(tx)?;
    }
    let idle = deliveries::table
        .inner_join(peers::table.on(peers::host.eq(deliveries::host)))
        .filter(sql::<Bool>(PENDING))
        .filter(peers::due_at.is_null().and(peers::leased_until.le(now)));
    let idle: Vec<String> = idle.select(peers::host).distinct().load(tx)?;
    Ok(diesel::update(peers::table.filter(peers::host.eq_any(idle))).set(peers::due_at.eq(Some(now))).execute(tx)?)
}
