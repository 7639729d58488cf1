//! Can anybody but a course, its people and its home say what is in it, who runs it and what came of it?

use crate::cast::{Us, person, status, uri};
use crate::catalogue::is_refused;
use crate::courses::{Term, name};
use crate::forge::Forge;
use hedgeschool::actor::{self, ActorKind, RemoteActor};
use hedgeschool::course;
use hedgeschool::db::Tx;
use hedgeschool::error::{Error, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn ours(tx: &mut Tx<'_>) -> Result<(actor::Actor, course::Course)> {
    let ada = actor::find_by_uri(tx, "https://us.test/u/ada")?.ok_or(Error::NotFound)?;
    let group = actor::find_by_uri(tx, "https://us.test/c/hedges")?.ok_or(Error::NotFound)?;
    let course = course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
    Ok((ada, course))
}

/// CRS-04, ORI-15: nobody gives up the place or the following of another, whatever they call it.
#[test]
fn crs_04_and_ori_15_only_who_asked_takes_it_back() {
    let us = Us::start(1_000_000);
    let bob = us.forge();
    let (follow, join) = (bob.act("Follow", json!(us.course)), bob.act("Join", json!(us.course)));
    let joe = us.forge().by("good.test", "carol");
    let joins = joe.act("Join", json!(us.course));
    for (by, act) in [(&bob, &follow), (&bob, &join), (&joe, &joins)] {
        assert_eq!(status(&us.say(&by.post(act))), 202);
        us.until_worked_off();
    }
    let follower = "follows f JOIN actors a ON a.id = f.follower_id WHERE a.handle = 'bob' AND f.state = 'accepted'";
    let learner = "enrollments e JOIN actors a ON a.id = e.actor_id WHERE a.handle = 'carol' AND e.state = 'active'";
    assert_eq!((us.place.count(follower), us.place.count(learner)), (1, 1));
    for inbox in ["/inbox", "/c/hedges/inbox"] {
        for (host, who) in [("evil.test", "mallory"), ("good.test", "other")] {
            if who == "other" {
                let known =
                    us.place.pool().write_blocking(|tx| actor::put(tx, &person("good.test", "other")).map(drop));
                known.unwrap();
            }
            let by = us.forge().by(host, who).into_inbox(inbox);
            for (id, act) in [("ORI-15", &follow), ("CRS-04", &joins)] {
                let mut mine = act.clone();
                mine["actor"] = json!(by.actor());
                for object in [act.clone(), act["id"].clone(), mine] {
                    let what = format!("{id} by {who} at {inbox}: {object}");
                    is_refused(&us, &what, &by.post(&by.act("Undo", object)), &[403]);
                }
            }
            let mut leave = by.act("Leave", json!(us.course));
            leave["attributedTo"] = joins["actor"].clone();
            leave["target"] = joins["actor"].clone();
            is_refused(&us, &format!("CRS-04 Leave by {who}"), &by.post(&leave), &[202, 403]);
        }
    }
    assert_eq!((us.place.count(follower), us.place.count(learner)), (1, 1));
    assert_eq!(status(&us.say(&bob.post(&bob.act("Undo", follow)))), 202, "he himself can");
    assert_eq!(status(&us.say(&joe.post(&joe.act("Undo", joins)))), 202, "and so can she");
    us.until_worked_off();
    assert_eq!((us.place.count(follower), us.place.count(learner)), (0, 0));
}

/// CRS-18, CRS-19: a group that looks like ours has no say in it.
#[test]
fn crs_18_and_19_a_group_that_looks_alike_has_no_say() {
    let us = Us::start(1_000_000);
    let look = RemoteActor {
        kind: ActorKind::Course,
        name: "Hedges".into(),
        handle: "hedges".into(),
        ..person("evil.test", "hedges")
    };
    us.place.pool().write_blocking(move |tx| actor::put(tx, &look).map(drop)).unwrap();
    let fake = us.forge().by("evil.test", "hedges");
    let mallory = us.forge().by("evil.test", "mallory");
    let note = mallory.note("https://evil.test/notes/19", &mallory.actor());
    let create = mallory.act("Create", note.clone());
    let group = json!({"id": fake.actor(), "type": "Group", "preferredUsername": "hedges", "name": "Hedges",
        "sameAs": us.course, "attributedTo": "https://us.test/u/ada", "inbox": format!("{}/inbox", fake.actor())});
    for object in [note.clone(), create.clone(), json!([create]), json!("https://us.test/u/ada")] {
        is_refused(&us, "CRS-19 Announce by the likeness", &fake.post(&fake.act("Announce", object)), &[202, 400, 403]);
    }
    for (kind, object) in
        [("Accept", json!(us.course)), ("Block", json!(uri("good.test", "bob"))), ("Lock", json!(crate::cast::POST))]
    {
        let mut act = fake.act(kind, object);
        act["target"] = json!(us.course);
        is_refused(&us, &format!("CRS-18 {kind} by the likeness"), &fake.post(&act), &[202, 400, 403]);
    }
    us.say(&fake.post(&fake.act("Update", group)));
    assert_eq!(status(&us.say(&mallory.post(&create))), 202, "CRS-19: whoever takes no part may ask at most");
    us.until_worked_off();
    assert_eq!(us.place.count("courses"), 1, "CRS-18: it is no course here");
    for path in [
        "/courses",
        "/c/hedges",
        "/c/hedges/discussion",
        "/c/hedges/outbox",
        "/c/hedges/featured",
        "/c/hedges/moderators",
    ] {
        let said = us.say(format!("GET {path} HTTP/1.1\r\nHost: us.test\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(!said.contains("evil.test") && !said.contains("Ha!"), "CRS-18, CRS-19: {path}: {said}");
    }
}

/// CRS-21, MOD-05: who runs a course is said by those who run it.
#[test]
fn crs_21_and_mod_05_nobody_makes_themselves_a_moderator() {
    let us = Us::start(1_000_000);
    let other = RemoteActor { kind: ActorKind::Course, ..person("good.test", "rc") };
    us.follow("good.test", "carol");
    let prepared = us.place.pool().write_blocking(move |tx| {
        let (ada, course) = ours(tx)?;
        actor::put(tx, &other)?;
        let carol = actor::put(tx, &person("good.test", "carol"))?;
        course::appoint(tx, &ada, course.id, &carol, true)?;
        course::appoint(tx, &ada, course.id, &carol, false)
    });
    prepared.unwrap();
    for inbox in ["/inbox", "/c/hedges/inbox"] {
        for (host, who) in [("evil.test", "mallory"), ("good.test", "bob"), ("good.test", "carol"), ("good.test", "rc")]
        {
            let by = us.forge().by(host, who).into_inbox(inbox);
            let act = |kind: &str, object: Value, target: &str| {
                let mut act = by.act(kind, object);
                act["target"] = json!(format!("{}{target}", us.course));
                act
            };
            let own = json!({"id": us.course, "type": "Group", "attributedTo": by.actor(), "name": "Mine"});
            let block = act("Block", json!("https://us.test/u/ada"), "");
            for (id, attack) in [
                ("CRS-21 Add oneself", act("Add", json!(by.actor()), "/moderators")),
                ("CRS-21 Add a pin", act("Add", json!(crate::cast::POST), "/featured")),
                ("CRS-21 Remove Ada", act("Remove", json!("https://us.test/u/ada"), "/moderators")),
                ("CRS-21 Update of the course", by.act("Update", own)),
                ("MOD-05 Block", block.clone()),
                ("MOD-05 Undo of a Block", by.act("Undo", block)),
            ] {
                is_refused(&us, &format!("{id} by {who} at {inbox}"), &by.post(&attack), &[403]);
            }
        }
    }
    let wire = "HTTP/1.1\r\nHost: us.test\r\nAccept: application/activity+json\r\nConnection: close\r\n\r\n";
    let said = us.say(format!("GET /c/hedges/moderators {wire}").as_bytes());
    assert!(said.contains("[\"https://us.test/u/ada\"]"), "CRS-21: {said}");
}

/// A whole term in one order or the other, each thing so many times; what it came to, by author.
fn play(backwards: bool, times: usize) -> (Term, Vec<String>) {
    let term = Term::begin();
    let turned = |mut all: Vec<(String, String)>| {
        if backwards {
            all.reverse();
        }
        (0..times).flat_map(|_| all.clone()).collect::<Vec<_>>()
    };
    for (who, _) in turned(["lea", "leo", "lin"].map(|who| (who.to_owned(), String::new())).to_vec()) {
        let by = term.by(name(who));
        term.send(&by, "Create", term.work(&by, "mine"));
    }
    term.turn_clock(3600 + 30);
    term.until("review");
    // The first who was asked about a work gives it nothing, the second everything.
    let sql = "SELECT s.uri || ' ' || l.uri AS said FROM allocations l JOIN submissions s ON s.id = l.submission_id ORDER BY l.id";
    let mut levels = BTreeMap::new();
    let mut asked: BTreeMap<String, i64> = BTreeMap::new();
    for row in term.us.place.texts(sql) {
        let (work, task) = row.split_once(' ').unwrap();
        let before = asked.entry(work.to_owned()).or_default();
        levels.insert(task.to_owned(), *before * 2);
        *before += 1;
    }
    for (who, task) in turned(term.tasks()) {
        let by = term.by(name(who));
        let ratings = json!([{"criterion": "clear", "levelOrdinal": levels[&task]}]);
        term.send(&by, "Create", term.review(&by, &task, "one", &ratings));
        let id = task.rsplit('/').next().unwrap();
        term.send(&by, "Create", term.review(&by, &task, id, &ratings));
    }
    term.turn_clock(2 * 3600 + 60);
    term.until("released");
    let grades = "SELECT a.handle || ' ' || r.document || ' ' || r.points || ' ' || r.state AS said FROM results r
                  JOIN submissions s ON s.id = r.submission_id JOIN actors a ON a.id = s.author_id ORDER BY a.handle";
    let came_to = term.us.place.texts(grades);
    (term, came_to)
}

/// CRS-13, CRS-17: nobody reviews themselves, all review alike, and no order of arrival makes a grade another.
#[test]
fn crs_13_and_17_work_is_shared_out_fairly_and_graded_alike_in_any_order() {
    let (term, once) = play(false, 1);
    let (_, thrice) = play(true, 3);
    assert_eq!(once.len(), 3, "{once:?}");
    assert_eq!(once, thrice, "CRS-17");
    let rows = term.us.place.texts(
        "SELECT r.handle || ' ' || a.handle AS said FROM allocations l JOIN actors r ON r.id = l.reviewer_id
         JOIN submissions s ON s.id = l.submission_id JOIN actors a ON a.id = s.author_id",
    );
    let mut loads: BTreeMap<&str, usize> = BTreeMap::new();
    for (reviewer, author) in rows.iter().filter_map(|row| row.split_once(' ')) {
        assert_ne!(reviewer, author, "CRS-13: of their own");
        *loads.entry(reviewer).or_default() += 1;
    }
    let distinct: BTreeSet<&String> = rows.iter().collect();
    assert_eq!(distinct.len(), rows.len(), "CRS-13: each pair once");
    assert!(loads.values().max().unwrap() - loads.values().min().unwrap() <= 1, "CRS-13: {loads:?}");
}

/// CRS-11, CRS-24: whoever was not asked reviews nothing, and no peer says what came of their work.
#[test]
fn crs_11_and_24_only_who_was_asked_reviews_and_only_the_home_grades() {
    let term = Term::begin();
    for who in ["lea", "leo", "lin"] {
        let by = term.by(who);
        assert_eq!(term.send(&by, "Create", term.work(&by, "mine")), 202);
    }
    term.turn_clock(3600 + 30);
    term.until("review");
    let (_, task) = term.tasks().remove(0);
    let level = json!([{"criterion": "clear", "levelOrdinal": 2}]);
    let told = "notes WHERE about IN ('review', 'result')";
    for (host, who) in [("evil.test", "mallory"), ("good.test", "carol"), ("good.test", "bob")] {
        let by = Forge { off: 3600 + 30, ..term.us.forge().by(host, who) };
        let got = term.send(&by, "Create", term.review(&by, &task, "stolen", &level));
        assert!(matches!(got, 202 | 403), "CRS-11 by {who}: {got}");
        assert!(term.reviews().is_empty(), "CRS-11 by {who}");
        let ended = format!(
            "SELECT i.state AS said FROM inbox i JOIN actors a ON a.id = i.signer_id
             WHERE a.uri = '{}' AND i.state <> 'refused'",
            by.actor()
        );
        assert!(term.us.place.texts(&ended).is_empty(), "CRS-11 by {who}: it is refused");
        assert_eq!(term.us.place.count(told), 0, "CRS-11 by {who}: nobody is told");
    }
    let lea = term.by("lea");
    let work = format!("{}/work", lea.actor());
    let state = || {
        let sql = "SELECT state || ' ' || changed_at AS said FROM submissions UNION ALL SELECT state FROM enrollments
                   UNION ALL SELECT state || points FROM results";
        (term.us.place.texts(sql), term.us.place.count(told))
    };
    let before = state();
    for kind in ["study:Result", "study:Feedback", "study:Receipt", "study:Completion", "study:Welcome"] {
        for by in [&lea, &Forge { off: lea.off, ..term.us.forge().by("evil.test", "mallory") }] {
            let learning = json!({"type": kind, "assessing": term.assignment, "submission": work, "object": work,
                "scoreGiven": 2, "scoreMaximum": 2, "gradingProgress": "FullyGraded", "state": "completed",
                "result": {"points": 2.0, "maxPoints": 2.0, "state": "final"}});
            let object = json!({"id": format!("{}/said/{kind}", by.actor()), "type": "Note", "attributedTo": by.actor(),
                "to": [term.bot], "inReplyTo": work, "content": "<p>Full marks.</p>", "learning": learning});
            term.send(by, "Create", object);
            assert_eq!(state(), before, "CRS-24: {kind} by {}", by.actor());
        }
    }
}
