//! Which rows hold allocations, reviews and results, and the tasks and feedback of mirrored courses?

use super::{Allocation, AllocationState, Feedback, Review, ReviewState, StoredResult, Task, TaskState};
use crate::assignment::rubric::Levels;
use crate::assignment::{Assignment, AssignmentState};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{allocations, assignments, enrollments, feedback, results, review_tasks, reviews, submissions},
};
use crate::enrollment::EnrollmentState;
use crate::error::Result;
use crate::id::{ActorId, AllocationId, AssignmentId, CohortId, ReviewId, ReviewTaskId, RevisionId, SubmissionId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: AllocationId) -> Result<Option<Allocation>> {
    Ok(allocations::table.find(id).select(Allocation::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Allocation>> {
    let query = allocations::table.filter(allocations::public_id.eq(public_id));
    Ok(query.select(Allocation::as_select()).first(db).optional()?)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Allocation>> {
    Ok(allocations::table.filter(allocations::uri.eq(uri)).select(Allocation::as_select()).first(db).optional()?)
}

pub(super) fn of_reviewer(db: &mut Db, reviewer: ActorId) -> Result<Vec<Allocation>> {
    let query = allocations::table.filter(allocations::reviewer_id.eq(reviewer)).order(allocations::id);
    Ok(query.select(Allocation::as_select()).load(db)?)
}

pub(super) fn of_work(db: &mut Db, submission: SubmissionId) -> Result<Vec<Allocation>> {
    let query = allocations::table.filter(allocations::submission_id.eq(submission)).order(allocations::id);
    Ok(query.select(Allocation::as_select()).load(db)?)
}

pub(super) fn of_assignment(db: &mut Db, assignment: AssignmentId) -> Result<Vec<Allocation>> {
    let query = allocations::table
        .inner_join(submissions::table.on(submissions::id.eq(allocations::submission_id)))
        .filter(submissions::assignment_id.eq(assignment));
    Ok(query.order(allocations::id).select(Allocation::as_select()).load(db)?)
}

pub(super) struct NewAllocation {
    pub(super) submission: SubmissionId,
    pub(super) revision: RevisionId,
    pub(super) reviewer: ActorId,
    pub(super) due_at: Time,
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &NewAllocation) -> Result<AllocationId> {
    let public_id = tx.new_id();
    // Another random id than that of the copy: the task's id is told to servers, the copy's address only to its reader.
    let uri = tx.links().object(&tx.new_id());
    let row = (
        allocations::public_id.eq(public_id),
        allocations::uri.eq(uri),
        allocations::submission_id.eq(new.submission),
        allocations::revision_id.eq(new.revision),
        allocations::reviewer_id.eq(new.reviewer),
        allocations::state.eq(AllocationState::Offered),
        allocations::due_at.eq(new.due_at),
        allocations::created_at.eq(tx.now()),
        allocations::changed_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(allocations::table).values(row).returning(allocations::id).get_result(tx)?)
}

pub(super) fn move_to(tx: &mut Tx<'_>, id: AllocationId, state: AllocationState) -> Result<()> {
    let now = tx.now();
    diesel::update(allocations::table.find(id))
        .set((allocations::state.eq(state), allocations::changed_at.eq(now)))
        .execute(tx)?;
    Ok(())
}

pub(super) fn begun(db: &mut Db, id: AllocationId) -> Result<(String, String)> {
    let columns = (allocations::begun_levels, allocations::begun_comment);
    Ok(allocations::table.find(id).select(columns).first(db)?)
}

pub(super) fn keep_begun(tx: &mut Tx<'_>, id: AllocationId, levels: &Levels, comment_html: &str) -> Result<()> {
    let row =
        (allocations::begun_levels.eq(serde_json::to_string(levels)?), allocations::begun_comment.eq(comment_html));
    diesel::update(allocations::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn find_review(db: &mut Db, id: ReviewId) -> Result<Option<Review>> {
    Ok(reviews::table.find(id).select(Review::as_select()).first(db).optional()?)
}

pub(super) fn review_of(db: &mut Db, allocation: AllocationId) -> Result<Option<Review>> {
    Ok(reviews::table.filter(reviews::allocation_id.eq(allocation)).select(Review::as_select()).first(db).optional()?)
}

/// All reviews of an assignment beside their allocations, in random order.
pub(super) fn reviews_of_assignment(db: &mut Db, assignment: AssignmentId) -> Result<Vec<(Allocation, Review)>> {
    let query = allocations::table
        .inner_join(submissions::table.on(submissions::id.eq(allocations::submission_id)))
        .inner_join(reviews::table.on(reviews::allocation_id.eq(allocations::id)))
        .filter(submissions::assignment_id.eq(assignment));
    Ok(query.order(reviews::public_id).select((Allocation::as_select(), Review::as_select())).load(db)?)
}

/// All reviews of a work, in random order.
pub(super) fn reviews_of_work(db: &mut Db, submission: SubmissionId) -> Result<Vec<Review>> {
    let query = allocations::table
        .inner_join(reviews::table.on(reviews::allocation_id.eq(allocations::id)))
        .filter(allocations::submission_id.eq(submission));
    Ok(query.order(reviews::public_id).select(Review::as_select()).load(db)?)
}

pub(super) fn insert_review(
    tx: &mut Tx<'_>,
    allocation: AllocationId,
    uri: &str,
    levels: &Levels,
    comment_html: &str,
) -> Result<ReviewId> {
    let row = (
        reviews::public_id.eq(tx.new_id()),
        reviews::uri.eq(uri),
        reviews::allocation_id.eq(allocation),
        reviews::levels.eq(serde_json::to_string(levels)?),
        reviews::comment_html.eq(comment_html),
        reviews::state.eq(ReviewState::Submitted),
        reviews::given_at.eq(tx.now()),
        reviews::released_at.eq(None::<Time>),
    );
    Ok(diesel::insert_into(reviews::table).values(row).returning(reviews::id).get_result(tx)?)
}

pub(super) fn release_reviews(tx: &mut Tx<'_>, ids: &[ReviewId]) -> Result<()> {
    let now = tx.now();
    for some in ids.chunks(500) {
        diesel::update(reviews::table.filter(reviews::id.eq_any(some.to_vec())))
            .set((reviews::state.eq(ReviewState::Released), reviews::released_at.eq(Some(now))))
            .execute(tx)?;
    }
    Ok(())
}

/// Sets the end of reviewing for all that is still to be reviewed.
pub(super) fn move_due(tx: &mut Tx<'_>, assignment: &Assignment) -> Result<()> {
    let open = [AllocationState::Offered, AllocationState::Accepted];
    let works = submissions::table.filter(submissions::assignment_id.eq(assignment.id)).select(submissions::id);
    let row = allocations::table
        .filter(allocations::submission_id.eq_any(works))
        .filter(allocations::state.eq_any(open.to_vec()));
    diesel::update(row).set(allocations::due_at.eq(assignment.review_due_at)).execute(tx)?;
    let row = review_tasks::table.filter(review_tasks::assignment_id.eq(assignment.id));
    diesel::update(row).set(review_tasks::due_at.eq(assignment.review_due_at)).execute(tx)?;
    Ok(())
}

/// The assignments of a cohort that are in this state.
pub(super) fn assignments_in(db: &mut Db, cohort: CohortId, state: AssignmentState) -> Result<Vec<AssignmentId>> {
    let query = assignments::table.filter(assignments::cohort_id.eq(cohort)).filter(assignments::state.eq(state));
    Ok(query.select(assignments::id).load(db)?)
}

/// Who takes part in the cohort, as far as reviewing goes.
pub(super) fn taking_part(db: &mut Db, cohort: CohortId) -> Result<Vec<ActorId>> {
    let states = [EnrollmentState::Active, EnrollmentState::Completed];
    let query =
        enrollments::table.filter(enrollments::cohort_id.eq(cohort)).filter(enrollments::state.eq_any(states.to_vec()));
    Ok(query.select(enrollments::actor_id).load(db)?)
}

pub(super) fn find_result(db: &mut Db, submission: SubmissionId) -> Result<Option<StoredResult>> {
    let query = results::table.filter(results::submission_id.eq(submission));
    Ok(query.select(StoredResult::as_select()).first(db).optional()?)
}

pub(super) fn put_result(tx: &mut Tx<'_>, row: &StoredResult) -> Result<()> {
    let values = (
        results::document.eq(&row.document),
        results::points.eq(row.points),
        results::max_points.eq(row.max_points),
        results::state.eq(row.state),
        results::override_points.eq(row.override_points),
        results::override_reason.eq(&row.override_reason),
        results::decided_by.eq(row.decided_by),
        results::computed_at.eq(row.computed_at),
    );
    diesel::insert_into(results::table)
        .values((results::submission_id.eq(row.submission_id), values))
        .on_conflict(results::submission_id)
        .do_update()
        .set(values)
        .execute(tx)?;
    Ok(())
}

pub(super) fn find_task(db: &mut Db, id: ReviewTaskId) -> Result<Option<Task>> {
    Ok(review_tasks::table.find(id).select(Task::as_select()).first(db).optional()?)
}

pub(super) fn find_task_public(db: &mut Db, public_id: &str) -> Result<Option<Task>> {
    let query = review_tasks::table.filter(review_tasks::public_id.eq(public_id));
    Ok(query.select(Task::as_select()).first(db).optional()?)
}

pub(super) fn find_task_by_uri(db: &mut Db, uri: &str) -> Result<Option<Task>> {
    Ok(review_tasks::table.filter(review_tasks::uri.eq(uri)).select(Task::as_select()).first(db).optional()?)
}

pub(super) fn find_task_by_review(db: &mut Db, uri: &str) -> Result<Option<Task>> {
    Ok(review_tasks::table.filter(review_tasks::review_uri.eq(uri)).select(Task::as_select()).first(db).optional()?)
}

pub(super) fn tasks_of(db: &mut Db, reviewer: ActorId) -> Result<Vec<Task>> {
    let query = review_tasks::table.filter(review_tasks::reviewer_id.eq(reviewer)).order(review_tasks::id);
    Ok(query.select(Task::as_select()).load(db)?)
}

pub(super) fn insert_task(tx: &mut Tx<'_>, new: &super::NewTask, reviewer: ActorId) -> Result<ReviewTaskId> {
    let row = (
        review_tasks::public_id.eq(tx.new_id()),
        review_tasks::uri.eq(&new.uri),
        review_tasks::assignment_id.eq(new.assignment),
        review_tasks::reviewer_id.eq(reviewer),
        review_tasks::copy_html.eq(&new.copy_html),
        review_tasks::state.eq(TaskState::Offered),
        review_tasks::answer_reason.eq(""),
        review_tasks::review_uri.eq(None::<String>),
        review_tasks::levels.eq("{}"),
        review_tasks::comment_html.eq(""),
        review_tasks::due_at.eq(new.due_at),
        review_tasks::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(review_tasks::table).values(row).returning(review_tasks::id).get_result(tx)?)
}

pub(super) fn task_sent(
    tx: &mut Tx<'_>,
    id: ReviewTaskId,
    review_uri: &str,
    levels: &Levels,
    comment_html: &str,
) -> Result<()> {
    let set = (
        review_tasks::state.eq(TaskState::Sent),
        review_tasks::answer_reason.eq(""),
        review_tasks::review_uri.eq(Some(review_uri)),
        review_tasks::levels.eq(serde_json::to_string(levels)?),
        review_tasks::comment_html.eq(comment_html),
    );
    diesel::update(review_tasks::table.find(id)).set(set).execute(tx)?;
    Ok(())
}

pub(super) fn move_task(tx: &mut Tx<'_>, id: ReviewTaskId, state: TaskState, reason: &str) -> Result<()> {
    diesel::update(review_tasks::table.find(id))
        .set((review_tasks::state.eq(state), review_tasks::answer_reason.eq(reason)))
        .execute(tx)?;
    Ok(())
}

pub(super) fn list_feedback(db: &mut Db, submission: SubmissionId) -> Result<Vec<Feedback>> {
    let query = feedback::table.filter(feedback::submission_id.eq(submission)).order(feedback::label);
    Ok(query.select(Feedback::as_select()).load(db)?)
}

/// Puts these reviews in the place of those that came before.
pub(super) fn replace_feedback(
    tx: &mut Tx<'_>,
    submission: SubmissionId,
    note_uri: &str,
    all: &[Feedback],
) -> Result<()> {
    diesel::delete(feedback::table.filter(feedback::submission_id.eq(submission))).execute(tx)?;
    for one in all {
        let row = (
            feedback::uri.eq(format!("{note_uri}#{}", one.label)),
            feedback::submission_id.eq(submission),
            feedback::label.eq(&one.label),
            feedback::levels.eq(&one.levels),
            feedback::comment_html.eq(&one.comment_html),
            feedback::created_at.eq(tx.now()),
        );
        diesel::insert_into(feedback::table).values(row).execute(tx)?;
    }
    Ok(())
}
