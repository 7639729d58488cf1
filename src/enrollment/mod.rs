//! Who has a place in a cohort, and how does one get and give it up?

pub mod announce;
pub mod apub;
mod carry;
mod following;
mod store;
mod tell;
mod verbs;
pub mod web;
mod wish;

pub use carry::{carry_over, follow_along, granted, take_over, to_be_carried};
pub use following::{accept_follower, admit_follow, admit_waiting, ask_again, follow, follow_answered, unfollow};
pub use tell::tell;
pub use verbs::{
    Ask, accept, answered, ask, decline, enroll, fill_seats, leave, leave_course, let_in, remove, removed_by_home,
    seat_organizers, shut_out,
};

use crate::actor::{self, Actor};
use crate::clock::Time;
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::outbox::Audience;
use crate::id::{ActorId, CohortId, CourseId, EnrollmentId};
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

/// Part of the list of a cohort's people, as its page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Who take part.
    Active,
    /// Who ask for a place.
    Applied,
    /// Who wait for a seat.
    Waiting,
}

impl Part {
    fn states(self) -> (EnrollmentState, EnrollmentState) {
        match self {
            Self::Active => (EnrollmentState::Active, EnrollmentState::Dormant),
            Self::Applied => (EnrollmentState::Applied, EnrollmentState::Applied),
            Self::Waiting => (EnrollmentState::Waitlisted, EnrollmentState::Waitlisted),
        }
    }

    /// Where somebody in this state stands in the list.
    pub fn of(state: EnrollmentState) -> Self {
        match state {
            EnrollmentState::Applied => Self::Applied,
            EnrollmentState::Waitlisted => Self::Waiting,
            _ => Self::Active,
        }
    }

    /// What follows the address of the page of people.
    pub fn query(self) -> &'static str {
        match self {
            Self::Active => "",
            Self::Applied => "?list=applications",
            Self::Waiting => "?list=waiting",
        }
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

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Enrollment> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// By the Join that began it.
pub fn find_by_join(db: &mut Db, join_uri: &str) -> Result<Option<Enrollment>> {
    store::find_by_join(db, join_uri)
}

/// The places in these states, with their people, in the order in which they came.
pub fn list_in(db: &mut Db, cohort: CohortId, states: &[EnrollmentState]) -> Result<Vec<(Enrollment, Actor)>> {
    store::roster(db, cohort, states)
}

/// Places of one page of a list.
pub const PAGE: i64 = 50;

/// A place on a page of the list, with its person and their newest former account.
pub type Listed = (Enrollment, Actor, Option<ActorId>);

/// A page of those who take part, ask for a place or wait for a seat, in the order in which they came; pages count from 1.
/// One row more than [`PAGE`] when there is a next page.
pub fn page_of(db: &mut Db, cohort: CohortId, part: Part, page: i64) -> Result<Vec<Listed>> {
    store::page_of(db, cohort, part.states(), (PAGE + 1, (page.max(1) - 1) * PAGE))
}

/// How many places of a cohort there are in each part of its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Seats of learners.
    pub seats: i64,
    /// All who take part.
    pub active: i64,
    /// Who ask for a place.
    pub applied: i64,
    /// Who wait for a seat.
    pub waiting: i64,
}

/// Counts them.
pub fn counts(db: &mut Db, cohort: CohortId) -> Result<Counts> {
    let mut found = Counts::default();
    for (state, all, learners) in store::counts(db, cohort)? {
        match state {
            EnrollmentState::Active | EnrollmentState::Dormant => {
                found.active += all;
                found.seats += learners;
            }
            EnrollmentState::Applied => found.applied = all,
            EnrollmentState::Waitlisted => found.waiting = all,
            _ => {}
        }
    }
    Ok(found)
}

/// This person's places everywhere, newest first, with their cohorts.
pub fn of_person(db: &mut Db, actor: ActorId) -> Result<Vec<(Enrollment, Cohort)>> {
    store::of_person(db, actor)
}

/// This person's place in the course that is the most telling: one that is under way, otherwise the newest.
pub fn find_in_course(db: &mut Db, course: CourseId, actor: ActorId) -> Result<Option<(Enrollment, Cohort)>> {
    let all = store::of_person(db, actor)?;
    let here: Vec<_> = all.into_iter().filter(|(_, cohort)| cohort.course_id == course).collect();
    Ok(here.iter().find(|(place, _)| place.is_current()).or(here.first()).cloned())
}

/// How many seats of the cohort are taken: by learners who take part.
pub fn seats_taken(db: &mut Db, cohort: CohortId) -> Result<i64> {
    store::seats_taken(db, cohort)
}

/// How many people take part, whatever their role.
pub fn count_active(db: &mut Db, cohort: CohortId) -> Result<i64> {
    store::count_active(db, cohort)
}

/// Who must hear of what happens in a course: the servers of its followers and of everyone elsewhere who takes part.
pub fn audience(db: &mut Db, course: &Course) -> Result<Audience> {
    let followers = Audience::followers_of(db, course.actor_id)?;
    Ok(followers.and(Audience::servers(&store::active_elsewhere(db, course.id)?)))
}

/// Refuses anyone who neither organizes the course nor leads this cohort.
pub fn may_lead(db: &mut Db, by: &Actor, cohort: &Cohort) -> Result<()> {
    by.may_act()?;
    if leads(db, by, cohort)? { Ok(()) } else { Err(Error::denied("Only organizers and facilitators may do this.")) }
}

/// Whether this person organizes the course or leads this cohort.
pub fn leads(db: &mut Db, by: &Actor, cohort: &Cohort) -> Result<bool> {
    let course = course::get(db, cohort.course_id)?;
    if course::organizes(db, by, &course)? {
        return Ok(true);
    }
    let place = find(db, cohort.id, by.id)?;
    Ok(place.is_some_and(|p| p.state == EnrollmentState::Active && p.role == Role::Facilitator))
}

impl Enrollment {
    /// Whether its home has it and did not decide yet.
    pub fn waits(&self) -> bool {
        matches!(self.state, EnrollmentState::Applied | EnrollmentState::Waitlisted)
    }

    /// Whether somebody asked for it, and there is no answer yet, or only that they wait.
    pub fn is_asked(&self) -> bool {
        self.waits() || self.state == EnrollmentState::Asked
    }

    /// Whether it is under way: asked for, waiting or active.
    pub fn is_current(&self) -> bool {
        use EnrollmentState::{Active, Applied, Asked, Dormant, Waitlisted};
        matches!(self.state, Asked | Applied | Waitlisted | Active | Dormant)
    }
}

/// The place with everything around it, as verbs, notices and notes need it.
#[derive(Clone, Debug)]
pub struct Around {
    /// The place.
    pub place: Enrollment,
    /// Whose.
    pub person: Actor,
    /// In which run.
    pub cohort: Cohort,
    /// Of which course.
    pub course: Course,
    /// The course's Group.
    pub group: Actor,
}

/// The place with everything around it.
pub fn around(db: &mut Db, id: EnrollmentId) -> Result<Around> {
    let place = get(db, id)?;
    let cohort = cohort::get(db, place.cohort_id)?;
    let course = course::get(db, cohort.course_id)?;
    let (person, group) = (actor::get(db, place.actor_id)?, actor::get(db, course.actor_id)?);
    Ok(Around { place, person, cohort, course, group })
}

#[cfg(test)]
mod tests;
