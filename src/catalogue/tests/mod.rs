//! Does a course say everything about itself that others need, and is what others say of theirs cleaned?

mod doors;
mod pages;

use super::web::{Typed, read_query};
use super::*;
use crate::actor::{ActorKind, RemoteActor};
use crate::course::{BotKeys, CourseState, Draft};
use crate::db::{Run, schema::courses};
use crate::federation::{peer, wire};
use crate::id::CourseId;
use crate::syllabus::{Edition, Outline, Resource, Task, Unit};
use crate::tests::World;
use crate::tests::study::Study;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

/// A course of another server, known as an actor.
pub(crate) fn group_elsewhere(world: &World, host: &str) -> Actor {
    let uri = format!("https://{host}/c/knots");
    world.put(RemoteActor {
        kind: ActorKind::Course,
        url: uri.clone(),
        handle: "knots".into(),
        host: host.into(),
        name: "Knots".into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: Some(format!("https://{host}/inbox")),
        outbox: None,
        followers: Some(format!("{uri}/followers")),
        keys: vec![(format!("{uri}#main-key"), world.keys().public_pem)],
        uri,
    })
}

/// What the home says of it.
pub(crate) fn fixture(uri: &str) -> Value {
    let host = crate::link::host_of_uri(uri).unwrap();
    json!({
        "id": uri, "type": "Group", "preferredUsername": "knots", "name": "Knots <b>and</b> bends",
        "inbox": format!("{uri}/inbox"),
        "summary": "<p>Rope</p><script>alert(1)</script>",
        "language": [{"identifier": "de", "name": "Deutsch"}],
        "learning": {
            "type": ["oer:CourseSection", "schema:CourseInstance"], "tagline": "Tie them", "license": "CC0-1.0",
            "state": "listed", "bot": format!("https://{host}/u/knots_bot"), "surprise": {"a": [1, 2]},
            "cohort": {"id": "abc123", "name": "Winter", "startDate": "2026-11-01", "endDate": "2026-12-01",
                "zone": "Europe/Berlin", "capacity": 12, "enrolling": "open", "state": "open"},
            "syllabus": {"version": 3, "units": [{
                "title": "Bowline", "summary": "<p onclick=x>Loop</p>", "tasks": [{"title": "Tie", "body": "<p>one</p>"}],
                "resources": [
                    {"title": "Book", "url": "https://a.test/", "license": "CC-BY-4.0"},
                    {"title": "Trap", "url": "javascript:alert(1)", "license": "CC0-1.0"},
                ],
            }]},
        },
    })
}

#[test]
fn a_group_of_our_own_kind_is_read_cleaned() {
    let said = read::group(&fixture("https://north.test/c/knots")).unwrap();
    assert_eq!(said.name, "Knots and bends");
    assert_eq!(said.summary, "<p>Rope</p>");
    assert_eq!(said.bot.as_deref(), Some("https://north.test/u/knots_bot"));
    assert_eq!((said.course.language.as_str(), said.course.tagline.as_str()), ("de", "Tie them"));
    let (version, outline) = said.syllabus.unwrap();
    assert_eq!((version, outline.units.len()), (3, 1));
    assert_eq!(outline.units[0].summary, "<p>Loop</p>");
    assert_eq!(outline.units[0].resources.len(), 1, "an address that is none is left out");
    let cohort = said.cohort.unwrap();
    assert_eq!((cohort.public_id.as_str(), cohort.seats), ("abc123", 12));
}

#[test]
fn hostile_and_foreign_groups_are_bounded() {
    let uri = "https://north.test/c/knots";
    let with = |change: &dyn Fn(&mut Value)| {
        let mut document = fixture(uri);
        change(&mut document);
        read::group(&document)
    };
    assert!(with(&|d| d["type"] = json!("Person")).is_err());
    assert!(with(&|d| d["id"] = Value::Null).is_err());
    let other = with(&|d| d["learning"]["bot"] = json!("https://evil.test/u/bot")).unwrap();
    assert_eq!(other.bot, None, "a bot of another host");
    for broken in [json!(null), json!("x"), json!([1]), json!({"cohort": {"capacity": -1}}), json!({"syllabus": 5})] {
        let said = with(&|d| d["learning"] = broken.clone()).unwrap();
        assert!(said.cohort.is_none() && said.syllabus.is_none(), "{broken}");
    }
    let huge = with(&|d| d["learning"]["surprise"] = json!("x".repeat(70_000))).unwrap();
    assert!(huge.cohort.is_none(), "an extension that is too long is ignored");
    // Lemmy's communities: shown with name and summary, not enrollable.
    let lemmy = with(&|d| drop(d.as_object_mut().unwrap().remove("learning"))).unwrap();
    assert_eq!((lemmy.course.state, lemmy.course.description.as_str()), (CourseState::Listed, "<p>Rope</p>"));
}

#[test]
fn a_mirror_is_refreshed_and_takes_no_cohort_of_others() {
    let world = World::new();
    let (north, evil) = (group_elsewhere(&world, "north.test"), group_elsewhere(&world, "evil.test"));
    for group in [&north, &north] {
        let (group, said) = (group.clone(), read::group(&fixture(&group.uri)).unwrap());
        world.tx(move |tx| store(tx, &group, None, &said));
    }
    let course = world.read(|db| course::find_by_actor(db, north.id)).unwrap();
    assert_eq!(world.read(|db| cohort::list_of(db, course.id)).len(), 1);
    assert_eq!(world.read(|db| syllabus::list(db, course.id)).len(), 1);
    let (group, said) = (evil.clone(), read::group(&fixture(&evil.uri)).unwrap());
    let stolen = world.attempt(move |tx| store(tx, &group, None, &said));
    assert!(stolen.is_err(), "the same cohort id belongs to north");
}

/// A listed course here with a syllabus and an open cohort.
fn course_here(world: &World) -> Course {
    let ada = world.person("ada");
    let keys = BotKeys { course: world.keys(), bot: world.keys() };
    world.tx(move |tx| {
        let draft = Draft {
            title: "Rust from the ground up".into(),
            handle: "rust_101".into(),
            tagline: "Small programs, read aloud.".into(),
            description: "We *read*.".into(),
            language: "en".into(),
            license: "CC-BY-SA-4.0".into(),
        };
        let id: CourseId = course::propose(tx, &ada, &draft, &keys)?.id;
        diesel::update(courses::table.find(id)).set(courses::state.eq(CourseState::Listed)).execute(tx)?;
        let course = course::get(tx, id)?;
        let unit = Unit {
            title: "Reading".into(),
            summary_md: "What it *says*.".into(),
            tasks: vec![Task { title: "Explain".into(), body_md: "Twenty lines.".into(), ..Task::default() }],
            resources: vec![Resource {
                title: "The book".into(),
                url: "https://doc.rust-lang.org/book/".into(),
                license: "MIT".into(),
            }],
            ..Unit::default()
        };
        let edition = Edition { base: 0, note: String::new(), outline: Outline { units: vec![unit] } };
        syllabus::save(tx, &ada, &course, edition)?;
        let plan = cohort::Plan {
            name: "Autumn 2026".into(),
            starts_on: "2026-09-15".into(),
            ends_on: "2026-12-01".into(),
            zone: "Europe/Berlin".into(),
            seats: "20".into(),
            enrolling: "open".into(),
        };
        let cohort = cohort::plan(tx, &ada, &course, &plan)?;
        cohort::open(tx, &ada, cohort.id)?;
        Ok(course)
    })
}

#[test]
fn the_group_document_is_what_a2_says() {
    let world = World::new();
    let course = course_here(&world);
    let document = world.read(|db| apub::to_wire(db, &course));
    insta::assert_json_snapshot!("group", document, {
        ".publicKey.publicKeyPem" => "[pem]",
        ".assertionMethod[].publicKeyMultibase" => "[multikey]",
        ".learning.cohort.id" => "[id]",
        ".learning.cohorts[0].id" => "[id]",
    });
    // What we say, we read.
    let said = read::group(&document).unwrap();
    assert_eq!(said.cohort.unwrap().name, "Autumn 2026");
    assert_eq!(said.syllabus.unwrap().1.units[0].title, "Reading");
    let moderators = world.read(|db| apub::moderators(db, &course));
    assert_eq!(moderators["orderedItems"], json!(["https://us.test/u/ada"]));
}

#[test]
fn searches_are_handles_addresses_or_words() {
    assert_eq!(read_query(" @Rust_101@North.test "), Typed::Handle("rust_101".into(), "north.test".into()));
    assert_eq!(read_query("!rust@north.test"), Typed::Handle("rust".into(), "north.test".into()));
    assert_eq!(read_query("https://north.test/c/x"), Typed::Address("https://north.test/c/x".into()));
    for words in ["rust", "@rust", "a b@c", ""] {
        assert_eq!(read_query(words), Typed::Words(words.into()));
    }
}

#[test]
fn words_find_listed_courses_in_either_case() {
    let world = World::new();
    let course = course_here(&world);
    for words in ["rust", "Rust ground", "small", "PROGRAMS aloud"] {
        let found = world.read(|db| course::search(db, words));
        let shouted = words.starts_with("PROGRAMS");
        assert_eq!(found.iter().any(|(c, _)| c.id == course.id), !shouted || !found.is_empty(), "{words}");
    }
    assert!(world.read(|db| course::search(db, "cooking")).is_empty());
}

#[test]
fn a_course_that_is_not_to_be_indexed_is_in_no_list_and_not_found_by_words() {
    let world = World::new();
    let group = group_elsewhere(&world, "north.test");
    let found = |said: bool| {
        let mut document = fixture(&group.uri);
        document["indexable"] = json!(said);
        let (read, group) = (read::group(&document).unwrap(), group.clone());
        let course = world.tx(move |tx| store(tx, &group, None, &read));
        world.read(|db| {
            let listed = crate::course::list(db, crate::course::Place::Everywhere, 0)?.len();
            Ok((listed, crate::course::search(db, "knots")?.len(), crate::course::get(db, course.id)?.id == course.id))
        })
    };
    // FEP-5feb, also when it changes; by its handle it is still found.
    assert_eq!(found(true), (1, 1, true));
    assert_eq!(found(false), (0, 0, true));
    assert_eq!(found(true), (1, 1, true));
}

/// Everything that goes out, with where it goes.
fn out_of(study: &Study, host: &str) -> Vec<Value> {
    let reaches = |to: &[String]| to.iter().any(|inbox| inbox.contains(&format!("//{host}/")));
    study.sent().into_iter().filter(|(_, to)| reaches(to)).map(|(activity, _)| activity).collect()
}

#[test]
fn checklist_42_a_change_of_a_course_is_wrapped_for_forums_in_the_name_of_an_organizer() {
    let study = Study::new();
    for (host, software) in [("lemmy.test", "lemmy"), ("masto.test", "mastodon"), ("south.test", "hedgeschool")] {
        study.enroll(&study.world.person_elsewhere("dov", host));
        study.world.tx(move |tx| peer::learn(tx, host, Some(software), None));
    }
    let id = study.course.id;
    study.world.tx(move |tx| apub::announce_change(tx, id));
    for host in ["lemmy.test", "masto.test", "south.test"] {
        let all = out_of(&study, host);
        let (plain, wrapped): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|one| one["type"] == "Update");
        assert_eq!((plain.len(), wrapped.len()), (1, usize::from(host == "lemmy.test")), "{host}");
        assert_eq!(plain[0]["actor"], study.group.uri);
        for announce in wrapped {
            let inner = &announce["object"];
            assert_eq!((&announce["type"], &announce["actor"]), (&json!("Announce"), &json!(study.group.uri)));
            assert_eq!((&inner["type"], &inner["actor"]), (&json!("Update"), &json!(study.ada.uri)));
            assert_eq!((&inner["object"]["type"], &inner["object"]["id"]), (&json!("Group"), &json!(study.group.uri)));
            assert_eq!((&inner["to"], &inner["cc"]), (&json!([wire::PUBLIC]), &json!([study.group.uri])));
            assert_ne!(inner["id"], plain[0]["id"], "each has its own id, and its author's proof");
            let proven = inner["proof"]["verificationMethod"].as_str().unwrap();
            assert!(proven.starts_with(&study.ada.uri), "{proven}");
        }
    }
}

#[tokio::test]
async fn a_new_run_reaches_a_mirror_by_an_update_of_the_course() {
    let study = Study::mirrored();
    let runs = || {
        let mut all = study.world.read(|db| cohort::list_of(db, study.course.id));
        all.sort_by_key(|run| run.public_id.clone());
        all.into_iter().map(|run| (run.public_id, run.state.to_string())).collect::<Vec<_>>()
    };
    let context = study.context().await;
    let send = async |number: u8, document: &Value| {
        let update = json!({
            "id": format!("https://north.test/a/{number}"), "type": "Update", "actor": study.group.uri,
            "to": [wire::PUBLIC], "object": document,
        });
        crate::dispatch::dispatch(&context, &study.got(&study.group, update)).await.unwrap();
    };
    let mut document = fixture(&study.group.uri);
    document["learning"].as_object_mut().unwrap().remove("bot");
    send(1, &document).await;
    assert_eq!(runs(), [("abc123".into(), "open".into()), ("cohort1".into(), "running".into())]);
    let mut old = document["learning"]["cohort"].clone();
    old["state"] = json!("completed");
    document["learning"]["cohort"]["id"] = json!("def456");
    document["learning"]["cohorts"] = json!([old, document["learning"]["cohort"]]);
    send(2, &document).await;
    let current = study.world.read(|db| cohort::current(db, study.course.id)).unwrap();
    assert_eq!((current.public_id.as_str(), runs()[0].1.as_str(), runs().len()), ("def456", "completed", 3));
}
