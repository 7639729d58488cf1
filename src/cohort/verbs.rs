//! How is a cohort planned, opened, run and ended?

use super::plan::{Plan, day};
use super::{Cohort, CohortState, Enrolling, store};
use crate::actor::{self, Actor};
use crate::course::{self, Course, CourseState};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::CohortId;

/// Plans a cohort of a course. Organizers may; people see it as planned until it is opened.
pub fn plan(tx: &mut Tx<'_>, by: &Actor, course: &Course, plan: &Plan) -> Result<Cohort> {
    course::may_organize(tx, by, course)?;
    if !actor::get(tx, course.actor_id)?.here {
        return Err(Error::denied("Cohorts are planned at the course's home."));
    }
    if matches!(course.state, CourseState::Archived | CourseState::Withdrawn) {
        return Err(Error::denied("This course is over."));
    }
    let checked = plan.check()?;
    let cohort = store::insert(tx, course.id, plan, &checked)?;
    tx.record(Some(by.id), Happened::CohortPlanned(cohort.id))?;
    Ok(cohort)
}

/// Changes dates, seats and the like. Organizers may. Fewer seats than people takes nobody's seat away.
pub fn edit(tx: &mut Tx<'_>, by: &Actor, id: CohortId, plan: &Plan) -> Result<Cohort> {
    let cohort = lock(tx, id)?;
    may_lead(tx, by, &cohort)?;
    if cohort.is_over() {
        return Err(Error::denied("This run is over."));
    }
    let checked = plan.check()?;
    let cohort = store::update(tx, id, plan, &checked)?;
    tx.record(Some(by.id), Happened::CohortChanged(id))?;
    Ok(cohort)
}

/// Lets people in. Organizers may, once the course is listed.
pub fn open(tx: &mut Tx<'_>, by: &Actor, id: CohortId) -> Result<Cohort> {
    let course = super::get(tx, id)?.course_id;
    if course::get(tx, course)?.state != CourseState::Listed {
        return Err(Error::denied("The course must be listed before people can come in."));
    }
    step(tx, by, id, &[CohortState::Planned], CohortState::Open)
}

/// Begins; people may still come in while there are seats. Organizers may.
pub fn start(tx: &mut Tx<'_>, by: &Actor, id: CohortId) -> Result<Cohort> {
    step(tx, by, id, &[CohortState::Open, CohortState::Full], CohortState::Running)
}

/// Ends a run. Organizers may.
pub fn complete(tx: &mut Tx<'_>, by: &Actor, id: CohortId) -> Result<Cohort> {
    step(tx, by, id, &[CohortState::Running], CohortState::Completed)
}

/// Calls a run off before it began. Organizers may.
pub fn cancel(tx: &mut Tx<'_>, by: &Actor, id: CohortId) -> Result<Cohort> {
    step(tx, by, id, &[CohortState::Planned, CohortState::Open, CohortState::Full], CohortState::Cancelled)
}

fn step(tx: &mut Tx<'_>, by: &Actor, id: CohortId, from: &[CohortState], to: CohortState) -> Result<Cohort> {
    let cohort = lock(tx, id)?;
    may_lead(tx, by, &cohort)?;
    if !from.contains(&cohort.state) {
        return Err(Error::denied(format!("This run is {} and cannot become {to}.", cohort.state)));
    }
    let cohort = store::move_to(tx, id, to)?;
    tx.record(Some(by.id), Happened::CohortChanged(id))?;
    Ok(cohort)
}

fn may_lead(tx: &mut Tx<'_>, by: &Actor, cohort: &Cohort) -> Result<()> {
    let course = course::get(tx, cohort.course_id)?;
    if !actor::get(tx, course.actor_id)?.here {
        return Err(Error::denied("This run is led at the course's home."));
    }
    course::may_organize(tx, by, &course)
}

/// Takes the cohort's row for this transaction, so that two of them cannot give away the same seat.
pub fn lock(tx: &mut Tx<'_>, id: CohortId) -> Result<Cohort> {
    store::lock(tx, id)?.ok_or(Error::NotFound)
}

/// Makes an open cohort full, or a full one open, by how many seats are taken. The row must be locked.
pub fn settle_seats(tx: &mut Tx<'_>, cohort: &Cohort, taken: i64) -> Result<()> {
    let state = match cohort.state {
        CohortState::Open if taken >= cohort.seats => CohortState::Full,
        CohortState::Full if taken < cohort.seats => CohortState::Open,
        _ => return Ok(()),
    };
    store::move_to(tx, cohort.id, state)?;
    tx.record(None, Happened::CohortChanged(cohort.id))
}

/// What another instance says about a run of its course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// Its id there.
    pub public_id: String,
    /// Plain text.
    pub name: String,
    /// First day.
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
}

/// Stores or refreshes a run of a mirrored course. An id that belongs to another course is refused.
pub fn mirrored(tx: &mut Tx<'_>, course: &Course, said: &Mirrored) -> Result<Cohort> {
    if day(&said.starts_on).is_none() || day(&said.ends_on).is_none() {
        return Err(Error::denied("The cohort's days cannot be read."));
    }
    match store::find_public(tx, &said.public_id)? {
        Some(known) if known.course_id != course.id => Err(Error::denied("This cohort belongs to another course.")),
        Some(known) => store::refresh(tx, known.id, said),
        None => store::insert_mirrored(tx, course.id, said),
    }
}
