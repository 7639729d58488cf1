//! What follows, as far as reviews go, from what happened? Called by `effects`.

use super::{admit, apub, author_left, notices, postponed, work_withdrawn};
use crate::db::Tx;
use crate::enrollment;
use crate::error::Result;
use crate::event::{Event, Happened};

/// Notices here, notes elsewhere, and work that moves to others.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    match &event.what {
        Happened::ReviewStarted(id) => notices::started(tx, *id),
        Happened::ReviewAllocated(id) => {
            notices::allocated(tx, *id)?;
            apub::announce_allocation(tx, *id)
        }
        Happened::AllocationEnded(id) => {
            notices::ended(tx, *id)?;
            apub::announce_end(tx, *id)
        }
        Happened::ReviewGiven(id) => apub::announce_given(tx, *id),
        Happened::AssignmentReleased(id) => {
            notices::released(tx, *id)?;
            apub::announce_feedback(tx, *id)
        }
        Happened::ResultOverridden(id) => {
            notices::overridden(tx, *id)?;
            apub::announce_override(tx, *id)
        }
        Happened::ReviewTaskReceived(id) => notices::task_received(tx, *id),
        Happened::ReviewSent(id) => apub::send_review(tx, *id),
        Happened::ReviewAnswered(id) => notices::answered(tx, *id),
        Happened::FeedbackReceived(id) => notices::feedback_received(tx, *id),
        Happened::SubmissionReceived { submission, .. } => admit(tx, *submission).map(|_| ()),
        Happened::AssignmentChanged(id) => postponed(tx, *id),
        Happened::SubmissionWithdrawn(id) => work_withdrawn(tx, *id),
        Happened::EnrollmentLeft(id) | Happened::EnrollmentRemoved(id) => {
            let place = enrollment::get(tx, *id)?;
            author_left(tx, place.actor_id, place.cohort_id)
        }
        _ => Ok(()),
    }
}
