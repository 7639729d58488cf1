//! What happens here of a mirrored course's reviews: tasks that come, answers that go, feedback that comes?
//!
//! The home alone decides. Here is only written down what its bot says, and shown.

use super::{Answer, Feedback, Place, StoredResult, Task, TaskState, find_task_public, place, place_of_work, store};
use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::id::{AssignmentId, ReviewTaskId, SubmissionId};
use crate::link::same_host;
use crate::submission;

/// A task as its home describes it.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// The id of the task note.
    pub uri: String,
    /// For what.
    pub assignment: AssignmentId,
    /// The anonymised work, cleaned.
    pub copy_html: String,
    /// Until when.
    pub due_at: Time,
}

/// Refuses everyone but the bot of the mirrored course, on the course's own server.
fn check_speaks_for(from: &Actor, place: &Place) -> Result<()> {
    let is_bot = place.course.bot_id == Some(from.id);
    if !place.group.here && is_bot && same_host(&from.uri, &place.group.uri) {
        Ok(())
    } else {
        Err(Error::denied("Only the course's own server may say this."))
    }
}

/// Writes down that the home of a mirrored course asks somebody here for a review. The same task again is no new one.
pub fn task_received(tx: &mut Tx<'_>, from: &Actor, reviewer: &Actor, new: &NewTask) -> Result<ReviewTaskId> {
    let place = place(tx, new.assignment)?;
    check_speaks_for(from, &place)?;
    if !same_host(&new.uri, &from.uri) {
        return Err(Error::denied("The task is not of the course's server."));
    }
    if let Some(known) = store::find_task_by_uri(tx, &new.uri)? {
        return if known.reviewer_id == reviewer.id { Ok(known.id) } else { Err(Error::NotFound) };
    }
    let takes_part = enrollment::is_active(tx, place.assignment.cohort_id, reviewer.id)?
        || submission::find(tx, place.assignment.id, reviewer.id)?.is_some();
    if !reviewer.here || !takes_part {
        return Err(Error::denied("Nobody of that name takes part in the course here."));
    }
    let id = store::insert_task(tx, new, reviewer.id)?;
    if object::find(tx, &new.uri)?.is_none() {
        let known =
            NewObject { uri: &new.uri, kind: ObjectKind::ReviewTask, local_id: id.0, owner: from.id, public: false };
        object::register(tx, &known)?;
    }
    tx.record(Some(from.id), Happened::ReviewTaskReceived(id))?;
    Ok(id)
}

/// Writes down that the home no longer needs a review.
pub fn task_voided(tx: &mut Tx<'_>, from: &Actor, task_uri: &str) -> Result<()> {
    let task = store::find_task_by_uri(tx, task_uri)?.ok_or(Error::NotFound)?;
    check_speaks_for(from, &place(tx, task.assignment_id)?)?;
    if matches!(task.state, TaskState::Offered | TaskState::Refused) {
        store::move_task(tx, task.id, TaskState::Voided, "")?;
    }
    Ok(())
}

/// Sends a review to the home of a mirrored course: by whom it was asked of, once, or again after the home refused it.
/// What the home would refuse anyway is refused here.
pub fn give_task(tx: &mut Tx<'_>, by: &Actor, task: ReviewTaskId, answer: &Answer) -> Result<()> {
    by.may_act()?;
    let task = super::task(tx, task)?;
    if task.reviewer_id != by.id {
        return Err(Error::NotFound);
    }
    match task.state {
        TaskState::Offered | TaskState::Refused => {}
        TaskState::Sent | TaskState::Received => {
            return Err(Error::denied(
                "You have reviewed this work already; a review cannot be changed once it is sent.",
            ));
        }
        TaskState::Voided => return Err(Error::denied("This review is no longer needed.")),
    }
    if tx.now() > task.due_at {
        return Err(Error::invalid("levels", "The time for reviews of this assignment is over."));
    }
    place(tx, task.assignment_id)?.assignment.rubric()?.check(&answer.levels)?;
    let uri = tx.links().object(&tx.new_id());
    store::task_sent(tx, task.id, &uri, &answer.levels, &answer.comment_html)?;
    let known = NewObject { uri: &uri, kind: ObjectKind::Review, local_id: task.id.0, owner: by.id, public: false };
    object::register(tx, &known)?;
    tx.record(Some(by.id), Happened::ReviewSent(task.id))
}

/// What a home said to a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It has it.
    Received,
    /// It does not take it; the sentence says why.
    Refused(String),
}

/// Writes down what the home said to the review with this id.
pub fn answered(tx: &mut Tx<'_>, from: &Actor, review_uri: &str, said: &Said) -> Result<()> {
    let task = store::find_task_by_review(tx, review_uri)?.ok_or(Error::NotFound)?;
    check_speaks_for(from, &place(tx, task.assignment_id)?)?;
    match (said, task.state) {
        (Said::Received, TaskState::Sent | TaskState::Refused) => {
            store::move_task(tx, task.id, TaskState::Received, "")?;
        }
        (Said::Refused(reason), TaskState::Sent) => store::move_task(tx, task.id, TaskState::Refused, reason)?,
        _ => return Ok(()),
    }
    tx.record(Some(from.id), Happened::ReviewAnswered(task.id))
}

/// Whether a review of this id was sent from here: what receipts for reviews are known by.
pub fn was_sent_from_here(db: &mut Db, review_uri: &str) -> Result<bool> {
    Ok(store::find_task_by_review(db, review_uri)?.is_some())
}

/// Whether this person here was given the task with this id in URLs.
pub fn find_own(db: &mut Db, by: &Actor, public_id: &str) -> Result<Option<Task>> {
    Ok(find_task_public(db, public_id)?.filter(|task| task.reviewer_id == by.id))
}

/// Reviews and result of somebody's work here, as the home of a mirrored course released them.
#[derive(Clone, Debug)]
pub struct NewFeedback {
    /// Which work.
    pub submission: SubmissionId,
    /// The note that brought it.
    pub note_uri: String,
    /// The reviews; empty when only the result changed.
    pub reviews: Vec<Feedback>,
    /// The result.
    pub result: StoredResult,
}

/// Writes down released reviews and the result: only from the bot of that very course, only for work from here. Comes
/// again after each change by an organizer and then replaces what came before.
pub fn feedback_received(tx: &mut Tx<'_>, from: &Actor, new: &NewFeedback) -> Result<()> {
    let (work, place) = place_of_work(tx, new.submission)?;
    check_speaks_for(from, &place)?;
    if !tx.links().is_ours(&work.uri) {
        return Err(Error::denied("This work is not from here."));
    }
    if !new.reviews.is_empty() {
        store::replace_feedback(tx, work.id, &new.note_uri, &new.reviews)?;
    }
    store::put_result(tx, &new.result)?;
    submission::move_to(tx, work.id, submission::SubmissionState::Released)?;
    tx.record(Some(from.id), Happened::FeedbackReceived(work.id))
}
