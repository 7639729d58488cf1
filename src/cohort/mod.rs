//! What is one run of a course: when, how many seats, who may come in?

mod plan;
mod store;
mod verbs;
pub mod web;

pub use plan::{Plan, range, show_day};
pub use verbs::{Mirrored, cancel, complete, edit, lock, mirrored, open, plan, settle_seats, start};

use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{CohortId, CourseId};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far a cohort is.
    pub enum CohortState {
        /// Announced, not open yet.
        Planned = "planned",
        /// Takes people.
        Open = "open",
        /// Takes nobody more; later ones wait.
        Full = "full",
        /// Under way.
        Running = "running",
        /// Over.
        Completed = "completed",
        /// Called off before it began.
        Cancelled = "cancelled",
        /// Nobody came.
        DidNotHappen = "did_not_happen",
        /// Kept for reading.
        Archived = "archived",
    }
}

words! {
    /// Who gets a seat.
    pub enum Enrolling {
        /// Everyone who asks, while there are seats.
        Open = "open",
        /// Those whom a facilitator accepts.
        Moderated = "moderated",
    }
}

/// One run of a course.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::cohorts)]
pub struct Cohort {
    /// Key inside.
    pub id: CohortId,
    /// In URLs.
    pub public_id: String,
    /// Of which course.
    pub course_id: CourseId,
    /// What it is called.
    pub name: String,
    /// First day, as 2026-09-15, in its zone.
    pub starts_on: String,
    /// Last day.
    pub ends_on: String,
    /// IANA zone.
    pub zone: String,
    /// How many learners.
    pub seats: i64,
    /// Who gets a seat.
    pub enrolling: Enrolling,
    /// How far it is.
    pub state: CohortState,
    /// When it was planned.
    pub created_at: Time,
}

impl Cohort {
    /// Its page.
    pub fn path(&self) -> String {
        format!("/cohorts/{}", self.public_id)
    }

    /// Whether it has ended, one way or another.
    pub fn is_over(&self) -> bool {
        use CohortState::{Archived, Cancelled, Completed, DidNotHappen};
        matches!(self.state, Completed | Cancelled | DidNotHappen | Archived)
    }

    /// Whether it takes people, or puts them on the waiting list.
    pub fn takes_people(&self) -> bool {
        matches!(self.state, CohortState::Open | CohortState::Full | CohortState::Running)
    }
}

/// By key.
pub fn get(db: &mut Db, id: CohortId) -> Result<Cohort> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// The cohort that people join now: the newest that takes people, otherwise the newest planned one.
pub fn current(db: &mut Db, course: CourseId) -> Result<Option<Cohort>> {
    let all = store::list_of(db, course)?;
    let taking = all.iter().find(|cohort| cohort.takes_people());
    Ok(taking.or_else(|| all.iter().find(|cohort| cohort.state == CohortState::Planned)).cloned())
}

/// All cohorts of a course, newest first.
pub fn list_of(db: &mut Db, course: CourseId) -> Result<Vec<Cohort>> {
    store::list_of(db, course)
}

/// By the id in URLs and on the wire.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Cohort> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests;
