//! Which rows hold cohorts?

use super::Cohort;
use crate::db::{Db, schema::cohorts};
use crate::error::Result;
use crate::id::{CohortId, CourseId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper};

pub(super) fn find(db: &mut Db, id: CohortId) -> Result<Option<Cohort>> {
    Ok(cohorts::table.find(id).select(Cohort::as_select()).first(db).optional()?)
}

pub(super) fn list_of(db: &mut Db, course: CourseId) -> Result<Vec<Cohort>> {
    let query = cohorts::table.filter(cohorts::course_id.eq(course)).order(cohorts::id.desc());
    Ok(query.select(Cohort::as_select()).load(db)?)
}
