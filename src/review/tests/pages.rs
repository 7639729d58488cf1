//! Do the pages of reviewers, authors and organizers show what they should, to whom they should?

use super::cast::{Cast, DAY, levels};
use crate::actor::{self, Actor};
use crate::db::{Run, schema::course_organizers};
use crate::id::SubmissionId;
use crate::review;
use crate::submission;
use crate::tests::Browser;
use diesel::ExpressionMethods;

/// Five people with browsers, one of them an organizer, and Dov elsewhere.
fn school(cast: &Cast) -> (Browser<'_>, Vec<(Browser<'_>, Actor, SubmissionId)>) {
    let boss = Browser::of(&cast.world, "boss");
    let organizer = boss.actor();
    let course = cast.world.read(|db| review::place(db, cast.assignment)).course.id;
    cast.world.tx(move |tx| {
        let row = (
            course_organizers::course_id.eq(course),
            course_organizers::actor_id.eq(organizer.id),
            course_organizers::created_at.eq(tx.now()),
        );
        diesel::insert_into(course_organizers::table).values(row).execute(tx)?;
        Ok(())
    });
    let mut people = Vec::new();
    for name in ["bo", "chi", "mrkeve"] {
        let browser = Browser::of(&cast.world, name);
        let actor = browser.actor();
        let work = cast.hands_in(&actor, &format!("<p>A work by {name}, with a <em>finger</em>.</p>"));
        people.push((browser, actor, work));
    }
    (boss, people)
}

#[test]
fn a_reviewer_reads_judges_and_sees_what_was_sent() {
    let cast = Cast::new();
    let (_, mut people) = school(&cast);
    assert!(people[0].0.get("/reviews").ok().contains("Nothing to review"));
    assert!(Browser::new(&cast.world).get("/reviews").path.starts_with("/sign-in"));
    cast.start();
    let task = cast.tasks_of(&people[0].1).remove(0);
    let path = format!("/reviews/{}", task.public_id);
    let list = people[0].0.get("/reviews").ok();
    assert!(list.contains(&path) && list.contains("Explain twenty lines"), "{}", list.text);
    let form = people[0].0.get(&path).ok();
    assert!(form.contains("<em>finger</em>") && form.contains("[name]"), "{}", form.text);
    assert!(form.header("cache-control").contains("no-store"));
    // Somebody else's task is as if it were not there.
    assert_eq!(people[1].0.get(&path).status, 404);
    let again = people[0].0.submit(&path, &[("level-0", "2"), ("level-2", "9"), ("comment", "Half <b>typed</b>")]);
    assert_eq!(again.status, 422);
    assert!(again.contains("Please choose a level for “Correct”.") && again.contains("“Curious”."), "{}", again.text);
    assert!(again.contains("Half &#60;b&#62;typed") && again.contains("value=\"2\" checked"), "{}", again.text);
    let fields = [("level-0", "2"), ("level-1", "1"), ("level-2", "0"), ("comment", "Well **done**")];
    let sent = people[0].0.submit(&path, &fields).ok();
    assert!(sent.contains("What you sent") && sent.contains("<strong>done</strong>") && sent.contains("partly"));
    assert_eq!(people[0].0.submit(&path, &fields).status, 403);
}

#[test]
fn a_reviewer_declines_after_being_asked_again() {
    let cast = Cast::new();
    let (_, mut people) = school(&cast);
    cast.start();
    let task = cast.tasks_of(&people[0].1).remove(0);
    let path = format!("/reviews/{}/declining", task.public_id);
    assert!(people[0].0.get(&path).ok().contains("Decline this review?"));
    let list = people[0].0.submit(&path, &[]).ok();
    assert_eq!(list.path, "/reviews");
    assert!(list.contains("declined"));
    let shown = people[0].0.get(&format!("/reviews/{}", task.public_id)).ok();
    assert!(shown.contains("You have declined this review."));
    assert_eq!(Browser::new(&cast.world).get(&format!("/copies/{}", task.public_id)).status, 404);
}

#[test]
fn a_copy_is_read_by_who_knows_its_address() {
    let cast = Cast::new();
    let (_, people) = school(&cast);
    cast.start();
    let task = cast.tasks_of(&people[0].1).remove(0);
    let mut nobody = Browser::new(&cast.world);
    let copy = nobody.get(&format!("/copies/{}", task.public_id)).ok();
    assert!(copy.contains("<em>finger</em>"));
    for name in ["chi", "mrkeve"] {
        assert!(!copy.contains(&format!("by {name}")), "{}", copy.text);
    }
    assert!(copy.header("x-robots-tag").contains("noindex"));
    assert!(copy.header("cache-control").contains("no-store"));
    assert_eq!(copy.header("referrer-policy"), "no-referrer");
    assert_eq!(nobody.get(&format!("/copies/{}/1", task.public_id)).status, 404);
    assert_eq!(nobody.get("/copies/unknown").status, 404);
}

#[test]
fn an_author_reads_reviews_without_a_byte_of_the_reviewer() {
    let cast = Cast::new();
    let (mut boss, mut people) = school(&cast);
    cast.start();
    let (_, bo, work) = &people[0];
    let (bo, work) = (bo.clone(), *work);
    let eve = people[2].1.clone();
    let task = cast.tasks_of(&eve).into_iter().find(|task| task.submission_id == work).unwrap();
    cast.give(&eve, &task, levels(2, 1, 1), "<p>@mrkeve says: <strong>good</strong>.</p>").unwrap();
    let public = cast.world.read(|db| submission::get(db, work)).public_id;
    let path = format!("/submissions/{public}/feedback");
    assert_eq!(people[0].0.get(&path).status, 404);
    cast.world.pass(DAY);
    cast.release();
    let shown = people[0].0.get(&path).ok();
    assert!(
        shown.contains("Reviewer A")
            && shown.contains("4</span><span>of 6 points")
            && shown.contains("<svg class=\"bar\"")
    );
    let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
    for secret in ["mrkeve", &review.public_id, &review.uri, &task.public_id, &task.uri] {
        assert!(!shown.contains(secret), "{secret}");
    }
    for (_, value) in &shown.headers {
        assert!(!value.to_str().unwrap().contains("mrkeve"));
    }
    for (at, status) in [(1, 404), (2, 404)] {
        assert_eq!(people[at].0.get(&path).status, status);
    }
    // Nobody reviewed Chi's work.
    let chis = cast.world.read(|db| submission::get(db, people[1].2)).public_id;
    assert!(people[1].0.get(&format!("/submissions/{chis}/feedback")).ok().contains("Nobody reviewed it"));

    let results = format!("{}/results", cast.assignment().path());
    assert_eq!(people[0].0.get(&results).status, 404);
    let all = boss.get(&results).ok();
    assert!(all.contains("mrkeve") && all.contains("Clear: fully"), "{}", all.text);
    let overrule = format!("/submissions/{public}/override");
    let wrong = boss.submit(&overrule, &[("points", "many"), ("reason", "")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.contains("Please enter points from 0 to 6.") && wrong.contains("Please say why"), "{}", wrong.text);
    assert_eq!(people[0].0.submit(&overrule, &[("points", "6"), ("reason", "mine")]).status, 404);
    boss.submit(&overrule, &[("points", "5,5"), ("reason", "The drawing <i>counts</i>.")]).ok();
    let shown = people[0].0.get(&path).ok();
    assert!(shown.contains("5.5</span>") && shown.contains("The drawing &lt;i&gt;counts"), "{}", shown.text);
    assert!(shown.contains("came to 4 of 6"));
    assert!(people[0].0.get("/notices").ok().contains("An organizer decided"));
    assert_eq!(cast.world.read(|db| actor::get(db, bo.id)).handle, "bo");
}

#[test]
fn an_organizer_releases_after_a_question() {
    let cast = Cast::new();
    let (mut boss, mut people) = school(&cast);
    let path = cast.assignment().path();
    assert!(boss.get(&format!("{path}/results")).ok().contains("Reviews and results"));
    assert_eq!(boss.get(&format!("{path}/release")).status, 403);
    cast.start();
    let ask = boss.get(&format!("{path}/release")).ok();
    assert!(ask.contains("6 reviews are still missing"), "{}", ask.text);
    assert_eq!(people[0].0.submit(&format!("{path}/release"), &[]).status, 404);
    assert!(boss.submit(&format!("{path}/release"), &[]).ok().contains("The reviews are out."));
    assert_eq!(boss.submit(&format!("{path}/release"), &[]).status, 409);
}
