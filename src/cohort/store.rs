//! Which rows hold cohorts?

use super::plan::{Checked, Plan};
use super::{Cohort, CohortState, Mirrored};
use crate::db::{Columns, Db, Run, Tx, schema::cohorts};
use crate::error::Result;
use crate::id::{CohortId, CourseId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: CohortId) -> Result<Option<Cohort>> {
    Ok(cohorts::table.find(id).select(Cohort::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Cohort>> {
    Ok(cohorts::table.filter(cohorts::public_id.eq(public_id)).select(Cohort::as_select()).first(db).optional()?)
}

pub(super) fn list_of(db: &mut Db, course: CourseId) -> Result<Vec<Cohort>> {
    let query = cohorts::table.filter(cohorts::course_id.eq(course)).order(cohorts::id.desc());
    Ok(query.select(Cohort::as_select()).load(db)?)
}

/// An update that changes nothing holds the row on PostgreSQL and the write lock on SQLite.
pub(super) fn lock(tx: &mut Tx<'_>, id: CohortId) -> Result<Option<Cohort>> {
    let row = diesel::update(cohorts::table.find(id)).set(cohorts::seats.eq(cohorts::seats));
    Ok(row.returning(cohorts::all_columns).get_result(tx).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, course: CourseId, plan: &Plan, checked: &Checked) -> Result<Cohort> {
    let row = (
        cohorts::public_id.eq(tx.new_id()),
        cohorts::course_id.eq(course),
        cohorts::name.eq(&plan.name),
        cohorts::starts_on.eq(&plan.starts_on),
        cohorts::ends_on.eq(&plan.ends_on),
        cohorts::zone.eq(&plan.zone),
        cohorts::seats.eq(checked.seats),
        cohorts::enrolling.eq(checked.enrolling),
        cohorts::state.eq(CohortState::Planned),
        cohorts::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(cohorts::table).values(row).returning(cohorts::all_columns).get_result(tx)?)
}

pub(super) fn update(tx: &mut Tx<'_>, id: CohortId, plan: &Plan, checked: &Checked) -> Result<Cohort> {
    let row = (
        cohorts::name.eq(&plan.name),
        cohorts::starts_on.eq(&plan.starts_on),
        cohorts::ends_on.eq(&plan.ends_on),
        cohorts::zone.eq(&plan.zone),
        cohorts::seats.eq(checked.seats),
        cohorts::enrolling.eq(checked.enrolling),
    );
    Ok(diesel::update(cohorts::table.find(id)).set(row).returning(cohorts::all_columns).get_result(tx)?)
}

pub(super) fn move_to(tx: &mut Tx<'_>, id: CohortId, state: CohortState) -> Result<Cohort> {
    let row = diesel::update(cohorts::table.find(id)).set(cohorts::state.eq(state));
    Ok(row.returning(cohorts::all_columns).get_result(tx)?)
}

pub(super) fn insert_mirrored(tx: &mut Tx<'_>, course: CourseId, said: &Mirrored) -> Result<Cohort> {
    let row = (
        cohorts::public_id.eq(&said.public_id),
        cohorts::course_id.eq(course),
        cohorts::name.eq(&said.name),
        cohorts::starts_on.eq(&said.starts_on),
        cohorts::ends_on.eq(&said.ends_on),
        cohorts::zone.eq(&said.zone),
        cohorts::seats.eq(said.seats),
        cohorts::enrolling.eq(said.enrolling),
        cohorts::state.eq(said.state),
        cohorts::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(cohorts::table).values(row).returning(cohorts::all_columns).get_result(tx)?)
}

pub(super) fn refresh(tx: &mut Tx<'_>, id: CohortId, said: &Mirrored) -> Result<Cohort> {
    let row = (
        cohorts::name.eq(&said.name),
        cohorts::starts_on.eq(&said.starts_on),
        cohorts::ends_on.eq(&said.ends_on),
        cohorts::zone.eq(&said.zone),
        cohorts::seats.eq(said.seats),
        cohorts::enrolling.eq(said.enrolling),
        cohorts::state.eq(said.state),
    );
    Ok(diesel::update(cohorts::table.find(id)).set(row).returning(cohorts::all_columns).get_result(tx)?)
}
