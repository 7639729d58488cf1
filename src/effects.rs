//! What follows from what happened?

use crate::db::Tx;
use crate::error::Result;
use crate::event::{Event, Happened};
use crate::{assignment, review, submission};

/// Does, in the same transaction, all that follows from one event.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    match &event.what {
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
    }?;
    review::follow(tx, event)
}
