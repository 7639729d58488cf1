//! What do administrators see of other servers, and what can they do about a line?

use super::{LineState, ensure, trouble};
use crate::clock::Time;
use crate::db::{
    Bell, Columns, Db, Literal, Run, Tx,
    schema::{activities, deliveries, peers},
};
use crate::domain::{self, Severity, Standing};
use crate::error::{Error, Result};
use crate::net::signature::Scheme;
use diesel::dsl::{count_star, min};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable, TextExpressionMethods};
use std::collections::BTreeMap;

/// A server that is known.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = peers)]
pub struct Peer {
    /// Its name, with port on a trial machine.
    pub host: String,
    /// What it runs, by NodeInfo.
    pub software: Option<String>,
    /// Which version.
    pub version: Option<String>,
    /// How it takes our signatures, when it refused the draft.
    pub scheme: Option<Scheme>,
    /// How the line is.
    pub state: LineState,
    /// When it is tried next; nothing when nothing waits.
    pub due_at: Option<Time>,
    /// How often it failed in a row.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Time>,
    /// When something last got there.
    pub last_success_at: Option<Time>,
    /// When something last did not.
    pub last_failure_at: Option<Time>,
    /// Why not.
    pub last_error: Option<String>,
    /// What administrators wrote down about it.
    pub note: String,
    /// Since when it is known.
    pub created_at: Time,
}

/// A server with what waits for it and what holds for it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The server.
    pub peer: Peer,
    /// How many deliveries wait.
    pub waiting: i64,
    /// Since when the oldest of them does.
    pub oldest: Option<Time>,
    /// How many deliveries were given up, of those that are still remembered.
    pub dropped: i64,
    /// The rule that holds.
    pub standing: Standing,
}

impl Row {
    /// That the server is blocked or limited; nothing when it is neither.
    pub fn rule(&self) -> Option<&'static str> {
        match self.standing.severity {
            Severity::Suspend => Some("blocked"),
            Severity::Limit => Some("limited"),
            Severity::Admit => None,
        }
    }

    /// Software and version, as far as they are known.
    pub fn runs(&self) -> String {
        let name = self.peer.software.clone().unwrap_or_default();
        let version = self.peer.version.clone().unwrap_or_default();
        format!("{name} {version}").trim().to_owned()
    }
}

/// Which servers to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Letters in the name.
    pub letters: String,
    /// Only lines in this state.
    pub state: Option<LineState>,
    /// Only this software.
    pub software: Option<String>,
    /// Only those for which such a rule holds.
    pub rule: Option<Severity>,
}

/// Servers on a page.
pub const PAGE: i64 = 50;

/// Literal, so that SQLite sees that the partial index serves.
const PENDING: &str = "deliveries.state = 'pending'";

/// A page of servers, those in trouble first and then by name, and whether more follow.
pub fn list(db: &mut Db, filter: &Filter, page: i64) -> Result<(Vec<Row>, bool)> {
    // Literal, so that the databases see that the index has this order.
    let order = (Literal("(peers.state = 'healthy')"), peers::host);
    let mut query = peers::table.select(peers::host).order(order).into_boxed();
    let bare: String = filter.letters.chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(100).collect();
    if !bare.is_empty() {
        query = query.filter(peers::host.like(format!("%{}%", bare.to_lowercase())));
    }
    if let Some(state) = filter.state {
        query = query.filter(peers::state.eq(state));
    }
    if let Some(software) = &filter.software {
        query = query.filter(peers::software.eq(software.clone()));
    }
    let (from, size) = (page.max(0).saturating_mul(PAGE), usize::try_from(PAGE).unwrap_or(usize::MAX));
    // Only a query of one database can be put together bit by bit.
    let mut hosts: Vec<String> = match filter.rule {
        None => diesel::RunQueryDsl::load(query.offset(from).limit(PAGE + 1), db)?,
        Some(rule) => {
            // Rules cover whole domains, which no query can tell of a host.
            let all: Vec<String> = diesel::RunQueryDsl::load(query, db)?;
            let ruled = under(db, all, rule)?;
            ruled.into_iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).take(size + 1).collect()
        }
    };
    let more = hosts.len() > size;
    hosts.truncate(size);
    let rows = peers::table.filter(peers::host.eq_any(&hosts)).select(Peer::as_select());
    let mut shown: Vec<Peer> = rows.load(db)?;
    shown.sort_by_key(|peer| hosts.iter().position(|host| *host == peer.host));
    Ok((dressed(db, shown)?, more))
}

/// Those of these hosts for which such a rule holds.
fn under(db: &mut Db, hosts: Vec<String>, rule: Severity) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for some in hosts.chunks(1000) {
        let standings = domain::standings(db, some.iter().map(String::as_str))?;
        let holds = |host: &&String| standings.get(*host).is_some_and(|standing| standing.severity == rule);
        found.extend(some.iter().filter(holds).cloned());
    }
    Ok(found)
}

fn dressed(db: &mut Db, rows: Vec<Peer>) -> Result<Vec<Row>> {
    let hosts: Vec<&str> = rows.iter().map(|peer| peer.host.as_str()).collect();
    let standings = domain::standings(db, hosts.iter().copied())?;
    let waits = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq_any(&hosts));
    let waits = waits.group_by(deliveries::host).select((deliveries::host, count_star(), min(deliveries::created_at)));
    let waits: BTreeMap<String, (i64, Option<Time>)> = waits
        .load::<(String, i64, Option<Time>)>(db)?
        .into_iter()
        .map(|(host, count, oldest)| (host, (count, oldest)))
        .collect();
    let dropped: BTreeMap<String, i64> = trouble::count_dropped(db, &hosts)?.into_iter().collect();
    let dress = |peer: Peer| {
        let (waiting, oldest) = waits.get(&peer.host).copied().unwrap_or_default();
        let dropped = dropped.get(&peer.host).copied().unwrap_or_default();
        let standing = standings.get(&peer.host).cloned().unwrap_or_default();
        Row { peer, waiting, oldest, dropped, standing }
    };
    Ok(rows.into_iter().map(dress).collect())
}

/// The server of this name.
pub fn find(db: &mut Db, host: &str) -> Result<Option<Row>> {
    let row = peers::table.filter(peers::host.eq(host)).select(Peer::as_select()).first(db).optional()?;
    Ok(dressed(db, row.into_iter().collect())?.pop())
}

/// How many lines are in each state.
pub fn count(db: &mut Db) -> Result<Vec<(LineState, i64)>> {
    let found: Vec<(LineState, i64)> =
        peers::table.group_by(peers::state).select((peers::state, count_star())).load(db)?;
    let of = |state: LineState| found.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count);
    Ok(LineState::ALL.iter().map(|state| (*state, of(*state))).collect())
}

/// The kinds of software that are known, with how many servers run each; most first.
pub fn software(db: &mut Db) -> Result<Vec<(String, i64)>> {
    let query = peers::table.filter(peers::software.is_not_null()).group_by(peers::software);
    let rows: Vec<(Option<String>, i64)> =
        query.select((peers::software, count_star())).order(count_star().desc()).limit(40).load(db)?;
    let named = rows.into_iter().filter_map(|(name, count)| Some((name?, count)));
    Ok(named.filter(|(name, _)| !name.is_empty()).collect())
}

/// One delivery that waits: what it is, to which inbox, how often it was tried and why it failed.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Type of the activity.
    pub kind: String,
    /// Where to.
    pub inbox: String,
    /// Tries so far.
    pub attempts: i64,
    /// Why the last one failed.
    pub error: Option<String>,
    /// Since when it waits.
    pub since: Time,
}

/// What is next on a line, in order.
pub fn waiting(db: &mut Db, host: &str, most: i64) -> Result<Vec<Waiting>> {
    type Line = (String, String, i64, Option<String>, Time);
    let query = deliveries::table
        .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
        .filter(Literal(PENDING))
        .filter(deliveries::host.eq(host));
    let columns =
        (activities::type_, deliveries::inbox, deliveries::attempts, deliveries::last_error, deliveries::created_at);
    let rows: Vec<Line> = query.order(deliveries::id).limit(most).select(columns).load(db)?;
    let made = |(kind, inbox, attempts, error, since)| Waiting { kind, inbox, attempts, error, since };
    Ok(rows.into_iter().map(made).collect())
}

/// Tries a line at once, however long it or anything on it was to wait. Says whether something waits on it. Who may is asked by the verb
/// that calls this.
pub fn retry(tx: &mut Tx<'_>, host: &str) -> Result<bool> {
    let now = tx.now();
    domain::check(tx, host)?;
    if find(tx, host)?.ok_or(Error::NotFound)?.waiting == 0 {
        return Ok(false);
    }
    let held = deliveries::table.filter(Literal(PENDING)).filter(deliveries::host.eq(host));
    diesel::update(held.filter(deliveries::held_until.is_not_null()))
        .set(deliveries::held_until.eq(None::<Time>))
        .execute(tx)?;
    let row = peers::table.filter(peers::host.eq(host));
    diesel::update(row).set(peers::due_at.eq(Some(now))).execute(tx)?;
    tx.ring(Bell::Deliveries);
    Ok(true)
}

/// Longest note, in characters.
const NOTE: usize = 2000;

/// Writes down what administrators want to remember of a server. Who may is asked by the verb that calls this.
pub fn set_note(tx: &mut Tx<'_>, host: &str, text: &str) -> Result<()> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > NOTE {
        return Err(Error::invalid("note", "Please use at most 2000 characters."));
    }
    ensure(tx, host)?;
    diesel::update(peers::table.filter(peers::host.eq(host))).set(peers::note.eq(text)).execute(tx)?;
    Ok(())
}
