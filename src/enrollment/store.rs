//! Which rows hold places?

use super::{Enrollment, EnrollmentState};
use crate::actor::Actor;
use crate::db::{
    Db,
    schema::{actors, enrollments},
};
use crate::error::Result;
use crate::id::{ActorId, CohortId, EnrollmentId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper};

pub(super) fn find(db: &mut Db, id: EnrollmentId) -> Result<Option<Enrollment>> {
    Ok(enrollments::table.find(id).select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn find_of(db: &mut Db, cohort: CohortId, actor: ActorId) -> Result<Option<Enrollment>> {
    let query = enrollments::table.filter(enrollments::cohort_id.eq(cohort)).filter(enrollments::actor_id.eq(actor));
    Ok(query.select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn roster(db: &mut Db, cohort: CohortId, states: &[EnrollmentState]) -> Result<Vec<(Enrollment, Actor)>> {
    let query = enrollments::table
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(enrollments::cohort_id.eq(cohort))
        .filter(enrollments::state.eq_any(states.to_vec()));
    Ok(query.order(enrollments::id).select((Enrollment::as_select(), Actor::as_select())).load(db)?)
}
