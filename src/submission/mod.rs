//! What did somebody hand in, and which versions of it are there?

mod store;

use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{ActorId, AssignmentId, RevisionId, SubmissionId};
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

/// The version that counts: the last that came by the deadline, otherwise the first late one.
pub fn counted(db: &mut Db, submission: SubmissionId) -> Result<Revision> {
    let all = store::revisions(db, submission)?;
    let in_time = all.iter().rev().find(|revision| !revision.late);
    in_time.or_else(|| all.first()).cloned().ok_or(Error::NotFound)
}
