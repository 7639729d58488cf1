//! Who reviews whose work, and what do the reviews come to? Decided by the course's home alone.
//!
//! `start` gives work to reviewers, `give` takes a review, `release` shows all of them to the authors at once and
//! computes results; `task` is the other side, for reviewers and authors here in courses of other instances.

pub mod allocation;
pub mod answer;
pub mod apub;
pub mod desk;
mod give;
pub mod news;
mod release;
pub mod score;
mod start;
mod store;
mod task;
mod votes;
pub mod web;

pub use give::{Answer, decline, give};
pub use release::{Given, Outcome, labelled, outcomes, override_result, release};
pub use start::{Started, admit, author_left, follow_assignment, start, work_withdrawn};
pub use task::{
    NewFeedback, NewTask, Said, answered, feedback_received, give_task, task_received, task_voided, was_sent_from_here,
};
pub use votes::{Part, give_part};

use crate::actor::{self, Actor};
use crate::assignment::rubric::Levels;
use crate::assignment::{self, Assignment, AssignmentState};
use crate::clock::Time;
use crate::cohort;
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{ActorId, AllocationId, AssignmentId, CohortId, ReviewId, ReviewTaskId, RevisionId, SubmissionId};
use crate::submission::{self, Submission};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far an allocation is.
    pub enum AllocationState {
        /// Somebody is asked for a review.
        Offered = "offered",
        /// And has begun.
        Accepted = "accepted",
        /// The review is there.
        Submitted = "submitted",
        /// The reviewer said no.
        Declined = "declined",
        /// Time went by without a review.
        Expired = "expired",
        /// No longer needed: work withdrawn, or the reviewer left.
        Voided = "voided",
    }
}

words! {
    /// How far a review is.
    pub enum ReviewState {
        /// Begun.
        Drafted = "drafted",
        /// Sent; the author does not see it yet.
        Submitted = "submitted",
        /// The author sees it.
        Released = "released",
        /// The author disagrees.
        Disputed = "disputed",
        /// Confirmed after that.
        Upheld = "upheld",
        /// Changed after that.
        Amended = "amended",
    }
}

words! {
    /// How certain a result is.
    pub enum ResultState {
        /// No review yet.
        Pending = "pending",
        /// Fewer reviews than it takes: all that are wanted while reviewing is open, half of them after.
        Provisional = "provisional",
        /// Enough reviews.
        Final = "final",
        /// The author disagrees.
        Appealed = "appealed",
        /// Decided by an organizer; the reviewers' result is kept beside it.
        Overridden = "overridden",
    }
}

words! {
    /// How far a review for another instance is.
    pub enum TaskState {
        /// Its home asks for it.
        Offered = "offered",
        /// Sent, no answer yet.
        Sent = "sent",
        /// Its home has it.
        Received = "received",
        /// Its home refused it.
        Refused = "refused",
        /// No longer needed.
        Voided = "voided",
    }
}

/// Who shall review what, until when.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::allocations)]
pub struct Allocation {
    /// Key inside.
    pub id: AllocationId,
    /// In URLs; whoever knows it may read the anonymised work.
    pub public_id: String,
    /// The id of the task note.
    pub uri: String,
    /// Which work.
    pub submission_id: SubmissionId,
    /// Which version of it.
    pub revision_id: RevisionId,
    /// Who.
    pub reviewer_id: ActorId,
    /// How far.
    pub state: AllocationState,
    /// Until when.
    pub due_at: Time,
    /// Since when.
    pub created_at: Time,
    /// When the state last changed.
    pub changed_at: Time,
}

impl Allocation {
    /// Whether a review may still come.
    pub fn is_open(&self) -> bool {
        matches!(self.state, AllocationState::Offered | AllocationState::Accepted)
    }

    /// Whether it counts as a reviewer's load and a work's review: open or done.
    pub fn is_live(&self) -> bool {
        self.is_open() || self.state == AllocationState::Submitted
    }
}

/// One peer's levels and comment on one work.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::reviews)]
pub struct Review {
    /// Key inside.
    pub id: ReviewId,
    /// Random; also the order in which an author sees reviews, so that the order tells nothing.
    pub public_id: String,
    /// The id of its note.
    pub uri: String,
    /// Which it answers.
    pub allocation_id: AllocationId,
    /// [`Levels`] as JSON.
    pub levels: String,
    /// Cleaned HTML.
    pub comment_html: String,
    /// How far.
    pub state: ReviewState,
    /// When it came.
    pub given_at: Time,
    /// When the author saw it.
    pub released_at: Option<Time>,
}

impl Review {
    /// The chosen levels.
    pub fn levels(&self) -> Result<Levels> {
        Ok(serde_json::from_str(&self.levels)?)
    }
}

/// A review task that the home of a mirrored course gave to somebody here.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::review_tasks)]
pub struct Task {
    /// Key inside.
    pub id: ReviewTaskId,
    /// In URLs.
    pub public_id: String,
    /// The id of the task note.
    pub uri: String,
    /// For what.
    pub assignment_id: AssignmentId,
    /// Who is asked.
    pub reviewer_id: ActorId,
    /// The anonymised work, cleaned.
    pub copy_html: String,
    /// How far.
    pub state: TaskState,
    /// Why the home refused the review.
    pub answer_reason: String,
    /// The id of the review that was sent.
    pub review_uri: Option<String>,
    /// [`Levels`] as JSON; empty until sent.
    pub levels: String,
    /// Cleaned HTML.
    pub comment_html: String,
    /// Until when.
    pub due_at: Time,
    /// Since when.
    pub created_at: Time,
}

/// What the reviews of a work came to, as kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::results)]
pub struct StoredResult {
    /// Of which work.
    pub submission_id: SubmissionId,
    /// [`score::Score`] as JSON.
    pub document: String,
    /// What the reviewers gave.
    pub points: f64,
    /// The most there was.
    pub max_points: f64,
    /// How certain.
    pub state: ResultState,
    /// What an organizer decided instead.
    pub override_points: Option<f64>,
    /// Why.
    pub override_reason: String,
    /// Who.
    pub decided_by: Option<ActorId>,
    /// When it was last computed or decided.
    pub computed_at: Time,
}

impl StoredResult {
    /// The reviewers' result.
    pub fn score(&self) -> Result<score::Score> {
        Ok(serde_json::from_str(&self.document)?)
    }
}

/// A released review of somebody's work here, from the home of a mirrored course.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::feedback)]
pub struct Feedback {
    /// A, B, C.
    pub label: String,
    /// [`Levels`] as JSON.
    pub levels: String,
    /// Cleaned HTML.
    pub comment_html: String,
}

/// An assignment with its course: what most questions here need.
#[derive(Clone, Debug)]
pub struct Place {
    /// What was asked.
    pub assignment: Assignment,
    /// Where.
    pub course: Course,
    /// The course's Group.
    pub group: Actor,
}

/// An assignment with its course.
pub fn place(db: &mut Db, assignment: AssignmentId) -> Result<Place> {
    let assignment = assignment::get(db, assignment)?;
    let course = course_of(db, assignment.cohort_id)?;
    let group = actor::get(db, course.actor_id)?;
    Ok(Place { assignment, course, group })
}

fn course_of(db: &mut Db, cohort: CohortId) -> Result<Course> {
    let cohort = cohort::get(db, cohort)?;
    course::get(db, cohort.course_id)
}

/// An allocation by key.
pub fn get(db: &mut Db, id: AllocationId) -> Result<Allocation> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// An allocation by the id in URLs.
pub fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Allocation>> {
    store::find_public(db, public_id)
}

/// An allocation by the id of its task note.
pub fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Allocation>> {
    store::find_by_uri(db, uri)
}

/// A review by key.
pub fn review(db: &mut Db, id: ReviewId) -> Result<Review> {
    store::find_review(db, id)?.ok_or(Error::NotFound)
}

/// The review that answers an allocation.
pub fn review_of(db: &mut Db, allocation: AllocationId) -> Result<Option<Review>> {
    store::review_of(db, allocation)
}

/// A task of a mirrored course by key.
pub fn task(db: &mut Db, id: ReviewTaskId) -> Result<Task> {
    store::find_task(db, id)?.ok_or(Error::NotFound)
}

/// A task of a mirrored course by the id in URLs.
pub fn find_task_public(db: &mut Db, public_id: &str) -> Result<Option<Task>> {
    store::find_task_public(db, public_id)
}

/// The open allocations of somebody in the courses here, oldest first.
pub fn open_of(db: &mut Db, reviewer: ActorId) -> Result<Vec<Allocation>> {
    Ok(store::of_reviewer(db, reviewer)?.into_iter().filter(Allocation::is_open).collect())
}

/// What a work's reviews came to.
pub fn find_result(db: &mut Db, submission: SubmissionId) -> Result<Option<StoredResult>> {
    store::find_result(db, submission)
}

/// Released reviews from the home of a mirrored course, by label.
pub fn list_feedback(db: &mut Db, submission: SubmissionId) -> Result<Vec<Feedback>> {
    store::list_feedback(db, submission)
}

/// Whether this person may read the reviews of a work: its author, once they are out. Organizers read them with the
/// results of the assignment. For everyone else there is nothing (PRV-01).
pub fn may_see_feedback(db: &mut Db, by: &Actor, submission: &Submission) -> Result<()> {
    let released = assignment::get(db, submission.assignment_id)?;
    let is_out = matches!(released.state, AssignmentState::Released | AssignmentState::Closed)
        || store::find_result(db, submission.id)?.is_some();
    if submission.author_id == by.id && is_out { Ok(()) } else { Err(Error::NotFound) }
}

/// Refuses anyone who may not see all reviews of an assignment here. For others there is nothing.
pub fn may_see_results(db: &mut Db, by: &Actor, place: &Place) -> Result<()> {
    let cohort = cohort::get(db, place.assignment.cohort_id)?;
    let leads = place.group.here && assignment::leads(db, by, &cohort)?;
    if leads && by.may_act().is_ok() { Ok(()) } else { Err(Error::NotFound) }
}

/// A work by key, with its assignment and course.
pub fn place_of_work(db: &mut Db, id: SubmissionId) -> Result<(Submission, Place)> {
    let work = submission::get(db, id)?;
    let place = place(db, work.assignment_id)?;
    Ok((work, place))
}

#[cfg(test)]
mod tests;
