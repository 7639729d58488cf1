//! What is known of another server: its software, how it wants our signatures, and the state of our line to it?

pub mod book;
mod nodeinfo;
pub mod probe;
pub mod trouble;

pub use nodeinfo::{Software, meet};

use crate::app::App;
use crate::clock::Time;
use crate::db::{Db, Run, Tx, schema::peers};
use crate::error::Result;
use crate::net::signature::Scheme;
use crate::words;
use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

words! {
    /// How the line to a server is.
    pub enum LineState {
        /// Deliveries go through.
        Healthy = "healthy",
        /// The last one failed.
        Failing = "failing",
        /// Nothing went through for seven days: asked once a day.
        Unreachable = "unreachable",
    }
}

/// What a server's software understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Hedgeschool.
    OwnKind,
    /// Reads activities wrapped in an Announce (FEP-1b12).
    Threadiverse,
    /// Reads an Announce of an id as a boost.
    Microblog,
    /// Not asked, or not known.
    Unknown,
}

/// The name of this software in NodeInfo.
pub const OWN_KIND: &str = "hedgeschool";

impl Family {
    /// By the name in NodeInfo, and where it tells nothing, by whether the server says that it reads what is wrapped.
    pub fn of(software: Option<&str>, reads_wrapped: bool) -> Self {
        match software.unwrap_or_default() {
            OWN_KIND => Self::OwnKind,
            "lemmy" | "piefed" | "mbin" | "kbin" | "nodebb" | "discourse" | "friendica" => Self::Threadiverse,
            "mastodon" | "glitch-soc" | "hometown" | "gotosocial" | "snac" | "snac2" | "misskey" | "sharkey"
            | "pleroma" | "akkoma" | "takahe" | "fedify" | "iceshrimp" | "iceshrimp.net" | "mitra" | "pixelfed"
            | "firefish" | "ktistec" | "honk" | "bookwyrm" => Self::Microblog,
            _ if reads_wrapped => Self::Threadiverse,
            _ => Self::Unknown,
        }
    }
}

/// Whether this server says 202 before it looks at the signature, and may keep a key for long: snac does not read the
/// `Update` of a Group or of somebody whom nobody there follows, and looks again after 36 hours.
pub fn answers_first(db: &mut Db, host: &str) -> Result<bool> {
    let row = peers::table.filter(peers::host.eq(host)).select(peers::software);
    let software = row.first::<Option<String>>(db).optional()?.flatten();
    Ok(matches!(software.as_deref(), Some("snac" | "snac2")))
}

/// The family of each of these servers.
pub fn families(db: &mut Db, hosts: &BTreeSet<String>) -> Result<BTreeMap<String, Family>> {
    let mut found = BTreeMap::new();
    let hosts: Vec<&String> = hosts.iter().collect();
    for some in hosts.chunks(500) {
        let columns = (peers::host, peers::software, peers::reads_wrapped);
        let rows = peers::table.filter(peers::host.eq_any(some)).select(columns);
        for (host, software, reads_wrapped) in rows.load::<(String, Option<String>, bool)>(db)? {
            found.insert(host, Family::of(software.as_deref(), reads_wrapped));
        }
    }
    Ok(found)
}

/// How the line is; nothing when it was never used.
pub fn line(db: &mut Db, host: &str) -> Result<Option<LineState>> {
    Ok(peers::table.filter(peers::host.eq(host)).select(peers::state).first(db).optional()?)
}

/// By which scheme a server takes our signatures, once it refused the other.
pub fn scheme(db: &mut Db, host: &str) -> Result<Option<Scheme>> {
    let row = peers::table.filter(peers::host.eq(host)).select(peers::scheme);
    Ok(row.first::<Option<Scheme>>(db).optional()?.flatten())
}

/// Brings back to memory how this server wants our signatures, before it is asked or sent anything.
pub async fn recall_scheme(app: &App, host: &str) -> Result<()> {
    let schemes = app.net().client.schemes();
    if schemes.knows(host) {
        return Ok(());
    }
    let name = host.to_owned();
    if let Some(scheme) = app.look_up(move |db| scheme(db, &name)).await? {
        schemes.keep(host, scheme);
    }
    Ok(())
}

/// Writes down how servers want our signatures, when that was learned just now. What cannot be written is learned
/// again.
pub async fn remember_schemes(app: &App) {
    let learned = app.net().client.schemes().take_learned();
    if learned.is_empty() {
        return;
    }
    let written = app.write(move |tx| {
        for (host, scheme) in &learned {
            ensure(tx, host)?;
            let row = peers::table.filter(peers::host.eq(host));
            diesel::update(row).set(peers::scheme.eq(Some(*scheme))).execute(tx)?;
        }
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "signature schemes could not be written down");
    }
}

/// After a failure nobody is tried again within this time, however much is heard of them: who answers 503 and goes on
/// sending must not get one request for each of theirs.
const BREATH: Duration = Duration::from_secs(60);

/// Somebody there was heard: what waits for that server is due at once, or a minute after it failed, and not before it asked
/// us to come back (checklist 63).
pub fn heard(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let (now, row) = (tx.now(), peers::table.filter(peers::host.eq(host)));
    let columns = (peers::due_at, peers::not_before, peers::last_failure_at);
    let Some((Some(due), not_before, failed)) =
        row.select(columns).first::<(Option<Time>, Option<Time>, Option<Time>)>(tx).optional()?
    else {
        return Ok(());
    };
    let soonest = [not_before, failed.map(|at| at.plus(BREATH))].into_iter().flatten().fold(now, Time::max);
    if soonest < due {
        diesel::update(row).set(peers::due_at.eq(Some(soonest))).execute(tx)?;
    }
    tx.ring(crate::db::Bell::Deliveries);
    Ok(())
}

/// A server is asked again after this long, for it may have changed its software.
const AGAIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Writes down what software a server runs.
pub fn learn(tx: &mut Tx<'_>, host: &str, software: Option<&str>, version: Option<&str>) -> Result<()> {
    let next = tx.now().plus(AGAIN);
    ensure(tx, host)?;
    diesel::update(peers::table.filter(peers::host.eq(host)))
        .set((peers::software.eq(software), peers::version.eq(version), peers::ask_at.eq(Some(next))))
        .execute(tx)?;
    Ok(())
}

/// A server of which nothing was known.
#[derive(Insertable)]
#[diesel(table_name = peers, treat_none_as_default_value = false)]
pub(super) struct NewPeer<'a> {
    host: &'a str,
    state: LineState,
    due_at: Option<Time>,
    leased_until: Time,
    failures: i64,
    created_at: Time,
}

impl<'a> NewPeer<'a> {
    /// Its line is well; `due_at` is when something waits for it.
    pub(super) fn new(host: &'a str, now: Time, due_at: Option<Time>) -> Self {
        Self { host, state: LineState::Healthy, due_at, leased_until: Time(0), failures: 0, created_at: now }
    }
}

/// Sees to it that there is a row for this server.
fn ensure(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let row = NewPeer::new(host, tx.now(), None);
    diesel::insert_into(peers::table).values(row).on_conflict(peers::host).do_nothing().execute(tx)?;
    Ok(())
}

#[cfg(test)]
mod tests;
