//! Does who comes from a limited server wait for an organizer, and is a lost Accept asked for again?

use super::*;
use crate::actor::follow::FollowState;
use crate::domain::{self, NewRule, Severity};
use crate::jobs::JobKind;
use crate::schedule;

fn limit(school: &School, severity: Severity) {
    let new = NewRule::of("south.test", severity);
    school.world.tx(move |tx| domain::put(tx, None, &new));
}

fn state(school: &School, person: &Actor) -> Option<FollowState> {
    school.world.read(|db| actor::follow::find(db, person.id, school.group.id)).map(|known| known.state)
}

fn ask_to_follow(school: &School, person: &Actor) {
    let (by, group) = (school.world.read(|db| actor::get(db, person.id)), school.group.clone());
    school.world.tx(move |tx| accept_follower(tx, &by, &group, "https://south.test/f/1"));
}

#[test]
fn people_of_a_limited_server_wait_for_an_organizer() {
    let school = school(5, "open");
    let dov = school.world.person_elsewhere("dov", "south.test");
    limit(&school, Severity::Limit);
    ask_to_follow(&school, &dov);
    assert_eq!((state(&school, &dov), school.sent("Accept").len()), (Some(FollowState::Pending), 0));
    let course = school.course.clone();
    let limited = school.world.read(|db| actor::get(db, dov.id));
    let may = school.world.read(|db| Ok(crate::enrollment::find_in_course(db, course.id, limited.id)?.is_some()));
    assert!(!may, "a follow is no place");
    let place = school.enroll(&limited).unwrap();
    assert_eq!(place.state, EnrollmentState::Applied, "although the run is open");
    let ada = school.ada.clone();
    school.world.tx(move |tx| accept(tx, &ada, place.id));
    assert_eq!(state(&school, &dov), Some(FollowState::Accepted), "with the place the follow is agreed to");
    assert!(school.sent("Accept").iter().any(|accept| accept["object"]["type"] == json!("Follow")));
}

#[test]
fn what_waited_is_agreed_to_when_the_limit_ends() {
    let school = school(5, "open");
    let dov = school.world.person_elsewhere("dov", "south.test");
    limit(&school, Severity::Limit);
    ask_to_follow(&school, &dov);
    limit(&school, Severity::Admit);
    assert_eq!((state(&school, &dov), school.sent("Accept").len()), (Some(FollowState::Accepted), 1));
}

#[test]
fn a_course_of_a_limited_or_blocked_server_stands_in_no_list() {
    let (school, _, group, _) = mirror();
    let listed = |school: &School| {
        let all = school.world.read(|db| course::list(db, course::Place::Everywhere, 0));
        let found = school.world.read(|db| course::search(db, &group.name));
        (all.iter().any(|(_, actor)| actor.id == group.id), found.iter().any(|(_, actor)| actor.id == group.id))
    };
    assert_eq!(listed(&school), (true, true));
    for severity in [Severity::Limit, Severity::Suspend] {
        let new = NewRule::of("north.test", severity);
        school.world.tx(move |tx| domain::put(tx, None, &new));
        assert_eq!(listed(&school), (false, false), "{severity}");
    }
}

/// Observed with Lemmy: what it answers to a server that it does not know yet is lost.
#[test]
fn a_follow_that_nobody_answers_is_asked_again_once_by_a_new_id() {
    let (school, dov, group, _) = mirror();
    let course = school.world.read(|db| course::find_by_actor(db, group.id)).unwrap();
    let by = dov.clone();
    school.world.tx(move |tx| follow(tx, &by, &course));
    let known = school.world.read(|db| actor::follow::find(db, dov.id, group.id)).unwrap();
    let again = move |school: &School| {
        school.world.pass(std::time::Duration::from_secs(90));
        school.world.tx(move |tx| schedule::run_job(tx, JobKind::FollowAgain, known.id));
    };
    again(&school);
    let sent = school.sent("Follow");
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0]["id"], sent[1]["id"], "the other server takes an id once");
    // The answer to the first one counts as well.
    let late = got(&group, json!({"type": "Accept", "object": sent[0]["id"]}));
    school.world.tx(move |tx| answered(tx, &late, true));
    let known = school.world.read(|db| actor::follow::find(db, dov.id, group.id)).unwrap();
    assert_eq!(known.state, FollowState::Accepted);
    again(&school);
    assert_eq!(school.sent("Follow").len(), 2, "nothing more is asked");
}

#[test]
fn mod_02_posts_of_a_blocked_server_are_shown_no_more_until_the_block_ends() {
    let school = school(5, "open");
    let dov = school.world.person_elsewhere("dov", "south.test");
    school.enroll(&dov).unwrap();
    let (by, course) = (dov.clone(), school.course.id);
    let post = crate::discussion::NewPost {
        course_id: course,
        uri: Some("https://south.test/o/1".into()),
        in_reply_to: None,
        anchor: None,
        title: "Hello".into(),
        body_md: String::new(),
        body_html: "<p>Hello</p>".into(),
        published_at: school.world.clock.now(),
    };
    school.world.tx(move |tx| crate::discussion::write(tx, &by, post));
    let shown = || school.world.read(|db| crate::discussion::threads(db, course, 1)).len();
    assert_eq!(shown(), 1);
    limit(&school, Severity::Suspend);
    assert_eq!(shown(), 0);
    school.world.tx(|tx| domain::lift(tx, None, "south.test"));
    assert_eq!(shown(), 1);
}
