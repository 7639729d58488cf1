//! What follows from what happened?

use crate::db::Tx;
use crate::error::Result;
use crate::event::{Event, Happened};
use crate::{assignment, enrollment, review, submission};

/// Does, in the same transaction, all that follows from one event.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    work(tx, &event.what)?;
    reviews(tx, &event.what)
}

fn work(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    match what {
        Happened::AssignmentOpened(id) => {
            assignment::news::opened(tx, *id)?;
            assignment::apub::announce_opened(tx, *id)
        }
        Happened::AssignmentChanged(id) => assignment::apub::announce_changed(tx, *id, true),
        Happened::ReviewStarted(id) | Happened::AssignmentReleased(id) | Happened::AssignmentClosed(id) => {
            assignment::apub::announce_changed(tx, *id, false)
        }
        Happened::SubmissionReceived { submission, revision } => {
            submission::news::received(tx, *submission, *revision)?;
            submission::apub::answer(tx, *submission, *revision)
        }
        Happened::SubmissionSent { submission, revision } => submission::apub::send(tx, *submission, *revision),
        Happened::SubmissionWithdrawn(id) => submission::apub::send_withdrawal(tx, *id),
        Happened::SubmissionAnswered(id) => submission::news::answered(tx, *id),
        _ => Ok(()),
    }
}

fn reviews(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    match what {
        Happened::AssignmentChanged(id) => review::postponed(tx, *id),
        Happened::SubmissionReceived { submission, .. } => review::admit(tx, *submission).map(|_| ()),
        Happened::SubmissionWithdrawn(id) => review::work_withdrawn(tx, *id),
        Happened::EnrollmentLeft(id) | Happened::EnrollmentRemoved(id) => {
            let place = enrollment::get(tx, *id)?;
            review::author_left(tx, place.actor_id, place.cohort_id)
        }
        Happened::ReviewStarted(id) => review::news::started(tx, *id),
        Happened::ReviewAllocated(id) => {
            review::news::allocated(tx, *id)?;
            review::apub::announce_allocation(tx, *id)
        }
        Happened::AllocationEnded(id) => {
            review::news::ended(tx, *id)?;
            review::apub::announce_end(tx, *id)
        }
        Happened::ReviewGiven(id) => review::apub::announce_given(tx, *id),
        Happened::AssignmentReleased(id) => {
            review::news::released(tx, *id)?;
            review::apub::announce_feedback(tx, *id)
        }
        Happened::ResultOverridden(id) => {
            review::news::overridden(tx, *id)?;
            review::apub::announce_override(tx, *id)
        }
        Happened::ReviewTaskReceived(id) => review::news::task_received(tx, *id),
        Happened::ReviewSent(id) => review::apub::send_review(tx, *id),
        Happened::ReviewAnswered(id) => review::news::answered(tx, *id),
        Happened::FeedbackReceived(id) => review::news::feedback_received(tx, *id),
        _ => Ok(()),
    }
}
