//! Do the rules of a course hold against whoever signs rightly: seats, deadlines, reviews, answers to nothing?

use crate::cast::{Us, person, status, uri};
use crate::forge::Forge;
use hedgeschool::actor::{self, ActorKind, RemoteActor};
use hedgeschool::assignment::rubric::{Criterion, Level, Rubric};
use hedgeschool::assignment::{self, Draft, Visibility};
use hedgeschool::cohort;
use hedgeschool::db::Tx;
use hedgeschool::enrollment::{self, Ask};
use hedgeschool::error::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Names that live as long as the test.
pub fn name(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// CRS-05: 200 people of four servers ask for 49 seats that are left, each twice, from eight threads.
#[test]
fn crs_05_fifty_seats_go_to_fifty_people() {
    let us = Us::start(1_000_000);
    let people: Vec<(&'static str, &'static str)> =
        (0..200).map(|n| (["h0.test", "h1.test", "h2.test", "h3.test"][n % 4], name(format!("p{n}")))).collect();
    let known = people.clone();
    us.place
        .pool()
        .write_blocking(move |tx| {
            for (host, name) in &known {
                actor::put(tx, &person(host, name))?;
                hedgeschool::federation::peer::learn(tx, host, Some("mastodon"), None)?;
            }
            Ok(())
        })
        .unwrap();
    std::thread::scope(|threads| {
        for some in people.chunks(25) {
            let us = &us;
            threads.spawn(move || {
                for (host, name) in some {
                    let by = us.forge().by(host, name);
                    let join = by.post(&by.act("Join", json!(us.course)));
                    assert_eq!(status(&us.say(&join)), 202, "CRS-05");
                    assert_eq!(status(&us.say(&join)), 202, "CRS-05: the same again");
                    assert_eq!(status(&us.say(&by.post(&by.act("Join", json!(us.course))))), 202, "CRS-05: another");
                }
            });
        }
    });
    us.until_worked_off();
    let learners = "enrollments WHERE role = 'learner' AND state";
    assert_eq!(us.place.count(&format!("{learners} = 'active'")), 50, "CRS-05: with Bob, and no more");
    let distinct = "(SELECT DISTINCT actor_id FROM enrollments WHERE role = 'learner' AND state = 'active') AS x";
    assert_eq!(us.place.count(distinct), 50, "CRS-05: each once");
    assert_eq!(us.place.count(&format!("{learners} = 'waitlisted'")), 151, "CRS-05: the others wait");
}

/// CRS-01, CRS-02, LIF-02, LIF-04: Ada asked a course elsewhere for a place; only that course can give it.
#[test]
fn crs_01_only_the_course_gives_the_place_that_was_asked_for() {
    let us = Us::start(1_000_000);
    let group = uri("good.test", "rc");
    let known = RemoteActor { kind: ActorKind::Course, ..person("good.test", "rc") };
    us.place
        .pool()
        .write_blocking(move |tx| {
            actor::put(tx, &person("good.test", "teacher"))?;
            actor::put(tx, &known).map(drop)
        })
        .unwrap();
    let rows = format!(
        "INSERT INTO courses (actor_id, state, tagline, description_md, description_html, language, license, answer, created_at)
         SELECT id, 'listed', '', '', '', 'en', 'CC0-1.0', '', 0 FROM actors WHERE uri = '{group}';
         INSERT INTO cohorts (public_id, course_id, name, starts_on, ends_on, zone, seats, enrolling, state, created_at)
         SELECT 'farcohort', id, 'Far', '2026-09-01', '2027-12-01', 'UTC', 20, 'open', 'running', 0 FROM courses
         WHERE actor_id = (SELECT id FROM actors WHERE uri = '{group}');"
    );
    us.place
        .pool()
        .write_blocking(move |tx| Ok(diesel::connection::SimpleConnection::batch_execute(&mut **tx, &rows)?))
        .unwrap();
    let asked = us.place.pool().write_blocking(|tx| {
        let ada = actor::find_by_uri(tx, "https://us.test/u/ada")?.ok_or(hedgeschool::error::Error::NotFound)?;
        let run = cohort::get_public(tx, "farcohort")?;
        enrollment::ask(tx, &ada, run.id, "please")
    });
    let join = asked.unwrap().join_uri.unwrap();
    let state = || us.place.texts(&format!("SELECT state AS said FROM enrollments WHERE join_uri = '{join}'")).concat();
    assert_eq!(state(), "asked");
    let answer = |by: &Forge, kind: &str| {
        let object = json!({"id": join, "type": "Join", "actor": "https://us.test/u/ada", "object": group});
        let got = status(&us.say(&by.post(&by.act(kind, object))));
        us.until_worked_off();
        got
    };
    for (host, name) in [("evil.test", "mallory"), ("good.test", "bob"), ("good.test", "teacher")] {
        for kind in ["Accept", "Reject", "TentativeAccept"] {
            assert_eq!(answer(&us.forge().by(host, name), kind), 403, "CRS-01, LIF-02: {kind} by {name}");
            assert_eq!(state(), "asked", "CRS-01: {kind} by {name}");
        }
    }
    assert_eq!(answer(&us.forge().by("good.test", "rc"), "Accept"), 202);
    assert_eq!(state(), "active", "the course itself can");
}

/// A course under way with three who hand in, and the clock of the server.
pub struct Term {
    pub us: Us,
    pub assignment: String,
    pub bot: String,
    /// Seconds by which the clock is ahead.
    ahead: std::cell::Cell<i64>,
}

const LEARNERS: [&str; 4] = ["lea", "leo", "lin", "lou"];
const HOUR: Duration = Duration::from_secs(3600);

fn begin(tx: &mut Tx<'_>) -> Result<String> {
    let ada = actor::find_by_uri(tx, "https://us.test/u/ada")?.ok_or(hedgeschool::error::Error::NotFound)?;
    let group = actor::find_by_uri(tx, "https://us.test/c/hedges")?.ok_or(hedgeschool::error::Error::NotFound)?;
    let course = hedgeschool::course::find_by_actor(tx, group.id)?.ok_or(hedgeschool::error::Error::NotFound)?;
    let run = cohort::list_of(tx, course.id)?.remove(0);
    for name in LEARNERS {
        let learner = actor::put(tx, &person("good.test", name))?;
        enrollment::enroll(tx, &learner, run.id, &Ask::default())?;
    }
    cohort::start(tx, &ada, run.id)?;
    let level = |name: &str, points: f64| Level { name: name.into(), points, descriptor: "As it says".into() };
    let criterion = Criterion {
        id: "clear".into(),
        name: "Is it clear?".into(),
        prompt: "Could you follow it?".into(),
        levels: vec![level("no", 0.0), level("partly", 1.0), level("yes", 2.0)],
    };
    let draft = Draft {
        title: "Plant one".into(),
        summary: "Write down how it was done".into(),
        body_md: "Plant.".into(),
        rubric: Rubric { criteria: vec![criterion] },
        reviews_each: 2,
        visibility: Visibility::Private,
        due_at: tx.now().plus(HOUR),
        review_due_at: tx.now().plus(2 * HOUR),
    };
    let id = assignment::draft(tx, &ada, run.id, &draft)?;
    assignment::open(tx, &ada, id)?;
    Ok(assignment::get(tx, id)?.uri)
}

impl Term {
    pub fn begin() -> Self {
        let us = Us::start(1_000_000);
        let assignment = us.place.pool().write_blocking(begin).unwrap();
        let bot = us.place.texts("SELECT uri AS said FROM actors WHERE kind = 'bot'").concat();
        Self { us, assignment, bot, ahead: std::cell::Cell::new(0) }
    }

    pub fn turn_clock(&self, seconds: i64) {
        self.ahead.set(seconds);
        self.us.place.set_clock(seconds * 1000);
    }

    pub fn by(&self, name: &'static str) -> Forge {
        Forge { off: self.ahead.get(), ..self.us.forge().by("good.test", name) }
    }

    /// Sends it to the bot alone and waits until it is worked off.
    pub fn send(&self, by: &Forge, kind: &str, object: Value) -> u16 {
        let mut activity = by.act(kind, object);
        activity["to"] = json!([self.bot]);
        activity["cc"] = json!([]);
        self.send_text(by, &activity.to_string())
    }

    fn send_text(&self, by: &Forge, text: &str) -> u16 {
        let got = status(&self.us.say(&by.post_text(text)));
        self.us.until_worked_off();
        got
    }

    pub fn work(&self, by: &Forge, text: &str) -> Value {
        json!({
            "id": format!("{}/work", by.actor()), "type": "Note", "attributedTo": by.actor(), "to": [self.bot],
            "inReplyTo": self.assignment, "content": format!("<p>{text}</p>"), "published": "2020-01-01T00:00:00Z",
        })
    }

    pub fn review(&self, by: &Forge, task: &str, id: &str, ratings: &Value) -> Value {
        json!({
            "id": format!("{}/reviews/{id}", by.actor()), "type": "Note", "attributedTo": by.actor(), "to": [self.bot],
            "inReplyTo": task, "content": "<p>Well said.</p>",
            "learning": {"type": "schema:Review", "task": task, "ratings": ratings},
        })
    }

    /// Waits until the assignment has come so far.
    pub fn until(&self, state: &str) {
        let began = Instant::now();
        while self.us.place.count(&format!("assignments WHERE state = '{state}'")) == 0 {
            assert!(began.elapsed() < crate::place::PATIENCE, "it never is {state}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a review counts by.
    pub fn reviews(&self) -> Vec<String> {
        self.us.place.texts("SELECT uri || ' ' || levels || ' ' || state AS said FROM reviews ORDER BY uri")
    }

    /// Every task with the handle of who was asked.
    pub fn tasks(&self) -> Vec<(String, String)> {
        let sql = "SELECT a.handle || ' ' || o.uri AS said FROM allocations l JOIN actors a ON a.id = l.reviewer_id
                   JOIN objects o ON o.kind = 'review_task' AND o.local_id = l.id ORDER BY l.id";
        let rows = self.us.place.texts(sql);
        rows.iter().filter_map(|row| row.split_once(' ')).map(|(who, uri)| (who.to_owned(), uri.to_owned())).collect()
    }
}

/// CRS-08, CRS-10, CRS-14, CRS-15 and CRS-16: what is in time counts by our clock, once, and stays.
#[test]
fn crs_08_10_14_15_and_16_deadlines_and_reviews_hold() {
    let term = Term::begin();
    for who in ["lea", "leo"] {
        let by = term.by(who);
        assert_eq!(term.send(&by, "Create", term.work(&by, "mine")), 202);
    }
    // CRS-10: half a minute before the deadline, and half a minute after it with a date of long ago.
    term.turn_clock(3600 - 30);
    let lin = term.by("lin");
    assert_eq!(term.send(&lin, "Create", term.work(&lin, "mine")), 202);
    assert_eq!(term.us.place.count("submissions WHERE state = 'submitted'"), 3, "CRS-10: these are in time");
    term.turn_clock(3600 + 30);
    let lou = term.by("lou");
    term.send(&lou, "Create", term.work(&lou, "mine"));
    let in_time = "submissions s JOIN actors a ON a.id = s.author_id WHERE a.handle = 'lou' AND s.state <> 'late'";
    assert_eq!(term.us.place.count(in_time), 0, "CRS-10: its own date makes nothing punctual");
    term.until("review");
    // CRS-08: what is being reviewed stays as it is.
    let versions = || {
        term.us.place.texts("SELECT s.uri || ' ' || r.number || ' ' || r.body_html AS said FROM revisions r JOIN submissions s ON s.id = r.submission_id ORDER BY r.id")
    };
    let before = versions();
    let lea = term.by("lea");
    for (kind, object) in [
        ("Update", term.work(&lea, "better")),
        ("Delete", json!({"id": format!("{}/work", lea.actor()), "type": "Tombstone"})),
        ("Create", term.work(&lea, "again")),
    ] {
        term.send(&lea, kind, object);
        assert_eq!(versions(), before, "CRS-08: {kind} after the deadline");
    }
    assert_eq!(term.us.place.count("submissions WHERE state = 'withdrawn'"), 0, "CRS-08");
    no_such_levels(&term);
    one_review_each(&term);
    nothing_after_the_release(&term);
    assert!(!term.us.server.log().contains("panicked"));
}

fn no_such_levels(term: &Term) {
    let (who, task) = term.tasks().remove(0);
    let by = term.by(name(who));
    let rating = |level: &str| format!("[{{\"criterion\":\"clear\",\"levelOrdinal\":{level}}}]");
    let mut tried: Vec<String> =
        ["NaN", "Infinity", "1e400", "-0", "-1", "3", "1.5", "\"1\"", "true", "9223372036854775808", "null"]
            .map(rating)
            .to_vec();
    tried.push("[]".into());
    tried.push("{}".into());
    tried.push("[{\"criterion\":\"clear\",\"levelOrdinal\":1},{\"criterion\":\"clear\",\"levelOrdinal\":2}]".into());
    tried.push("[{\"criterion\":\"kind\",\"levelOrdinal\":1}]".into());
    for (n, ratings) in tried.iter().enumerate() {
        let note = term.review(&by, &task, &format!("bad{n}"), &json!("RATINGS"));
        let mut activity = by.act("Create", note);
        activity["to"] = json!([term.bot]);
        activity["cc"] = json!([]);
        term.send_text(&by, &activity.to_string().replace("\"RATINGS\"", ratings));
        assert!(term.reviews().is_empty(), "CRS-14: {ratings}");
    }
}

fn one_review_each(term: &Term) {
    let level = json!([{"criterion": "clear", "levelOrdinal": 2}]);
    let tasks = term.tasks();
    assert!(tasks.len() >= 6, "three works in time, two reviews each, and what came late: {tasks:?}");
    let (who, task) = &tasks[0];
    let other = tasks.iter().find(|(other, _)| other != who).unwrap();
    let by = term.by(name(who.clone()));
    // CRS-15: only by whom it was asked of, once, however often and in however many notes it comes.
    let not_asked = term.by(name(other.0.clone()));
    term.send(&not_asked, "Create", term.review(&not_asked, task, "stolen", &level));
    assert!(term.reviews().is_empty(), "CRS-15: of somebody who was not asked");
    term.send(&by, "Create", term.review(&by, task, "one", &level));
    let once = term.reviews();
    assert_eq!(once.len(), 1, "CRS-15: {}", term.us.server.log());
    let worse = json!([{"criterion": "clear", "levelOrdinal": 0}]);
    for (kind, id) in [("Create", "one"), ("Create", "two"), ("Update", "one"), ("Update", "three")] {
        term.send(&by, kind, term.review(&by, task, id, &worse));
        assert_eq!(term.reviews(), once, "CRS-15: {kind} of {id}");
    }
}

fn nothing_after_the_release(term: &Term) {
    let level = json!([{"criterion": "clear", "levelOrdinal": 0}]);
    let tasks = term.tasks();
    term.turn_clock(2 * 3600 + 60);
    let (late, task) = tasks.last().unwrap();
    let late = term.by(name(late.clone()));
    let once =
        |text: &[String]| text.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>();
    let before = once(&term.reviews());
    term.send(&late, "Create", term.review(&late, task, "late", &level));
    assert_eq!(once(&term.reviews()), before, "CRS-15: too late");
    term.until("released");
    let results = || {
        term.us.place.texts("SELECT submission_id || ' ' || document || ' ' || points || ' ' || state AS said FROM results ORDER BY submission_id")
    };
    let (reviews, grades, said) = (term.reviews(), results(), term.us.place.count("events"));
    assert!(!grades.is_empty(), "there are results");
    let (who, task) = &tasks[0];
    let by = term.by(name(who.clone()));
    let review = term.review(&by, task, "one", &level);
    let id = review["id"].clone();
    let create =
        json!({"id": format!("{}/creates/1", by.actor()), "type": "Create", "actor": by.actor(), "object": id});
    for (kind, object) in [("Update", review), ("Delete", id), ("Undo", create)] {
        term.send(&by, kind, object);
        assert_eq!((term.reviews(), results()), (reviews.clone(), grades.clone()), "CRS-16: {kind}");
    }
    assert!(term.us.place.count("events") >= said, "CRS-16: what happened stays written");
}
