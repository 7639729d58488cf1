//! How does something get out? As an activity with one delivery for each inbox, written with what caused it.

use super::peer::{LineState, NewPeer};
use super::{confined, integrity, wire};
use crate::actor::{self, Actor, follow};
use crate::clock::Time;
use crate::crypto::ProofKey;
use crate::db::{
    Bell, Columns, Db, Kept, Run, Tx,
    schema::{activities, actors, deliveries, objects, peers},
};
use crate::error::{Error, Result};
use crate::id::{ActivityId, ActorId};
use crate::link::host_of_uri;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The inboxes that are to get something. People here need none: they see it in their pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience(BTreeSet<String>);

impl Audience {
    /// Nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// These people alone, each in their own inbox: for everything that is not public.
    pub fn people<'a>(actors: impl IntoIterator<Item = &'a Actor>) -> Self {
        Self(actors.into_iter().filter(|actor| !actor.here).map(|actor| actor.inbox.clone()).collect())
    }

    /// The servers of these actors, each once: for what is public.
    pub fn servers<'a>(actors: impl IntoIterator<Item = &'a Actor>) -> Self {
        let inbox = |actor: &Actor| actor.shared_inbox.clone().unwrap_or_else(|| actor.inbox.clone());
        Self(actors.into_iter().filter(|actor| !actor.here).map(inbox).collect())
    }

    /// The servers of everyone who follows.
    pub fn followers_of(db: &mut Db, followed: ActorId) -> Result<Self> {
        Ok(Self::servers(&follow::followers_of(db, followed)?))
    }

    /// Every inbox to which something about this object was ever sent: who must hear of a change or deletion.
    pub fn who_got(db: &mut Db, object_uri: &str) -> Result<Self> {
        let query = deliveries::table
            .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
            .filter(activities::object_uri.eq(object_uri))
            .select(deliveries::inbox)
            .distinct();
        Ok(Self(query.load::<String>(db)?.into_iter().collect()))
    }

    /// Every inbox to which this very activity was sent: who must hear that it is undone.
    pub fn of(db: &mut Db, activity: ActivityId) -> Result<Self> {
        let query = deliveries::table.filter(deliveries::activity_id.eq(activity)).select(deliveries::inbox);
        Ok(Self(query.load::<String>(db)?.into_iter().collect()))
    }

    /// Every inbox that ever got something by this actor, or about something of theirs: who must hear that they are gone.
    pub fn who_knows(db: &mut Db, actor: ActorId) -> Result<Self> {
        let by = deliveries::table
            .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
            .filter(activities::actor_id.eq(actor))
            .select(deliveries::inbox)
            .distinct();
        let of = deliveries::table
            .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
            .inner_join(objects::table.on(objects::uri.eq(activities::object_uri)))
            .filter(objects::owner_id.eq(actor))
            .select(deliveries::inbox)
            .distinct();
        let mut inboxes: BTreeSet<String> = by.load::<String>(db)?.into_iter().collect();
        inboxes.extend(of.load::<String>(db)?);
        Ok(Self(inboxes))
    }

    /// The shared inboxes of all servers of which somebody is known.
    pub fn all_servers(db: &mut Db) -> Result<Self> {
        let query = actors::table.filter(actors::here.eq(false)).filter(actors::shared_inbox.is_not_null());
        let inboxes: Vec<Option<String>> = query.select(actors::shared_inbox).distinct().load(db)?;
        Ok(Self(inboxes.into_iter().flatten().collect()))
    }

    /// One inbox of each server: the shortest, which is most likely the shared one.
    pub fn once_for_each_host(self) -> Self {
        let mut by_host: BTreeMap<String, String> = BTreeMap::new();
        for inbox in self.0 {
            let Some(host) = host_of_uri(&inbox) else { continue };
            let known = by_host.entry(host).or_insert_with(|| inbox.clone());
            if inbox.len() < known.len() {
                *known = inbox;
            }
        }
        Self(by_host.into_values().collect())
    }

    /// Both.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Those inboxes whose server is in `hosts`, and the others.
    pub fn split_by_host(self, hosts: &BTreeSet<String>) -> (Self, Self) {
        let (inside, outside) =
            self.0.into_iter().partition(|i| host_of_uri(i).is_some_and(|host| hosts.contains(&host)));
        (Self(inside), Self(outside))
    }

    /// The servers of these inboxes.
    pub fn hosts(&self) -> BTreeSet<String> {
        self.0.iter().filter_map(|inbox| host_of_uri(inbox)).collect()
    }

    /// The inboxes.
    pub fn inboxes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// An activity that was sent.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = activities)]
pub struct Sent {
    /// Key inside.
    pub id: ActivityId,
    /// Its id on the wire.
    pub uri: String,
    /// Who sent it.
    pub actor_id: ActorId,
    /// Its type.
    #[diesel(column_name = type_)]
    pub kind: String,
    /// What it is about.
    pub object_uri: String,
    /// The whole of it, as JSON.
    pub document: String,
    /// Whether everyone may read it.
    pub public: bool,
    /// When.
    pub created_at: Time,
}

/// Stores an activity of an actor here and queues it for its audience. `document` must have `id` and `type`;
/// `object_uri` is what it is about, so that a later Update or Delete finds who got it.
///
/// What is public gets a proof (FEP-8b32), made this once, so that it can be passed on by others. What is private gets
/// none: it must not be possible to show somebody else that it is genuine. Blind addressees are left out (AP 6).
pub fn send(
    tx: &mut Tx<'_>,
    actor: &Actor,
    document: &Value,
    object_uri: &str,
    audience: &Audience,
) -> Result<ActivityId> {
    send_marked(tx, actor, document, (object_uri, Marks::default()), audience)
}

/// What is written down of an activity beside itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Whose words a course passes on with it; on one activity of each relay.
    pub(super) relayed_for: Option<ActorId>,
    /// Whether the outbox of a course lists it.
    pub(super) top_level: bool,
}

/// The same with marks.
pub(super) fn send_marked(
    tx: &mut Tx<'_>,
    actor: &Actor,
    document: &Value,
    (object_uri, marks): (&str, Marks),
    audience: &Audience,
) -> Result<ActivityId> {
    if !wire::is_public(document) || document.get("proof").is_some() {
        return put(tx, actor, (document, document.to_string()), (object_uri, marks), audience);
    }
    let mut document = document.clone();
    wire::drop_blind(&mut document);
    if confined::concerns(tx, actor, &document)? {
        // Whatever a feature said: nothing of a private course is for everyone.
        wire::drop_public(&mut document);
    } else {
        prove(tx, actor, &mut document)?;
    }
    put(tx, actor, (&document, document.to_string()), (object_uri, marks), audience)
}

/// Stores an activity, perhaps of somebody else, that an actor here sends as it came: `text` is what goes out, byte for
/// byte, but for blind addressees (AP 6).
pub(super) fn put(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (document, text): (&Value, String),
    (object_uri, marks): (&str, Marks),
    audience: &Audience,
) -> Result<ActivityId> {
    let now = tx.now();
    // Not even in what somebody else wrote, though their proof holds no more.
    let clean = wire::without_blind(document);
    let text = clean.as_ref().map_or(text, Value::to_string);
    let document = clean.as_ref().unwrap_or(document);
    let row = (
        activities::uri.eq(wire::text(document, "id").unwrap_or_default()),
        activities::actor_id.eq(actor.id),
        activities::type_.eq(wire::kind(document).unwrap_or_default()),
        activities::object_uri.eq(object_uri),
        activities::document.eq(text),
        activities::public.eq(wire::is_public(document)),
        activities::relayed_for.eq(marks.relayed_for),
        activities::top_level.eq(marks.top_level),
        activities::created_at.eq(now),
    );
    let id: ActivityId = diesel::insert_into(activities::table).values(row).returning(activities::id).get_result(tx)?;
    enqueue_all(tx, id, audience.inboxes())?;
    Ok(id)
}

/// Queues what was sent for more inboxes, in the name of who sent it; those that it goes to already get it once.
pub(super) fn send_more(tx: &mut Tx<'_>, activity: ActivityId, audience: &Audience) -> Result<()> {
    let known = Audience::of(tx, activity)?;
    let known: BTreeSet<&str> = known.inboxes().collect();
    enqueue_all(tx, activity, audience.inboxes().filter(|inbox| !known.contains(inbox)))
}

fn enqueue_all<'a>(tx: &mut Tx<'_>, id: ActivityId, inboxes: impl Iterator<Item = &'a str>) -> Result<()> {
    let ours = tx.links().host().to_owned();
    let inboxes: Vec<(&str, String)> = inboxes
        .filter_map(|inbox| host_of_uri(inbox).map(|host| (inbox, host)))
        .filter(|(_, host)| *host != ours)
        .collect();
    enqueue(tx, id, &inboxes)
}

fn prove(tx: &mut Tx<'_>, actor: &Actor, document: &mut Value) -> Result<()> {
    let key = actor::proof_key_of(tx, actor.id)?;
    let private = ProofKey::from_pem(key.private_pem.as_deref().unwrap_or_default());
    let now = tx.now();
    integrity::attach(document, &key.uri, &private.map_err(|e| Error::Internal(Box::new(e)))?, now)
}

/// Rows of one statement; SQLite bounds the number of values.
const BATCH: usize = 500;

fn enqueue(tx: &mut Tx<'_>, activity: ActivityId, inboxes: &[(&str, String)]) -> Result<()> {
    let now = tx.now();
    if let [(inbox, host)] = inboxes {
        return enqueue_one(tx, activity, inbox, host);
    }
    for some in inboxes.chunks(BATCH) {
        let rows: Vec<_> = some
            .iter()
            .map(|(inbox, host)| {
                (
                    deliveries::activity_id.eq(activity),
                    deliveries::inbox.eq(*inbox),
                    deliveries::host.eq(host),
                    deliveries::state.eq("pending"),
                    deliveries::attempts.eq(0),
                    deliveries::created_at.eq(now),
                )
            })
            .collect();
        diesel::insert_into(deliveries::table).values(&rows).execute(tx)?;
        let lines: Vec<_> = some
            .iter()
            .map(|(_, host)| host)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|host| NewPeer::new(host, now, Some(now)))
            .collect();
        diesel::insert_into(peers::table).values(&lines).on_conflict(peers::host).do_nothing().execute(tx)?;
        let hosts: Vec<&String> = some.iter().map(|(_, host)| host).collect();
        // A line that is due later because it fails keeps its time.
        let at_rest = peers::due_at.is_null().or(peers::state.eq(LineState::Healthy));
        diesel::update(peers::table.filter(peers::host.eq_any(hosts)).filter(at_rest))
            .set(peers::due_at.eq(Some(now)))
            .execute(tx)?;
    }
    if !inboxes.is_empty() {
        tx.ring(Bell::Deliveries);
    }
    Ok(())
}

/// To one inbox, as all that is said to one person: by statements that stay prepared.
fn enqueue_one(tx: &mut Tx<'_>, activity: ActivityId, inbox: &str, host: &str) -> Result<()> {
    let now = tx.now();
    let delivery = (
        deliveries::activity_id.eq(activity),
        deliveries::inbox.eq(inbox),
        deliveries::host.eq(host),
        deliveries::state.eq("pending"),
        deliveries::attempts.eq(0),
        deliveries::created_at.eq(now),
    );
    diesel::insert_into(deliveries::table).values(delivery).execute(tx)?;
    tx.ring(Bell::Deliveries);
    if !tx.is_first_for(host) {
        return Ok(());
    }
    // With one writer, what is read stays true until the commit; elsewhere the row must be locked.
    let line = peers::table.filter(peers::host.eq(host)).select((peers::due_at, peers::state));
    if matches!(**tx, Db::Sqlite(_))
        && let Some((Some(due), state)) = line.first::<(Option<Time>, LineState)>(tx).optional()?
        && (due <= now || state != LineState::Healthy)
    {
        return Ok(());
    }
    // A line that is due later because it fails keeps its time.
    let at_rest = peers::due_at.is_null().or(peers::state.eq(LineState::Healthy));
    let at_rest = peers::table.filter(peers::host.eq(host)).filter(at_rest);
    if Kept(diesel::update(at_rest).set(peers::due_at.eq(Some(now)))).execute(tx)? > 0 {
        return Ok(());
    }
    let line = NewPeer::new(host, now, Some(now));
    diesel::insert_into(peers::table).values(line).on_conflict(peers::host).do_nothing().execute(tx)?;
    Ok(())
}

/// The activity with this id, as its author sent it.
pub fn find(db: &mut Db, uri: &str) -> Result<Option<Sent>> {
    let query = activities::table.filter(activities::uri.eq(uri)).order(activities::id);
    Ok(query.select(Sent::as_select()).first(db).optional()?)
}

/// By key.
pub fn get(db: &mut Db, id: ActivityId) -> Result<Sent> {
    Ok(activities::table.find(id).select(Sent::as_select()).first(db)?)
}

/// Whether this actor sent the activity with this id before.
pub(super) fn is_sent_by(db: &mut Db, actor: ActorId, uri: &str) -> Result<bool> {
    let query = activities::table.filter(activities::uri.eq(uri)).filter(activities::actor_id.eq(actor));
    Ok(query.select(activities::id).first::<ActivityId>(db).optional()?.is_some())
}

/// How often an actor passed something on since then: of this author, and of everyone.
pub(super) fn count_relayed(db: &mut Db, actor: ActorId, author: ActorId, since: Time) -> Result<(i64, i64)> {
    let all = || {
        activities::table
            .filter(activities::actor_id.eq(actor))
            .filter(activities::relayed_for.is_not_null())
            .filter(activities::created_at.gt(since))
            .count()
    };
    let of_author = all().filter(activities::relayed_for.eq(Some(author)));
    Ok((of_author.get_result(db)?, all().get_result(db)?))
}

/// What an actor sent of one type about one thing, newest first.
pub fn list_about(db: &mut Db, actor: ActorId, kind: &str, object_uri: &str) -> Result<Vec<Sent>> {
    let query = activities::table
        .filter(activities::object_uri.eq(object_uri))
        .filter(activities::actor_id.eq(actor))
        .filter(activities::type_.eq(kind));
    Ok(query.order(activities::id.desc()).select(Sent::as_select()).load(db)?)
}

/// How many public activities an actor sent.
pub fn count_public(db: &mut Db, actor: ActorId) -> Result<i64> {
    let query = activities::table.filter(activities::actor_id.eq(actor)).filter(activities::public.eq(true));
    Ok(query.count().get_result(db)?)
}

/// The newest beginnings of threads that a course announced and that are still there.
pub fn list_top_level(db: &mut Db, course: ActorId, most: i64) -> Result<Vec<Sent>> {
    let all = activities::table
        .inner_join(objects::table.on(objects::uri.eq(activities::object_uri)))
        .filter(activities::actor_id.eq(course))
        .filter(activities::top_level)
        .filter(objects::deleted_at.is_null())
        .filter(objects::hidden_at.is_null());
    Ok(all.order(activities::id.desc()).limit(most).select(Sent::as_select()).load(db)?)
}

#[cfg(test)]
mod tests;
