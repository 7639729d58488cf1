//! What did somebody hand in, and which versions of it are there?

pub mod apub;
mod hand_in;
pub mod news;
mod note;
mod store;
#[cfg(test)]
mod tests;
pub mod web;

pub use hand_in::{Answer, MOST_FILES, Work, answered, hand_in, send_in, withdraw};

use crate::actor::Actor;
use crate::assignment::{self, Assignment};
use crate::clock::Time;
use crate::course::Course;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::{ActorId, AssignmentId, RevisionId, SubmissionId};
use crate::media::{self, Media};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far a submission is.
    pub enum SubmissionState {
        /// Begun, not handed in.
        Draft = "draft",
        /// Handed in by the deadline.
        Submitted = "submitted",
        /// First handed in after the deadline.
        Late = "late",
        /// Out for review.
        UnderReview = "under_review",
        /// Reviews are out.
        Released = "released",
        /// Taken back by its author.
        Withdrawn = "withdrawn",
        /// Not counted, by an organizer.
        Voided = "voided",
    }
}

words! {
    /// What the course's home said to work that was sent there.
    pub enum HomeAnswer {
        /// This instance is the home.
        Home = "home",
        /// Sent, no answer yet.
        Sent = "sent",
        /// It has it.
        Received = "received",
        /// It refused it.
        Refused = "refused",
    }
}

/// What somebody handed in for an assignment.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::submissions)]
pub struct Submission {
    /// Key inside.
    pub id: SubmissionId,
    /// In URLs.
    pub public_id: String,
    /// The id of its Note.
    pub uri: String,
    /// For what.
    pub assignment_id: AssignmentId,
    /// Whose.
    pub author_id: ActorId,
    /// Whether only the course and reviewers see it.
    pub private: bool,
    /// How far it is.
    pub state: SubmissionState,
    /// What the course's home said.
    pub answer: HomeAnswer,
    /// Why it refused.
    pub answer_reason: String,
    /// When first handed in.
    pub created_at: Time,
    /// When last changed.
    pub changed_at: Time,
}

/// One version of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::revisions)]
pub struct Revision {
    /// Key inside.
    pub id: RevisionId,
    /// Of which submission.
    pub submission_id: SubmissionId,
    /// From 1.
    pub number: i64,
    /// Markdown; empty when it came as HTML.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// Whether it arrived after the deadline.
    pub late: bool,
    /// When it arrived at the home.
    pub received_at: Time,
}

impl Submission {
    /// Its page on this instance.
    pub fn path(&self) -> String {
        format!("/submissions/{}", self.public_id)
    }

    /// The word of its state for people: what the home said comes first.
    pub fn shown_state(&self) -> &'static str {
        match self.answer {
            HomeAnswer::Sent if self.state != SubmissionState::Withdrawn => "sent",
            HomeAnswer::Refused if self.state != SubmissionState::Withdrawn => "declined",
            _ => self.state.as_str(),
        }
    }
}

/// By key.
pub fn get(db: &mut Db, id: SubmissionId) -> Result<Submission> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Submission> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// This person's work for the assignment.
pub fn find(db: &mut Db, assignment: AssignmentId, author: ActorId) -> Result<Option<Submission>> {
    store::find_of(db, assignment, author)
}

/// All work for an assignment, in the order in which it came.
pub fn list_of(db: &mut Db, assignment: AssignmentId) -> Result<Vec<Submission>> {
    store::list_of(db, assignment)
}

/// All versions, oldest first.
pub fn revisions(db: &mut Db, submission: SubmissionId) -> Result<Vec<Revision>> {
    store::revisions(db, submission)
}

/// The newest version.
pub fn last_revision(db: &mut Db, submission: SubmissionId) -> Result<Option<Revision>> {
    store::last_revision(db, submission)
}

/// A line of the list of work for an assignment.
#[derive(Clone, Debug, Queryable)]
pub struct Listed {
    /// In URLs.
    pub public_id: String,
    /// How far.
    pub state: SubmissionState,
    /// When it last changed.
    pub changed_at: Time,
    /// What its author is called, whether they are of here, and their server.
    pub author: (String, bool, String),
    /// How many versions there are.
    pub versions: Option<i64>,
}

/// Rows of one page of that list.
pub const PAGE: i64 = 100;

/// A page of the list, of one state or of any, in the order in which the work came; pages count from 1. One row more than
/// [`PAGE`] when there is a next page. Who may lead the run may see it.
pub fn page_of(
    db: &mut Db,
    assignment: AssignmentId,
    state: Option<SubmissionState>,
    page: i64,
) -> Result<Vec<Listed>> {
    store::page_of(db, assignment, state, (PAGE + 1, (page.max(1) - 1) * PAGE))
}

/// The version that counts: the last that came by the deadline, otherwise the first late one.
pub fn counted(db: &mut Db, submission: SubmissionId) -> Result<Revision> {
    let all = store::revisions(db, submission)?;
    let in_time = all.iter().rev().find(|revision| !revision.late);
    in_time.or_else(|| all.first()).cloned().ok_or(Error::NotFound)
}

/// Its assignment and its course.
pub fn place(db: &mut Db, submission: &Submission) -> Result<(Assignment, Course)> {
    let assignment = assignment::get(db, submission.assignment_id)?;
    let (_, course) = assignment::place(db, &assignment)?;
    Ok((assignment, course))
}

/// A version that came in, with all that stands around it: read once for all that follows from it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The work.
    pub submission: Submission,
    /// Which version of it.
    pub revision: Revision,
    /// Who handed it in.
    pub author: Actor,
    /// What for.
    pub assignment: Assignment,
    /// In which course.
    pub course: Course,
}

/// A version with its surroundings.
pub fn arrival(db: &mut Db, id: SubmissionId, version: RevisionId) -> Result<Arrival> {
    let (submission, revision, assignment, author) = store::find_arrival(db, id, version)?.ok_or(Error::NotFound)?;
    let (_, course) = assignment::place(db, &assignment)?;
    Ok(Arrival { submission, revision, author, assignment, course })
}

/// Whether this is who writes for the course that the work was handed in to: its bot, or the course itself.
pub fn is_bot_of(db: &mut Db, by: &Actor, submission: &Submission) -> Result<bool> {
    let (_, course) = place(db, submission)?;
    Ok(course.bot_id == Some(by.id) || course.actor_id == by.id)
}

/// Whether this person may see it: its author, and whoever leads the run. Nobody else may know that it is there.
pub fn may_see(db: &mut Db, by: &Actor, submission: &Submission) -> Result<()> {
    let assignment = assignment::get(db, submission.assignment_id)?;
    let (cohort, _) = assignment::place(db, &assignment)?;
    if submission.author_id == by.id || assignment::leads(db, by, &cohort)? { Ok(()) } else { Err(Error::NotFound) }
}

/// Whether this person, or server in whose name somebody signed, may have a file (MED-08): its owner, whoever leads the
/// run it was handed in to, and any actor on the server of the course that it was sent to.
pub fn may_fetch(db: &mut Db, by: &Actor, file: &Media) -> Result<()> {
    if by.may_act().is_err() {
        return Err(Error::NotFound);
    }
    if by.here && file.owner_id == by.id {
        return Ok(());
    }
    for revision in media::revisions_of(db, file.id)? {
        let Some(submission) = store::find_by_revision(db, revision)? else { continue };
        if by.here && may_see(db, by, &submission).is_ok() {
            return Ok(());
        }
        let (_, course) = place(db, &submission)?;
        let group = crate::actor::get(db, course.actor_id)?;
        if !by.here && group.host == by.host && !group.here {
            return Ok(());
        }
    }
    Err(Error::NotFound)
}

/// Sends work out for review, or lets its reviews out; done by the review feature.
pub fn move_to(tx: &mut Tx<'_>, id: SubmissionId, state: SubmissionState) -> Result<()> {
    store::set_state(tx, id, state)
}

/// One version, by key.
pub fn revision(db: &mut Db, id: RevisionId) -> Result<Revision> {
    store::find_revision(db, id)?.ok_or(Error::NotFound)
}

/// How many pieces of work were handed in, without those that were withdrawn.
pub fn count_of(db: &mut Db, assignment: AssignmentId) -> Result<i64> {
    store::count_of(db, assignment)
}
