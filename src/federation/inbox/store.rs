//! Which rows hold what came in?

use super::lanes::Except;
use super::shape::Shape;
use super::vouching::{Vouched, names};
use crate::actor::follow::FollowState;
use crate::actor::{self, Actor, ActorKind};
use crate::clock::Time;
use crate::db::{
    Bell, Db, Literal, Run, Tx,
    schema::{actors, follows, inbox},
};
use crate::error::Result;
use crate::federation::{Received, object, wire};
use crate::id::{ActorId, InboxId};
use diesel::sql_types::{Bool, Text};
use diesel::{ExpressionMethods, IntoSql, JoinOnDsl, OptionalExtension, QueryDsl, TextExpressionMethods};
use std::collections::HashMap;
use std::time::Duration;

/// Stores an activity. Says whether it is new.
pub(super) fn insert(tx: &mut Tx<'_>, vouched: &Vouched, body: &str) -> Result<bool> {
    let (now, shape) = (tx.now(), &vouched.shape);
    let row = (
        inbox::activity_uri.eq(&shape.id),
        inbox::signer_id.eq(vouched.actor),
        inbox::vouched.eq(vouched.how),
        inbox::forwarder_id.eq(vouched.forwarder),
        inbox::type_.eq(&shape.kind),
        inbox::body.eq(body),
        inbox::received_at.eq(now),
        inbox::state.eq("pending"),
        inbox::attempts.eq(0),
        inbox::next_at.eq(now),
        inbox::leased_until.eq(Time(0)),
    );
    let rows =
        diesel::insert_into(inbox::table).values(row).on_conflict(inbox::activity_uri).do_nothing().execute(tx)?;
    if rows > 0 {
        tx.ring(Bell::Inbox);
    }
    Ok(rows > 0)
}

/// How many activities of this server wait, or `most` when there are at least so many.
pub(super) fn count_waiting(db: &mut Db, host: &str, most: i64) -> Result<i64> {
    // With fewer in all than would be too many of one, nobody's need be counted.
    let all = inbox::table.filter(Literal(PENDING)).select(inbox::id);
    if all.offset(most.saturating_sub(1)).limit(1).first::<InboxId>(db).optional()?.is_none() {
        return Ok(0);
    }
    let theirs = inbox::table
        .inner_join(actors::table.on(actors::id.eq(inbox::signer_id)))
        .filter(Literal(PENDING))
        .filter(actors::host.eq(host));
    Ok(theirs.count().get_result::<i64>(db)?.min(most))
}

type Row = (InboxId, ActorId, String, Time, i64);

/// One activity that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) received: Received,
    pub(super) attempts: i64,
}

/// Literal, so that SQLite sees that the partial indices serve.
const PENDING: &str = "inbox.state = 'pending'";

/// What waits and may be worked on now, oldest first, without what is excepted. A lane of which something waits for its
/// next try, or is leased by another process, waits with it.
pub(super) fn list_waiting(db: &mut Db, now: Time, except: Except, most: i64) -> Result<Vec<Waiting>> {
    let later = inbox::table.filter(Literal(PENDING)).filter(inbox::next_at.gt(now));
    let mut held: Vec<ActorId> = later.select(inbox::signer_id).distinct().load(db)?;
    if let Db::Pg(_) = db {
        let leased = inbox::table.filter(Literal(PENDING)).filter(inbox::leased_until.gt(now));
        held.extend(leased.select(inbox::signer_id).distinct().load::<ActorId>(db)?);
    }
    held.extend(except.signers);
    for domain in except.domains {
        let host = ".".into_sql::<Text>().concat(actors::host).concat(":");
        let theirs = inbox::table
            .inner_join(actors::table.on(actors::id.eq(inbox::signer_id)))
            .filter(Literal(PENDING))
            .filter(host.like(format!("%.{domain}:%")));
        held.extend(theirs.select(inbox::signer_id).distinct().load::<ActorId>(db)?);
    }
    let columns = (inbox::id, inbox::signer_id, inbox::body, inbox::received_at, inbox::attempts);
    let ready =
        inbox::table.filter(Literal(PENDING)).filter(inbox::next_at.le(now)).filter(inbox::signer_id.ne_all(held));
    let rows: Vec<Row> = ready.order((inbox::next_at, inbox::id)).limit(most).select(columns).load(db)?;
    with_signers(db, rows)
}

fn with_signers(db: &mut Db, rows: Vec<Row>) -> Result<Vec<Waiting>> {
    let mut ids: Vec<ActorId> = rows.iter().map(|row| row.1).collect();
    ids.sort_unstable();
    ids.dedup();
    let signers: HashMap<ActorId, Actor> =
        actor::list(db, &ids)?.into_iter().map(|signer| (signer.id, signer)).collect();
    let waiting = rows.into_iter().filter_map(|(id, signer, body, received_at, attempts)| {
        let signer = signers.get(&signer)?.clone();
        let activity = serde_json::from_str(&body).ok()?;
        Some(Waiting { received: Received::new(id, signer, activity, received_at), attempts })
    });
    Ok(waiting.collect())
}

/// Takes what waits for this process alone, until `until`.
pub(super) fn lease(tx: &mut Tx<'_>, ids: &[InboxId], until: Time) -> Result<()> {
    diesel::update(inbox::table.filter(inbox::id.eq_any(ids))).set(inbox::leased_until.eq(until)).execute(tx)?;
    Ok(())
}

/// Which of these are still not done with.
pub(super) fn list_unsettled(db: &mut Db, ids: &[InboxId]) -> Result<Vec<InboxId>> {
    let rows = inbox::table.filter(inbox::id.eq_any(ids)).filter(inbox::state.eq("pending"));
    Ok(rows.select(inbox::id).load(db)?)
}

/// Done with, in whatever way; nothing when it is already.
pub(super) fn end(tx: &mut Tx<'_>, id: InboxId, state: &str, reason: Option<&str>) -> Result<()> {
    let row = inbox::table.filter(inbox::id.eq(id)).filter(inbox::state.eq("pending"));
    diesel::update(row).set((inbox::state.eq(state), inbox::reason.eq(reason))).execute(tx)?;
    Ok(())
}

/// To be tried again after a while.
pub(super) fn put_off(tx: &mut Tx<'_>, id: InboxId, attempts: i64, wait: Duration, reason: &str) -> Result<()> {
    let next = tx.now().plus(wait);
    let row = (
        inbox::attempts.eq(attempts),
        inbox::next_at.eq(next),
        inbox::leased_until.eq(Time(0)),
        inbox::reason.eq(Some(reason)),
    );
    diesel::update(inbox::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

/// What waits longer than it may, because the clock was ahead when it was written, may be worked on now.
pub(super) fn mend(tx: &mut Tx<'_>, longest: Duration, lease: Duration) -> Result<()> {
    let now = tx.now();
    let ahead = inbox::table.filter(Literal(PENDING)).filter(inbox::next_at.gt(now.plus(longest)));
    diesel::update(ahead).set(inbox::next_at.eq(now)).execute(tx)?;
    let ahead = inbox::table.filter(Literal(PENDING)).filter(inbox::leased_until.gt(now.plus(lease)));
    diesel::update(ahead).set(inbox::leased_until.eq(now)).execute(tx)?;
    Ok(())
}

/// Whether no other process is taking a batch at this moment. Lasts until the end of the transaction.
pub(super) fn is_alone(db: &mut Db) -> Result<bool> {
    #[derive(diesel::QueryableByName)]
    struct Lock {
        #[diesel(sql_type = Bool)]
        held: bool,
    }
    match db {
        Db::Sqlite(_) => Ok(true),
        Db::Pg(_) => {
            let lock: Lock = diesel::sql_query("SELECT pg_try_advisory_xact_lock(7214001) AS held").get_result(db)?;
            Ok(lock.held)
        }
    }
}

/// Whether what this one passes on is worth asking its origin about: a course that somebody here follows, or somebody
/// who follows a course here and passes on what is for a course here or answers something known here. Nobody else can
/// make us ask anybody (NET-11).
pub(super) fn may_make_us_ask(db: &mut Db, forwarder: &Actor, shape: &Shape) -> Result<bool> {
    if forwarder.kind == ActorKind::Course {
        let followed = follows::table
            .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
            .filter(follows::followed_id.eq(forwarder.id))
            .filter(follows::state.eq(FollowState::Accepted))
            .filter(actors::here);
        if followed.select(follows::id).first::<i64>(db).optional()?.is_some() {
            return Ok(true);
        }
    }
    let courses: Vec<String> = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::followed_id)))
        .filter(follows::follower_id.eq(forwarder.id))
        .filter(follows::state.eq(FollowState::Accepted))
        .filter(actors::here)
        .filter(actors::kind.eq(ActorKind::Course))
        .limit(MOST_COURSES)
        .select(actors::uri)
        .load(db)?;
    if courses.is_empty() {
        return Ok(false);
    }
    if names(&shape.activity, |id| courses.iter().any(|course| course == id)) {
        return Ok(true);
    }
    let answered = shape.activity.get("object").and_then(|object| wire::id(object, "inReplyTo"));
    let known = answered.map(|uri| object::find(db, uri)).transpose()?.flatten();
    Ok(known.is_some_and(|known| known.public && known.deleted_at.is_none()))
}

/// Courses of one person that are looked at.
const MOST_COURSES: i64 = 500;
