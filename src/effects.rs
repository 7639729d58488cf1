//! What follows from what happened?

use crate::db::Tx;
use crate::error::Result;
use crate::event::Event;

/// Does, in the same transaction, all that follows from one event.
pub fn follow(_tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    Ok(())
}
