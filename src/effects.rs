//! What follows from what happened?

use crate::db::Tx;
use crate::error::Result;
use crate::event::Event;
use crate::review;

/// Does, in the same transaction, all that follows from one event.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    review::follow(tx, event)
}
