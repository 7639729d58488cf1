//! Has every limit a setting that is explained, and a counter that shows when it was met?

use crate::cast::{Us, status, uri};
use crate::forge::Forge;
use serde_json::{Value, json};

/// The settings that bound what others may do, each with the counter that moves when it is met. Those that need servers
/// of others to be met are in the tests of `federation`: they are only looked up here.
const LIMITS: [(&str, &str); 12] = [
    ("largest_activity", "hedgeschool_inbox_refused_total{reason=\"too-large\"}"),
    ("largest_depth", "hedgeschool_inbox_refused_total{reason=\"too-deep\"}"),
    ("largest_values", "hedgeschool_inbox_refused_total{reason=\"too-deep\"}"),
    ("largest_audience", "hedgeschool_inbox_refused_total{reason=\"audience\"}"),
    ("new_actors_per_minute", "hedgeschool_fetches_refused_total{reason=\"new-actors\"}"),
    ("relays_per_author_minute", "hedgeschool_relays_total{result=\"author\"}"),
    ("relays_per_course_minute", "hedgeschool_relays_total{result=\"course\"}"),
    ("host_per_minute", "hedgeschool_inbox_refused_total{reason=\"too-many-of-host\"}"),
    ("inbox_per_minute", "hedgeschool_inbox_refused_total{reason=\"too-many\"}"),
    ("lookups_per_minute", "hedgeschool_lookups_refused_total{of=\"person\"}"),
    ("head_seconds", "hedgeschool_slow_requests_total{part=\"head\"}"),
    ("request_seconds", "hedgeschool_slow_requests_total{part=\"body\"}"),
];
/// Met in the tests of the library alone.
const ELSEWHERE: [&str; 4] = ["fetches_per_activity", "backlog_per_host", "forwards_per_minute", "handles_per_minute"];

#[test]
fn every_limit_is_explained_in_the_example() {
    let example = include_str!("../../config/hedgeschool.example.toml");
    let lines: Vec<&str> = example.lines().collect();
    for setting in LIMITS.iter().map(|(setting, _)| *setting).chain(ELSEWHERE) {
        let at = lines.iter().position(|line| line.starts_with(&format!("#= {setting} = ")));
        let at = at.unwrap_or_else(|| panic!("{setting} is not in the example"));
        let is_told = lines[..at].iter().rev().take_while(|line| !line.is_empty()).any(|line| line.starts_with("# "));
        assert!(is_told, "{setting} is not explained");
    }
}

/// What the counter stands at; 0 while it was never counted.
fn count(us: &Us, counter: &str) -> u64 {
    let text = us.metrics();
    let line = text.lines().find(|line| line.starts_with(counter));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

fn small() -> Us {
    let settings = [
        ("LARGEST_ACTIVITY", "65536"),
        ("LARGEST_DEPTH", "8"),
        ("LARGEST_VALUES", "500"),
        ("LARGEST_AUDIENCE", "20"),
        ("NEW_ACTORS_PER_MINUTE", "2"),
        ("RELAYS_PER_AUTHOR_MINUTE", "2"),
        ("RELAYS_PER_COURSE_MINUTE", "3"),
        ("HOST_PER_MINUTE", "20"),
        ("LOOKUPS_PER_MINUTE", "1"),
        ("INBOX_PER_MINUTE", "60"),
    ];
    let settings: Vec<_> =
        settings.iter().map(|(key, value)| (format!("HEDGESCHOOL_FEDERATION__{key}"), (*value).to_owned())).collect();
    let mut settings: Vec<(&str, String)> = settings.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    settings.push(("HEDGESCHOOL_SERVER__HEAD_SECONDS", "1".into()));
    settings.push(("HEDGESCHOOL_SERVER__REQUEST_SECONDS", "1".into()));
    Us::with(&settings)
}

/// Meets each limit by its smallest excess, and looks whether it was counted.
#[test]
fn every_limit_is_counted_where_it_is_met() {
    let us = small();
    let bob = us.forge();
    let said = |what: Value| status(&us.say(&bob.post(&bob.act("Like", what))));
    let like = |text: Value| json!({"id": "https://good.test/likes/1", "type": "Note", "content": text});
    let mut deep = json!("x");
    for _ in 0..12 {
        deep = json!([deep]);
    }
    assert_eq!(said(like("x".repeat(70_000).into())), 413, "larger than is set");
    assert_eq!(said(like(deep)), 400, "deeper than is set");
    assert_eq!(said(like(json!(vec![0; 600]))), 400, "more values than are set");
    let names: Vec<String> = (0..30).map(|n| uri("good.test", &format!("x{n}"))).collect();
    assert_eq!(
        said(json!({"id": "https://good.test/likes/2", "type": "Note", "to": names})),
        400,
        "to more than are set"
    );
    for n in 0..5 {
        let id = format!("https://good.test/many/{n}");
        let status = status(&us.say(&bob.post(&bob.act("Create", bob.note(&id, &bob.actor())))));
        assert_eq!(status, 202, "said, though it is passed on no more");
    }
    us.until_worked_off();
    for (name, source) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        // From one address nobody is asked for twice within a minute when the first did not answer.
        let lines = format!("X-Forwarded-For: 192.0.2.{source}\r\n");
        let stranger = Forge { lines, ..us.forge().by("evil.test", name) };
        us.say(&stranger.post(&stranger.act("Like", json!(crate::cast::POST))));
    }
    us.say_as_ada("GET /search?q=@x@evil.test");
    us.say_as_ada("GET /search?q=@y@evil.test");
    us.say(b"GET / HTTP/1.1\r\nHost: us.te");
    let mut cut = bob.post(&bob.act("Like", json!(crate::cast::POST)));
    cut.truncate(cut.len() - 5);
    us.say(&cut);
    for n in 0..80 {
        said(json!(format!("https://us.test/o/{n}")));
    }
    for (setting, counter) in LIMITS {
        // Both bounds of documents share a counter, and so do both of what is passed on, where the nearer is met first.
        if setting == "relays_per_course_minute" {
            continue;
        }
        assert!(count(&us, counter) > 0, "{setting}: {counter} is not in\n{}", us.metrics());
    }
    assert!(count(&us, LIMITS[1].1) >= 2, "largest_depth and largest_values");
    assert!(us.server.is_ready());
}
