//! Which rows hold submissions and their versions?

use super::{Revision, Submission};
use crate::db::{
    Db,
    schema::{revisions, submissions},
};
use crate::error::Result;
use crate::id::{ActorId, AssignmentId, SubmissionId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper};

pub(super) fn find(db: &mut Db, id: SubmissionId) -> Result<Option<Submission>> {
    Ok(submissions::table.find(id).select(Submission::as_select()).first(db).optional()?)
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
