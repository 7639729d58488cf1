//! What is asked of learners, by when, and how is it judged?

pub mod apub;
mod draft;
pub mod due;
mod form;
pub mod news;
pub mod rubric;
mod store;
#[cfg(test)]
mod tests;
pub mod web;
mod wire;

pub use draft::Draft;
pub use wire::{ReadPage, read_page};

use crate::actor::Actor;
use crate::clock::Time;
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::enrollment::{self, EnrollmentState, Role};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::id::{ActorId, AssignmentId, CohortId, CourseId};
use crate::jobs::{self, JobKind};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far an assignment is.
    pub enum AssignmentState {
        /// Only organizers see it.
        Draft = "draft",
        /// Can be worked on.
        Open = "open",
        /// Work is out for review.
        Review = "review",
        /// Reviews and results are out.
        Released = "released",
        /// Over.
        Closed = "closed",
    }
}

impl AssignmentState {
    /// States only go up.
    fn rank(self) -> usize {
        Self::ALL.iter().position(|state| *state == self).unwrap_or_default()
    }
}

words! {
    /// Who may see what is handed in.
    pub enum Visibility {
        /// The course and allocated reviewers.
        Private = "private",
        /// Everyone, when the author hands in publicly.
        Public = "public",
    }
}

/// What is asked.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::assignments)]
pub struct Assignment {
    /// Key inside.
    pub id: AssignmentId,
    /// In URLs.
    pub public_id: String,
    /// The id of its Page.
    pub uri: String,
    /// In which cohort.
    pub cohort_id: CohortId,
    /// Who wrote it.
    pub author_id: ActorId,
    /// What it is called.
    pub title: String,
    /// One plain sentence.
    pub summary: String,
    /// Markdown; empty when mirrored.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// [`rubric::Rubric`] as JSON.
    pub rubric: String,
    /// Its content hash.
    pub rubric_hash: String,
    /// How many reviews each submission gets.
    pub reviews_each: i64,
    /// Who may see what is handed in.
    pub visibility: Visibility,
    /// When hand-in ends.
    pub due_at: Time,
    /// When reviewing ends.
    pub review_due_at: Time,
    /// How far it is.
    pub state: AssignmentState,
    /// When it was drafted.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it was opened.
    pub opened_at: Option<Time>,
    /// When reviews were released.
    pub released_at: Option<Time>,
}

impl Assignment {
    /// Its page on this instance.
    pub fn path(&self) -> String {
        format!("/assignments/{}", self.public_id)
    }

    /// How it is judged.
    pub fn rubric(&self) -> Result<rubric::Rubric> {
        Ok(serde_json::from_str(&self.rubric)?)
    }
}

/// Its run and its course.
pub fn place(db: &mut Db, assignment: &Assignment) -> Result<(Cohort, Course)> {
    store::place(db, assignment.cohort_id)?.ok_or(Error::NotFound)
}

/// Whether this person leads the run: an organizer of the course or a facilitator of the cohort.
pub fn leads(db: &mut Db, by: &Actor, cohort: &Cohort) -> Result<bool> {
    let course = course::get(db, cohort.course_id)?;
    if course::organizes(db, by, &course)? {
        return Ok(true);
    }
    let place = enrollment::find(db, cohort.id, by.id)?;
    Ok(place.is_some_and(|p| p.role == Role::Facilitator && p.state == EnrollmentState::Active))
}

/// Refuses anyone but organizers of the course and facilitators of the run, and everyone on a mirror: only the
/// course's home decides.
pub fn may_lead(db: &mut Db, by: &Actor, cohort: &Cohort) -> Result<()> {
    by.may_act()?;
    if !is_home(db, cohort)? {
        return Err(Error::denied("Only the course's own server can change this."));
    }
    if leads(db, by, cohort)? { Ok(()) } else { Err(Error::denied("Only organizers and facilitators may do this.")) }
}

/// Whether the course of this run lives here.
pub fn is_home(db: &mut Db, cohort: &Cohort) -> Result<bool> {
    let course = course::get(db, cohort.course_id)?;
    Ok(crate::actor::get(db, course.actor_id)?.here)
}

/// Writes down an assignment that only organizers and facilitators see.
pub fn draft(tx: &mut Tx<'_>, by: &Actor, cohort: CohortId, new: &Draft) -> Result<AssignmentId> {
    let cohort = cohort::get(tx, cohort)?;
    may_lead(tx, by, &cohort)?;
    let html = new.check(tx.now())?;
    let id = store::insert(tx, by.id, cohort.id, (new, &html))?;
    tx.record(Some(by.id), Happened::AssignmentDrafted(id))?;
    Ok(id)
}

/// Changes an assignment: a draft as a whole, an open one but for how it is judged and its deadlines (see
/// [`postpone`]). Whoever got it hears of it.
pub fn edit(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId, new: &Draft) -> Result<()> {
    let old = led(tx, by, id)?;
    let html = match old.state {
        AssignmentState::Draft => new.check(tx.now())?,
        AssignmentState::Open => {
            new.keeps_review_of(&old)?;
            new.check_words()?
        }
        _ => return Err(Error::denied("It can no longer be changed: work is being reviewed.")),
    };
    let is_draft = old.state == AssignmentState::Draft;
    store::update(tx, id, (new, &html), is_draft)?;
    if !is_draft {
        tx.record(Some(by.id), Happened::AssignmentChanged(id))?;
    }
    Ok(())
}

/// Opens a draft for hand-in: the rubric is frozen with its hash, its end is planned, and everyone hears of it.
pub fn open(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId) -> Result<()> {
    let old = led(tx, by, id)?;
    if old.state != AssignmentState::Draft {
        return Err(Error::Conflict("It is open already.".into()));
    }
    let rubric = old.rubric()?;
    if let Some(problem) = rubric.problems().into_iter().next() {
        return Err(Error::invalid("criteria", problem));
    }
    Draft::check_times(old.due_at, old.review_due_at, tx.now())?;
    store::open(tx, id, &rubric.hash())?;
    let public = !place(tx, &old)?.1.private;
    let new = NewObject { uri: &old.uri, kind: ObjectKind::Assignment, local_id: id.0, owner: old.author_id, public };
    object::register(tx, &new)?;
    jobs::plan(tx, JobKind::AssignmentDue, id.0, old.due_at)?;
    tx.record(Some(by.id), Happened::AssignmentOpened(id))
}

/// Moves the deadlines of an open assignment, or the end of reviewing while it lasts; the planned work moves along.
pub fn postpone(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId, due_at: Time, review_due_at: Time) -> Result<()> {
    let old = led(tx, by, id)?;
    let now = tx.now();
    match old.state {
        AssignmentState::Open => {
            Draft::check_times(due_at, review_due_at, now)?;
            jobs::plan(tx, JobKind::AssignmentDue, id.0, due_at)?;
        }
        AssignmentState::Review if due_at != old.due_at => {
            return Err(Error::invalid("due", "Hand-in has ended: this time can no longer be moved."));
        }
        AssignmentState::Review => {
            if review_due_at <= now {
                return Err(Error::invalid("review_due", "Please choose a time to come."));
            }
            jobs::plan(tx, JobKind::ReviewsDue, id.0, review_due_at)?;
        }
        _ => return Err(Error::denied("Its times cannot be moved in this state.")),
    }
    store::set_times(tx, id, due_at, review_due_at)?;
    tx.record(Some(by.id), Happened::AssignmentChanged(id))
}

/// Ends hand-in: work is out for review from now on, and the end of reviewing is planned. Done by the review feature
/// when the deadline has passed.
pub fn begin_review(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    let old = get(tx, id)?;
    if old.state != AssignmentState::Open {
        return Err(Error::Conflict("It is not open.".into()));
    }
    store::set_state(tx, id, AssignmentState::Review)?;
    jobs::forget(tx, JobKind::AssignmentDue, id.0)?;
    jobs::plan(tx, JobKind::ReviewsDue, id.0, old.review_due_at)?;
    tx.record(None, Happened::ReviewStarted(id))
}

/// Lets reviews and results out. `by` is an organizer, or nobody when the time did it.
pub fn release(tx: &mut Tx<'_>, by: Option<&Actor>, id: AssignmentId) -> Result<()> {
    let old = match by {
        Some(by) => led(tx, by, id)?,
        None => get(tx, id)?,
    };
    if old.state != AssignmentState::Review {
        return Err(Error::Conflict("Its work is not out for review.".into()));
    }
    store::set_state(tx, id, AssignmentState::Released)?;
    jobs::forget(tx, JobKind::ReviewsDue, id.0)?;
    tx.record(by.map(|by| by.id), Happened::AssignmentReleased(id))
}

/// Ends an assignment that was released, or that nobody needs any more. Nothing more can be handed in or reviewed.
pub fn close(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId) -> Result<()> {
    let old = led(tx, by, id)?;
    if matches!(old.state, AssignmentState::Closed | AssignmentState::Draft | AssignmentState::Review) {
        return Err(Error::Conflict("It cannot be closed now.".into()));
    }
    store::set_state(tx, id, AssignmentState::Closed)?;
    jobs::forget(tx, JobKind::AssignmentDue, id.0)?;
    tx.record(Some(by.id), Happened::AssignmentClosed(id))
}

/// Takes over what the home of a mirrored course said about an assignment; what is known already is changed. A state
/// never goes back, so that announcements that overtake each other do no harm.
pub fn mirror(tx: &mut Tx<'_>, course: &Course, author: &Actor, page: &ReadPage) -> Result<AssignmentId> {
    let cohorts = cohort::list_of(tx, course.id)?;
    let named = cohorts.iter().find(|cohort| Some(&cohort.public_id) == page.cohort.as_ref());
    let cohort = named.or_else(|| cohorts.first()).ok_or_else(|| Error::denied("The course has no run here."))?;
    if let Some(old) = store::find_by_uri(tx, &page.uri)? {
        if old.author_id != author.id || cohort::get(tx, old.cohort_id)?.course_id != course.id {
            return Err(Error::denied("The assignment belongs to somebody else."));
        }
        if old.updated_at > page.updated_at || page.state.rank() < old.state.rank() {
            return Ok(old.id);
        }
        store::update_mirrored(tx, old.id, page)?;
        tx.record(Some(author.id), Happened::AssignmentChanged(old.id))?;
        return Ok(old.id);
    }
    let id = store::insert_mirrored(tx, author.id, cohort.id, page)?;
    let public = !course.private;
    let new = NewObject { uri: &page.uri, kind: ObjectKind::Assignment, local_id: id.0, owner: author.id, public };
    object::register(tx, &new)?;
    if page.state == AssignmentState::Open {
        tx.record(Some(author.id), Happened::AssignmentOpened(id))?;
    }
    Ok(id)
}

fn led(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId) -> Result<Assignment> {
    let assignment = get(tx, id)?;
    let cohort = cohort::get(tx, assignment.cohort_id)?;
    if assignment.state == AssignmentState::Draft && !leads(tx, by, &cohort)? {
        return Err(Error::NotFound);
    }
    may_lead(tx, by, &cohort)?;
    Ok(assignment)
}

/// By key.
pub fn get(db: &mut Db, id: AssignmentId) -> Result<Assignment> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Assignment> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// By the id of its Page.
pub fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Assignment>> {
    store::find_by_uri(db, uri)
}

/// Of one run, in the order of their deadlines; drafts only for whom leads it.
pub fn list_of_cohort(db: &mut Db, cohort: CohortId, with_drafts: bool) -> Result<Vec<Assignment>> {
    store::list_of_cohort(db, cohort, with_drafts)
}

/// Of all runs of a course, in the order of their deadlines; drafts only for organizers.
pub fn list_of_course(db: &mut Db, course: CourseId, with_drafts: bool) -> Result<Vec<Assignment>> {
    store::list_of_course(db, course, with_drafts)
}
