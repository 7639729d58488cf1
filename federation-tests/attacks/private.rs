//! Who learns of work, tasks, reviews and results that are not theirs, and of who reviewed?

use crate::cast::{status, uri};
use crate::courses::{Term, name};
use crate::forge::Forge;
use hedgeschool::actor;
use hedgeschool::enrollment::{self, Ask};
use hedgeschool::error::Error;
use hedgeschool::submission::{self, Work};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NONE: &str = "00000000000000000000000000000000";
/// What is in Una's work, and in every review.
const WORK: &str = "Marzipan";
const REVIEW: &str = "Zinnober";
/// Where reviewers come from, and what their programs call themselves.
const LINES: &str = "X-Forwarded-For: 203.0.113.77\r\nUser-Agent: Mrkagent/1\r\n";

/// Una of here and three of good.test handed in, all was reviewed, and the results are out.
struct Secrets {
    term: Term,
    una: String,
    zoe: String,
}

impl Secrets {
    fn open() -> Self {
        let term = Term::begin();
        let (una, zoe) = (term.us.newcomer("una"), term.us.newcomer("zoe"));
        let id = term.us.place.texts("SELECT CAST(id AS TEXT) AS said FROM assignments").concat();
        let handed_in = term.us.place.pool().write_blocking(move |tx| {
            let una = actor::find_by_uri(tx, "https://us.test/u/una")?.ok_or(Error::NotFound)?;
            let group = actor::find_by_uri(tx, "https://us.test/c/hedges")?.ok_or(Error::NotFound)?;
            let course = hedgeschool::course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
            let run = hedgeschool::cohort::list_of(tx, course.id)?.remove(0);
            enrollment::enroll(tx, &una, run.id, &Ask::default())?;
            let id = hedgeschool::id::AssignmentId(id.parse().unwrap());
            submission::hand_in(tx, &una, id, Work::written("Marzipan grows well.", true, Vec::new(), tx.now())?)
        });
        handed_in.unwrap();
        for who in ["lea", "leo", "lin"] {
            let by = term.by(who);
            assert_eq!(term.send(&by, "Create", term.work(&by, "Marzipan too")), 202);
        }
        term.turn_clock(3600 + 30);
        term.until("review");
        for (n, (who, task)) in term.tasks().into_iter().enumerate() {
            if who != "una" {
                let by = Forge { lines: LINES.into(), ..term.by(name(who)) };
                let ratings = json!([{"criterion": "clear", "levelOrdinal": n % 3}]);
                let mut review = term.review(&by, &task, &format!("mrk{n}"), &ratings);
                review["content"] = json!(format!("<p>{REVIEW}, by {}</p>", by.actor()));
                term.send(&by, "Create", review);
            }
        }
        term.turn_clock(2 * 3600 + 60);
        term.until("released");
        Self { term, una, zoe }
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        self.term.us.place.texts(sql)
    }

    /// Everything that is for some alone: the path, and the same of what is not there.
    fn paths(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut add = |sql: &str, shapes: &[(&str, &str)]| {
            for id in self.texts(sql) {
                let id = id.rsplit('/').next().unwrap();
                all.extend(shapes.iter().map(|(a, z)| (format!("{a}{id}{z}"), format!("{a}{NONE}{z}"))));
            }
        };
        add(
            "SELECT public_id AS said FROM submissions",
            &[
                ("/submissions/", ""),
                ("/submissions/", "/feedback"),
                ("/submissions/", "/withdrawal"),
                ("/copies/", ""),
            ],
        );
        add("SELECT public_id AS said FROM allocations", &[("/reviews/", ""), ("/reviews/", "/declining")]);
        add("SELECT public_id AS said FROM reviews", &[("/reviews/", ""), ("/o/", "")]);
        add(
            "SELECT uri AS said FROM objects WHERE here AND NOT public",
            &[("/o/", ""), ("/o/", "/replies"), ("/o/", "/context")],
        );
        add("SELECT uri AS said FROM activities WHERE NOT public AND uri LIKE 'https://us.test/%'", &[("/a/", "")]);
        all
    }

    /// What is said to somebody, in notes and in what is on its way to them.
    fn said_to(&self, name: &str) -> Vec<String> {
        let to = format!("'%\"to\":[\"{}\"]%'", uri("good.test", name));
        self.texts(&format!("SELECT document AS said FROM activities WHERE document LIKE {to} ORDER BY id"))
    }
}

/// Status and body, without the id that was asked for and without what is new in every form.
fn plain(answer: &str, id: &str) -> (u16, String) {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let mut parts = body.split("name=\"csrf\" value=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    (status(answer), text.replace(id, "X"))
}

/// PRV-01, PRV-09, PRV-13: for everybody else it is what does not exist, in every shape.
#[test]
fn prv_01_and_09_what_is_for_some_is_for_others_as_if_it_were_not() {
    let secrets = Secrets::open();
    let (term, us) = (&secrets.term, &secrets.term.us);
    let paths = secrets.paths();
    assert!(paths.len() > 60, "{paths:?}");
    let signed =
        |host: &'static str, name: &'static str| Forge { off: term.by("lea").off, ..us.forge().by(host, name) };
    let others =
        [("good.test", "carol"), ("evil.test", "mallory"), ("good.test", "suspended"), ("blocked.test", "bert")];
    for (path, twin) in &paths {
        let id = path.split('/').nth(2).unwrap();
        for (who, cookie) in [("anybody", ""), ("Zoe", secrets.zoe.as_str())] {
            let (hidden, nothing) =
                (us.say_as(cookie, &format!("GET {path}")), us.say_as(cookie, &format!("GET {twin}")));
            assert_eq!(plain(&hidden, id), plain(&nothing, NONE), "PRV-01: {path} for {who}");
            assert!(matches!(status(&hidden), 303 | 404), "PRV-01: {path} for {who}: {hidden}");
        }
        let wire = "HTTP/1.1\r\nHost: us.test\r\nAccept: application/activity+json\r\nConnection: close\r\n\r\n";
        let ask = |path: &str| us.say(format!("GET {path} {wire}").as_bytes());
        assert_eq!(plain(&ask(path), id), plain(&ask(twin), NONE), "PRV-01: {path} unsigned");
        for (host, who) in others {
            let by = signed(host, who);
            let (hidden, nothing) = (us.say(&by.get(path)), us.say(&by.get(twin)));
            assert_eq!(plain(&hidden, id), plain(&nothing, NONE), "PRV-01, PRV-09: {path} for {who}");
            assert!(matches!(status(&hidden), 303 | 401 | 403 | 404), "PRV-01: {path} for {who}: {hidden}");
        }
    }
    nothing_leaks(&secrets);
    // Una sees her own, and Ada all: the paths are right.
    let own = secrets.texts(
        "SELECT s.public_id AS said FROM submissions s JOIN actors a ON a.id = s.author_id WHERE a.handle = 'una'",
    );
    let page = format!("GET /submissions/{}", own.concat());
    assert!(us.say_as(&secrets.una, &page).contains(WORK), "{}", us.say_as(&secrets.una, &page));
    assert!(us.say_as_ada(&page).contains(WORK));
}

/// Lists, counts, searches and logs.
fn nothing_leaks(secrets: &Secrets) {
    let us = &secrets.term.us;
    let bot = secrets.term.bot.rsplit('/').next().unwrap();
    let assignment = secrets.texts("SELECT public_id AS said FROM assignments").concat();
    let mut paths: Vec<String> = [
        "/",
        "/courses",
        "/c/hedges",
        "/c/hedges/outbox",
        "/c/hedges/featured",
        "/c/hedges/people",
        "/c/hedges/discussion",
        "/c/hedges/changes",
        "/c/hedges/moderation",
        "/u/una",
        "/u/una/outbox",
        "/u/una/followers",
        "/notices",
        "/reviews",
        "/me",
        "/nodeinfo/2.1",
        "/search?q=Marzipan",
        "/search?q=Zinnober",
        "/mod",
        "/mod/log",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend([format!("/u/{bot}"), format!("/u/{bot}/outbox")]);
    for end in ["", "/results", "/submissions", "/submission", "/comments"] {
        paths.push(format!("/assignments/{assignment}{end}"));
    }
    let mut all: Vec<(String, String)> = Vec::new();
    for path in &paths {
        for cookie in ["", &secrets.zoe] {
            all.push((path.clone(), us.say_as(cookie, &format!("GET {path}"))));
        }
        let mallory = Forge { off: secrets.term.by("lea").off, ..us.forge().by("evil.test", "mallory") };
        all.push((path.clone(), us.say(&mallory.get(path))));
    }
    all.push(("metrics".into(), us.metrics()));
    all.push(("log".into(), us.server.log()));
    for (path, said) in all {
        // The words that were searched for are in the field.
        let said = said.replace("value=\"Marzipan\"", "").replace("value=\"Zinnober\"", "");
        for secret in ["Marzipan grows", "Marzipan too", "Zinnober, by", "mrk", "203.0.113.77"] {
            // From where a request came is in the log, but not what it was about.
            if path == "log" && secret == "203.0.113.77" {
                continue;
            }
            assert!(!said.contains(secret), "PRV-01: {secret} in {path}: {said}");
        }
    }
}

/// PRV-02, PRV-03, PRV-04, PRV-10: what an author or their server can get tells no reviewer, and no id tells the order.
#[test]
fn prv_02_03_04_and_10_no_byte_tells_who_reviewed() {
    let secrets = Secrets::open();
    let (term, us) = (&secrets.term, &secrets.term.us);
    for author in ["lea", "leo", "lin"] {
        let by = term.by(author);
        let mut got = secrets.said_to(author);
        assert!(got.iter().any(|said| said.contains(REVIEW)), "{author} has a review: {got:?}");
        got.retain(|said| said.contains(REVIEW) || said.contains("study:Result") || said.contains("study:Feedback"));
        for said in got.clone() {
            let activity: Value = serde_json::from_str(&said).unwrap();
            let note = &activity["object"];
            assert_eq!((&activity["actor"], &note["attributedTo"]), (&json!(term.bot), &json!(term.bot)), "PRV-03");
            assert_eq!((&note["to"], &note["cc"]), (&json!([by.actor()]), &json!([])), "PRV-03, PRV-09: {note}");
            for id in [&activity["id"], &note["id"]] {
                let answer = us.say(&by.get(id.as_str().unwrap().strip_prefix("https://us.test").unwrap()));
                assert_eq!(status(&answer), 200, "{author} may have it: {answer}");
                got.push(answer);
            }
        }
        let public = term.us.place.texts(&format!(
            "SELECT s.public_id AS said FROM submissions s JOIN actors a ON a.id = s.author_id WHERE a.handle = '{author}'"
        ));
        assert_eq!(public.len(), 1);
        for said in &got {
            let said = said.to_lowercase();
            for other in ["lea", "leo", "lin", "lou"].iter().filter(|other| **other != author) {
                assert!(!said.contains(&format!("good.test/u/{other}")), "PRV-02: {other} in {said}");
            }
            for marker in ["mrk", "203.0.113.77", "\"bto\"", "\"bcc\"", "/reviews/"] {
                assert!(!said.contains(marker), "PRV-02, PRV-10: {marker} in {said}");
            }
            for secret in secrets.texts("SELECT public_id AS said FROM allocations UNION SELECT public_id FROM reviews")
            {
                assert!(!said.contains(&secret.to_lowercase()), "PRV-02: an id of the review in {said}");
            }
        }
    }
    ids_are_random(&secrets);
    blind_addressees_stay_here(&secrets);
}

/// PRV-04: as long as 128 bits are, and in no order.
fn ids_are_random(secrets: &Secrets) {
    for table in ["allocations", "reviews", "notes", "submissions"] {
        let ids = secrets.texts(&format!("SELECT public_id AS said FROM {table} ORDER BY id"));
        assert!(ids.iter().all(|id| id.len() >= 22), "PRV-04: {table}: {ids:?}");
        let begins: BTreeSet<&str> = ids.iter().filter_map(|id| id.get(..3)).collect();
        assert!(begins.len() + 2 > ids.len(), "PRV-04: {table} begin alike: {ids:?}");
        assert!(ids.len() < 5 || !ids.is_sorted(), "PRV-04: {table} are in order: {ids:?}");
    }
}

/// PRV-10: blind addressees of what comes in are in nothing that goes out or is served.
fn blind_addressees_stay_here(secrets: &Secrets) {
    let (term, us) = (&secrets.term, &secrets.term.us);
    let lea = term.by("lea");
    let note = |key: &str| {
        let mut note = lea.note(&format!("https://good.test/notes/blind{key}"), &lea.actor());
        note[key] = json!(["https://evil.test/u/blindly"]);
        let mut create = lea.act("Create", note);
        create[key] = json!(["https://evil.test/u/blindly"]);
        create
    };
    for key in ["bto", "bcc"] {
        assert_eq!(status(&us.say(&lea.post(&note(key)))), 202, "PRV-10");
        us.until_worked_off();
        assert_eq!(us.place.count(&format!("posts WHERE uri LIKE '%/blind{key}'")), 1, "PRV-10: it is there");
    }
    for sql in [
        "SELECT document AS said FROM activities",
        "SELECT document AS said FROM notes",
        "SELECT inbox AS said FROM deliveries",
    ] {
        assert!(!secrets.texts(sql).concat().contains("blindly"), "PRV-10: {sql}");
    }
    assert!(!us.say(&lea.get("/c/hedges/outbox")).contains("blindly"), "PRV-10");
}
