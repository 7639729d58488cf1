//! What is said about a key or value of the configuration that cannot be used?

use crate::error::Problems;
use figment::error::{Actual, Kind};
use figment::{Error, Figment};

/// What each setting takes.
const ALLOWED: &[(&str, &str)] = &[
    ("server.bind", "an IP address and port, such as \"127.0.0.1:8080\" or \"[::]:8080\""),
    ("server.url", "the https address of the front page, such as \"https://school.example.org\""),
    ("server.data", "the path of a folder, such as \"/var/lib/hedgeschool\""),
    ("server.trusted_proxies", "a list of IP addresses, such as [\"127.0.0.1\"]; networks cannot be given"),
    ("server.max_connections", "a number from 1"),
    ("server.max_upload", "a number of bytes from 1, such as 10485760"),
    ("server.drain_seconds", "a number of seconds"),
    ("server.source_url", "the http or https address of the source, such as \"https://git.example.org/hedgeschool\""),
    ("server.head_seconds", "a number of seconds from 1"),
    ("server.request_seconds", "a number of seconds from 1"),
    ("server.requests_per_minute", "a number; 0 for no limit"),
    ("database.url", "empty, \"sqlite:PATH\" or \"postgres://user:password@host/name\""),
    ("database.connections", "a number from 1"),
    ("federation.parallel_hosts", "a number from 1"),
    ("federation.fetches_per_activity", "a number from 1"),
    ("federation.parallel_downloads", "a number from 1"),
    ("federation.timeout_seconds", "a number of seconds from 1"),
    ("federation.extra_ca", "the path of a file with certificates in PEM"),
    ("federation.loopback_names", "a list of host names, such as [\"north.test\"]"),
    ("federation.inbox_per_minute", "a number from 1"),
    ("federation.relays_per_author_minute", "a number from 1"),
    ("federation.relays_per_course_minute", "a number from 1"),
    ("federation.held_per_course", "a number"),
    ("federation.host_per_minute", "a number from 1"),
    ("federation.backlog_per_host", "a number from 1"),
    ("federation.new_actors_per_minute", "a number from 1"),
    ("federation.largest_activity", "a number of bytes from 65536 to 1048576"),
    ("federation.largest_audience", "a number from 1 to 10000"),
    ("federation.largest_depth", "a number from 8 to 100"),
    ("federation.largest_values", "a number from 500"),
    ("federation.followers_compared_minutes", "a number of minutes from 1"),
    ("federation.largest_followers_list", "a number from 1"),
    ("federation.lookups_per_minute", "a number from 1"),
    ("federation.handles_per_minute", "a number from 1"),
    ("federation.forwards_per_minute", "a number from 1"),
    ("moderation.reports_per_hour", "a number from 1"),
    ("moderation.reports_per_host_hour", "a number from 1"),
    ("mail.smtp_url", "empty, or such as \"smtps://user:password@mail.example.org\""),
    ("mail.from", "empty, or such as \"Our School <school@example.org>\""),
    ("log.format", "human or json"),
    ("log.filter", "a level (error, warn, info, debug) or a filter such as \"info,hedgeschool=debug\""),
    ("metrics.bind", "a loopback address and port, such as \"127.0.0.1:9100\""),
    ("development.clock_file", "the path of a file"),
];

/// What the setting takes, in words.
pub(super) fn allowed(key: &str) -> &'static str {
    find(key).map_or("something else", |(_, allowed)| allowed)
}

fn find(key: &str) -> Option<(&'static str, &'static str)> {
    let same = |name: &str| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    ALLOWED.iter().find(|(name, _)| same(name)).copied()
}

/// Everything that is wrong, each with its key, what it takes, and where it stands.
pub(super) fn of(figment: &Figment, errors: Error) -> Problems {
    let mut problems = Problems::default();
    for error in errors {
        let place = match &error.metadata {
            Some(of) if of.name.contains("environment") => " (in the environment)".to_owned(),
            Some(of) => of.source.as_ref().map_or(String::new(), |file| format!(" (in {file})")),
            None => String::new(),
        };
        let key = error.path.join(".").to_lowercase();
        match &error.kind {
            Kind::UnknownField(_, known) => {
                problems.add("configuration", format!("there is no {key}{place}; there are {}", within(&key, known)));
            }
            kind => match find(&key) {
                Some((name, allowed)) => {
                    problems
                        .add(name, format!("{} cannot be used{place}; it is {allowed}", shown(figment, name, kind)));
                }
                None => problems.add("configuration", format!("{}{place}", one_line(&error))),
            },
        }
    }
    problems
}

/// The keys beside the unknown one, as they are written.
fn within(key: &str, known: &[&str]) -> String {
    match key.rsplit_once('.') {
        Some((part, _)) => known.iter().map(|name| format!("{part}.{name}")).collect::<Vec<_>>().join(", "),
        None => known.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", "),
    }
}

/// What stands there; never where it may hold a password.
fn shown(figment: &Figment, name: &str, kind: &Kind) -> String {
    let found = match kind {
        Kind::InvalidType(actual, _) | Kind::InvalidValue(actual, _) => actual_of(actual),
        Kind::UnknownVariant(word, _) => Some(format!("{word:?}")),
        _ => figment.find_value(name).ok().and_then(|value| value.into_string()).map(|text| format!("{text:?}")),
    };
    match name {
        "database.url" | "mail.smtp_url" => "what stands there".into(),
        _ => found.unwrap_or_else(|| "what stands there".into()),
    }
}

fn actual_of(actual: &Actual) -> Option<String> {
    match actual {
        Actual::Bool(value) => Some(value.to_string()),
        Actual::Unsigned(value) => Some(value.to_string()),
        Actual::Signed(value) => Some(value.to_string()),
        Actual::Float(value) => Some(value.to_string()),
        Actual::Str(text) => Some(format!("{text:?}")),
        Actual::Seq => Some("a list".into()),
        Actual::Map => Some("a table".into()),
        _ => None,
    }
}

/// A file that cannot be read at all: the parser draws a picture over several lines.
fn one_line(error: &Error) -> String {
    let text = match &error.kind {
        Kind::Message(text) => text.clone(),
        other => other.to_string(),
    };
    text.lines().map(str::trim).filter(|line| !line.starts_with('|')).collect::<Vec<_>>().join(" ").trim().to_owned()
}
