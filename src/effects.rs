//! What follows from what happened?

use crate::db::Tx;
use crate::discussion;
use crate::error::Result;
use crate::event::{Event, Happened};

/// Does, in the same transaction, all that follows from one event.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    match &event.what {
        Happened::PostWritten(id) => {
            discussion::tell_written(tx, *id)?;
            discussion::apub::announce_written(tx, *id)
        }
        Happened::PostEdited(id) => discussion::apub::announce_edited(tx, *id),
        Happened::PostDeleted(id) => {
            discussion::tell_deleted(tx, *id)?;
            discussion::apub::announce_deleted(tx, *id, event.by)
        }
        _ => Ok(()),
    }
}
