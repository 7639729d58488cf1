//! What would not work, and how is it mended?

use super::say;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Address, Db, migrate, upkeep};
use crate::error::{Error, Problems, Result};
use crate::setting;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

/// How bad a line is.
enum Finding {
    Fine(String),
    Note(String),
    Wrong(String),
}

use Finding::{Fine, Note, Wrong};

/// How long anything outside may take.
const TIME: Duration = Duration::from_secs(10);
/// A database shall have this much room, in KiB.
const ROOM: u64 = 1 << 20;
/// The first day of this version: no healthy clock is before it (2026-11-01 UTC).
const FIRST_DAY: i64 = 1_793_491_200_000;

/// Says line by line what is right and what is not. An error when something is wrong.
pub fn check(config: &Config) -> Result<()> {
    let mut findings = vec![Fine("configuration: every key and value can be used".into())];
    findings.extend(address_and_proxy(config));
    findings.push(folder(&config.server.data));
    findings.extend(room(&config.server.data));
    findings.extend(database(&config.address()?));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Error::Internal(Box::new(e)))?;
    findings.extend(runtime.block_on(outside(config)));
    let mut wrong = 0;
    for finding in &findings {
        match finding {
            Fine(line) => say(&format!("ok     {line}")),
            Note(line) => say(&format!("note   {line}")),
            Wrong(line) => {
                wrong += 1;
                say(&format!("WRONG  {line}"));
            }
        }
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("{wrong} of {} checks found something wrong", findings.len())))
    }
}

/// Says line by line what is wrong with a configuration that cannot be used.
pub fn refuse(problems: &Problems) {
    for (key, problem) in problems.iter() {
        say(&format!("WRONG  {key}: {problem}"));
    }
}

fn address_and_proxy(config: &Config) -> Vec<Finding> {
    let server = &config.server;
    let mut found = Vec::new();
    if config.is_development() {
        found.push(Note(format!(
            "server.url: {} is only for this machine; before others come, set it to the https address that will stay",
            server.url
        )));
        return found;
    }
    if server.bind.ip().is_loopback() {
        found.push(Fine(format!(
            "server.bind: {} is for a proxy on this machine, which speaks https for it",
            server.bind
        )));
    } else {
        found.push(Note(format!(
            "server.bind: {} is reachable without the proxy and without https, unless a firewall or container forbids it",
            server.bind
        )));
    }
    let strangers: Vec<String> =
        server.trusted_proxies.iter().filter(|ip| !is_near(**ip)).map(IpAddr::to_string).collect();
    if strangers.is_empty() {
        found.push(Fine("server.trusted_proxies: only addresses of this machine or network".into()));
    } else {
        found.push(Note(format!(
            "server.trusted_proxies: {} can invent any client address; keep them only if these are your proxies",
            strangers.join(", ")
        )));
    }
    found
}

fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

fn folder(data: &Path) -> Finding {
    let trial = data.join(".write-check");
    let written = std::fs::create_dir_all(data)
        .and_then(|()| std::fs::write(&trial, "x"))
        .and_then(|()| std::fs::remove_file(&trial));
    match written {
        Ok(()) => Fine(format!("server.data: {} can be written", data.display())),
        Err(e) => Wrong(format!(
            "server.data: {} cannot be written: {e}; give it to the user who runs hedgeschool",
            data.display()
        )),
    }
}

/// Asks `df`, because the standard library cannot.
fn room(data: &Path) -> Option<Finding> {
    let answer = Command::new("df").arg("-Pk").arg(data).output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let free: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(if free < ROOM {
        Wrong(format!("server.data: only {} MiB are free; make room for at least {} MiB", free >> 10, ROOM >> 10))
    } else {
        Fine(format!("server.data: {} MiB are free", free >> 10))
    })
}

fn database(address: &Address) -> Vec<Finding> {
    if let Address::Sqlite(path) = address
        && !path.exists()
    {
        return vec![Note(format!("database: {} is not there yet; the first start makes it", path.display()))];
    }
    let mut db = match address.open(false) {
        Ok(db) => db,
        Err(e) => {
            return vec![Wrong(format!(
                "database: cannot be opened: {}; look at database.url, and whether it runs",
                first_line(&e)
            ))];
        }
    };
    let mut found = vec![migrations(&mut db), clock(&mut db)];
    if setting::are_deliveries_paused(&mut db).unwrap_or(false) {
        found.push(Note("deliveries: paused since a backup was restored; `hedgeschool resume` lets them go".into()));
    }
    found
}

fn migrations(db: &mut Db) -> Finding {
    match migrate::lacking(db) {
        Ok(0) => Fine("database: reachable and up to date".into()),
        Ok(lacking) => {
            Note(format!("database: lacks {lacking} migrations; the next start or `hedgeschool migrate` does them"))
        }
        Err(e) => Wrong(format!("database: {e}")),
    }
}

/// A clock that is wrong makes other servers refuse every signature.
fn clock(db: &mut Db) -> Finding {
    let now = Clock::System.now();
    let newest = upkeep::newest_event(db).ok().flatten();
    if now.0 < FIRST_DAY {
        Wrong(format!("clock: it says {}, which is long ago; set it, best by NTP", now.rfc3339()))
    } else if newest.is_some_and(|newest| newest.since(now) > Duration::from_secs(60)) {
        Wrong(format!("clock: it says {}, but the database knows something later; set it, best by NTP", now.rfc3339()))
    } else {
        Fine(format!("clock: {}", now.rfc3339()))
    }
}

async fn outside(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if config.mail.smtp_url.is_empty() {
        found.push(Note("mail: mail.smtp_url is not set; letters are written to the log".into()));
    } else {
        found.push(mail(&config.mail.smtp_url).await);
    }
    if config.is_development() {
        return found;
    }
    found.push(match reach("www.w3.org", 443).await {
        Ok(()) => Fine("way out: names resolve and https ports of other servers can be reached".into()),
        Err(e) => Wrong(format!("way out: {e}; other servers cannot be told anything. Look at DNS and the firewall")),
    });
    if let Some(host) = config.server.url.host_str() {
        found.push(own_name(config, host).await);
    }
    found
}

async fn mail(smtp: &str) -> Finding {
    let Ok(url) = url::Url::parse(smtp) else {
        return Wrong("mail: mail.smtp_url is no address; such as smtps://user:password@mail.example.org".into());
    };
    let port = url.port().unwrap_or(if url.scheme() == "smtps" { 465 } else { 587 });
    let host = url.host_str().unwrap_or_default().to_owned();
    match reach(&host, port).await {
        Ok(()) => Fine(format!("mail: {host}:{port} answers")),
        Err(e) => Wrong(format!("mail: {e}; look at mail.smtp_url and the firewall")),
    }
}

/// Asks for one of our pages by our public address: the proxy must lead here and pass the name on.
async fn own_name(config: &Config, host: &str) -> Finding {
    let client = match reqwest::Client::builder().timeout(TIME).redirect(reqwest::redirect::Policy::none()).build() {
        Ok(client) => client,
        Err(e) => return Wrong(format!("server.url: cannot be asked: {e}")),
    };
    match client.get(config.links().absolute("/robots.txt")).send().await {
        Ok(answer) if answer.status() == 421 => Wrong(format!(
            "server.url: the proxy does not pass on the name {host}; nginx needs `proxy_set_header Host $host;`"
        )),
        Ok(answer) if answer.status().is_success() => Fine(format!("server.url: {host} leads to a running server")),
        Ok(answer) => Note(format!(
            "server.url: {host} answers {}; is the server running, and the proxy set up?",
            answer.status()
        )),
        Err(e) if e.is_connect() => Note(format!(
            "server.url: {host} cannot be reached from here; look at its DNS entry, the proxy and its certificate"
        )),
        Err(e) => Note(format!("server.url: {host} does not answer: {}", first_line(&e))),
    }
}

/// Resolves the name and opens a connection.
async fn reach(host: &str, port: u16) -> Result<(), String> {
    let late = |_| format!("{host} takes longer than {} s", TIME.as_secs());
    let addresses = tokio::time::timeout(TIME, lookup_host((host, port))).await.map_err(late)?;
    let addresses: Vec<_> = addresses.map_err(|e| format!("the name {host} does not resolve ({e})"))?.collect();
    let connected = tokio::time::timeout(TIME, TcpStream::connect(addresses.as_slice())).await.map_err(late)?;
    connected.map(drop).map_err(|e| format!("{host}:{port} cannot be reached ({e})"))
}

fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
