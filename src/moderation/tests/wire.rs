//! Do reports, bans and removals look on the wire as each software expects them?

use super::*;
use crate::course::ban::{self, Term};
use crate::db::schema::objects;
use crate::domain;
use crate::error::Error;
use crate::submission;

/// Ids that are drawn by lot become words; the context stays away.
pub(super) fn still(mut document: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::String(text) => {
                for place in ["/a/", "/o/"] {
                    if let Some(at) = text.find(&format!("us.test{place}")) {
                        text.truncate(at + 7 + place.len());
                        text.push_str("ID");
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(walk),
            Value::Object(map) => {
                map.shift_remove("@context");
                if map.contains_key("proofValue") {
                    map.insert("proofValue".into(), "[signature]".into());
                }
                map.values_mut().for_each(walk);
            }
            _ => {}
        }
    }
    walk(&mut document);
    document
}

/// Flags as Mastodon, Lemmy and PieFed send them.
fn flags(study: &Study, post: &Post) -> Vec<(&'static str, Value)> {
    let (accused, id) = (study.bo.uri.clone(), post.uri.clone());
    vec![
        (
            "mastodon",
            json!({
                "@context": "https://www.w3.org/ns/activitystreams", "id": "https://masto.test/flags/1", "type": "Flag",
                "actor": "https://masto.test/actor", "content": "Rude words", "object": [accused, id],
                "to": "https://us.test/u/bo",
            }),
        ),
        (
            "lemmy",
            json!({
                "@context": ["https://join-lemmy.org/context.json"], "id": "https://lemmy.test/activities/flag/1",
                "type": "Flag", "actor": "https://lemmy.test/u/lea", "to": [study.group.uri], "object": id,
                "summary": "Rude words", "content": "Rude words", "audience": study.group.uri,
            }),
        ),
        (
            "piefed",
            json!({
                "id": "https://piefed.test/activities/flag/1", "type": "Flag", "actor": "https://piefed.test/u/pia",
                "object": id, "summary": "Rude words", "to": [study.group.uri], "cc": [],
            }),
        ),
    ]
}

#[tokio::test]
async fn checklist_29_and_68_a_flag_of_any_shape_becomes_a_report_with_its_evidence() {
    let study = Study::new();
    let post = say(&study, &study.bo, "Hm", "Rude words here");
    for (software, flag) in flags(&study, &post) {
        let actor = flag["actor"].as_str().unwrap();
        let (host, handle) = (url::Url::parse(actor).unwrap(), actor.rsplit('/').next().unwrap().to_owned());
        let mut signer = study.world.person_elsewhere(&handle, host.host_str().unwrap());
        signer.uri = actor.to_owned();
        for _ in 0..2 {
            arrives(&study, &signer, flag.clone()).await.unwrap();
        }
        let open = study.world.read(|db| list(db, &study.ada, true, 1));
        let case = open.last().unwrap();
        assert_eq!((case.accused.id, case.report.text.as_str()), (study.bo.id, "Rude words"), "{software}");
        assert_eq!(case.report.subject_uri, post.uri, "{software}");
        let evidence = study.world.read(|db| evidence(db, case.report.id));
        assert!(evidence.iter().any(|piece| piece.body_html.contains("Rude words here")), "{software}");
    }
    assert_eq!(
        study.world.read(|db| list(db, &study.ada, true, 1)).len(),
        3,
        "one for each Flag, however often it came"
    );
    // What concerns nobody here has no effect; 5000 characters and 50 things at most.
    let mallory = study.world.person_elsewhere("mallory", "evil.test");
    let many: Vec<String> = (0..200).map(|n| format!("https://evil.test/o/{n}")).collect();
    let flood = json!({"id": "https://evil.test/f/1", "type": "Flag", "actor": mallory.uri, "object": many,
        "content": "x".repeat(20_000)});
    arrives(&study, &mallory, flood).await.unwrap();
    let long = json!({"id": "https://evil.test/f/2", "type": "Flag", "actor": mallory.uri, "object": study.bo.uri,
        "content": "x".repeat(20_000)});
    arrives(&study, &mallory, long).await.unwrap();
    let chi = moderator(&study, "chi");
    let all = study.world.read(|db| list(db, &chi, true, 1));
    assert_eq!(all.len(), 4);
    assert!(all[3].report.text.chars().count() <= TEXT);
}

#[tokio::test]
async fn checklist_29_assignments_and_work_are_reported_by_who_may_see_them() {
    let study = Study::new();
    let asked = study.open();
    let mia = follower(&study, "mia", "lemmy.test", "lemmy");
    let (bo, id, now) = (study.bo.clone(), asked.id, study.world.clock.now());
    let (work, _) = study
        .world
        .tx(move |tx| submission::hand_in(tx, &bo, id, submission::Work::written("My *work*", true, vec![], now)?));
    let work = study.world.read(|db| submission::get(db, work));
    let flag = |object: &str, n: usize| {
        json!({"id": format!("https://lemmy.test/f/{n}"), "type": "Flag", "actor": mia.uri, "object": object,
            "summary": "Wrong"})
    };
    let told = || study.world.read(|db| list(db, &study.ada, true, 1)).len();
    let chi = moderator(&study, "chi");
    let all = || study.world.read(|db| list(db, &chi, true, 1));
    arrives(&study, &mia, flag(&asked.uri, 1)).await.unwrap();
    assert_eq!(all().last().unwrap().report.subject_uri, asked.uri);
    assert_eq!((all().last().unwrap().accused.id, told()), (study.ada.id, 0), "about an organizer");
    arrives(&study, &mia, flag(&work.uri, 2)).await.unwrap();
    assert_eq!(all().len(), 1, "they cannot have seen it");
    let uri = work.uri.clone();
    study.world.tx(move |tx| {
        diesel::update(objects::table.find(uri)).set(objects::public.eq(true)).execute(tx)?;
        Ok(())
    });
    arrives(&study, &mia, flag(&work.uri, 3)).await.unwrap();
    let case = all().pop().unwrap();
    assert_eq!((case.report.subject_uri, case.accused.id, told()), (work.uri, study.bo.id, 1));
    let evidence = study.world.read(|db| evidence(db, case.report.id));
    assert!(evidence[0].body_html.contains("<em>work</em>"));
}

#[tokio::test]
async fn no_reports_are_taken_from_where_a_rule_says_so() {
    let study = Study::new();
    let post = say(&study, &study.bo, "Hm", "Rude words here");
    let lea = study.world.person_elsewhere("lea", "lemmy.test");
    study.world.tx(|tx| {
        let rule =
            domain::NewRule { reject_reports: true, ..domain::NewRule::of("lemmy.test", domain::Severity::Admit) };
        domain::put(tx, None, &rule).map(drop)
    });
    let flag = json!({"id": "https://lemmy.test/f/1", "type": "Flag", "actor": lea.uri, "object": post.uri});
    arrives(&study, &lea, flag).await.unwrap();
    assert!(study.world.read(|db| list(db, &study.ada, true, 1)).is_empty());
}

#[test]
fn checklist_68_a_flag_fits_its_receiver_and_never_names_the_reporter() {
    let study = Study::new();
    let whistle = study.person("whistleblower");
    study.enroll(&whistle);
    for (handle, host, software) in
        [("mia", "masto.test", "mastodon"), ("lem", "lemmy.test", "lemmy"), ("pia", "piefed.test", "piefed")]
    {
        let accused = follower(&study, handle, host, software);
        let post = say(&study, &accused, "Hm", "Rude");
        let made = complain(&study, &whistle, vec![About::Post(post.id)], "My secret words, says whistleblower");
        let before = study.sent().len();
        let (ada, id) = (study.ada.clone(), made.id);
        study.world.tx(move |tx| forward(tx, &ada, id, "Insults learners"));
        let (ada, id) = (study.ada.clone(), made.id);
        let twice = study.world.attempt(move |tx| forward(tx, &ada, id, "Insults learners"));
        assert!(matches!(twice, Err(Error::Conflict(_))));
        let out = study.sent().split_off(before);
        let (flag, to) = &out[0];
        assert_eq!((out.len(), to.as_slice()), (1, &[accused.inbox.clone()][..]), "{software}");
        // Byte search: neither name nor words of the reporter are anywhere in it.
        let bytes = flag.to_string();
        assert!(!bytes.contains("whistle") && !bytes.contains("secret"), "{bytes}");
        assert_eq!(flag["to"].as_array().unwrap().len(), 1, "{software}");
        assert_eq!(flag["object"].is_array(), software == "mastodon", "{software}");
        insta::assert_json_snapshot!(format!("flag_{software}"), still(flag.clone()));
    }
}

#[test]
fn checklist_42_the_wire_forms_of_a_ban_stay_as_they_are() {
    let study = Study::new();
    let lem = follower(&study, "lem", "lemmy.test", "lemmy");
    let (ada, course, whom) = (study.ada.clone(), study.course.clone(), lem.clone());
    let ends_at = Some(study.world.clock.now().plus(crate::tests::study::DAY));
    study.world.tx(move |tx| {
        let term = Term { reason: "spam".into(), ends_at, removes: true, uri: None };
        ban::ban(tx, &ada, &course, &whom, &term).map(drop)
    });
    let (ada, course, whom) = (study.ada.clone(), study.course.clone(), lem.id);
    study.world.tx(move |tx| ban::unban(tx, &ada, &course, whom));
    insta::assert_json_snapshot!("block", still(wrapped(&study, "Block")[0].0.clone()));
    insta::assert_json_snapshot!("reject", still(sent(&study, "Reject")[0].0.clone()));
    insta::assert_json_snapshot!("undo_block", still(wrapped(&study, "Undo")[0].0.clone()));
}

#[test]
fn checklist_53_a_removal_is_a_wrapped_delete_and_an_undone_announcement_and_is_brought_back() {
    let study = Study::new();
    follower(&study, "mia", "masto.test", "mastodon");
    follower(&study, "lem", "lemmy.test", "lemmy");
    let post = say(&study, &study.bo, "Title", "text");
    let (ada, id) = (study.ada.clone(), post.id);
    study.world.tx(move |tx| discussion::delete(tx, &ada, id, "off topic"));
    let (delete, to) = wrapped(&study, "Delete").remove(0);
    assert_eq!(to, ["https://lemmy.test/inbox"]);
    assert_eq!(delete["object"]["summary"], "off topic");
    let (undo, to) = sent(&study, "Undo").remove(0);
    assert_eq!((undo["object"]["type"].as_str(), to), (Some("Announce"), vec!["https://masto.test/inbox".to_owned()]));
    let (ada, id) = (study.ada.clone(), post.id);
    study.world.tx(move |tx| discussion::restore(tx, &ada, id));
    let (undo, to) = wrapped(&study, "Undo").remove(0);
    assert_eq!(
        (undo["object"]["object"]["type"].as_str(), to),
        (Some("Delete"), vec!["https://lemmy.test/inbox".into()])
    );
    assert_eq!(undo["object"]["object"]["id"], delete["object"]["id"], "the very Delete is undone");
    let again = study.sent().into_iter().filter(|(a, _)| a["type"] == "Announce" && a["object"] == json!(post.uri));
    assert_eq!(
        again.filter(|(_, to)| *to == ["https://masto.test/inbox"]).count(),
        2,
        "announced, taken back, announced"
    );
}

#[test]
fn checklist_9_removed_is_404_and_deleted_is_410_also_as_activities() {
    let study = Study::new();
    let post = say(&study, &study.bo, "Title", "text");
    let create = sent(&study, "Create").remove(0).0["id"].as_str().unwrap().to_owned();
    let paths = [format!("/o/{}", post.public_id), create.replace("https://us.test", "")];
    let ask = |path: &str| {
        let mut browser = study.browser(&study.ada);
        browser.headers.push(("accept", "application/activity+json".into()));
        browser.get(path).status.as_u16()
    };
    for path in &paths {
        assert_eq!(ask(path), 200, "{path}");
    }
    let (ada, id) = (study.ada.clone(), post.id);
    study.world.tx(move |tx| discussion::delete(tx, &ada, id, "off topic"));
    for path in &paths {
        assert_eq!(ask(path), 404, "{path}");
    }
    let (bo, id) = (study.bo.clone(), post.id);
    study.world.tx(move |tx| discussion::delete(tx, &bo, id, ""));
    assert_eq!(study.world.read(|db| discussion::get(db, id)).body_html, "", "its author may still erase it");
}
