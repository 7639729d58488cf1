//! What follows from a rule for the servers that it covers, and whom would it concern?

use super::{EVERY, Severity, name, standings};
use crate::actor::ActorState;
use crate::clock::Time;
use crate::db::{
    Db, Literal, Run, Tx,
    schema::{actors, deliveries, follows, peers},
};
use crate::error::Result;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use std::collections::BTreeSet;

/// Whom a rule concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Servers that are known.
    pub hosts: i64,
    /// People and courses there that are known.
    pub actors: i64,
    /// How often somebody there follows a course here.
    pub followers: i64,
    /// How often somebody here follows a course there.
    pub followed: i64,
    /// Deliveries that wait for these servers.
    pub waiting: i64,
}

/// Literal, so that SQLite sees that the partial index serves.
const PENDING: &str = "deliveries.state = 'pending'";

/// Values of one statement; SQLite bounds them.
const BATCH: usize = 500;

/// The hosts that are known and covered by this domain.
pub fn known_hosts(db: &mut Db, domain: &str) -> Result<Vec<String>> {
    let mut hosts: BTreeSet<String> = actors::table.select(actors::host).distinct().load(db)?.into_iter().collect();
    hosts.extend(peers::table.select(peers::host).load::<String>(db)?);
    hosts.retain(|host| name::covers(domain, host));
    Ok(hosts.into_iter().collect())
}

/// Whom a rule for this domain concerns, as far as is known now.
pub fn reach(db: &mut Db, domain: &str) -> Result<Reach> {
    let domain = if domain == EVERY { Some(EVERY.to_owned()) } else { name::canonical(domain) };
    let Some(domain) = domain else { return Ok(Reach::default()) };
    let hosts = known_hosts(db, &domain)?;
    reach_of(db, &hosts)
}

fn reach_of(db: &mut Db, hosts: &[String]) -> Result<Reach> {
    let mut reach = Reach::default();
    for some in hosts.chunks(BATCH) {
        let there = actors::table.filter(actors::host.eq_any(some)).filter(actors::here.eq(false));
        let known: i64 = there.count().get_result(db)?;
        let by_them = follows::table
            .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
            .filter(actors::host.eq_any(some))
            .filter(actors::here.eq(false));
        let of_them = follows::table
            .inner_join(actors::table.on(actors::id.eq(follows::followed_id)))
            .filter(actors::host.eq_any(some))
            .filter(actors::here.eq(false));
        let waiting = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq_any(some));
        reach.hosts += i64::try_from(some.len()).unwrap_or(i64::MAX);
        reach.actors += known;
        reach.followers += by_them.count().get_result::<i64>(db)?;
        reach.followed += of_them.count().get_result::<i64>(db)?;
        reach.waiting += waiting.count().get_result::<i64>(db)?;
    }
    Ok(reach)
}

/// Brings people, deliveries and lines of all covered hosts into line with the rules as they are now. Gives whom it
/// concerned. Follows stay where they are, and count for nothing as long as who follows may not act.
pub(super) fn apply(tx: &mut Tx<'_>, domain: &str) -> Result<Reach> {
    let ours = tx.links().host().to_owned();
    let mut hosts = known_hosts(tx, domain)?;
    hosts.retain(|host| *host != ours);
    let reach = reach_of(tx, &hosts)?;
    let standings = standings(tx, hosts.iter().map(String::as_str))?;
    for severity in Severity::ALL.iter().copied() {
        let with = |host: &&String| standings.get(*host).is_some_and(|standing| standing.severity == severity);
        let under: Vec<&String> = hosts.iter().filter(with).collect();
        for some in under.chunks(BATCH) {
            move_people(tx, some, severity.state())?;
            if severity == Severity::Suspend {
                silence(tx, some)?;
            }
        }
    }
    Ok(reach)
}

/// Those who are suspended or gone themselves stay so.
fn move_people(tx: &mut Tx<'_>, hosts: &[&String], state: ActorState) -> Result<()> {
    let well = [ActorState::Active, ActorState::Limited, ActorState::Blocked];
    let others = well.into_iter().filter(|other| *other != state);
    let people = actors::table
        .filter(actors::host.eq_any(hosts))
        .filter(actors::here.eq(false))
        .filter(actors::state.eq_any(others.collect::<Vec<_>>()));
    let now = tx.now();
    diesel::update(people).set((actors::state.eq(state), actors::updated_at.eq(now))).execute(tx)?;
    Ok(())
}

/// What waits for these servers is dropped, and their lines are at rest.
fn silence(tx: &mut Tx<'_>, hosts: &[&String]) -> Result<()> {
    let now = tx.now();
    let waiting = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq_any(hosts));
    diesel::update(waiting)
        .set((
            deliveries::state.eq("dropped"),
            deliveries::done_at.eq(Some(now)),
            deliveries::last_error.eq(Some("the server is blocked here")),
        ))
        .execute(tx)?;
    diesel::update(peers::table.filter(peers::host.eq_any(hosts))).set(peers::due_at.eq(None::<Time>)).execute(tx)?;
    Ok(())
}
