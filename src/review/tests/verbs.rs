//! Are the rules of reviewing kept, whoever tries?

use super::cast::{Cast, DAY, levels};
use crate::actor::{self, ActorState};
use crate::assignment::AssignmentState;
use crate::db::Run;
use crate::db::schema::{enrollments, events, notices};
use crate::enrollment::EnrollmentState;
use crate::error::Error;
use crate::event::Happened;
use crate::review::{self, AllocationState, ResultState};
use crate::submission::{self, SubmissionState};
use diesel::{ExpressionMethods, QueryDsl};

fn count(cast: &Cast, kind: &str) -> i64 {
    let kind = kind.to_owned();
    cast.world.read(|db| Ok(events::table.filter(events::kind.eq(kind)).count().get_result(db)?))
}

#[test]
fn each_work_gets_three_reviews_and_each_author_gives_three() {
    let cast = Cast::new();
    let people: Vec<_> = ["bo", "chi", "eve", "fay", "gil"].map(|name| cast.learner(name)).into();
    let started = cast.start();
    assert_eq!((started.works, started.allocations), (5, 15));
    assert_eq!(cast.assignment().state, AssignmentState::Review);
    for (person, work) in &people {
        let tasks = cast.tasks_of(person);
        assert_eq!(tasks.len(), 3);
        assert!(tasks.iter().all(|task| task.submission_id != *work));
        assert_eq!(cast.world.read(|db| submission::get(db, *work)).state, SubmissionState::UnderReview);
    }
    // Again without effect.
    let again = cast.world.tx({
        let id = cast.assignment;
        move |tx| review::start(tx, id)
    });
    assert_eq!((again.works, again.allocations), (0, 0));
    assert_eq!(count(&cast, "ReviewAllocated"), 15);
}

#[test]
fn with_one_work_it_goes_on_without_reviews_and_says_so() {
    for works in 0..2 {
        let cast = Cast::new();
        if works == 1 {
            cast.learner("bo");
        }
        assert_eq!(cast.start().allocations, 0);
        assert_eq!(cast.assignment().state, AssignmentState::Review);
        let told: Vec<String> = cast.world.read(|db| Ok(notices::table.select(notices::text).load(db)?));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains(if works == 1 { "Only one work" } else { "nobody handed anything in" }), "{told:?}");
        cast.world.pass(DAY);
        cast.release();
        assert_eq!(cast.assignment().state, AssignmentState::Released);
    }
}

// CRS-15, CRS-16: once, in time, and never after the release.
#[test]
fn reviews_are_refused_with_a_reason() {
    let cast = Cast::new();
    let [(bo, bos), (chi, _), (eve, _)] = ["bo", "chi", "eve"].map(|name| cast.learner(name));
    let mallory = cast.world.person("mallory");
    cast.start();
    let task = cast.tasks_of(&chi).into_iter().find(|task| task.submission_id == bos).unwrap();
    let refused = |result: crate::error::Result<()>, words: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(cast.give(&mallory, &task, levels(1, 1, 1), ""), "not asked");
    refused(cast.give(&eve, &task, levels(1, 1, 1), ""), "not asked");
    refused(cast.give(&bo, &task, levels(1, 1, 1), ""), "own work");
    refused(cast.give(&chi, &task, levels(3, 1, 1), ""), "levels 0 to 2");
    refused(cast.give(&chi, &task, levels(-1, 1, 1), ""), "levels 0 to 2");
    refused(cast.give(&chi, &task, [("clear".to_owned(), 1)].into(), ""), "choose a level");
    let mut more = levels(1, 1, 1);
    more.insert("charming".into(), 1);
    refused(cast.give(&chi, &task, more, ""), "no criterion charming");
    assert_eq!(count(&cast, "ReviewGiven"), 0);
    cast.give(&chi, &task, levels(1, 1, 1), "").unwrap();
    refused(cast.give(&chi, &task, levels(2, 2, 2), ""), "already");
    assert_eq!(count(&cast, "ReviewGiven"), 1);
    let other = cast.tasks_of(&chi).remove(0);
    cast.world.pass(DAY + DAY);
    refused(cast.give(&chi, &other, levels(1, 1, 1), ""), "time for reviews");
    cast.release();
    refused(cast.give(&chi, &other, levels(1, 1, 1), ""), "are out");
    cast.world.tx({
        let id = chi.id;
        move |tx| actor::move_to(tx, id, ActorState::Suspended)
    });
    let chi = cast.world.read(|db| actor::get(db, chi.id));
    refused(cast.give(&chi, &other, levels(1, 1, 1), ""), "suspended");
}

#[test]
fn who_declines_or_leaves_is_replaced_by_the_least_loaded() {
    let cast = Cast::new();
    let people: Vec<_> = ["bo", "chi", "eve", "fay", "gil", "hal"].map(|name| cast.learner(name)).into();
    cast.start();
    let (bo, _) = &people[0];
    let task = cast.tasks_of(bo).remove(0);
    let (by, id) = (bo.clone(), task.id);
    cast.world.tx(move |tx| review::decline(tx, &by, id));
    assert_eq!(cast.tasks_of(bo).len(), 2);
    assert_eq!(count(&cast, "ReviewAllocated"), 19);
    let refused = cast.give(bo, &task, levels(1, 1, 1), "").unwrap_err();
    assert!(refused.to_string().contains("declined"));

    let (chi, _) = people[1].clone();
    let lost = cast.tasks_of(&chi).len();
    let (who, cohort) = (chi.id, cast.cohort);
    cast.world.tx(move |tx| {
        let row = enrollments::table.filter(enrollments::actor_id.eq(who)).filter(enrollments::cohort_id.eq(cohort));
        diesel::update(row).set(enrollments::state.eq(EnrollmentState::Left)).execute(tx)?;
        let place = crate::enrollment::find(tx, cohort, who)?.unwrap();
        tx.record(Some(who), Happened::EnrollmentLeft(place.id))
    });
    assert!(cast.tasks_of(&chi).is_empty());
    // Some works may have been asked of everybody left; most found somebody.
    assert!(count(&cast, "ReviewAllocated") >= 19 + i64::try_from(lost).unwrap() - 1);
    let open: Vec<usize> = people.iter().map(|(who, _)| cast.tasks_of(who).len()).collect();
    assert!(open.iter().sum::<usize>() >= 17, "{open:?}");
}

#[test]
fn late_work_is_reviewed_too_and_its_author_reviews() {
    let cast = Cast::new();
    for name in ["bo", "chi", "eve", "fay"] {
        cast.learner(name);
    }
    cast.start();
    cast.world.pass(DAY / 4);
    let (late, work) = cast.learner("late");
    let by = late.id;
    cast.world.tx(move |tx| {
        let revision = submission::counted(tx, work)?.id;
        tx.record(Some(by), Happened::SubmissionReceived { submission: work, revision })
    });
    assert_eq!(cast.tasks_of(&late).len(), 3);
    let work = cast.world.read(|db| submission::get(db, work));
    assert_eq!(work.state, SubmissionState::UnderReview);
    assert_eq!(count(&cast, "ReviewAllocated"), 12 + 6);
    let (_, all) = cast.world.read(|db| review::outcomes(db, &cast.ada, cast.assignment));
    let of_late = all.iter().find(|outcome| outcome.work.id == work.id).unwrap();
    assert!(of_late.late);
    assert_eq!(of_late.reviews.len(), 3);
}

#[test]
fn release_comes_once_for_all_and_later_reviews_change_nothing() {
    let cast = Cast::new();
    let [(bo, bos), (chi, _), (eve, _)] = ["bo", "chi", "eve"].map(|name| cast.learner(name));
    cast.start();
    for (who, given) in [(&chi, levels(2, 1, 0)), (&eve, levels(1, 1, 2))] {
        let task = cast.tasks_of(who).into_iter().find(|task| task.submission_id == bos).unwrap();
        cast.give(who, &task, given, "<p>Good.</p>").unwrap();
    }
    let (_, all) = cast.world.read(|db| review::outcomes(db, &cast.ada, cast.assignment));
    let of_bo = all.iter().find(|outcome| outcome.work.id == bos).unwrap();
    assert_eq!(of_bo.score.state, ResultState::Provisional, "the third review may still come");
    let work = cast.world.read(|db| submission::get(db, bos));
    assert!(matches!(
        cast.world.pool.read_blocking(|db| review::may_see_feedback(db, &bo, &work)),
        Err(Error::NotFound)
    ));
    assert!(cast.world.read(|db| review::labelled(db, bos)).is_empty());
    cast.world.pass(DAY);
    cast.release();
    cast.release();
    assert_eq!(count(&cast, "AssignmentReleased"), 1);
    cast.world.read(|db| review::may_see_feedback(db, &bo, &work));
    assert!(cast.world.pool.read_blocking(|db| review::may_see_feedback(db, &chi, &work)).is_err());
    let result = cast.world.read(|db| review::find_result(db, bos)).unwrap();
    assert_eq!((result.points, result.max_points, result.state), (3.5, 6.0, ResultState::Final));
    assert_eq!(cast.world.read(|db| review::labelled(db, bos)).len(), 2);
    let (_, all) = cast.world.read(|db| review::outcomes(db, &cast.ada, cast.assignment));
    let states: Vec<_> = all.iter().flat_map(|o| &o.reviews).map(|(a, _, _)| a.state).collect();
    assert_eq!(states.iter().filter(|state| **state == AllocationState::Expired).count(), 4);
    let pending = all.iter().filter(|o| o.result.as_ref().unwrap().state == ResultState::Pending).count();
    assert_eq!(pending, 2);
}

#[test]
fn only_organizers_release_early_and_override_with_a_reason() {
    let cast = Cast::new();
    let [(bo, bos), (chi, _)] = ["bo", "chi"].map(|name| cast.learner(name));
    cast.start();
    let task = cast.tasks_of(&chi).remove(0);
    cast.give(&chi, &task, levels(0, 0, 0), "").unwrap();
    let id = cast.assignment;
    let (by, ada) = (bo.clone(), cast.ada.clone());
    assert!(matches!(cast.world.attempt(move |tx| review::release(tx, Some(&by), id)), Err(Error::NotFound)));
    let by = ada.clone();
    assert!(cast.world.attempt(move |tx| review::override_result(tx, &by, bos, 4.0, "x")).is_err());
    let by = ada.clone();
    cast.world.tx(move |tx| review::release(tx, Some(&by), id));
    let by = ada.clone();
    assert!(matches!(cast.world.attempt(move |tx| review::release(tx, Some(&by), id)), Err(Error::Conflict(_))));
    for (points, reason) in [(4.0, " "), (7.0, "x"), (-1.0, "x"), (f64::NAN, "x"), (f64::INFINITY, "x")] {
        let by = ada.clone();
        let refused = cast.world.attempt(move |tx| review::override_result(tx, &by, bos, points, reason));
        assert!(matches!(refused, Err(Error::Invalid(_))), "{points} {reason:?}");
    }
    let by = bo;
    assert!(cast.world.attempt(move |tx| review::override_result(tx, &by, bos, 6.0, "mine")).is_err());
    cast.world.tx(move |tx| review::override_result(tx, &ada, bos, 4.0, "The reviewer had another version."));
    let result = cast.world.read(|db| review::find_result(db, bos)).unwrap();
    assert_eq!((result.points, result.override_points, result.state), (0.0, Some(4.0), ResultState::Overridden));
    assert_eq!(result.decided_by, Some(cast.ada.id));
}
