//! What do the pages of an assignment know of it?

use crate::actor::{self, Actor};
use crate::assignment::rubric::Rubric;
use crate::assignment::{self, Assignment, AssignmentState, due};
use crate::clock::Time;
use crate::cohort::Cohort;
use crate::course;
use crate::db::Db;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::object;
use crate::http::Page;

/// An assignment with everything that its pages say of it.
#[derive(Clone)]
pub struct Shown {
    /// Itself.
    pub assignment: Assignment,
    /// Its run.
    pub cohort: Cohort,
    /// Its course.
    pub group: Actor,
    /// Who wrote it.
    pub author: Actor,
    /// How it is judged.
    pub rubric: Rubric,
    /// Whether the asker leads the run.
    pub leads: bool,
    /// Whether the asker takes part in the run.
    pub takes_part: bool,
    /// Whether the course is private, so that nothing is for everyone.
    pub private: bool,
    /// Whether it was closed for comments and work.
    pub locked: bool,
}

impl Shown {
    /// For this asker; a draft is there for no one but who leads the run.
    pub fn find(db: &mut Db, public_id: &str, by: Option<&Actor>) -> Result<Self> {
        let assignment = assignment::get_public(db, public_id)?;
        let (cohort, course) = assignment::place(db, &assignment)?;
        if !course::may_see(db, &course, by)? {
            return Err(Error::NotFound);
        }
        let leads = match by {
            Some(by) => assignment::leads(db, by, &cohort)?,
            None => false,
        };
        if assignment.state == AssignmentState::Draft && !leads {
            return Err(Error::NotFound);
        }
        let takes_part = match by {
            Some(by) => enrollment::is_active(db, cohort.id, by.id)?,
            None => false,
        };
        let locked = object::is_locked(db, &assignment.uri)?;
        Ok(Self {
            rubric: assignment.rubric()?,
            group: actor::get(db, course.actor_id)?,
            author: actor::get(db, assignment.author_id)?,
            assignment,
            cohort,
            leads,
            takes_part,
            private: course.private,
            locked,
        })
    }

    /// The server it is from, when that is not this one.
    pub fn host(&self) -> &str {
        if self.group.here { "" } else { &self.group.host }
    }

    /// The zone in which this asker sees times: their own, otherwise that of the run.
    pub fn zone<'a>(&'a self, page: &'a Page) -> &'a str {
        page.person().map_or(self.cohort.zone.as_str(), |person| person.zone.as_str())
    }

    /// A moment in that zone.
    pub fn at(&self, page: &Page, time: &Time) -> String {
        due::in_zone(*time, self.zone(page))
    }

    /// Which of the three steps (hand in, review, results) is the present one; 3 when all are done.
    pub fn step(&self) -> usize {
        match self.assignment.state {
            AssignmentState::Draft | AssignmentState::Open => 0,
            AssignmentState::Review => 1,
            AssignmentState::Released => 2,
            AssignmentState::Closed => 3,
        }
    }

    /// The ordinals of the longest criterion's levels.
    pub fn ordinals(&self) -> std::ops::Range<usize> {
        0..self.rubric.criteria.iter().map(|criterion| criterion.levels.len()).max().unwrap_or_default()
    }

    /// Whether it is in this state.
    pub fn is(&self, state: &str) -> bool {
        self.assignment.state.as_str() == state
    }
}
