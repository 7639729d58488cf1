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

pub(super) fn insert(
    tx: &mut crate::db::Tx<'_>,
    cohort: CohortId,
    actor: ActorId,
    ask: &super::Ask,
) -> Result<Enrollment> {
    let row = (
        enrollments::public_id.eq(tx.new_id()),
        enrollments::cohort_id.eq(cohort),
        enrollments::actor_id.eq(actor),
        enrollments::role.eq(super::Role::Learner),
        enrollments::state.eq(EnrollmentState::Active),
        enrollments::join_uri.eq(&ask.join_uri),
        enrollments::message.eq(&ask.message),
        enrollments::created_at.eq(tx.now()),
        enrollments::changed_at.eq(tx.now()),
    );
    let id: EnrollmentId =
        diesel::insert_into(enrollments::table).values(row).returning(enrollments::id).get_result(&mut **tx)?;
    find(tx, id)?.ok_or(crate::error::Error::NotFound)
}
