//! Which rows hold places?

use super::{Ask, Enrollment, EnrollmentState, Role};
use crate::actor::{Actor, MAY_ACT};
use crate::cohort::Cohort;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{activities, actors, cohorts, enrollments, moves},
};
use crate::error::{Error, Result};
use crate::id::{ActorId, CohortId, CourseId, EnrollmentId};
use diesel::dsl::{case_when, count};
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: EnrollmentId) -> Result<Option<Enrollment>> {
    Ok(enrollments::table.find(id).select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Enrollment>> {
    let query = enrollments::table.filter(enrollments::public_id.eq(public_id));
    Ok(query.select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn find_by_join(db: &mut Db, uri: &str) -> Result<Option<Enrollment>> {
    let query = enrollments::table.filter(enrollments::join_uri.eq(uri)).order(enrollments::id.desc());
    Ok(query.select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn find_of(db: &mut Db, cohort: CohortId, actor: ActorId) -> Result<Option<Enrollment>> {
    let query = enrollments::table.filter(enrollments::cohort_id.eq(cohort)).filter(enrollments::actor_id.eq(actor));
    Ok(query.select(Enrollment::as_select()).first(db).optional()?)
}

pub(super) fn roster(db: &mut Db, cohort: CohortId, states: &[EnrollmentState]) -> Result<Vec<(Enrollment, Actor)>> {
    let mut found: Vec<(Enrollment, Actor)> = Vec::new();
    // One question for each: a statement with a list is compiled each time.
    for state in states {
        let query = enrollments::table
            .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
            .filter(enrollments::cohort_id.eq(cohort))
            .filter(enrollments::state.eq(*state))
            .select((Enrollment::as_select(), Actor::as_select()));
        found.append(&mut query.load(db)?);
    }
    found.sort_by_key(|(place, _)| (place.created_at, place.id));
    Ok(found)
}

pub(super) fn of_person(db: &mut Db, actor: ActorId) -> Result<Vec<(Enrollment, Cohort)>> {
    let query = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .filter(enrollments::actor_id.eq(actor))
        .order(enrollments::id.desc());
    Ok(query.select((Enrollment::as_select(), Cohort::as_select())).load(db)?)
}

/// A page of those in one of two states, each in the order in which they came: so many rows after so many. With the
/// newest former account of each.
pub(super) fn page_of(
    db: &mut Db,
    cohort: CohortId,
    (one, other): (EnrollmentState, EnrollmentState),
    (most, after): (i64, i64),
) -> Result<Vec<(Enrollment, Actor, Option<ActorId>)>> {
    let former = moves::table
        .filter(moves::target_id.eq(actors::id))
        .filter(moves::ended_at.is_null())
        .order(moves::moved_at.desc())
        .select(moves::actor_id)
        .limit(1)
        .single_value();
    let query = enrollments::table
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(enrollments::cohort_id.eq(cohort))
        .filter(enrollments::state.eq(one).or(enrollments::state.eq(other)))
        // As the index has them.
        .order((enrollments::state, enrollments::created_at, enrollments::id))
        .limit(most)
        .offset(after);
    Ok(query.select((Enrollment::as_select(), Actor::as_select(), former)).load(db)?)
}

/// How many places there are of each state, and how many of them are of learners.
pub(super) fn counts(db: &mut Db, cohort: CohortId) -> Result<Vec<(EnrollmentState, i64, i64)>> {
    let learner = case_when(enrollments::role.eq(Role::Learner), enrollments::id);
    let query = enrollments::table.filter(enrollments::cohort_id.eq(cohort)).group_by(enrollments::state).select((
        enrollments::state,
        count(enrollments::id),
        count(learner),
    ));
    Ok(query.load(db)?)
}

/// In a state that holds a seat. Not a list: statements with one are compiled each time.
#[diesel::dsl::auto_type(no_type_alias)]
fn seated() -> _ {
    let active: EnrollmentState = EnrollmentState::Active;
    let dormant: EnrollmentState = EnrollmentState::Dormant;
    enrollments::state.eq(active).or(enrollments::state.eq(dormant))
}

pub(super) fn seats_taken(db: &mut Db, cohort: CohortId) -> Result<i64> {
    let query = enrollments::table
        .filter(enrollments::cohort_id.eq(cohort))
        .filter(enrollments::role.eq(Role::Learner))
        .filter(seated());
    Ok(query.count().get_result(db)?)
}

pub(super) fn count_active(db: &mut Db, cohort: CohortId) -> Result<i64> {
    let query = enrollments::table.filter(enrollments::cohort_id.eq(cohort)).filter(seated());
    Ok(query.count().get_result(db)?)
}

pub(super) fn active_elsewhere(db: &mut Db, course: CourseId) -> Result<Vec<Actor>> {
    let query = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(cohorts::course_id.eq(course))
        .filter(seated())
        .filter(actors::here.eq(false))
        .filter(actors::state.eq_any(MAY_ACT));
    Ok(query.order(enrollments::id).select(Actor::as_select()).load(db)?)
}

pub(super) fn waiting(db: &mut Db, cohort: CohortId, most: i64) -> Result<Vec<EnrollmentId>> {
    let query = enrollments::table
        .filter(enrollments::cohort_id.eq(cohort))
        .filter(enrollments::state.eq(EnrollmentState::Waitlisted))
        .order((enrollments::created_at, enrollments::id))
        .limit(most.max(0));
    Ok(query.select(enrollments::id).load(db)?)
}

pub(super) struct NewPlace<'a> {
    pub(super) cohort: CohortId,
    pub(super) actor: ActorId,
    pub(super) role: Role,
    pub(super) state: EnrollmentState,
    pub(super) ask: &'a Ask,
}

/// A place, or the old one of the same person begun anew: at the end of every line.
pub(super) fn put(tx: &mut Tx<'_>, new: &NewPlace<'_>) -> Result<Enrollment> {
    let (now, public_id) = (tx.now(), tx.new_id());
    let message: String = new.ask.message.trim().chars().take(1000).collect();
    let changing = (
        enrollments::role.eq(new.role),
        enrollments::state.eq(new.state),
        enrollments::join_uri.eq(new.ask.join_uri.as_deref()),
        enrollments::message.eq(&message),
        enrollments::created_at.eq(now),
        enrollments::changed_at.eq(now),
    );
    let fixed = (
        enrollments::public_id.eq(&public_id),
        enrollments::cohort_id.eq(new.cohort),
        enrollments::actor_id.eq(new.actor),
    );
    diesel::insert_into(enrollments::table)
        .values((fixed, changing))
        .on_conflict((enrollments::cohort_id, enrollments::actor_id))
        .do_update()
        .set(changing)
        .execute(tx)?;
    find_of(tx, new.cohort, new.actor)?.ok_or(Error::NotFound)
}

pub(super) fn move_to(tx: &mut Tx<'_>, id: EnrollmentId, state: EnrollmentState) -> Result<Enrollment> {
    let row = (enrollments::state.eq(state), enrollments::changed_at.eq(tx.now()));
    diesel::update(enrollments::table.find(id)).set(row).execute(tx)?;
    find(tx, id)?.ok_or(Error::NotFound)
}

pub(super) fn set_join(tx: &mut Tx<'_>, id: EnrollmentId, uri: &str) -> Result<()> {
    diesel::update(enrollments::table.find(id)).set(enrollments::join_uri.eq(Some(uri))).execute(tx)?;
    Ok(())
}

/// The newest Follow that this actor sent to that one.
pub(super) fn last_follow(db: &mut Db, follower: ActorId, followed_uri: &str) -> Result<Option<String>> {
    let query = activities::table
        .filter(activities::actor_id.eq(follower))
        .filter(activities::type_.eq("Follow"))
        .filter(activities::object_uri.eq(followed_uri))
        .order(activities::id.desc());
    Ok(query.select(activities::document).first(db).optional()?)
}
