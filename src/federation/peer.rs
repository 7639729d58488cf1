//! What is known of another server: its software, how it wants our signatures, and the state of our line to it?

pub mod book;
pub mod probe;

use super::received::Context;
use crate::app::App;
use crate::clock::Time;
use crate::db::{Db, Run, Tx, schema::peers};
use crate::error::Result;
use crate::net::signature::Scheme;
use crate::words;
use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use url::Url;

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
    /// By the name in NodeInfo.
    pub fn of(software: Option<&str>) -> Self {
        match software.unwrap_or_default() {
            OWN_KIND => Self::OwnKind,
            "lemmy" | "piefed" | "mbin" | "kbin" | "nodebb" | "discourse" | "friendica" => Self::Threadiverse,
            "mastodon" | "glitch-soc" | "hometown" | "gotosocial" | "snac" | "snac2" | "misskey" | "sharkey"
            | "pleroma" | "akkoma" | "takahe" | "fedify" | "iceshrimp" | "iceshrimp.net" | "mitra" | "pixelfed"
            | "firefish" | "ktistec" | "honk" | "bookwyrm" => Self::Microblog,
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
        let rows = peers::table.filter(peers::host.eq_any(some)).select((peers::host, peers::software));
        for (host, software) in rows.load::<(String, Option<String>)>(db)? {
            found.insert(host, Family::of(software.as_deref()));
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

/// Somebody there was heard: what waits for that server is due at once.
pub fn heard(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    let now = tx.now();
    let row = peers::table.filter(peers::host.eq(host)).filter(peers::due_at.gt(Some(now)));
    if diesel::update(row).set(peers::due_at.eq(Some(now))).execute(tx)? > 0 {
        tx.ring(crate::db::Bell::Deliveries);
    }
    Ok(())
}

/// Writes down what software a server runs. Nothing known counts as asked, too.
pub fn learn(tx: &mut Tx<'_>, host: &str, software: Option<&str>, version: Option<&str>) -> Result<()> {
    let now = tx.now();
    ensure(tx, host)?;
    diesel::update(peers::table.filter(peers::host.eq(host)))
        .set((peers::software.eq(software), peers::version.eq(version), peers::asked_at.eq(Some(now))))
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

/// NodeInfo must come within this time; it is only a hint.
const PATIENCE: Duration = Duration::from_secs(3);
/// A server is asked again after this long, for it may have changed its software.
const AGAIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Asks a server once what it runs (NodeInfo), before the first of its activities is worked on. Whatever goes wrong
/// only means that it stays unknown.
pub async fn meet(context: &Context, host: &str) -> Result<()> {
    let app = context.app_data();
    let now = app.now();
    let key = format!("nodeinfo {host}");
    if app.net().memory.was_tried(&key, now, AGAIN) {
        return Ok(());
    }
    app.net().memory.note_try(&key, now);
    let name = host.to_owned();
    let asked = app
        .look_up(move |db| {
            let row = peers::table.filter(peers::host.eq(name)).select(peers::asked_at);
            Ok(row.first::<Option<Time>>(db).optional()?.flatten())
        })
        .await?;
    if asked.is_some_and(|at| now.since(at) < AGAIN) {
        return Ok(());
    }
    let found = tokio::time::timeout(PATIENCE, ask(context, host)).await.ok().flatten();
    let host = host.to_owned();
    app.write(move |tx| {
        let (software, version) = found.unzip();
        learn(tx, &host, software.as_deref(), version.as_deref())
    })
    .await
}

async fn ask(context: &Context, host: &str) -> Option<(String, String)> {
    let app = context.app_data();
    // Only a server on this machine, in development, has a port, and it speaks http.
    let trial = app.net().client.rules().allow_loopback_names && host.contains(':');
    let scheme = if trial { "http" } else { "https" };
    let start = Url::parse(&format!("{scheme}://{host}/.well-known/nodeinfo")).ok()?;
    let index = json(context, &start).await?;
    // Other links, such as that to the server's actor (FEP-2677), may stand in the same list.
    let of_schema = |link: &&Value| {
        let rel = link.get("rel").and_then(Value::as_str).unwrap_or_default();
        rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/")
    };
    let links = index.get("links")?.as_array()?;
    let link = links.iter().rev().filter(of_schema).find_map(|link| link.get("href")?.as_str())?;
    let url = Url::parse(link).ok()?;
    if crate::link::host_of(&url)? != host {
        return None;
    }
    let document = json(context, &url).await?;
    let software = document.get("software")?;
    let text = |key: &str| {
        let text = software.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().take(60).collect::<String>().to_lowercase()
    };
    Some((text("name"), text("version")))
}

async fn json(context: &Context, url: &Url) -> Option<Value> {
    let app = context.app_data();
    let answer = app.net().client.get(url, "application/json", None, app.now().system()).await.ok()?;
    serde_json::from_slice(&answer.body).ok()
}
