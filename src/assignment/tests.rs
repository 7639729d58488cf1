//! Are assignments asked, opened, changed and mirrored by the rules?

use super::{AssignmentState, ReadPage, apub, read_page};
use crate::assignment;
use crate::db::{Run, schema::jobs};
use crate::error::Error;
use crate::federation::peer;
use crate::tests::study::{DAY, HOUR, Study};
use diesel::QueryDsl;
use serde_json::{Value, json};

/// A name, and what is changed for the worse.
type Spoilt<T> = (&'static str, fn(&mut T));

fn jobs(study: &Study) -> Vec<(String, i64)> {
    study.world.read(|db| Ok(jobs::table.select((jobs::kind, jobs::run_at)).load(db)?))
}

#[test]
fn only_who_leads_may_write_and_open() {
    let study = Study::new();
    let (bo, ada, cohort, draft) = (study.bo.clone(), study.ada.clone(), study.cohort.id, study.draft());
    let same = draft.clone();
    let refused = study.world.attempt(move |tx| assignment::draft(tx, &bo, cohort, &same)).unwrap_err();
    assert!(matches!(refused, Error::Denied(_)));
    let by = ada.clone();
    let id = study.world.tx(move |tx| assignment::draft(tx, &by, cohort, &draft));
    let bo = study.bo.clone();
    let hidden = study.world.attempt(move |tx| assignment::open(tx, &bo, id)).unwrap_err();
    assert!(matches!(hidden, Error::NotFound), "a draft is not there for others: {hidden}");
    assert!(study.world.read(|db| assignment::list_of_course(db, study.course.id, false)).is_empty());
    study.world.tx(move |tx| assignment::open(tx, &ada, id));
    let open = study.world.read(|db| assignment::get(db, id));
    assert_eq!((open.state, open.rubric_hash.len()), (AssignmentState::Open, 64));
    assert_eq!(jobs(&study), [("assignment_due".into(), open.due_at.0)]);
    assert!(study.notices(&study.bo)[0].contains("is open"));
}

#[test]
fn a_rubric_outside_the_bounds_is_refused() {
    let study = Study::new();
    let spoil: Vec<Spoilt<super::Draft>> = vec![
        ("none", |d| d.rubric.criteria.clear()),
        ("one level", |d| d.rubric.criteria[0].levels.truncate(1)),
        ("twice the word", |d| d.rubric.criteria[1].id = "CLEAR".into()),
        ("space in the word", |d| d.rubric.criteria[1].id = "a b".into()),
        ("no number", |d| d.rubric.criteria[1].levels[0].points = f64::NAN),
        ("endless", |d| d.rubric.criteria[1].levels[1].points = f64::INFINITY),
        ("falling", |d| d.rubric.criteria[0].levels[2].points = 0.5),
        ("too many", |d| d.rubric.criteria = vec![d.rubric.criteria[0].clone(); 13]),
    ];
    for (name, change) in spoil {
        let (ada, cohort, mut draft) = (study.ada.clone(), study.cohort.id, study.draft());
        change(&mut draft);
        let error = study.world.attempt(move |tx| assignment::draft(tx, &ada, cohort, &draft)).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{name}: {error}");
    }
}

#[test]
fn an_open_one_keeps_its_rubric_and_may_move_its_end() {
    let study = Study::new();
    let open = study.open();
    let (ada, id, mut draft) = (study.ada.clone(), open.id, study.draft());
    draft.rubric.criteria.pop();
    let error = study.world.attempt(move |tx| assignment::edit(tx, &ada, id, &draft)).unwrap_err();
    assert!(error.to_string().contains("cannot be changed"), "{error}");
    let (ada, due) = (study.ada.clone(), open.due_at.plus(DAY));
    study.world.tx(move |tx| assignment::postpone(tx, &ada, id, due, due.plus(DAY)));
    assert_eq!(jobs(&study), [("assignment_due".into(), due.0)]);
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    assert_eq!(jobs(&study), [("reviews_due".into(), due.plus(DAY).0)]);
    let ada = study.ada.clone();
    let error = study.world.attempt(move |tx| assignment::postpone(tx, &ada, id, due.plus(HOUR), due.plus(DAY)));
    assert!(error.unwrap_err().to_string().contains("Hand-in has ended"));
    study.world.tx(move |tx| assignment::release(tx, None, id));
    assert!(jobs(&study).is_empty());
}

/// Ids that chance made, out of a document, so that a snapshot stays.
fn settled(study: &Study, value: &Value) -> Value {
    let mut text = value.to_string();
    let open = study.world.read(|db| assignment::list_of_course(db, study.course.id, false)).remove(0);
    text = text.replace(&open.public_id, "ASSIGNMENT");
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["id"] = "https://us.test/a/ACTIVITY".into();
    document["@context"] = "CONTEXT".into();
    if let Some(object) = document["object"].as_object_mut() {
        object.insert("@context".into(), "CONTEXT".into());
    }
    if let Some(proof) = document["proof"].as_object_mut() {
        proof.insert("proofValue".into(), "[signature]".into());
        proof.insert("@context".into(), "CONTEXT".into());
    }
    document
}

#[test]
fn opening_tells_the_world() {
    let study = Study::new();
    let dov = study.world.person_elsewhere("dov", "south.test");
    study.enroll(&dov);
    study.open();
    let sent = study.sent();
    assert_eq!(sent[0].0["type"], "Create");
    assert_eq!(sent[0].1, ["https://south.test/inbox"]);
    insta::assert_json_snapshot!(settled(&study, &sent[0].0));
}

#[test]
fn a_move_of_the_end_is_an_update() {
    let study = Study::new();
    study.enroll(&study.world.person_elsewhere("dov", "south.test"));
    let open = study.open();
    study.world.pass(HOUR);
    let (ada, due) = (study.ada.clone(), open.due_at.plus(DAY));
    study.world.tx(move |tx| assignment::postpone(tx, &ada, open.id, due, due.plus(DAY)));
    let sent = study.sent();
    let update = sent.iter().map(|(activity, _)| activity).find(|a| a["type"] == "Update").unwrap();
    assert_eq!(update["object"]["learning"]["due"], due.rfc3339());
    assert_eq!(update["object"]["updated"], study.world.clock.now().rfc3339());
}

#[test]
fn checklist_42_an_edit_is_wrapped_for_forums_and_comes_of_its_author_to_microblogs() {
    let study = Study::new();
    for (host, software) in [("lemmy.test", "lemmy"), ("masto.test", "mastodon"), ("south.test", "hedgeschool")] {
        study.enroll(&study.world.person_elsewhere("dov", host));
        study.world.tx(move |tx| peer::learn(tx, host, Some(software), None));
    }
    let open = study.open();
    let before = study.sent().len();
    let (ada, mut draft) = (study.ada.clone(), study.draft());
    draft.title = "Explain thirty lines".into();
    study.world.tx(move |tx| assignment::edit(tx, &ada, open.id, &draft));
    let sent = study.sent().split_off(before);
    let got = |host: &str, kind: &str| {
        let reaches = |to: &[String]| to.iter().any(|inbox| inbox.contains(&format!("//{host}/")));
        let found = sent.iter().filter(|(activity, to)| activity["type"] == kind && reaches(to));
        found.map(|(activity, _)| activity.clone()).collect::<Vec<_>>()
    };
    for host in ["lemmy.test", "south.test"] {
        let wrapped = got(host, "Announce");
        assert_eq!(wrapped.len(), 1, "{host}");
        assert_eq!(wrapped[0]["object"]["type"], "Update", "{host}");
        assert_eq!(wrapped[0]["object"]["object"]["name"], "Explain thirty lines", "{host}");
    }
    assert_eq!((got("masto.test", "Announce").len(), got("masto.test", "Update").len()), (0, 1));
}

fn page(study: &Study) -> Value {
    let open = study.open();
    study.world.read(|db| apub::document(db, &open))
}

#[test]
fn our_own_page_reads_back() {
    let study = Study::new();
    let document = page(&study);
    let read = read_page(&document).unwrap();
    assert_eq!(read.rubric, crate::tests::study::rubric());
    assert_eq!((read.reviews_each, read.state, read.cohort.as_deref()), (3, AssignmentState::Open, Some("cohort1")));
    let summary = document["summary"].as_str().unwrap();
    assert!(summary.starts_with(&read.summary) && !read.summary.contains("Hand in by"), "{}", read.summary);
    assert!(summary.contains("Hand in by 3 Sep 2026, 08:00 UTC: reply to this post"), "{summary}");
}

#[test]
fn strange_pages_are_refused_or_bounded() {
    let study = Study::new();
    let good = page(&study);
    let spoiled: Vec<Spoilt<Value>> = vec![
        ("no extension", |p| p["learning"] = Value::Null),
        ("another type", |p| p["learning"]["type"] = "oer:Quiz".into()),
        ("author elsewhere", |p| p["attributedTo"] = "https://evil.test/u/m".into()),
        ("two authors", |p| p["attributedTo"] = json!(["https://us.test/u/ada", "https://us.test/u/bo"])),
        ("far date", |p| p["learning"]["due"] = "9999-01-01T00:00:00Z".into()),
        ("thirteen criteria", |p| {
            let one = p["learning"]["rubric"]["hasCriterion"][0].clone();
            p["learning"]["rubric"]["hasCriterion"] = json!(vec![one; 13]);
        }),
        ("points as text", |p| {
            p["learning"]["rubric"]["hasCriterion"][0]["rubricScale"]["hasLevel"][0]["levelPoints"] = "5".into();
        }),
        ("huge", |p| p["learning"]["x"] = "x".repeat(70_000).into()),
    ];
    for (name, change) in spoiled {
        let mut document = good.clone();
        change(&mut document);
        if name == "far date" {
            document["endTime"] = Value::Null;
        }
        assert!(matches!(read_page(&document), Err(Error::Denied(_))), "{name}");
    }
    let mut odd = good;
    odd["learning"]["surprise"] = json!({"a": [1, 2]});
    odd["content"] = "<p>hi<script>alert(1)</script></p>".into();
    let read = read_page(&odd).unwrap();
    assert!(!read.html.contains("script"), "{}", read.html);
}

fn of_north(study: &Study) -> ReadPage {
    let home = Study::new();
    let text = page(&home).to_string().replace("us.test", "north.test");
    let _ = study;
    read_page(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn a_mirror_takes_over_what_the_home_says_and_never_goes_back() {
    let study = Study::mirrored();
    let teacher = study.world.person_elsewhere("ada", "north.test");
    let (mut page, course) = (of_north(&study), study.course.clone());
    page.author = teacher.uri.clone();
    let (first, who, on) = (page.clone(), teacher.clone(), course.clone());
    let id = study.world.tx(move |tx| assignment::mirror(tx, &on, &who, &first));
    assert_eq!(study.notices(&study.bo).len(), 1);
    page.state = AssignmentState::Review;
    page.updated_at = page.updated_at.plus(HOUR);
    let (second, who, on) = (page.clone(), teacher.clone(), course.clone());
    study.world.tx(move |tx| assignment::mirror(tx, &on, &who, &second));
    page.state = AssignmentState::Open;
    page.updated_at = page.updated_at.plus(HOUR);
    let on = course.clone();
    study.world.tx(move |tx| assignment::mirror(tx, &on, &teacher, &page));
    assert_eq!(study.world.read(|db| assignment::get(db, id)).state, AssignmentState::Review);
    assert!(study.sent().is_empty(), "a mirror announces nothing");
    let (bo, due) = (study.bo.clone(), study.world.clock.now().plus(DAY));
    let refused = study.world.attempt(move |tx| assignment::postpone(tx, &bo, id, due, due.plus(DAY))).unwrap_err();
    assert!(matches!(refused, Error::Denied(_)));
}
