//! Does everyone get exactly the place that the rules give, whichever door they take?

mod limited;
mod removed;

use super::apub::{answer_join, answer_wish, answered, considered, read_wish};
use super::wish::Wish;
use super::*;
use crate::clock::Time;
use crate::cohort::Plan;
use crate::course::{BotKeys, CourseState, Draft};
use crate::db::Run;
use crate::db::schema::{activities, courses, notices};
use crate::federation::Received;
use crate::id::InboxId;
use crate::tests::World;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

/// Ada with the listed course "rust" and an open cohort.
struct School {
    world: World,
    ada: Actor,
    course: Course,
    group: Actor,
    cohort: Cohort,
}

fn school(seats: i64, enrolling: &str) -> School {
    let world = World::new();
    let ada = world.person("ada");
    let keys = BotKeys { course: world.keys(), bot: world.keys() };
    let (by, enrolling) = (ada.clone(), enrolling.to_owned());
    let (course, group, cohort) = world.tx(move |tx| {
        let draft = Draft {
            title: "Rust".into(),
            handle: "rust".into(),
            tagline: "t".into(),
            description: "d".into(),
            language: "en".into(),
            license: "CC0-1.0".into(),
        };
        let course = course::propose(tx, &by, &draft, &keys)?;
        diesel::update(courses::table.find(course.id)).set(courses::state.eq(CourseState::Listed)).execute(tx)?;
        let course = course::get(tx, course.id)?;
        let plan = Plan {
            name: "Autumn".into(),
            starts_on: "2026-09-15".into(),
            ends_on: "2026-12-01".into(),
            zone: "UTC".into(),
            seats: seats.to_string(),
            enrolling,
        };
        let cohort = cohort::plan(tx, &by, &course, &plan)?;
        let cohort = cohort::open(tx, &by, cohort.id)?;
        let group = actor::get(tx, course.actor_id)?;
        Ok((course, group, cohort))
    });
    School { world, ada, course, group, cohort }
}

impl School {
    fn enroll(&self, by: &Actor) -> Result<Enrollment> {
        let (by, id) = (by.clone(), self.cohort.id);
        self.world.attempt(move |tx| enroll(tx, &by, id, &Ask::default()))
    }

    fn place(&self, of: &Actor) -> Enrollment {
        self.world.read(|db| find(db, self.cohort.id, of.id)).unwrap()
    }

    fn sent(&self, kind: &str) -> Vec<Value> {
        let rows: Vec<String> = self.world.read(|db| {
            let query = activities::table.filter(activities::type_.eq(kind)).order(activities::id);
            Ok(query.select(activities::document).load(db)?)
        });
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    fn notices(&self, of: &Actor) -> Vec<String> {
        self.world.read(|db| {
            let query = notices::table.filter(notices::actor_id.eq(of.id)).order(notices::id);
            Ok(query.select(notices::text).load(db)?)
        })
    }
}

fn got(signer: &Actor, activity: Value) -> Received {
    Received::new(InboxId(0), signer.clone(), activity, Time(0))
}

// CRS-05
#[test]
fn fifty_seats_go_to_exactly_fifty_of_two_hundred_at_once() {
    let school = school(50, "open");
    let people: Vec<Actor> = (0..100)
        .map(|n| match n % 5 {
            0 => school.world.person(&format!("p{n}")),
            host => school.world.person_elsewhere(&format!("p{n}"), &format!("h{host}.test")),
        })
        .collect();
    // Everyone asks twice, from eight threads.
    let asks: Vec<&Actor> = people.iter().chain(people.iter()).collect();
    std::thread::scope(|threads| {
        for some in asks.chunks(25) {
            let school = &school;
            threads.spawn(move || some.iter().for_each(|by| drop(school.enroll(by).unwrap())));
        }
    });
    assert_eq!(school.world.read(|db| seats_taken(db, school.cohort.id)), 50);
    let active = school.world.read(|db| roster(db, school.cohort.id));
    let distinct: std::collections::HashSet<_> = active.iter().map(|(place, _)| place.actor_id).collect();
    // Ada organizes and takes no seat.
    assert_eq!(distinct.len(), 51);
    let waiting = school.world.read(|db| list_in(db, school.cohort.id, &[EnrollmentState::Waitlisted]));
    assert_eq!(waiting.len(), 50);
    let cohort = school.world.read(|db| cohort::get(db, school.cohort.id));
    assert_eq!(cohort.state, cohort::CohortState::Full);
}

#[test]
fn whoever_leaves_makes_room_for_the_first_who_waits() {
    let school = school(1, "open");
    let (bo, chi, eve) = (school.world.person("bo"), school.world.person("chi"), school.world.person("eve"));
    assert_eq!(school.enroll(&bo).unwrap().state, EnrollmentState::Active);
    assert_eq!(school.enroll(&chi).unwrap().state, EnrollmentState::Waitlisted);
    assert_eq!(school.enroll(&eve).unwrap().state, EnrollmentState::Waitlisted);
    let (place, by) = (school.place(&bo), bo.clone());
    school.world.tx(move |tx| leave(tx, &by, place.id));
    assert_eq!(school.place(&chi).state, EnrollmentState::Active);
    assert_eq!(school.place(&eve).state, EnrollmentState::Waitlisted);
    assert!(school.notices(&chi).iter().any(|text| text.contains("You have a place")), "{:?}", school.notices(&chi));
    let chis = school.place(&chi);
    let by = bo.clone();
    let stolen = school.world.attempt(move |tx| leave(tx, &by, chis.id));
    assert!(matches!(stolen, Err(Error::Denied(_))), "{stolen:?}");
}

#[test]
fn applications_wait_for_the_organizers_alone() {
    let school = school(5, "moderated");
    let (bo, chi) = (school.world.person("bo"), school.world.person("chi"));
    assert_eq!(school.enroll(&bo).unwrap().state, EnrollmentState::Applied);
    school.enroll(&chi).unwrap();
    assert!(school.notices(&school.ada).iter().any(|text| text.contains("bo asks for a place")));
    let id = school.place(&bo).id;
    let by = bo.clone();
    assert!(matches!(school.world.attempt(move |tx| accept(tx, &by, id)), Err(Error::Denied(_))));
    let by = school.ada.clone();
    school.world.tx(move |tx| accept(tx, &by, id));
    assert_eq!(school.place(&bo).state, EnrollmentState::Active);
    let (by, chis) = (school.ada.clone(), school.place(&chi).id);
    school.world.tx(move |tx| decline(tx, &by, chis));
    assert_eq!(school.place(&chi).state, EnrollmentState::Declined);
    let by = school.ada.clone();
    school.world.tx(move |tx| remove(tx, &by, id));
    let again = school.enroll(&bo);
    assert!(matches!(again, Err(Error::Denied(_))), "{again:?}");
}

#[test]
fn a_join_from_elsewhere_is_accepted_by_the_group_each_time() {
    let school = school(5, "open");
    let dov = school.world.person_elsewhere("dov", "south.test");
    for join in ["https://south.test/a/1", "https://south.test/a/2"] {
        let (by, id) = (dov.clone(), school.cohort.id);
        let ask = Ask { message: String::new(), join_uri: Some(join.into()) };
        school.world.tx(move |tx| enroll(tx, &by, id, &ask));
    }
    let accepts = school.sent("Accept");
    assert_eq!(accepts.len(), 2);
    assert_eq!(accepts[1]["actor"], json!("https://us.test/c/rust"));
    assert_eq!(accepts[1]["object"]["id"], json!("https://south.test/a/2"));
    assert_eq!(accepts[1]["object"]["type"], json!("Join"));
    assert_eq!(accepts[1]["result"]["type"], json!("Member"));
    let audience = school.world.read(|db| audience(db, &school.course));
    assert_eq!(audience.inboxes().collect::<Vec<_>>(), ["https://south.test/inbox"]);
}

#[test]
fn who_asks_from_elsewhere_hears_that_the_place_waits_until_it_is_decided() {
    let school = school(1, "moderated");
    let dov = school.world.person_elsewhere("dov", "south.test");
    let join = |number: usize| {
        let id = format!("https://south.test/a/{number}");
        let got = got(&dov, json!({"id": id, "type": "Join", "actor": dov.uri, "object": school.group.uri}));
        school.world.tx(move |tx| answer_join(tx, &got));
        school.sent("TentativeAccept")
    };
    let said = join(1);
    assert_eq!(said.len(), 1);
    let mut steady = said[0].clone();
    steady["@context"] = json!("CONTEXT");
    steady["id"] = json!("ACTIVITY");
    steady["learning"]["cohort"] = json!("COHORT");
    insta::assert_json_snapshot!("a_join_waits", steady);
    // The answer may have been lost: asked again, it is said again, to the new Join and to nobody else.
    let notices = school.notices(&school.ada).len();
    let said = join(2);
    assert_eq!((said.len(), &said[1]["object"]["id"]), (2, &json!("https://south.test/a/2")));
    assert_eq!(school.notices(&school.ada).len(), notices);
    let chi = school.world.person("chi");
    let first = school.enroll(&chi).unwrap().id;
    let (ada, second) = (school.ada.clone(), school.place(&dov).id);
    school.world.tx(move |tx| accept(tx, &ada, first).and_then(|_| accept(tx, &ada, second)));
    let said = school.sent("TentativeAccept");
    assert_eq!((said.len(), &said[2]["learning"]["state"]), (3, &json!("waitlisted")));
    assert!(school.sent("Accept").is_empty() && school.sent("Reject").is_empty());
    school.world.tx(move |tx| leave(tx, &chi, first));
    assert_eq!(school.sent("Accept").len(), 1, "who waited has the seat now");
}

#[test]
fn a_follower_is_welcomed_once_and_enrolls_by_a_word() {
    let school = school(5, "open");
    let mia = school.world.person_elsewhere("mia", "blog.test");
    for uri in ["https://blog.test/f1", "https://blog.test/f2"] {
        let (by, group) = (mia.clone(), school.group.clone());
        school.world.tx(move |tx| accept_follower(tx, &by, &group, uri));
    }
    assert_eq!(school.sent("Accept").len(), 2);
    let notes = school.sent("Create");
    assert_eq!(notes.len(), 1);
    let welcome = &notes[0]["object"];
    assert!(welcome["content"].as_str().unwrap().contains("enroll"));
    assert!(school.world.read(|db| find(db, school.cohort.id, mia.id)).is_none(), "following is not enrolling");
    let answer = got(
        &mia,
        json!({"type": "Create", "object": {
            "id": "https://blog.test/n1", "type": "Note", "attributedTo": mia.uri, "inReplyTo": welcome["id"],
            "to": ["https://us.test/u/rust_bot"], "cc": [],
            "content": "<p><a href=\"https://us.test/u/rust_bot\">@rust_bot</a> Enroll, please!</p>",
        }}),
    );
    let (course, wish) = school.world.read(|db| read_wish(db, &answer)).unwrap();
    assert_eq!((course.id, wish), (school.course.id, Wish::Enroll));
    let answer_ = answer.clone();
    school.world.tx(move |tx| answer_wish(tx, &answer_, &course, wish));
    assert_eq!(school.place(&mia).state, EnrollmentState::Active);
    let said = school.sent("Create").pop().unwrap();
    assert!(said["object"]["content"].as_str().unwrap().contains("you have a place"), "{said}");
    assert_eq!(said["object"]["inReplyTo"], json!("https://blog.test/n1"));
    let (by, course) = (mia.clone(), school.course.clone());
    let left = school.world.tx(move |tx| leave_course(tx, &by, &course));
    assert_eq!((left, school.place(&mia).state), (1, EnrollmentState::Left));
}

#[test]
fn public_words_and_answers_to_other_things_ask_for_nothing() {
    let school = school(5, "open");
    let mia = school.world.person_elsewhere("mia", "blog.test");
    let note = |more: Value| {
        let mut note = json!({
            "id": "https://blog.test/n", "type": "Note", "attributedTo": mia.uri, "content": "join",
            "to": ["https://us.test/c/rust"], "cc": [],
        });
        note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        got(&mia, json!({"type": "Create", "object": note}))
    };
    assert!(school.world.read(|db| read_wish(db, &note(json!({})))).is_some());
    for other in [
        json!({"cc": ["https://www.w3.org/ns/activitystreams#Public"]}),
        json!({"inReplyTo": "https://us.test/o/something"}),
        json!({"attributedTo": "https://blog.test/u/other"}),
        json!({"to": ["https://us.test/u/ada"]}),
        json!({"content": "hello"}),
    ] {
        assert!(school.world.read(|db| read_wish(db, &note(other.clone()))).is_none(), "{other}");
    }
}

/// A course of north, mirrored here, and Dov who is here.
fn mirror() -> (School, Actor, Actor, Cohort) {
    let school = school(5, "open");
    let dov = school.world.person("dov");
    let group = crate::catalogue::tests::group_elsewhere(&school.world, "north.test");
    let uri = group.uri.clone();
    let document = crate::catalogue::tests::fixture(&uri);
    let said = crate::catalogue::read::group(&document).unwrap();
    let stored = group.clone();
    let course = school.world.tx(move |tx| crate::catalogue::store(tx, &stored, None, &said));
    let cohort = school.world.read(|db| cohort::current(db, course.id)).unwrap();
    (school, dov, group, cohort)
}

#[test]
fn only_the_course_answers_a_join_and_only_once_it_was_asked() {
    let (school, dov, group, cohort) = mirror();
    let accept_of = |signer: &Actor, uri: &str| {
        let object = json!({"id": uri, "type": "Join", "actor": dov.uri, "object": group.uri});
        got(signer, json!({"type": "Accept", "actor": signer.uri, "object": object}))
    };
    let try_it = |got: Received| school.world.attempt(move |tx| answered(tx, &got, true));
    // CRS-02, LIF-01: nothing was asked.
    try_it(accept_of(&group, "https://us.test/a/none")).unwrap();
    assert!(school.world.read(|db| find(db, cohort.id, dov.id)).is_none());
    let (by, id) = (dov.clone(), cohort.id);
    let place = school.world.tx(move |tx| ask(tx, &by, id, "hello"));
    assert_eq!(place.state, EnrollmentState::Asked);
    let join = school.sent("Join").pop().unwrap();
    assert_eq!(join["id"], json!(place.join_uri.clone().unwrap()));
    assert_eq!(join["learning"]["cohort"], json!(cohort.public_id));
    // CRS-01, LIF-02: others answer.
    let mallory = school.world.person_elsewhere("mallory", "evil.test");
    let teacher = school.world.person_elsewhere("teacher", "north.test");
    let uri = place.join_uri.unwrap();
    for other in [&mallory, &teacher, &dov] {
        let forged = try_it(accept_of(other, &uri));
        assert!(matches!(forged, Err(Error::Denied(_))), "{forged:?}");
    }
    assert_eq!(school.world.read(|db| get(db, place.id)).state, EnrollmentState::Asked);
    try_it(accept_of(&group, &uri)).unwrap();
    assert_eq!(school.world.read(|db| get(db, place.id)).state, EnrollmentState::Active);
    assert!(school.notices(&dov).iter().any(|text| text.contains("You have a place")));
    // A late Reject of the same Join changes nothing.
    let late = got(&group, json!({"type": "Reject", "object": uri}));
    school.world.tx(move |tx| answered(tx, &late, false));
    assert_eq!(school.world.read(|db| get(db, place.id)).state, EnrollmentState::Active);
    let by = dov.clone();
    school.world.tx(move |tx| leave(tx, &by, place.id));
    assert_eq!(school.sent("Leave").len(), 1);
}

#[test]
fn a_place_elsewhere_is_shown_as_its_home_says_until_it_decides() {
    let (school, dov, group, cohort) = mirror();
    let (by, id) = (dov.clone(), cohort.id);
    let place = school.world.tx(move |tx| ask(tx, &by, id, "hello"));
    let uri = place.join_uri.clone().unwrap();
    let says = |signer: &Actor, state: &str| {
        let join = json!({"id": uri, "type": "Join", "actor": dov.uri, "object": group.uri});
        let learning = json!({"type": "study:Enrollment", "state": state});
        let got = got(signer, json!({"type": "TentativeAccept", "object": join, "learning": learning}));
        school.world.attempt(move |tx| considered(tx, &got))
    };
    let state = || school.world.read(|db| get(db, place.id)).state;
    let mallory = school.world.person_elsewhere("mallory", "north.test");
    assert!(matches!(says(&mallory, "waitlisted"), Err(Error::Denied(_))));
    assert_eq!(state(), EnrollmentState::Asked);
    for (said, shown, told) in [
        ("applied", EnrollmentState::Applied, "Your application is with the organizers of"),
        ("waitlisted", EnrollmentState::Waitlisted, "You are on the waiting list of"),
    ] {
        says(&group, said).unwrap();
        says(&group, said).unwrap();
        assert_eq!(state(), shown);
        assert_eq!(school.notices(&dov).iter().filter(|text| text.starts_with(told)).count(), 1);
    }
    // Nobody can be made an organizer, or active, by an answer that is no Accept.
    says(&group, "active").unwrap();
    assert_eq!(state(), EnrollmentState::Applied);
    let accept = got(&group, json!({"type": "Accept", "object": uri}));
    school.world.tx(move |tx| answered(tx, &accept, true));
    assert_eq!(state(), EnrollmentState::Active);
    says(&group, "waitlisted").unwrap();
    assert_eq!(state(), EnrollmentState::Active, "what came late changes nothing");
}

#[test]
fn a_follow_from_here_is_pending_until_the_course_agrees() {
    let (school, dov, group, _) = mirror();
    let course = school.world.read(|db| course::find_by_actor(db, group.id)).unwrap();
    let (by, which) = (dov.clone(), course.clone());
    school.world.tx(move |tx| follow(tx, &by, &which));
    let sent = school.sent("Follow").pop().unwrap();
    let mallory = school.world.person_elsewhere("mallory", "evil.test");
    let forged = got(&mallory, json!({"type": "Accept", "object": sent["id"]}));
    assert!(school.world.attempt(move |tx| answered(tx, &forged, true)).is_err());
    let genuine = got(&group, json!({"type": "Accept", "object": sent["id"]}));
    school.world.tx(move |tx| answered(tx, &genuine, true));
    let known = school.world.read(|db| actor::follow::find(db, dov.id, group.id)).unwrap();
    assert_eq!(known.state, actor::follow::FollowState::Accepted);
    let by = dov.clone();
    school.world.tx(move |tx| unfollow(tx, &by, &course));
    let undo = school.sent("Undo").pop().unwrap();
    assert_eq!(undo["object"]["id"], sent["id"]);
}
