//! What has somebody to do now, and what came back to them?

mod store;
pub mod web;

use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::clock::Time;
use crate::cohort::{Cohort, CohortState};
use crate::db::Db;
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::error::Result;
use crate::id::ActorId;
use crate::submission::SubmissionState;

/// Places on one page of the list.
pub const PAGE: i64 = 20;

/// A place in a course.
#[derive(Clone, Debug)]
pub struct Place {
    /// The place.
    pub enrollment: Enrollment,
    /// In which cohort.
    pub cohort: Cohort,
    /// Of which course.
    pub group: Actor,
}

impl Place {
    /// Whether work may be asked of this person there now.
    pub fn is_under_way(&self) -> bool {
        self.enrollment.state == EnrollmentState::Active
            && matches!(self.cohort.state, CohortState::Open | CohortState::Full | CohortState::Running)
    }
}

/// Work that is asked for now.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is asked.
    pub assignment: Assignment,
    /// In which course.
    pub course: String,
    /// How far the person's own work is; nothing when there is none.
    pub handed_in: Option<SubmissionState>,
}

impl Due {
    /// Whether something valid was handed in.
    pub fn is_done(&self) -> bool {
        !matches!(self.handed_in, None | Some(SubmissionState::Draft | SubmissionState::Withdrawn))
    }

    /// Whether the hand-in ended already.
    pub fn is_over(&self, now: &Time) -> bool {
        self.assignment.due_at < *now
    }
}

/// A review that is waited for.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The id in the path of its form.
    pub public_id: String,
    /// Of which assignment.
    pub title: String,
    /// Until when.
    pub due_at: Time,
}

/// Work of this person whose reviews are out.
#[derive(Clone, Debug)]
pub struct Feedback {
    /// The id of the submission in paths.
    pub public_id: String,
    /// Of which assignment.
    pub title: String,
    /// Since when.
    pub at: Time,
}

/// A page of the courses that somebody takes or took part in, newest first; one row more than [`PAGE`] when there is a
/// next page.
pub fn places(db: &mut Db, who: ActorId, page: i64) -> Result<Vec<Place>> {
    store::places(db, who, (PAGE + 1, (page.max(1) - 1) * PAGE))
}

/// What is asked of somebody now, the most urgent first; at most 50.
pub fn due(db: &mut Db, who: ActorId) -> Result<Vec<Due>> {
    let places = store::places_under_way(db, who)?;
    let cohorts: Vec<_> = places.iter().map(|(cohort, _)| *cohort).collect();
    let rows = store::open_assignments(db, &cohorts, who)?;
    let course = |assignment: &Assignment| {
        places.iter().find(|(id, _)| *id == assignment.cohort_id).map_or_else(String::new, |(_, name)| name.clone())
    };
    Ok(rows
        .into_iter()
        .map(|(assignment, handed_in)| Due { course: course(&assignment), assignment, handed_in })
        .collect())
}

/// The reviews that somebody owes, the most urgent first; at most 50.
pub fn owed(db: &mut Db, who: ActorId) -> Result<Vec<Owed>> {
    let mut all = store::allocations(db, who)?;
    all.extend(store::tasks(db, who)?);
    all.sort_by_key(|owed| owed.due_at);
    all.truncate(50);
    Ok(all)
}

/// Work whose reviews came out, newest first; at most 10.
pub fn feedback(db: &mut Db, who: ActorId) -> Result<Vec<Feedback>> {
    store::feedback(db, who)
}

#[cfg(test)]
mod tests;
