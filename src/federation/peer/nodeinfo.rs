//! What does another server say of itself? Its software (NodeInfo), and whether it reads what is wrapped in an Announce.

use super::{Family, ensure, learn};
use crate::app::App;
use crate::db::{Run, Tx, schema::peers};
use crate::error::Result;
use crate::federation::received::Context;
use crate::federation::wire;
use crate::net::client::{Answer, FetchError};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// What a server says of its software.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Software {
    /// Its name in NodeInfo, in small letters.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it says that it reads activities wrapped in an Announce (FEP-844e: FEP-1b12).
    pub reads_wrapped: bool,
}

/// NodeInfo must come within this time; it is only a hint.
const PATIENCE: Duration = Duration::from_secs(3);
/// Who did not answer is asked again after this time at the earliest, and after that at the latest.
const SOON: Duration = Duration::from_secs(600);
const LATE: Duration = Duration::from_secs(6 * 3600);

/// Asks a server what it runs, before the first of its activities is worked on and once a week. Whatever goes wrong only
/// means that what was known stays, and that it is asked again before long.
pub async fn meet(context: &Context, host: &str) -> Result<()> {
    let app = context.app_data();
    let now = app.now();
    let key = format!("nodeinfo {host}");
    if app.net().memory.was_tried(&key, now, SOON) {
        return Ok(());
    }
    app.net().memory.note_try(&key, now);
    let name = host.to_owned();
    let next = app
        .look_up(move |db| {
            let row = peers::table.filter(peers::host.eq(name)).select(peers::ask_at);
            Ok(row.first::<Option<crate::clock::Time>>(db).optional()?.flatten())
        })
        .await?;
    if next.is_some_and(|at| at > now) {
        return Ok(());
    }
    let found = tokio::time::timeout(PATIENCE, ask(app, host)).await.ok().flatten();
    let host = host.to_owned();
    app.write(move |tx| match found {
        Some(software) => keep(tx, &host, &software),
        None => ask_later(tx, &host),
    })
    .await
}

/// Writes down what a server said.
pub(super) fn keep(tx: &mut Tx<'_>, host: &str, said: &Software) -> Result<()> {
    learn(tx, host, Some(&said.name), Some(&said.version))?;
    let row = peers::table.filter(peers::host.eq(host));
    diesel::update(row).set(peers::reads_wrapped.eq(said.reads_wrapped)).execute(tx)?;
    Ok(())
}

/// A server that did not answer is asked again: seldomer, the longer it is known.
fn ask_later(tx: &mut Tx<'_>, host: &str) -> Result<()> {
    ensure(tx, host)?;
    let now = tx.now();
    let row = peers::table.filter(peers::host.eq(host));
    let known = row.select(peers::created_at).first(tx)?;
    let next = now.plus(now.since(known).clamp(SOON, LATE));
    diesel::update(row).set(peers::ask_at.eq(Some(next))).execute(tx)?;
    Ok(())
}

/// The address of a server. Only one on this machine, in development, has a port, and it speaks http.
pub(super) fn base(app: &App, host: &str) -> String {
    let trial = app.net().client.rules().allow_loopback_names && host.contains(':');
    format!("{}://{host}", if trial { "http" } else { "https" })
}

async fn ask(app: &App, host: &str) -> Option<Software> {
    let index = json(app, &format!("{}/.well-known/nodeinfo", base(app, host))).await?;
    let document = json(app, &schema(&index, host)?).await?;
    let mut software = software(&document)?;
    if Family::of(Some(&software.name), false) == Family::Unknown
        && let Some(actor) = application(&index, host)
    {
        software.reads_wrapped = match get(app, &actor, WIRE, true).await {
            Ok(answer) => serde_json::from_slice(&answer.body).is_ok_and(|actor| reads_wrapped(&actor)),
            Err(_) => false,
        };
    }
    Some(software)
}

/// What documents of ActivityPub are asked for as.
pub(super) const WIRE: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";

async fn json(app: &App, url: &str) -> Option<Value> {
    serde_json::from_slice(&get(app, url, "application/json", false).await.ok()?.body).ok()
}

/// Asks for a document, signed by the instance or not.
pub(super) async fn get(app: &App, url: &str, accept: &str, signed: bool) -> Result<Answer, FetchError> {
    let url = Url::parse(url).map_err(|_| FetchError::Location)?;
    let signer = app.net().signer.get().filter(|_| signed);
    app.net().client.get(&url, accept, signer.as_ref(), app.now().system()).await
}

fn links(index: &Value) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let links = index.get("links").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    links.iter().filter_map(|link| Some((wire::text(link, "rel")?, wire::text(link, "href")?)))
}

/// Where NodeInfo is, by the list of links: the newest version, on the same server.
pub(super) fn schema(index: &Value, host: &str) -> Option<String> {
    let of_schema = |rel: &str| rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/");
    let href = links(index).rev().find(|(rel, _)| of_schema(rel))?.1;
    (crate::link::host_of_uri(href).as_deref() == Some(host)).then(|| href.to_owned())
}

/// Where the actor of the server itself is, by a list of links (FEP-2677; FEP-d556 has others): on the same server.
pub(super) fn application(index: &Value, host: &str) -> Option<String> {
    const RELS: [&str; 2] =
        ["https://www.w3.org/ns/activitystreams#Application", "https://www.w3.org/ns/activitystreams#Service"];
    let href = links(index).find(|(rel, _)| RELS.contains(rel) || *rel == "self")?.1;
    (crate::link::host_of_uri(href).as_deref() == Some(host)).then(|| href.to_owned())
}

/// Name and version of the software, by NodeInfo.
pub(super) fn software(document: &Value) -> Option<Software> {
    let software = document.get("software")?;
    let text = |key: &str| {
        let text = wire::text(software, key).unwrap_or_default();
        text.chars().take(60).collect::<String>().to_lowercase()
    };
    Some(Software { name: text("name"), version: text("version"), reads_wrapped: false })
}

/// Whether an actor says by FEP-844e, of itself or of what makes it, that FEP-1b12 is read there.
fn reads_wrapped(actor: &Value) -> bool {
    let of = |value: &Value| -> Vec<String> {
        let list = match value.get("implements") {
            Some(Value::Array(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let id = |one: &Value| wire::id_of(one).or_else(|| wire::text(one, "href")).map(str::to_owned);
        list.iter().filter_map(id).collect()
    };
    let all = of(actor).into_iter().chain(actor.get("generator").map(of).unwrap_or_default());
    all.into_iter().any(|id| matches!(id.as_str(), "https://w3id.org/fep/1b12" | "http://w3id.org/fep/1b12"))
}
