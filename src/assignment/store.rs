//! Which rows hold assignments?

use super::{Assignment, AssignmentState, Draft, ReadPage};
use crate::clock::Time;
use crate::cohort::Cohort;
use crate::course::Course;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{assignments, cohorts, courses},
};
use crate::error::Result;
use crate::id::{ActorId, AssignmentId, CohortId, CourseId};
use diesel::sql_types::Bool;
use diesel::{BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: AssignmentId) -> Result<Option<Assignment>> {
    Ok(assignments::table.find(id).select(Assignment::as_select()).first(db).optional()?)
}

/// The run and its course, in one look-up: whatever is done with an assignment asks for both.
pub(super) fn place(db: &mut Db, cohort: CohortId) -> Result<Option<(Cohort, Course)>> {
    let query = cohorts::table.inner_join(courses::table.on(courses::id.eq(cohorts::course_id)));
    let both = query.filter(cohorts::id.eq(cohort)).select((Cohort::as_select(), Course::as_select()));
    Ok(both.first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Assignment>> {
    let query = assignments::table.filter(assignments::public_id.eq(public_id));
    Ok(query.select(Assignment::as_select()).first(db).optional()?)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Assignment>> {
    let query = assignments::table.filter(assignments::uri.eq(uri));
    Ok(query.select(Assignment::as_select()).first(db).optional()?)
}

pub(super) fn list_of_cohort(db: &mut Db, cohort: CohortId, with_drafts: bool) -> Result<Vec<Assignment>> {
    let query = assignments::table
        .filter(assignments::cohort_id.eq(cohort))
        .filter(assignments::state.ne(AssignmentState::Draft).or(with_drafts.into_sql::<Bool>()));
    Ok(query.order((assignments::due_at, assignments::id)).select(Assignment::as_select()).load(db)?)
}

pub(super) fn list_of_course(db: &mut Db, course: CourseId, with_drafts: bool) -> Result<Vec<Assignment>> {
    let query = assignments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(assignments::cohort_id)))
        .filter(cohorts::course_id.eq(course))
        .filter(assignments::state.ne(AssignmentState::Draft).or(with_drafts.into_sql::<Bool>()));
    Ok(query.order((assignments::due_at, assignments::id)).select(Assignment::as_select()).load(db)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, author: ActorId, cohort: CohortId, new: (&Draft, &str)) -> Result<AssignmentId> {
    let (draft, html) = new;
    let public_id = tx.new_id();
    let row = (
        assignments::uri.eq(tx.links().object(&public_id)),
        assignments::public_id.eq(public_id),
        assignments::cohort_id.eq(cohort),
        assignments::author_id.eq(author),
        assignments::title.eq(draft.title.trim()),
        assignments::summary.eq(draft.summary.trim()),
        assignments::body_md.eq(&draft.body_md),
        assignments::body_html.eq(html),
        assignments::rubric.eq(draft.rubric.canonical()),
        assignments::rubric_hash.eq(""),
        assignments::reviews_each.eq(draft.reviews_each),
        assignments::visibility.eq(draft.visibility),
        assignments::due_at.eq(draft.due_at),
        assignments::review_due_at.eq(draft.review_due_at),
        assignments::state.eq(AssignmentState::Draft),
        assignments::created_at.eq(tx.now()),
        assignments::updated_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(assignments::table).values(row).returning(assignments::id).get_result(tx)?)
}

/// Words always; how it is judged, and when it ends, only of a draft.
pub(super) fn update(tx: &mut Tx<'_>, id: AssignmentId, new: (&Draft, &str), is_draft: bool) -> Result<()> {
    let (draft, html) = new;
    let words = (
        assignments::title.eq(draft.title.trim()),
        assignments::summary.eq(draft.summary.trim()),
        assignments::body_md.eq(&draft.body_md),
        assignments::body_html.eq(html),
        assignments::updated_at.eq(tx.now()),
    );
    diesel::update(assignments::table.find(id)).set(words).execute(tx)?;
    if is_draft {
        let rest = (
            assignments::rubric.eq(draft.rubric.canonical()),
            assignments::reviews_each.eq(draft.reviews_each),
            assignments::visibility.eq(draft.visibility),
            assignments::due_at.eq(draft.due_at),
            assignments::review_due_at.eq(draft.review_due_at),
        );
        diesel::update(assignments::table.find(id)).set(rest).execute(tx)?;
    }
    Ok(())
}

pub(super) fn open(tx: &mut Tx<'_>, id: AssignmentId, rubric_hash: &str) -> Result<()> {
    let now = tx.now();
    let change = (
        assignments::state.eq(AssignmentState::Open),
        assignments::rubric_hash.eq(rubric_hash),
        assignments::opened_at.eq(Some(now)),
        assignments::updated_at.eq(now),
    );
    diesel::update(assignments::table.find(id)).set(change).execute(tx)?;
    Ok(())
}

pub(super) fn set_times(tx: &mut Tx<'_>, id: AssignmentId, due_at: Time, review_due_at: Time) -> Result<()> {
    let change = (
        assignments::due_at.eq(due_at),
        assignments::review_due_at.eq(review_due_at),
        assignments::updated_at.eq(tx.now()),
    );
    diesel::update(assignments::table.find(id)).set(change).execute(tx)?;
    Ok(())
}

pub(super) fn set_state(tx: &mut Tx<'_>, id: AssignmentId, state: AssignmentState) -> Result<()> {
    let now = tx.now();
    let change = (assignments::state.eq(state), assignments::updated_at.eq(now));
    diesel::update(assignments::table.find(id)).set(change).execute(tx)?;
    if state == AssignmentState::Released {
        diesel::update(assignments::table.find(id)).set(assignments::released_at.eq(Some(now))).execute(tx)?;
    }
    Ok(())
}

pub(super) fn insert_mirrored(
    tx: &mut Tx<'_>,
    author: ActorId,
    cohort: CohortId,
    page: &ReadPage,
) -> Result<AssignmentId> {
    let row = (
        assignments::public_id.eq(tx.new_id()),
        assignments::uri.eq(&page.uri),
        assignments::cohort_id.eq(cohort),
        assignments::author_id.eq(author),
        assignments::title.eq(&page.title),
        assignments::summary.eq(&page.summary),
        assignments::body_md.eq(""),
        assignments::body_html.eq(&page.html),
        assignments::rubric.eq(page.rubric.canonical()),
        assignments::rubric_hash.eq(page.rubric.hash()),
        assignments::reviews_each.eq(page.reviews_each),
        assignments::visibility.eq(page.visibility),
        assignments::due_at.eq(page.due_at),
        assignments::review_due_at.eq(page.review_due_at),
        assignments::state.eq(page.state),
        assignments::created_at.eq(page.published_at),
        assignments::updated_at.eq(page.updated_at),
        assignments::opened_at.eq(Some(page.published_at)),
    );
    Ok(diesel::insert_into(assignments::table).values(row).returning(assignments::id).get_result(tx)?)
}

pub(super) fn update_mirrored(tx: &mut Tx<'_>, id: AssignmentId, page: &ReadPage) -> Result<()> {
    let change = (
        assignments::title.eq(&page.title),
        assignments::summary.eq(&page.summary),
        assignments::body_html.eq(&page.html),
        assignments::due_at.eq(page.due_at),
        assignments::review_due_at.eq(page.review_due_at),
        assignments::state.eq(page.state),
        assignments::updated_at.eq(page.updated_at),
    );
    diesel::update(assignments::table.find(id)).set(change).execute(tx)?;
    Ok(())
}
