//! Which rows say what is to go where?

use super::fate;
use crate::clock::Time;
use crate::db::{
    Db, Literal, Run, Tx,
    schema::{activities, deliveries, peers},
};
use crate::error::Result;
use crate::federation::peer::LineState;
use crate::federation::wire;
use crate::id::{ActivityId, ActorId};
use crate::net::signature::Scheme;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};
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
    /// The id of what it is about: what is said of one thing keeps its order.
    pub(super) about: String,
    /// Whether this is the `Update` by which its actor shows its keys.
    pub(super) tells_of_keys: bool,
    pub(super) body: bytes::Bytes,
}

impl Parcel {
    /// How long it is worth sending. What a course passes on is worth as much as what it holds, but for posts and votes.
    pub(super) fn lifetime(&self) -> Duration {
        let whole: Value = match self.kind.as_str() {
            "Announce" => serde_json::from_slice(&self.body).unwrap_or_default(),
            _ => Value::Null,
        };
        let of_its_time = |kind: &&str| matches!(*kind, "Create" | "Like" | "Dislike" | "EmojiReact");
        let inner = whole.get("object").and_then(wire::kind).filter(|kind| !of_its_time(kind));
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
pub(super) const PENDING: &str = "deliveries.state = 'pending'";
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
pub(super) fn fill_lines(tx: &mut Tx<'_>, lines: Vec<Taken>) -> Result<Vec<Line>> {
    let now = tx.now();
    let columns = (deliveries::id, deliveries::activity_id, deliveries::inbox, deliveries::created_at);
    let free = || deliveries::held_until.is_null().or(deliveries::held_until.le(Some(now)));
    let mut parcels = HashMap::new();
    let mut filled = Vec::with_capacity(lines.len());
    for (host, state, scheme) in lines {
        let query = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq(&host)).filter(free());
        let rows: Vec<Row> = query.order(deliveries::id).limit(MOST).select(columns).load(tx)?;
        let held = held_on(tx, &host)?;
        let mut waiting = Vec::with_capacity(rows.len());
        for (id, activity, inbox, created_at) in rows {
            let parcel = match parcels.get(&activity) {
                Some(known) => Arc::clone(known),
                None => parcel(tx, activity)?,
            };
            parcels.insert(activity, Arc::clone(&parcel));
            if let Some((_, until)) = held.get(&parcel.about).filter(|(first, _)| *first < id) {
                hold_until(tx, id, *until)?;
                continue;
            }
            waiting.push(Waiting { id, inbox, created_at, parcel });
        }
        filled.push(Line { host, state, scheme, waiting });
    }
    Ok(filled)
}

/// What is held on a line: the thing, the first delivery about it and until when.
fn held_on(tx: &mut Tx<'_>, host: &str) -> Result<HashMap<String, (i64, Time)>> {
    let now = tx.now();
    let rows: Vec<(String, i64, Option<Time>)> = deliveries::table
        .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
        .filter(Literal(PENDING))
        .filter(deliveries::host.eq(host))
        .filter(deliveries::held_until.gt(Some(now)))
        .order(deliveries::id.desc())
        .select((activities::object_uri, deliveries::id, deliveries::held_until))
        .load(tx)?;
    Ok(rows.into_iter().filter_map(|(about, id, until)| Some((about, (id, until?)))).collect())
}

/// This one waits by itself.
pub(super) fn hold_until(tx: &mut Tx<'_>, id: i64, until: Time) -> Result<()> {
    diesel::update(deliveries::table.filter(deliveries::id.eq(id)))
        .set(deliveries::held_until.eq(Some(until)))
        .execute(tx)?;
    Ok(())
}

fn parcel(db: &mut Db, id: ActivityId) -> Result<Arc<Parcel>> {
    let columns =
        (activities::actor_id, activities::type_, activities::public, activities::object_uri, activities::document);
    let (actor, kind, public, about, document): (ActorId, String, bool, String, String) =
        activities::table.find(id).select(columns).first(db)?;
    let tells_of_keys = kind == "Update" && is_of_its_actor(&document);
    Ok(Arc::new(Parcel { actor, kind, public, about, tells_of_keys, body: document.into() }))
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
    Ok(diesel::update(deliveries::table.filter(Literal(PENDING)).filter(deliveries::id.le(up_to)))
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

/// When the next line is due that nobody holds.
pub(super) fn next_due(db: &mut Db, now: Time) -> Result<Option<Time>> {
    let due = peers::table.filter(peers::due_at.is_not_null()).filter(peers::leased_until.le(now));
    let found: Option<Option<Time>> = due.order(peers::due_at).select(peers::due_at).first(db).optional()?;
    Ok(found.flatten())
}

/// Makes lines due on which something waits although nobody knows: after a crash, or when two processes crossed.
/// `alone` also ends all leases, because their holder was the process before this one. What waits for longer than
/// anything may was written by a clock that went ahead: it is due now.
pub(super) fn sweep(tx: &mut Tx<'_>, alone: bool) -> Result<usize> {
    let now = tx.now();
    let too_late = now.plus(fate::LONGEST_WAIT);
    diesel::update(peers::table.filter(peers::due_at.gt(Some(too_late))))
        .set(peers::due_at.eq(Some(now)))
        .execute(tx)?;
    diesel::update(peers::table.filter(peers::due_at.is_not_null()).filter(peers::leased_until.gt(too_late)))
        .set(peers::leased_until.eq(Time(0)))
        .execute(tx)?;
    diesel::update(deliveries::table.filter(Literal(PENDING)).filter(deliveries::held_until.gt(Some(too_late))))
        .set(deliveries::held_until.eq(None::<Time>))
        .execute(tx)?;
    if alone {
        diesel::update(peers::table.filter(peers::leased_until.gt(Time(0))))
            .set(peers::leased_until.eq(Time(0)))
            .execute(tx)?;
    }
    let idle = deliveries::table
        .inner_join(peers::table.on(peers::host.eq(deliveries::host)))
        .filter(Literal(PENDING))
        .filter(peers::due_at.is_null().and(peers::leased_until.le(now)));
    let idle: Vec<String> = idle.select(peers::host).distinct().load(tx)?;
    Ok(diesel::update(peers::table.filter(peers::host.eq_any(idle))).set(peers::due_at.eq(Some(now))).execute(tx)?)
}
