//! Which rows say what somebody has to do?

use super::{Feedback, Owed, Place};
use crate::actor::Actor;
use crate::assignment::{Assignment, AssignmentState};
use crate::clock::Time;
use crate::cohort::{Cohort, CohortState};
use crate::db::{
    Columns, Db, Run,
    schema::{
        actors, allocations, assignments, cohorts, courses, enrollments, feedback as feedback_rows, review_tasks,
        submissions,
    },
};
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::error::Result;
use crate::id::{ActorId, CohortId};
use crate::submission::SubmissionState;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};

pub(super) fn places(db: &mut Db, who: ActorId, (most, after): (i64, i64)) -> Result<Vec<Place>> {
    let query = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .inner_join(courses::table.on(courses::id.eq(cohorts::course_id)))
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(enrollments::actor_id.eq(who));
    let query = query.order(enrollments::id.desc()).limit(most).offset(after);
    let rows: Vec<(Enrollment, Cohort, Actor)> =
        query.select((Enrollment::as_select(), Cohort::as_select(), Actor::as_select())).load(db)?;
    Ok(rows.into_iter().map(|(enrollment, cohort, group)| Place { enrollment, cohort, group }).collect())
}

/// Cohorts under way in which somebody takes part, with the course's name; the newest 100.
pub(super) fn places_under_way(db: &mut Db, who: ActorId) -> Result<Vec<(CohortId, String)>> {
    let query = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .inner_join(courses::table.on(courses::id.eq(cohorts::course_id)))
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(enrollments::actor_id.eq(who))
        .filter(enrollments::state.eq(EnrollmentState::Active))
        .filter(cohorts::state.eq_any([CohortState::Open, CohortState::Full, CohortState::Running]));
    Ok(query.order(enrollments::id.desc()).limit(100).select((cohorts::id, actors::name)).load(db)?)
}

type Asked = (Assignment, Option<SubmissionState>);

pub(super) fn open_assignments(db: &mut Db, cohorts: &[CohortId], who: ActorId) -> Result<Vec<Asked>> {
    let mine = submissions::assignment_id.eq(assignments::id).and(submissions::author_id.eq(who));
    let query = assignments::table
        .left_join(submissions::table.on(mine))
        .filter(assignments::cohort_id.eq_any(cohorts.to_vec()))
        .filter(assignments::state.eq(AssignmentState::Open));
    let query = query.order((assignments::due_at, assignments::id)).limit(50);
    Ok(query.select((Assignment::as_select(), submissions::state.nullable())).load(db)?)
}

pub(super) fn allocations(db: &mut Db, who: ActorId) -> Result<Vec<Owed>> {
    let query = allocations::table
        .inner_join(submissions::table.on(submissions::id.eq(allocations::submission_id)))
        .inner_join(assignments::table.on(assignments::id.eq(submissions::assignment_id)))
        .filter(allocations::reviewer_id.eq(who))
        .filter(allocations::state.eq_any(["offered", "accepted"]));
    let query = query.order((allocations::due_at, allocations::id)).limit(50);
    let rows: Vec<(String, String, Time)> =
        query.select((allocations::public_id, assignments::title, allocations::due_at)).load(db)?;
    Ok(rows.into_iter().map(|(public_id, title, due_at)| Owed { public_id, title, due_at }).collect())
}

pub(super) fn tasks(db: &mut Db, who: ActorId) -> Result<Vec<Owed>> {
    let query = review_tasks::table
        .inner_join(assignments::table.on(assignments::id.eq(review_tasks::assignment_id)))
        .filter(review_tasks::reviewer_id.eq(who))
        .filter(review_tasks::state.eq("offered"));
    let query = query.order((review_tasks::due_at, review_tasks::id)).limit(50);
    let rows: Vec<(String, String, Time)> =
        query.select((review_tasks::public_id, assignments::title, review_tasks::due_at)).load(db)?;
    Ok(rows.into_iter().map(|(public_id, title, due_at)| Owed { public_id, title, due_at }).collect())
}

/// Work of this person that was released here, or for which the home of a mirrored course sent a review.
pub(super) fn feedback(db: &mut Db, who: ActorId) -> Result<Vec<Feedback>> {
    let came = feedback_rows::table.select(feedback_rows::submission_id);
    let query = submissions::table
        .inner_join(assignments::table.on(assignments::id.eq(submissions::assignment_id)))
        .filter(submissions::author_id.eq(who))
        .filter(submissions::state.eq(SubmissionState::Released).or(submissions::id.eq_any(came)));
    let query = query.order(submissions::changed_at.desc()).limit(10);
    let rows: Vec<(String, String, Option<Time>, Time)> = query
        .select((submissions::public_id, assignments::title, assignments::released_at, submissions::changed_at))
        .load(db)?;
    let row = |(public_id, title, released, changed): (String, String, Option<Time>, Time)| Feedback {
        public_id,
        title,
        at: released.unwrap_or(changed),
    };
    Ok(rows.into_iter().map(row).collect())
}
