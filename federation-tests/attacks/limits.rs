//! Has every limit a setting that is explained, and a counter that shows when it was met?

use crate::cast::{Us, person, status, uri};
use crate::forge::Forge;
use hedgeschool::actor;
use hedgeschool::actor::follow::{self, FollowState};
use hedgeschool::cohort;
use hedgeschool::enrollment::{self, Ask};
use hedgeschool::error::Error;
use serde_json::{Value, json};

/// The settings that bound what others may do, each with the counter that moves when it is met.
const LIMITS: [(&str, &str); 20] = [
    ("largest_activity", "hedgeschool_inbox_refused_total{reason=\"too-large\"}"),
    ("largest_depth", "hedgeschool_inbox_refused_total{reason=\"too-deep\"}"),
    ("largest_values", "hedgeschool_inbox_refused_total{reason=\"too-deep\"}"),
    ("largest_audience", "hedgeschool_inbox_refused_total{reason=\"audience\"}"),
    ("new_actors_per_minute", "hedgeschool_fetches_refused_total{reason=\"new-actors\"}"),
    ("relays_per_author_minute", "hedgeschool_relays_total{result=\"author\"}"),
    ("relays_per_course_minute", "hedgeschool_relays_total{result=\"course\"}"),
    ("host_per_minute", "hedgeschool_inbox_refused_total{reason=\"too-many-of-host\"}"),
    ("inbox_per_minute", "hedgeschool_inbox_refused_total{reason=\"too-many\"}"),
    ("backlog_per_host", "hedgeschool_inbox_refused_total{reason=\"backlog-of-host\"}"),
    ("forwards_per_minute", "hedgeschool_inbox_refused_total{reason=\"too-many-forwarded\"}"),
    ("handles_per_minute", "hedgeschool_lookups_refused_total{of=\"address\"}"),
    ("lookups_per_minute", "hedgeschool_lookups_refused_total{of=\"person\"}"),
    ("head_seconds", "hedgeschool_slow_requests_total{part=\"head\"}"),
    ("max_connections", "hedgeschool_connections_full_total"),
    ("max_upload", "hedgeschool_files_refused_total{reason=\"too-large\"}"),
    ("reports_per_hour", "hedgeschool_reports_refused_total{of=\"person\"}"),
    ("reports_per_host_hour", "hedgeschool_reports_refused_total{of=\"host\"}"),
    ("request_seconds", "hedgeschool_slow_requests_total{part=\"body\"}"),
    ("requests_per_minute", "hedgeschool_requests_refused_total"),
];
/// Met in a test of the library alone, with its counter (`net_07_and_09_...`): an activity causes a second fetch only after
/// the first was answered, and the program as it ships asks nobody on loopback.
const ELSEWHERE: [&str; 1] = ["fetches_per_activity"];

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
        ("BACKLOG_PER_HOST", "3"),
        ("FORWARDS_PER_MINUTE", "1"),
        ("HANDLES_PER_MINUTE", "1"),
        ("INBOX_PER_MINUTE", "60"),
    ];
    let settings: Vec<_> =
        settings.iter().map(|(key, value)| (format!("HEDGESCHOOL_FEDERATION__{key}"), (*value).to_owned())).collect();
    let mut settings: Vec<(&str, String)> = settings.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    settings.push(("HEDGESCHOOL_MODERATION__REPORTS_PER_HOUR", "2".into()));
    settings.push(("HEDGESCHOOL_MODERATION__REPORTS_PER_HOST_HOUR", "3".into()));
    settings.push(("HEDGESCHOOL_SERVER__REQUESTS_PER_MINUTE", "20".into()));
    settings.push(("HEDGESCHOOL_SERVER__MAX_CONNECTIONS", "16".into()));
    settings.push(("HEDGESCHOOL_SERVER__MAX_UPLOAD", "1000".into()));
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
    prepare(&us);
    let carol = us.forge().by("good.test", "carol");
    for n in 5..7 {
        let id = format!("https://good.test/many/{n}");
        let status = status(&us.say(&carol.post(&carol.act("Create", carol.note(&id, &carol.actor())))));
        assert_eq!(status, 202, "said by another, though the course has passed on enough");
    }
    us.until_worked_off();
    let busy = us.forge().by("busy.test", "bea");
    assert_eq!(status(&us.say(&busy.post(&busy.act("Like", json!(crate::cast::POST))))), 429, "enough of theirs waits");
    let brought = |n: usize| {
        let mut create = carol.act("Create", carol.note(&format!("https://far.test/{n}"), &uri("far.test", "fay")));
        create["id"] = json!(format!("https://far.test/acts/{n}"));
        create["actor"] = json!(uri("far.test", "fay"));
        status(&us.say(&carol.post(&create)))
    };
    assert_ne!(brought(1), 429);
    assert_eq!(brought(2), 429, "a server makes us ask only so often");
    let going = |n: usize| {
        let page = "/interactions/new?uri=https%3A%2F%2Fus.test%2Fc%2Fhedges";
        let fields = format!("uri=https%3A%2F%2Fus.test%2Fc%2Fhedges&handle=%40x{n}%40evil.test");
        status(&us.fill_in_as_ada(page, "/interactions/new", &fields))
    };
    assert_ne!(going(1), 429);
    assert_eq!(going(2), 429, "one address makes us ask only so often");
    for host in ["a.evil.test", "b.evil.test", "c.evil.test"] {
        // Of one server nobody is asked for twice within a minute when the first did not answer; these are of one domain.
        let stranger = us.forge().by(host, "x");
        us.say(&stranger.post(&stranger.act("Like", json!(crate::cast::POST))));
    }
    for (name, times) in [("flo", 3), ("fred", 2)] {
        let lines = "X-Forwarded-For: 192.0.2.9\r\n".to_owned();
        let flagger = Forge { lines, ..us.forge().by("flags.test", name) };
        for n in 0..times {
            let mut flag = flagger.act("Flag", json!("https://us.test/u/ada"));
            flag["content"] = json!(format!("Rude, for the {n}th time"));
            us.say(&flagger.post(&flag));
        }
        // Two people of one server are heard in any order; Flo's own bound is to be met before her server's.
        us.until_worked_off();
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
    meet_those_of_http(&us);
    for (setting, counter) in LIMITS {
        assert!(count(&us, counter) > 0, "{setting}: {counter} is not in\n{}", us.metrics());
    }
    // Both bounds of documents share a counter.
    assert!(count(&us, LIMITS[1].1) >= 2, "largest_depth and largest_values");
    assert!(us.server.is_ready());
}

/// Too many requests of one address, and of its neighbour none; a file that is too large; all connections in use.
fn meet_those_of_http(us: &Us) {
    let get = |path: &str, of: &str| {
        let lines = format!("Host: us.test\r\nX-Forwarded-For: {of}\r\nConnection: close");
        us.say(format!("GET {path} HTTP/1.1\r\n{lines}\r\n\r\n").as_bytes())
    };
    let last = (0..40).fold(String::new(), |_, _| get("/nowhere", "2001:db8::1"));
    assert!(status(&last) == 429 && last.to_ascii_lowercase().contains("retry-after: "), "asked too often: {last}");
    assert_eq!(status(&get("/nowhere", "2001:db8::2")), 429, "of the same /64");
    assert_eq!(status(&get("/nowhere", "2001:db8:0:1::1")), 404, "a neighbour");
    for path in ["/livez", "/robots.txt"] {
        assert_eq!(status(&get(path, "2001:db8::1")), 200, "{path} is not limited");
    }
    let kind = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1050000";
    let large = us.say(format!("POST /sign-in HTTP/1.1\r\nHost: us.test\r\n{kind}\r\n\r\n").as_bytes());
    assert_eq!(status(&large), 413, "a file larger than is set");
    let open: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(us.server.bind).unwrap()).collect();
    assert!(us.server.is_ready(), "whoever waits gets in when others are hung up on");
    drop(open);
}

/// Carol takes part too and follows the course; three things of busy.test wait to be tried again.
fn prepare(us: &Us) {
    us.place
        .pool()
        .write_blocking(|tx| {
            let group = actor::find_by_uri(tx, "https://us.test/c/hedges")?.ok_or(Error::NotFound)?;
            let course = hedgeschool::course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
            let run = cohort::list_of(tx, course.id)?.remove(0);
            let carol = actor::put(tx, &person("good.test", "carol"))?;
            enrollment::enroll(tx, &carol, run.id, &Ask::default())?;
            follow::put(tx, carol.id, group.id, "https://good.test/follows/carol", FollowState::Accepted)?;
            for name in ["flo", "fred"] {
                actor::put(tx, &person("flags.test", name))?;
            }
            let busy = actor::put(tx, &person("busy.test", "bea"))?;
            hedgeschool::federation::peer::learn(tx, "busy.test", Some("mastodon"), None)?;
            let row = |n: i64| {
                format!(
                    "INSERT INTO inbox (activity_uri, signer_id, vouched, type, body, received_at, state, attempts, next_at,
                     leased_until) VALUES ('https://busy.test/{n}', {}, 'signature', 'Like', '{{}}', 0, 'pending', 1,
                     4102444800000, 0);",
                    busy.id.0
                )
            };
            let rows: String = (0..3).map(row).collect();
            Ok(diesel::connection::SimpleConnection::batch_execute(&mut **tx, &rows)?)
        })
        .unwrap();
}
