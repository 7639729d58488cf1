//! Is work handed in by the rules, here and across servers?

mod files;

use super::{
    Answer, HomeAnswer, SubmissionState, Work, answered, apub, counted, hand_in, may_fetch, send_in, withdraw,
};
use crate::actor::Actor;
use crate::assignment::{self, Assignment};
use crate::error::{Error, Result};
use crate::id::{RevisionId, SubmissionId};
use crate::media::{self, File};
use crate::tests::Study;
use crate::tests::study::{DAY, HOUR};
use serde_json::{Value, json};

type Handed = Result<(SubmissionId, RevisionId)>;

fn hand(study: &Study, who: &Actor, open: &Assignment, text: &str) -> Handed {
    let (by, id, text) = (who.clone(), open.id, text.to_owned());
    study.world.attempt(move |tx| {
        let work = Work::written(&text, true, vec![], tx.now())?;
        hand_in(tx, &by, id, work)
    })
}

#[test]
fn every_version_is_kept_and_the_last_in_time_counts() {
    let study = Study::new();
    let open = study.open();
    let (id, _) = hand(&study, &study.bo, &open, "one").unwrap();
    hand(&study, &study.bo, &open, "two").unwrap();
    study.world.pass(3 * DAY);
    hand(&study, &study.bo, &open, "three, late").unwrap();
    let all = study.world.read(|db| super::revisions(db, id));
    assert_eq!(all.iter().map(|r| (r.number, r.late)).collect::<Vec<_>>(), [(1, false), (2, false), (3, true)]);
    assert_eq!(study.world.read(|db| counted(db, id)).body_md, "two");
    assert_eq!(study.world.read(|db| super::get(db, id)).state, SubmissionState::Submitted);
    assert!(study.notices(&study.ada)[1].contains("version 2"));
}

// Checklist 57, CRS-10: our clock at receipt decides, and no version is lost.
#[test]
fn receipt_decides_what_is_late() {
    let study = Study::new();
    let (open, chi) = (study.open(), study.world.person("chi"));
    study.enroll(&chi);
    let (by, id) = (study.bo.clone(), open.id);
    let at = |received_at| Work { received_at, ..Work::written("x", true, vec![], received_at).unwrap() };
    let (before, on, after) = (open.due_at.minus(HOUR / 3600), open.due_at, open.due_at.plus(HOUR / 3600));
    let (first, second, third) = (at(before), at(on), at(after));
    let submission = study.world.tx(move |tx| {
        let (submission, _) = hand_in(tx, &by, id, first)?;
        hand_in(tx, &by, id, second)?;
        Ok(submission)
    });
    let late = study.world.tx(move |tx| Ok(hand_in(tx, &chi, id, third)?.0));
    let all = study.world.read(|db| super::revisions(db, submission));
    assert_eq!(all.iter().map(|r| r.late).collect::<Vec<_>>(), [false, false]);
    assert_eq!(study.world.read(|db| super::get(db, late)).state, SubmissionState::Late);
}

#[test]
fn who_may_not_hand_in_is_told_why() {
    let study = Study::new();
    let open = study.open();
    let stranger = study.world.person("mallory");
    assert!(hand(&study, &stranger, &open, "x").unwrap_err().to_string().contains("Only learners"));
    assert!(hand(&study, &study.bo, &open, "  \n").unwrap_err().to_string().contains("write something"));
    assert!(hand(&study, &study.bo, &open, &"x".repeat(70_000)).unwrap_err().to_string().contains("text"));
    hand(&study, &study.bo, &open, "x").unwrap();
    let id = open.id;
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    let error = hand(&study, &study.bo, &open, "y").unwrap_err();
    assert!(matches!(error, Error::Invalid(_)) && error.to_string().contains("being reviewed"), "{error}");
}

#[test]
fn taking_back_deletes_text_and_files_until_review_begins() {
    let study = Study::new();
    let (open, bo, data) = (study.open(), study.bo.clone(), study.app.config().server.data.as_path().to_owned());
    let file = File { name: "a.txt".into(), media_type: "text/plain".into(), bytes: "hi".into() };
    let kept = file.write(&data, study.app.chance()).unwrap();
    let (by, id, one) = (bo.clone(), open.id, kept.clone());
    let (submission, media_id) = study.world.tx(move |tx| {
        let media = media::keep(tx, &by, &one)?;
        let work = Work::written("x", true, vec![media], tx.now())?;
        Ok((hand_in(tx, &by, id, work)?.0, media))
    });
    let file = study.world.read(|db| media::get(db, media_id));
    let (chi, dov) = (study.world.person("chi"), study.world.person_elsewhere("dov", "south.test"));
    for (who, may) in [(&bo, true), (&study.ada, true), (&chi, false), (&dov, false)] {
        assert_eq!(study.world.read(|db| Ok(may_fetch(db, who, &file).is_ok())), may, "{}", who.handle);
    }
    let ada = study.ada.clone();
    assert!(matches!(study.world.attempt(move |tx| withdraw(tx, &ada, submission)), Err(Error::NotFound)));
    let by = bo.clone();
    let gone = study.world.tx(move |tx| withdraw(tx, &by, submission));
    media::remove(&data, &gone);
    assert!(!data.join("media").join(&kept.public_id).exists());
    assert!(study.world.read(|db| super::revisions(db, submission)).is_empty());
    hand(&study, &bo, &open, "again").unwrap();
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    assert!(matches!(study.world.attempt(move |tx| withdraw(tx, &bo, submission)), Err(Error::Invalid(_))));
}

fn note(study: &Study, who: &Actor, open: &Assignment, text: &str) -> Value {
    json!({"id": format!("https://{}/o/1", who.host), "type": "Note", "attributedTo": who.uri,
        "inReplyTo": open.uri, "to": [study.group.uri], "cc": [], "content": text})
}

fn act(kind: &str, who: &Actor, object: Value) -> Value {
    let id = format!("{}/a/{}", who.uri, crate::chance::Chance::system().bytes::<4>().map(|b| b.to_string()).join("-"));
    json!({"id": id, "type": kind, "actor": who.uri, "object": object})
}

fn kinds(study: &Study) -> Vec<String> {
    let named = |a: &Value| {
        let learning = a["object"]["learning"]["type"].as_str().unwrap_or_default();
        format!("{} {learning}", a["type"].as_str().unwrap_or_default())
    };
    study.sent().iter().map(|(a, _)| named(a)).filter(|k| !k.contains("Assessment") && !k.starts_with("Ann")).collect()
}

#[tokio::test]
async fn a_reply_from_a_microblog_is_handed_in_enrolls_and_is_answered_once() {
    let study = Study::new();
    let (open, context) = (study.open(), study.context().await);
    let mia = study.world.person_elsewhere("mia", "masto.test");
    let first = study.got(&mia, act("Create", &mia, note(&study, &mia, &open, "<p>mine</p>")));
    crate::dispatch::dispatch(&context, &first).await.unwrap();
    assert_eq!(kinds(&study), ["Like ", "Create study:Receipt"]);
    let same = study.got(&mia, act("Update", &mia, note(&study, &mia, &open, "<p>mine</p>")));
    crate::dispatch::dispatch(&context, &same).await.unwrap();
    assert_eq!(kinds(&study).len(), 2, "an Update that changes nothing is no version");
    let edited = study.got(&mia, act("Update", &mia, note(&study, &mia, &open, "<p>better<script>x</script></p>")));
    crate::dispatch::dispatch(&context, &edited).await.unwrap();
    assert_eq!(kinds(&study).len(), 4);
    let submission = study.world.read(|db| super::find(db, open.id, mia.id)).unwrap();
    let all = study.world.read(|db| super::revisions(db, submission.id));
    assert_eq!((all.len(), all[1].body_html.as_str()), (2, "<p>better</p>"));
    let receipt = study.sent().pop().unwrap();
    assert_eq!(receipt.1, ["https://masto.test/u/mia/inbox"], "to one alone");
    let mut shown = receipt.0["object"].clone();
    shown["id"] = "ID".into();
    shown["@context"] = "CONTEXT".into();
    shown["inReplyTo"] = "NOTE".into();
    insta::assert_json_snapshot!(shown);

    let delete = study.got(&mia, act("Delete", &mia, "https://masto.test/o/1".into()));
    crate::dispatch::dispatch(&context, &delete).await.unwrap();
    assert_eq!(study.world.read(|db| super::get(db, submission.id)).state, SubmissionState::Withdrawn);
}

// CRS-07
#[tokio::test]
async fn somebody_elses_work_is_left_alone() {
    let study = Study::new();
    let (open, context) = (study.open(), study.context().await);
    let mia = study.world.person_elsewhere("mia", "masto.test");
    let carol = study.world.person_elsewhere("carol", "masto.test");
    let first = study.got(&mia, act("Create", &mia, note(&study, &mia, &open, "<p>mine</p>")));
    crate::dispatch::dispatch(&context, &first).await.unwrap();
    for kind in ["Update", "Delete", "Create"] {
        let forged = study.got(&carol, act(kind, &carol, note(&study, &mia, &open, "<p>forged</p>")));
        assert!(crate::dispatch::dispatch(&context, &forged).await.is_err(), "{kind}");
    }
    let forged = study.got(&carol, act("Update", &carol, note(&study, &carol, &open, "<p>forged</p>")));
    assert!(crate::dispatch::dispatch(&context, &forged).await.is_err(), "new attributedTo, same id");
    let submission = study.world.read(|db| super::find(db, open.id, mia.id)).unwrap();
    assert_eq!(study.world.read(|db| super::revisions(db, submission.id)).len(), 1);
}

// CRS-08
#[tokio::test]
async fn what_comes_too_late_is_refused_with_the_reason_once() {
    let study = Study::new();
    let (open, context) = (study.open(), study.context().await);
    let dov = study.world.person_elsewhere("dov", "south.test");
    study.enroll(&dov);
    let mut work = note(&study, &dov, &open, "<p>mine</p>");
    work["learning"] = json!({"type": "oer:Submission", "assessing": open.uri, "x": "unknown"});
    let first = study.got(&dov, act("Create", &dov, work.clone()));
    crate::dispatch::dispatch(&context, &first).await.unwrap();
    let id = open.id;
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    work["content"] = "<p>changed</p>".into();
    let update = study.got(&dov, act("Update", &dov, work));
    for _ in 0..2 {
        assert!(matches!(crate::dispatch::dispatch(&context, &update).await, Err(Error::Invalid(_))));
    }
    assert_eq!(kinds(&study), ["Like ", "Create study:Receipt", "Create study:Refusal"]);
    let refusal = study.sent().pop().unwrap().0;
    assert!(refusal["object"]["learning"]["reason"].as_str().unwrap().contains("being reviewed"));
    let submission = study.world.read(|db| super::find(db, id, dov.id)).unwrap();
    assert_eq!(study.world.read(|db| counted(db, submission.id)).body_html, "<p>mine</p>");
}

/// A mirror with an assignment of its home.
fn mirror() -> (Study, Assignment) {
    let (home, study) = (Study::new(), Study::mirrored());
    let open = home.open();
    let document = home.world.read(|db| assignment::apub::document(db, &open));
    let page = serde_json::from_str(&document.to_string().replace("us.test", "north.test")).unwrap();
    let page = assignment::read_page(&page).unwrap();
    let (course, teacher) = (study.course.clone(), study.world.person_elsewhere("ada", "north.test"));
    let open = study.world.tx(move |tx| {
        let id = assignment::mirror(tx, &course, &teacher, &page)?;
        assignment::get(tx, id)
    });
    (study, open)
}

#[tokio::test]
async fn work_for_a_course_elsewhere_is_sent_and_waits_for_its_answer() {
    let (study, open) = mirror();
    let (bo, id) = (study.bo.clone(), open.id);
    let (submission, _) = study.world.tx(move |tx| {
        let work = Work::written("*mine*", true, vec![], tx.now())?;
        send_in(tx, &bo, id, work)
    });
    let sent = study.sent();
    assert_eq!(sent[0].1, ["https://north.test/c/rust/inbox"], "to the course alone");
    let now = || study.world.read(|db| super::get(db, submission));
    let mut shown: Value = serde_json::from_str(&sent[0].0.to_string().replace(&now().uri, "NOTE")).unwrap();
    shown["id"] = "ACTIVITY".into();
    shown["@context"] = "CONTEXT".into();
    shown["object"]["@context"] = "CONTEXT".into();
    shown["object"]["inReplyTo"] = "ASSIGNMENT".into();
    shown["object"]["learning"]["assessing"] = "ASSIGNMENT".into();
    insta::assert_json_snapshot!(shown);
    assert_eq!(now().shown_state(), "sent");

    let context = study.context().await;
    let said = |kind: &str, by: &Actor| {
        json!({"id": format!("{}/n", by.uri), "type": "Note", "attributedTo": by.uri, "to": [study.bo.uri], "cc": [],
            "content": "", "learning": {"type": kind, "object": now().uri, "revision": 1, "late": false,
            "receivedAt": "2026-09-01T09:00:00Z", "reason": "No <b>seat</b>"}})
    };
    let mallory = study.world.person_elsewhere("mallory", "north.test");
    let forged = study.got(&mallory, act("Create", &mallory, said("study:Receipt", &mallory)));
    assert!(matches!(crate::dispatch::dispatch(&context, &forged).await, Err(Error::Denied(_))));
    assert_eq!(now().answer, HomeAnswer::Sent);
    let refusal = study.got(&study.bot, act("Create", &study.bot, said("study:Refusal", &study.bot)));
    crate::dispatch::dispatch(&context, &refusal).await.unwrap();
    assert_eq!((now().answer, now().answer_reason.as_str()), (HomeAnswer::Refused, "No seat"));
    let bo = study.bo.clone();
    study.world.tx(move |tx| {
        let work = Work::written("*again*", true, vec![], tx.now())?;
        send_in(tx, &bo, id, work)
    });
    let receipt = study.got(&study.bot, act("Create", &study.bot, said("study:Receipt", &study.bot)));
    crate::dispatch::dispatch(&context, &receipt).await.unwrap();
    assert_eq!(now().answer, HomeAnswer::Received);
    let last = study.world.read(|db| super::revisions(db, submission)).pop().unwrap();
    assert_eq!(last.received_at.rfc3339(), "2026-09-01T09:00:00Z", "the home's time");
    assert_eq!(study.notices(&study.bo).len(), 3);
    let bo = study.bo.clone();
    study.world.tx(move |tx| withdraw(tx, &bo, submission));
    assert_eq!(study.sent().pop().unwrap().0["type"], "Delete");
    let bot = study.bot.clone();
    let answer = Answer::Refused("x".into());
    assert!(study.world.attempt(move |tx| answered(tx, &bot, submission, &answer)).is_err());
    assert!(!apub::is_submission(&json!({})));
}

#[test]
fn the_home_may_fetch_a_file_that_was_sent_to_it() {
    let (study, open) = mirror();
    let file = File { name: "a.txt".into(), media_type: "text/plain".into(), bytes: "hi".into() };
    let kept = file.write(study.app.config().server.data.as_path(), study.app.chance()).unwrap();
    let (bo, id) = (study.bo.clone(), open.id);
    let file = study.world.tx(move |tx| {
        let media = media::keep(tx, &bo, &kept)?;
        let work = Work::written("x", true, vec![media], tx.now())?;
        send_in(tx, &bo, id, work)?;
        media::get(tx, media)
    });
    let attached = study.sent()[0].0["object"]["attachment"][0].clone();
    assert_eq!(attached["url"], format!("https://us.test{}", file.path()));
    let evil = study.world.person_elsewhere("m", "evil.test");
    let chi = study.world.person("chi");
    for (who, may) in [(&study.bot, true), (&study.group, true), (&evil, false), (&chi, false)] {
        assert_eq!(study.world.read(|db| Ok(may_fetch(db, who, &file).is_ok())), may, "{}", who.uri);
    }
}

/// LIF-04: whoever asked a course elsewhere for a place sees no more than a stranger until it says yes.
#[test]
fn lif_04_who_waits_for_a_place_elsewhere_sees_nothing_private() {
    let (study, open) = mirror();
    let (bo, id) = (study.bo.clone(), open.id);
    let (submission, _) = study.world.tx(move |tx| {
        let work = Work::written("*mine*", true, vec![], tx.now())?;
        send_in(tx, &bo, id, work)
    });
    let path = format!("/submissions/{}", study.world.read(|db| super::get(db, submission)).public_id);
    let (asks, stranger) = (study.person("eve"), study.person("chi"));
    let (by, cohort) = (asks.clone(), study.cohort.id);
    let place = study.world.tx(move |tx| crate::enrollment::ask(tx, &by, cohort, "please"));
    assert_eq!(study.browser(&study.bo).get(&path).status, 200, "its author sees it");
    let private = [path, format!("/assignments/{}/results", open.public_id)];
    for path in &private {
        let (one, other) = (study.browser(&asks).get(path), study.browser(&stranger).get(path));
        assert_eq!((one.status.as_u16(), other.status.as_u16()), (404, 404), "LIF-04: {path}");
    }
    for who in [&asks, &stranger] {
        let by = who.clone();
        let refused = study.world.attempt(move |tx| {
            let work = Work::written("x", true, vec![], tx.now())?;
            send_in(tx, &by, id, work)
        });
        assert!(matches!(refused, Err(Error::Denied(_))), "LIF-04: nor hands in: {refused:?}");
    }
    let still = study.world.read(|db| crate::enrollment::get(db, place.id)).state;
    assert_eq!(still, crate::enrollment::EnrollmentState::Asked, "LIF-04: and it still waits");
}
