//! Which rows hold submissions and their versions?

use super::{HomeAnswer, Listed, Revision, Submission, SubmissionState, Work};
use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::clock::Time;
use crate::db::{
    Columns, Db, Kept, Run, Tx,
    schema::{actors, assignments, objects, revisions, submissions},
};
use crate::error::Result;
use crate::federation::object::ObjectKind;
use crate::id::{ActorId, AssignmentId, RevisionId, SubmissionId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: SubmissionId) -> Result<Option<Submission>> {
    Ok(submissions::table.find(id).select(Submission::as_select()).first(db).optional()?)
}

/// A version with its work, what it was handed in for, and by whom.
pub(super) fn find_arrival(
    db: &mut Db,
    id: SubmissionId,
    version: RevisionId,
) -> Result<Option<(Submission, Revision, Assignment, Actor)>> {
    let query = submissions::table
        .inner_join(revisions::table.on(revisions::submission_id.eq(submissions::id)))
        .inner_join(assignments::table.on(assignments::id.eq(submissions::assignment_id)))
        .inner_join(actors::table.on(actors::id.eq(submissions::author_id)))
        .filter(submissions::id.eq(id))
        .filter(revisions::id.eq(version));
    let columns = (Submission::as_select(), Revision::as_select(), Assignment::as_select(), Actor::as_select());
    Ok(query.select(columns).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Submission>> {
    let query = submissions::table.filter(submissions::public_id.eq(public_id));
    Ok(query.select(Submission::as_select()).first(db).optional()?)
}

pub(super) fn find_of(db: &mut Db, assignment: AssignmentId, author: ActorId) -> Result<Option<Submission>> {
    let query =
        submissions::table.filter(submissions::assignment_id.eq(assignment)).filter(submissions::author_id.eq(author));
    Ok(query.select(Submission::as_select()).first(db).optional()?)
}

pub(super) fn list_of(db: &mut Db, assignment: AssignmentId) -> Result<Vec<Submission>> {
    let query = submissions::table.filter(submissions::assignment_id.eq(assignment)).order(submissions::id);
    Ok(query.select(Submission::as_select()).load(db)?)
}

pub(super) fn revisions(db: &mut Db, submission: SubmissionId) -> Result<Vec<Revision>> {
    let query = revisions::table.filter(revisions::submission_id.eq(submission)).order(revisions::number);
    Ok(query.select(Revision::as_select()).load(db)?)
}

pub(super) fn last_revision(db: &mut Db, submission: SubmissionId) -> Result<Option<Revision>> {
    let query = revisions::table.filter(revisions::submission_id.eq(submission)).order(revisions::number.desc());
    Ok(query.select(Revision::as_select()).first(db).optional()?)
}

/// A page of the list of work for an assignment, of one state or of any, in the order in which it came: so many rows after
/// so many.
pub(super) fn page_of(
    db: &mut Db,
    assignment: AssignmentId,
    state: Option<SubmissionState>,
    (most, after): (i64, i64),
) -> Result<Vec<Listed>> {
    let versions = revisions::table.filter(revisions::submission_id.eq(submissions::id)).count().single_value();
    let query = submissions::table
        .inner_join(actors::table.on(actors::id.eq(submissions::author_id)))
        .filter(submissions::assignment_id.eq(assignment))
        .order(submissions::id)
        .limit(most)
        .offset(after);
    let author = (actors::name, actors::here, actors::host);
    let columns = (submissions::public_id, submissions::state, submissions::changed_at, author, versions);
    Ok(match state {
        Some(state) => query.filter(submissions::state.eq(state)).select(columns).load(db)?,
        None => query.select(columns).load(db)?,
    })
}

pub(super) fn find_by_revision(db: &mut Db, revision: RevisionId) -> Result<Option<Submission>> {
    let query = submissions::table
        .inner_join(revisions::table.on(revisions::submission_id.eq(submissions::id)))
        .filter(revisions::id.eq(revision));
    Ok(query.select(Submission::as_select()).first(db).optional()?)
}

pub(super) fn find_revision(db: &mut Db, revision: RevisionId) -> Result<Option<Revision>> {
    Ok(revisions::table.find(revision).select(Revision::as_select()).first(db).optional()?)
}

pub(super) fn count_of(db: &mut Db, assignment: AssignmentId) -> Result<i64> {
    let query = submissions::table
        .filter(submissions::assignment_id.eq(assignment))
        .filter(submissions::state.ne(SubmissionState::Withdrawn));
    Ok(query.count().get_result(db)?)
}

/// What can be written of a submission.
pub(super) struct Row<'a> {
    pub(super) uri: &'a str,
    pub(super) private: bool,
    pub(super) state: SubmissionState,
    pub(super) answer: HomeAnswer,
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    assignment: AssignmentId,
    author: ActorId,
    row: &Row<'_>,
) -> Result<SubmissionId> {
    let values = (
        submissions::public_id.eq(tx.new_id()),
        submissions::uri.eq(row.uri),
        submissions::assignment_id.eq(assignment),
        submissions::author_id.eq(author),
        submissions::private.eq(row.private),
        submissions::state.eq(row.state),
        submissions::answer.eq(row.answer),
        submissions::answer_reason.eq(""),
        submissions::created_at.eq(tx.now()),
        submissions::changed_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(submissions::table).values(values).returning(submissions::id).get_result(tx)?)
}

pub(super) fn update(tx: &mut Tx<'_>, id: SubmissionId, row: &Row<'_>) -> Result<SubmissionId> {
    let change = (
        submissions::uri.eq(row.uri),
        submissions::private.eq(row.private),
        submissions::state.eq(row.state),
        submissions::answer.eq(row.answer),
        submissions::answer_reason.eq(""),
        submissions::changed_at.eq(tx.now()),
    );
    Kept(diesel::update(submissions::table.find(id)).set(change)).execute(tx)?;
    Ok(id)
}

pub(super) fn last_number(db: &mut Db, id: SubmissionId) -> Result<i64> {
    let query = revisions::table.filter(revisions::submission_id.eq(id)).select(diesel::dsl::max(revisions::number));
    Ok(query.first::<Option<i64>>(db)?.unwrap_or_default())
}

pub(super) fn insert_revision(
    tx: &mut Tx<'_>,
    id: SubmissionId,
    (number, late): (i64, bool),
    work: &Work,
) -> Result<RevisionId> {
    let values = (
        revisions::submission_id.eq(id),
        revisions::number.eq(number),
        revisions::body_md.eq(&work.body_md),
        revisions::body_html.eq(&work.body_html),
        revisions::late.eq(late),
        revisions::received_at.eq(work.received_at),
    );
    Ok(diesel::insert_into(revisions::table).values(values).returning(revisions::id).get_result(tx)?)
}

/// All versions go; that there was something stays.
pub(super) fn withdraw(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    diesel::delete(revisions::table.filter(revisions::submission_id.eq(id))).execute(tx)?;
    set_state(tx, id, SubmissionState::Withdrawn)
}

pub(super) fn set_state(tx: &mut Tx<'_>, id: SubmissionId, state: SubmissionState) -> Result<()> {
    let change = (submissions::state.eq(state), submissions::changed_at.eq(tx.now()));
    diesel::update(submissions::table.find(id)).set(change).execute(tx)?;
    Ok(())
}

pub(super) fn set_answer(tx: &mut Tx<'_>, id: SubmissionId, (answer, reason): (HomeAnswer, &str)) -> Result<()> {
    let change = (submissions::answer.eq(answer), submissions::answer_reason.eq(reason));
    diesel::update(submissions::table.find(id)).set(change).execute(tx)?;
    Ok(())
}

pub(super) fn set_receipt(tx: &mut Tx<'_>, revision: RevisionId, late: bool, received_at: Time) -> Result<()> {
    let change = (revisions::late.eq(late), revisions::received_at.eq(received_at));
    diesel::update(revisions::table.find(revision)).set(change).execute(tx)?;
    Ok(())
}

/// Every id under which it is known: somebody on a microblog may have replied more than once.
pub(super) fn uris_of(db: &mut Db, id: SubmissionId) -> Result<Vec<String>> {
    let query = objects::table.filter(objects::kind.eq(ObjectKind::Submission)).filter(objects::local_id.eq(id.0));
    Ok(query.filter(objects::deleted_at.is_null()).select(objects::uri).load(db)?)
}
