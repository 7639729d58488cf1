//! Who has a place in a cohort, and how does one get and give it up?

mod store;

use crate::actor::Actor;
use crate::clock::Time;
use crate::cohort;
use crate::course::Course;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::outbox::Audience;
use crate::id::{ActorId, CohortId, EnrollmentId};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// As what somebody takes part.
    pub enum Role {
        /// Learns, hands in, reviews.
        Learner = "learner",
        /// Owns or co-owns the course.
        Organizer = "organizer",
        /// Leads this cohort.
        Facilitator = "facilitator",
        /// Helps learners.
        Mentor = "mentor",
        /// Reads along.
        Observer = "observer",
    }
}

words! {
    /// How far an enrollment is.
    pub enum EnrollmentState {
        /// Sent to the course's home, no answer yet.
        Asked = "asked",
        /// Waits for a facilitator.
        Applied = "applied",
        /// Waits for a seat.
        Waitlisted = "waitlisted",
        /// Takes part.
        Active = "active",
        /// Has been silent for long.
        Dormant = "dormant",
        /// Finished.
        Completed = "completed",
        /// Went.
        Left = "left",
        /// Was taken off the roster.
        Removed = "removed",
        /// Was not accepted.
        Declined = "declined",
    }
}

/// A person's place in a cohort.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::enrollments)]
pub struct Enrollment {
    /// Key inside.
    pub id: EnrollmentId,
    /// In URLs.
    pub public_id: String,
    /// In which cohort.
    pub cohort_id: CohortId,
    /// Whose.
    pub actor_id: ActorId,
    /// As what.
    pub role: Role,
    /// How far.
    pub state: EnrollmentState,
    /// The Join that is to be answered.
    pub join_uri: Option<String>,
    /// What the person wrote.
    pub message: String,
    /// When asked.
    pub created_at: Time,
    /// When the state last changed.
    pub changed_at: Time,
}

/// By key.
pub fn get(db: &mut Db, id: EnrollmentId) -> Result<Enrollment> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// This person's place in the cohort, in whatever state.
pub fn find(db: &mut Db, cohort: CohortId, actor: ActorId) -> Result<Option<Enrollment>> {
    store::find_of(db, cohort, actor)
}

/// Whether this person takes part in the cohort now.
pub fn is_active(db: &mut Db, cohort: CohortId, actor: ActorId) -> Result<bool> {
    Ok(find(db, cohort, actor)?.is_some_and(|place| place.state == EnrollmentState::Active))
}

/// Everyone who takes part now, with their place, in the order in which they came.
pub fn roster(db: &mut Db, cohort: CohortId) -> Result<Vec<(Enrollment, Actor)>> {
    store::roster(db, cohort, &[EnrollmentState::Active])
}

/// The servers that are to hear of everything public in a course: those of its followers and of everyone elsewhere who
/// takes part.
pub fn audience(db: &mut Db, course: &Course) -> Result<Audience> {
    let mut people = Vec::new();
    for cohort in cohort::list_of(db, course.id)? {
        people.extend(roster(db, cohort.id)?.into_iter().map(|(_, actor)| actor));
    }
    Ok(Audience::followers_of(db, course.actor_id)?.and(Audience::servers(&people)))
}
