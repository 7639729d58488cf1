//! What can be set, what is its default, and what is it for? `config/hedgeschool.example.toml` says the same in words.

mod federation;
mod refusal;

pub use federation::Federation;

use crate::db::{Address, Limits};
use crate::error::{Error, Problems, Result};
use crate::link::{Links, host_of};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// Every setting of the file and the environment. What administrators change while it runs is in `site` instead.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens and what it is called.
    pub server: Server,
    /// Where it keeps its data.
    pub database: Database,
    /// How it talks to other servers.
    pub federation: Federation,
    /// Keeping the school safe.
    pub moderation: Moderation,
    /// How it sends mail.
    pub mail: Mail,
    /// What it writes to the log.
    pub log: Log,
    /// Where it shows its counters.
    pub metrics: Metrics,
    /// What is only for trying things out.
    pub development: Development,
}

/// Where the program listens and what people call it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on.
    pub bind: SocketAddr,
    /// The address of the front page as people and other servers see it. Must never change once others know it.
    pub url: Url,
    /// Folder for the embedded database and for uploads.
    pub data: PathBuf,
    /// Addresses of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Connections open at once; more wait.
    pub max_connections: usize,
    /// Largest file that may be handed in, in bytes.
    pub max_upload: usize,
    /// Seconds that requests and deliveries may take to end after SIGTERM.
    pub drain_seconds: u64,
    /// Where everybody finds the source of what runs here (AGPL section 13); nothing when only who runs it hands it out.
    pub source_url: Option<Url>,
    /// Seconds for the head of a request, and between two on one connection.
    pub head_seconds: u64,
    /// Seconds for a whole request without files.
    pub request_seconds: u64,
    /// Requests that one address may make in a minute, besides those to inboxes; 0 for as many as it likes.
    pub requests_per_minute: u32,
}

/// The database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://...`; empty means `hedgeschool.db` in the data folder.
    pub url: String,
    /// Connections for reading (on PostgreSQL also for writing).
    pub connections: u32,
}

/// Keeping the school safe.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moderation {
    /// Reports that one person, or one server that speaks for its people, may make in an hour.
    pub reports_per_hour: u32,
    /// Reports that all of one other server together may make in an hour.
    pub reports_per_host_hour: u32,
}

impl Moderation {
    /// Both, for who makes a report.
    pub fn hourly(&self) -> (u32, u32) {
        (self.reports_per_hour, self.reports_per_host_hour)
    }
}

/// Outgoing mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtp://`, `smtps://` or `smtp://...?tls=required` address with user and password; empty writes letters to the log.
    pub smtp_url: String,
    /// The sender, such as `School <school@example.org>`.
    pub from: String,
}

/// The log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `human` or `json`.
    pub format: LogFormat,
    /// A level, or a filter such as `info,hedgeschool=debug`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// For machines, one object a line.
    Json,
}

/// Counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Loopback address for `/metrics`; none means that there is no such page.
    pub bind: Option<SocketAddr>,
}

/// Trying things out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Development {
    /// File with milliseconds to add to the clock. Only where the server listens on loopback.
    pub clock_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let bind = SocketAddr::from(([127, 0, 0, 1], 8080));
        let url = Url::parse("http://localhost:8080");
        Self {
            server: Server {
                bind,
                url: url.unwrap_or_else(|_| unreachable_url()),
                data: "data".into(),
                trusted_proxies: vec![IpAddr::from([127, 0, 0, 1])],
                max_connections: 2048,
                max_upload: 10 << 20,
                drain_seconds: 30,
                source_url: Url::parse(env!("CARGO_PKG_REPOSITORY")).ok(),
                head_seconds: 10,
                request_seconds: 30,
                requests_per_minute: 1200,
            },
            database: Database { url: String::new(), connections: 8 },
            federation: Federation {
                parallel_hosts: 64,
                fetches_per_activity: 20,
                parallel_downloads: 8,
                timeout_seconds: 10,
                extra_ca: None,
                loopback_names: Vec::new(),
                inbox_per_minute: 60_000,
                relays_per_author_minute: 30,
                relays_per_course_minute: 600,
                held_per_course: 200,
                host_per_minute: 6_000,
                backlog_per_host: 20_000,
                new_actors_per_minute: 60,
                largest_activity: 1 << 20,
                largest_audience: 1000,
                largest_depth: 32,
                largest_values: 10_000,
                followers_compared_minutes: 60,
                largest_followers_list: 10_000,
                lookups_per_minute: 30,
                handles_per_minute: 10,
                forwards_per_minute: 120,
            },
            moderation: Moderation { reports_per_hour: 20, reports_per_host_hour: 60 },
            mail: Mail { smtp_url: String::new(), from: String::new() },
            log: Log { format: LogFormat::Human, filter: "info".into() },
            metrics: Metrics { bind: None },
            development: Development { clock_file: None },
        }
    }
}

/// `Url` has no const constructor; the literal above parses, as a test shows.
#[expect(clippy::unreachable, reason = "a literal that a test parses")]
fn unreachable_url() -> Url {
    unreachable!("the default address is an address")
}

/// Read from the working folder when no file is named.
const FILE: &str = "hedgeschool.toml";

impl Config {
    /// Reads the file (when there is one) and `HEDGESCHOOL_...` variables, which win. `HEDGESCHOOL_SERVER__BIND`
    /// names `server.bind`. A wrong key or value is refused by name.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        match file {
            Some(path) if !path.exists() => {
                return Err(Error::invalid("configuration", format!("there is no file {}", path.display())));
            }
            Some(path) => figment = figment.merge(Toml::file_exact(path)),
            None if Path::new(FILE).exists() => figment = figment.merge(Toml::file_exact(FILE)),
            None => {}
        }
        let env = Env::prefixed("HEDGESCHOOL_").ignore(&["config", "log_color"]).split("__");
        let figment = figment.merge(env);
        let config: Self = figment.extract().map_err(|errors| Error::Invalid(refusal::of(&figment, errors)))?;
        config.check()?;
        Ok(config)
    }

    /// The file that [`Self::load`] reads, when there is one.
    pub fn file(named: Option<&Path>) -> Option<PathBuf> {
        named.map_or_else(|| Some(PathBuf::from(FILE)).filter(|path| path.exists()), |path| Some(path.to_owned()))
    }

    /// What no type can say.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let url = &self.server.url;
        let http = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        problems.add_if(!http, "server.url", "must be an http or https address, such as https://school.example.org");
        problems.add_if(url.path() != "/", "server.url", "must be the root of a host, without a path");
        problems.add_if(
            url.scheme() == "http" && !self.is_development(),
            "server.url",
            "must be https, except for trying it out on this machine (bind and url both on loopback)",
        );
        let loopback = self.server.bind.ip().is_loopback();
        problems.add_if(
            !loopback && !self.federation.loopback_names.is_empty(),
            "federation.loopback_names",
            "is allowed only where server.bind is a loopback address",
        );
        problems.add_if(
            !loopback && self.development.clock_file.is_some(),
            "development.clock_file",
            "is allowed only where server.bind is a loopback address",
        );
        problems.add_if(
            self.metrics.bind.is_some_and(|bind| !bind.ip().is_loopback()),
            "metrics.bind",
            "must be a loopback address: counters are not for everyone",
        );
        problems.add_if(
            std::env::var_os("DANGER_FEDERATION_ALLOW_LOCAL_IP").is_some() && !self.is_development(),
            "DANGER_FEDERATION_ALLOW_LOCAL_IP",
            "is refused: it would let other servers reach addresses inside this network",
        );
        self.check_numbers(&mut problems);
        self.check_mail(&mut problems);
        if let Err(Error::Invalid(found)) = self.address() {
            problems.add_all(found);
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            problems.add("log.filter", format!("cannot be read ({error}); it is {}", refusal::allowed("log.filter")));
        }
        if let Some(path) = &self.federation.extra_ca {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let wrong = !text.contains("-----BEGIN CERTIFICATE-----");
            let said = format!("{} cannot be read, or holds no certificate in PEM", path.display());
            problems.add_if(wrong, "federation.extra_ca", &said);
        }
        if let Some(source) = &self.server.source_url {
            let wrong = !matches!(source.scheme(), "http" | "https");
            problems.add_if(wrong, "server.source_url", &format!("is not {}", refusal::allowed("server.source_url")));
        }
        problems.check()
    }

    /// What would make the program stand still, or ask for more than any machine has.
    fn check_numbers(&self, problems: &mut Problems) {
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (server, federation) = (&self.server, &self.federation);
        let bounds = [
            ("server.max_connections", wide(server.max_connections), 1, 1_000_000),
            ("server.max_upload", wide(server.max_upload), 1, 1 << 30),
            ("server.drain_seconds", server.drain_seconds, 0, 3600),
            ("server.head_seconds", server.head_seconds, 1, 300),
            ("server.request_seconds", server.request_seconds, 1, 3600),
            ("server.requests_per_minute", server.requests_per_minute.into(), 0, u64::from(u32::MAX)),
            ("database.connections", self.database.connections.into(), 1, 1000),
            ("federation.parallel_hosts", wide(federation.parallel_hosts), 1, 10_000),
            ("federation.fetches_per_activity", federation.fetches_per_activity.into(), 1, 1000),
            ("federation.parallel_downloads", wide(federation.parallel_downloads), 1, 1000),
            ("federation.timeout_seconds", federation.timeout_seconds, 1, 300),
            ("moderation.reports_per_hour", self.moderation.reports_per_hour.into(), 1, 100_000),
            ("moderation.reports_per_host_hour", self.moderation.reports_per_host_hour.into(), 1, 100_000),
            ("federation.inbox_per_minute", federation.inbox_per_minute.into(), 1, u64::from(u32::MAX)),
            ("federation.relays_per_author_minute", federation.relays_per_author_minute.into(), 1, 100_000),
            ("federation.relays_per_course_minute", federation.relays_per_course_minute.into(), 1, 1_000_000),
            ("federation.held_per_course", federation.held_per_course.into(), 0, 100_000),
            ("federation.host_per_minute", federation.host_per_minute.into(), 1, u64::from(u32::MAX)),
            ("federation.backlog_per_host", federation.backlog_per_host.into(), 1, 10_000_000),
            ("federation.new_actors_per_minute", federation.new_actors_per_minute.into(), 1, 1_000_000),
            // The standard size of others, checklist 23; more than 1 MiB is refused in front of every handler.
            ("federation.largest_activity", wide(federation.largest_activity), 65_536, 1 << 20),
            ("federation.largest_audience", wide(federation.largest_audience), 1, 10_000),
            // The reader of JSON itself goes no deeper than 128.
            ("federation.largest_depth", wide(federation.largest_depth), 8, 100),
            ("federation.largest_values", wide(federation.largest_values), 500, 1_000_000),
            ("federation.followers_compared_minutes", federation.followers_compared_minutes.into(), 1, 100_000),
            ("federation.largest_followers_list", federation.largest_followers_list.into(), 1, 1_000_000),
            ("federation.lookups_per_minute", federation.lookups_per_minute.into(), 1, 100_000),
            ("federation.handles_per_minute", federation.handles_per_minute.into(), 1, 100_000),
            ("federation.forwards_per_minute", federation.forwards_per_minute.into(), 1, u64::from(u32::MAX)),
        ];
        for (key, is, least, most) in bounds {
            if !(least..=most).contains(&is) {
                problems.add(key, format!("is {is}; it must be a number from {least} to {most}"));
            }
        }
    }

    /// Without the address itself: it holds a password.
    fn check_mail(&self, problems: &mut Problems) {
        let (smtp, from) = (&self.mail.smtp_url, &self.mail.from);
        let wrong = !smtp.is_empty() && AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp).is_err();
        let said = format!("cannot be used; it is {}", refusal::allowed("mail.smtp_url"));
        problems.add_if(wrong, "mail.smtp_url", &said);
        let wrong = !from.is_empty() && from.parse::<Mailbox>().is_err();
        problems.add_if(wrong, "mail.from", &format!("{from:?} is no sender; it is {}", refusal::allowed("mail.from")));
    }

    /// Whether this is a trial on one machine: it listens on loopback and calls itself a loopback name by http.
    /// Only then may it reach other servers on loopback by http and port.
    pub fn is_development(&self) -> bool {
        let url = &self.server.url;
        let name = url.host_str().unwrap_or_default();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let local = bare == "localhost"
            || name.ends_with(".localhost")
            || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.server.bind.ip().is_loopback() && local && url.scheme() == "http"
    }

    /// Where the database is.
    pub fn address(&self) -> Result<Address> {
        if self.database.url.is_empty() {
            Ok(Address::Sqlite(self.server.data.join("hedgeschool.db")))
        } else {
            Address::parse(&self.database.url)
        }
    }

    /// The bounds that verbs keep to.
    pub fn limits(&self) -> Limits {
        let federation = &self.federation;
        Limits {
            relays_per_author: federation.relays_per_author_minute,
            relays_per_course: federation.relays_per_course_minute,
            held_per_course: federation.held_per_course,
        }
    }

    /// The addresses that this instance hands out.
    pub fn links(&self) -> Links {
        Links::new(&self.server.url)
    }

    /// Host names by which requests may ask for this instance; all others are answered 421.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = host_of(&self.server.url).into_iter().collect();
        if self.is_development() {
            // People type either name while trying it out.
            hosts.extend(["localhost", "127.0.0.1"].map(|name| format!("{name}:{}", self.server.bind.port())));
        }
        hosts
    }
}

#[cfg(test)]
mod tests;
