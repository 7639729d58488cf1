//! Are threads closed, posts pinned and organizers appointed by those who may, here and between servers?

use super::wire::still;
use super::*;
use crate::actor::{ActorKind, ActorState, NewActor};
use crate::course::ban;
use crate::db::schema::{cohorts, course_organizers, courses, enrollments};
use crate::enrollment::{self, EnrollmentState};
use crate::error::Error;
use crate::federation::object;
use crate::federation::town::Town;
use crate::id::{CohortId, CourseId};

fn organizer(study: &Study, whom: &Actor) {
    let (ada, id, whom) = (study.ada.clone(), study.course.id, whom.clone());
    study.world.tx(move |tx| course::appoint(tx, &ada, id, &whom, true));
}

fn act(study: &Study, by: &Actor, kind: &str, object: Value, target: Option<&str>) -> Value {
    let mut act = json!({
        "id": format!("https://{}/{kind}/{}", by.host, study.sent().len()), "type": kind, "actor": by.uri, "object": object,
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [study.group.uri], "audience": study.group.uri,
    });
    if let Some(target) = target {
        act["target"] = json!(format!("{}/{target}", study.group.uri));
    }
    act
}

#[test]
fn checklist_42_the_wire_forms_of_closing_pinning_and_appointing_stay_as_they_are() {
    let study = Study::new();
    let lem = follower(&study, "lem", "lemmy.test", "lemmy");
    follower(&study, "mia", "masto.test", "mastodon");
    let post = say(&study, &study.bo, "Title", "text");
    let (ada, uri) = (study.ada.clone(), post.uri.clone());
    study.world.tx(move |tx| {
        discussion::lock(tx, &ada, &uri, true)?;
        discussion::pin(tx, &ada, &uri, true)
    });
    organizer(&study, &lem);
    for (name, kind) in [("lock", "Lock"), ("add", "Add")] {
        let (announce, to) = wrapped(&study, kind).remove(0);
        assert_eq!(to, ["https://lemmy.test/inbox"], "{kind} goes to forums alone");
        insta::assert_json_snapshot!(name, still(announce));
    }
    let document = study.world.read(|db| discussion::apub::document(db, post.id));
    assert_eq!(document["interactionPolicy"]["canReply"]["automaticApproval"], json!([]), "as GoToSocial reads it");
    let featured = study.world.read(|db| crate::catalogue::apub::featured(db, &study.course));
    assert_eq!(featured["orderedItems"][0]["id"], json!(post.uri));
    let moderators = study.world.read(|db| crate::catalogue::apub::moderators(db, &study.course));
    assert_eq!(moderators["orderedItems"], json!([study.ada.uri, lem.uri]));
    let (ada, uri, id, whom) = (study.ada.clone(), post.uri.clone(), study.course.id, lem.id);
    study.world.tx(move |tx| {
        discussion::lock(tx, &ada, &uri, false)?;
        discussion::pin(tx, &ada, &uri, false)?;
        course::remove_organizer(tx, &ada, id, whom)
    });
    assert_eq!(wrapped(&study, "Undo")[0].0["object"]["object"]["type"], "Lock");
    assert_eq!(wrapped(&study, "Remove").len(), 2);
    let log = study.world.read(|db| list_rulings(db, &study.ada, 1));
    let acts: Vec<&str> = log.iter().rev().map(|line| line.ruling.act.as_str()).collect();
    assert_eq!(acts, ["locked", "pinned", "appointed", "unlocked", "unpinned", "relieved"]);
}

#[tokio::test]
async fn a_closed_thread_and_assignment_take_nothing_but_from_organizers() {
    let study = Study::new();
    let post = say(&study, &study.bo, "Title", "text");
    let assignment = study.open();
    let mut ada = study.browser(&study.ada);
    ada.submit_form(&post.path(), &format!("{}/lock", post.path()), &[]).ok();
    ada.submit_form(&assignment.path(), &format!("{}/lock", assignment.path()), &[]).ok();
    let mut bo = study.browser(&study.bo);
    let shown = bo.get(&post.path()).ok();
    assert!(shown.contains("This thread is closed") && !shown.contains("Post the answer"));
    let tried = bo.submit(&format!("{}/replies", post.path()), &[("body", "but")]);
    assert_eq!(tried.status, 403, "{}", tried.text);
    assert!(bo.get(&assignment.path()).ok().contains("takes neither work nor comments"));
    let tried = bo.submit_files(&format!("{}/submission", assignment.path()), &[("body", "mine")], &[]);
    assert_eq!(tried.status, 403, "{}", tried.text);
    let done = ada.submit(&format!("{}/replies", post.path()), &[("body", "The end.")]).ok();
    assert!(done.contains("The end."));
    let open = ada.submit_form(&post.path(), &format!("{}/lock", post.path()), &[]).ok();
    assert!(open.contains("The thread is open again"));
    bo.submit(&format!("{}/replies", post.path()), &[("body", "Thanks")]).ok();
    let pinned = ada.submit_form(&post.path(), &format!("{}/pin", post.path()), &[]).ok();
    assert!(pinned.contains("Unpin it"));
    assert_eq!(bo.submit(&format!("{}/pin", post.path()), &[("to", "first")]).status, 403);
}

#[tokio::test]
async fn crs_21_an_organizer_elsewhere_acts_and_nobody_else_does() {
    let study = Study::new();
    let carol = follower(&study, "carol", "lemmy.test", "lemmy");
    let mallory = follower(&study, "mallory", "evil.test", "lemmy");
    organizer(&study, &carol);
    let post = say(&study, &study.bo, "Title", "text");
    let locked = || study.world.read(|db| object::is_locked(db, &post.uri));
    let pins = || study.world.read(|db| course::pins(db, study.course.id)).len();
    let organizers = || study.world.read(|db| course::organizers(db, study.course.id)).len();
    for (kind, what, target) in [
        ("Lock", json!(post.uri), None),
        ("Add", json!(post.uri), Some("featured")),
        ("Add", json!(mallory.uri), Some("moderators")),
        ("Remove", json!(carol.uri), Some("moderators")),
        ("Remove", json!(study.ada.uri), Some("moderators")),
    ] {
        let tried = arrives(&study, &mallory, act(&study, &mallory, kind, what, target)).await;
        assert!(matches!(tried, Err(Error::Denied(_))), "{kind}: {tried:?}");
    }
    assert_eq!((locked(), pins(), organizers()), (false, 0, 2));
    let lock = act(&study, &carol, "Lock", json!(post.uri), None);
    arrives(&study, &carol, lock.clone()).await.unwrap();
    arrives(&study, &carol, act(&study, &carol, "Add", json!(post.uri), Some("featured"))).await.unwrap();
    arrives(&study, &carol, act(&study, &carol, "Add", json!(mallory.uri), Some("moderators"))).await.unwrap();
    assert_eq!((locked(), pins(), organizers()), (true, 1, 3));
    assert_eq!(wrapped(&study, "Lock")[0].0["object"], lock, "passed on as it came");
    arrives(&study, &carol, act(&study, &carol, "Undo", lock, None)).await.unwrap();
    arrives(&study, &carol, act(&study, &carol, "Remove", json!(mallory.uri), Some("moderators"))).await.unwrap();
    assert_eq!((locked(), organizers()), (false, 2));
    // The owner stays, whoever asks.
    let tried = arrives(&study, &carol, act(&study, &carol, "Remove", json!(study.ada.uri), Some("moderators"))).await;
    assert!(matches!(tried, Err(Error::Denied(_))), "{tried:?}");
    // A removal by an organizer elsewhere, and its end.
    let mut delete = act(&study, &carol, "Delete", json!(post.uri), None);
    delete["summary"] = json!("off topic");
    arrives(&study, &carol, delete.clone()).await.unwrap();
    assert!(study.world.read(|db| discussion::get(db, post.id)).is_removed());
    arrives(&study, &carol, act(&study, &carol, "Undo", delete, None)).await.unwrap();
    assert!(!study.world.read(|db| discussion::get(db, post.id)).is_deleted());
}

#[tokio::test]
async fn crs_21_the_home_of_a_mirrored_course_acts_upon_its_own_alone() {
    let study = Study::mirrored();
    let other = study.world.put(crate::actor::RemoteActor {
        kind: ActorKind::Course,
        ..remote_course("https://evil.test/c/rust", "evil.test")
    });
    let passed = |by: &Actor, inner: Value| {
        json!({"id": format!("https://{}/a/{}", by.host, inner["id"].as_str().unwrap().len()), "type": "Announce",
            "actor": by.uri, "object": inner, "to": ["https://www.w3.org/ns/activitystreams#Public"]})
    };
    let block = json!({"id": "https://north.test/b/1", "type": "Block", "actor": "https://north.test/u/nora",
        "object": study.bo.uri, "target": study.group.uri, "summary": "Insults"});
    assert!(matches!(arrives(&study, &other, passed(&other, block.clone())).await, Err(Error::Denied(_))));
    let place = || study.world.read(|db| enrollment::find(db, study.cohort.id, study.bo.id)).unwrap().state;
    assert_eq!(place(), EnrollmentState::Active);
    arrives(&study, &study.group, passed(&study.group, block.clone())).await.unwrap();
    assert_eq!(place(), EnrollmentState::Removed);
    assert!(study.notices(&study.bo).iter().any(|text| text.contains("You were banned: Insults")));
    let (bo, id) = (study.bo.clone(), study.cohort.id);
    assert!(study.world.attempt(move |tx| enrollment::ask(tx, &bo, id, "")).is_err());
    let undo =
        json!({"id": "https://north.test/u/1", "type": "Undo", "actor": "https://north.test/u/nora", "object": block});
    arrives(&study, &study.group, passed(&study.group, undo)).await.unwrap();
    assert!(study.world.read(|db| ban::find_ban(db, study.course.id, study.bo.id)).is_none());
    let (bo, id) = (study.bo.clone(), study.cohort.id);
    study.world.tx(move |tx| enrollment::ask(tx, &bo, id, ""));
    // Another's collections are not its own.
    let add = json!({"id": "https://north.test/a/9", "type": "Add", "actor": "https://north.test/u/nora",
        "object": study.bo.uri, "target": format!("{}/moderators", other.uri)});
    assert!(matches!(arrives(&study, &study.group, passed(&study.group, add.clone())).await, Err(Error::Denied(_))));
    let mut own = add;
    own["target"] = json!(format!("{}/moderators", study.group.uri));
    arrives(&study, &study.group, passed(&study.group, own)).await.unwrap();
    assert_eq!(study.world.read(|db| course::organizers(db, study.course.id)).len(), 1);
    assert!(!study.world.read(|db| course::organizes(db, &study.bo, &study.course)), "shown, and without rights here");
}

fn remote_course(uri: &str, host: &str) -> crate::actor::RemoteActor {
    crate::actor::RemoteActor {
        kind: ActorKind::Course,
        url: uri.into(),
        handle: "rust".into(),
        host: host.into(),
        name: "Rust".into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: None,
        outbox: None,
        followers: None,
        keys: vec![],
        uri: uri.into(),
    }
}

#[tokio::test]
async fn mod_04_what_a_suspended_person_writes_is_refused_also_when_their_course_passes_it_on() {
    let study = Study::mirrored();
    let nora = study.world.person_elsewhere("nora", "north.test");
    let id = nora.id;
    study.world.tx(move |tx| actor::move_to(tx, id, ActorState::Suspended));
    let note = json!({"id": "https://north.test/o/1", "type": "Note", "attributedTo": nora.uri, "content": "<p>x</p>",
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [study.group.uri]});
    let create = json!({"id": "https://north.test/a/1", "type": "Create", "actor": nora.uri, "object": note,
        "to": ["https://www.w3.org/ns/activitystreams#Public"]});
    let announce = json!({"id": "https://north.test/a/2", "type": "Announce", "actor": study.group.uri, "object": create,
        "to": ["https://www.w3.org/ns/activitystreams#Public"]});
    assert!(matches!(arrives(&study, &study.group, announce).await, Err(Error::Denied(_))));
    assert!(study.world.read(|db| discussion::find_by_uri(db, "https://north.test/o/1")).is_none());
}

/// A course with a run in a town.
fn course_in(town: &Town, organizer: &Actor) -> (Actor, CohortId) {
    let (keys, whom) = (town.world.keys(), organizer.id);
    town.world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust", name: "Rust", summary: "", keys: &keys };
        let group = actor::create(tx, &new)?;
        let now = tx.now();
        let row = (
            (courses::actor_id.eq(group.id), courses::state.eq("listed"), courses::tagline.eq("")),
            (courses::description_md.eq(""), courses::description_html.eq(""), courses::language.eq("en")),
            (courses::license.eq("CC0-1.0"), courses::answer.eq(""), courses::created_at.eq(now)),
        );
        let id: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
        let rows = &course_organizers::table;
        let row = (
            course_organizers::course_id.eq(id),
            course_organizers::actor_id.eq(whom),
            course_organizers::created_at.eq(now),
        );
        diesel::insert_into(*rows).values(row).execute(tx)?;
        let row = (
            (cohorts::public_id.eq("run"), cohorts::course_id.eq(id), cohorts::name.eq("Autumn")),
            (cohorts::starts_on.eq("2026-09-01"), cohorts::ends_on.eq("2026-12-01"), cohorts::zone.eq("UTC")),
            (cohorts::seats.eq(9), cohorts::enrolling.eq("open"), cohorts::state.eq("running")),
            cohorts::created_at.eq(now),
        );
        let run = diesel::insert_into(cohorts::table).values(row).returning(cohorts::id).get_result(tx)?;
        Ok((group, run))
    })
}

/// Somebody's place, asked for by this Join.
fn place_of(town: &Town, who: &Actor, run: CohortId, join: &str) {
    let (id, join) = (who.id, join.to_owned());
    town.world.tx(move |tx| {
        let row = (
            (enrollments::public_id.eq("p"), enrollments::cohort_id.eq(run), enrollments::actor_id.eq(id)),
            (enrollments::role.eq("learner"), enrollments::state.eq("active"), enrollments::message.eq("")),
            (enrollments::join_uri.eq(Some(join)), enrollments::created_at.eq(tx.now())),
            enrollments::changed_at.eq(tx.now()),
        );
        diesel::insert_into(enrollments::table).values(row).execute(tx)?;
        Ok(())
    });
}

#[tokio::test]
async fn crs_04_crs_21_and_mod_05_at_the_door_of_the_inbox() {
    let town = Town::new().await;
    let (bob, carol) = (town.known("good", "bob"), town.known("good", "carol"));
    let mallory = town.known("evil", "mallory");
    let (group, run) = course_in(&town, &carol);
    let join = format!("{}/join/1", bob.uri);
    place_of(&town, &bob, run, &join);
    let act = |by: &Actor, kind: &str, object: Value, target: Option<String>| {
        let mut act = json!({"id": format!("{}/{kind}", by.uri), "type": kind, "actor": by.uri, "object": object,
            "to": ["https://www.w3.org/ns/activitystreams#Public"]});
        if let Some(target) = target {
            act["target"] = json!(target);
        }
        act
    };
    let list = |name: &str| Some(format!("{}/{name}", group.uri));
    let inline = json!({"id": join, "type": "Join", "actor": bob.uri, "object": group.uri});
    for (why, refused) in [
        ("CRS-04 by another server", act(&mallory, "Undo", json!(join), None)),
        ("CRS-04 by a neighbour, by id", act(&carol, "Undo", json!(join), None)),
        ("CRS-04 by a neighbour, inline", act(&carol, "Undo", inline, None)),
        ("CRS-21 oneself", act(&mallory, "Add", json!(mallory.uri), list("moderators"))),
        ("CRS-21 a post", act(&mallory, "Add", json!("https://us.test/o/1"), list("featured"))),
        ("CRS-21 an organizer", act(&mallory, "Remove", json!(carol.uri), list("moderators"))),
        ("CRS-21 the course", act(&mallory, "Update", json!({"id": group.uri, "type": "Group"}), None)),
        ("MOD-05", act(&mallory, "Block", json!(bob.uri), Some(group.uri.clone()))),
        ("MOD-05 undone", {
            let block = act(&mallory, "Block", json!(bob.uri), Some(group.uri.clone()));
            act(&mallory, "Undo", block, None)
        }),
        ("a Lock of what is not there", act(&mallory, "Lock", json!("https://us.test/o/1"), None)),
        ("ORI-06 a Delete of ours", act(&mallory, "Delete", json!("https://us.test/o/1"), None)),
        ("ORI-01 a Delete of theirs", act(&mallory, "Delete", json!(format!("{}/o/1", bob.uri)), None)),
    ] {
        assert_eq!(town.post(&refused).await, 403, "{why}");
    }
    assert!(town.inbox().is_empty());
    // Those who moderate the course come in.
    assert_eq!(town.post(&act(&carol, "Block", json!(mallory.uri), Some(group.uri.clone()))).await, 202);
    assert_eq!(town.post(&act(&carol, "Add", json!(bob.uri), list("moderators"))).await, 202);
}
