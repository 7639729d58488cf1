//! How are results written down? Many in one transaction.

use super::{ending, store};
use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::ActorId;
use std::time::Duration;
use tokio::sync::mpsc;

/// What a line tells.
#[derive(Clone, Debug)]
pub(super) enum Note {
    /// It is there.
    Delivered { id: i64 },
    /// It never will be.
    Dropped { id: i64, reason: String },
    /// This inbox is no more; of those who share it, these were asked for.
    Gone { inbox: String, asked: Vec<ActorId> },
    /// The line was worked on to its end, or to the end of its turn, and this came of it.
    Well { host: String, went: Went },
    /// Nothing could be tried for a reason of ours.
    NotNow { host: String },
    /// The server choked on this one.
    Held { id: i64, reason: String },
    /// The server is not well; this delivery failed. Whether it answers at all.
    Badly { host: String, id: i64, reason: String, asked: Option<Duration>, alive: bool },
}

/// What came of a turn that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Went {
    /// Nothing was sent.
    Nowhere,
    /// The server answered, and took nothing.
    Answered,
    /// The server took something.
    Delivered,
}

/// Notes in one transaction.
const GROUP: usize = 256;

/// How often a group is tried while the database is locked or full, and how long between. Well within a lease, after
/// which others would send again what is there already.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_secs(1);

/// Writes notes down until the last sender is gone. What cannot be written stays pending and is tried again when its
/// lease has run out.
pub(super) async fn run(app: App, mut notes: mpsc::Receiver<Note>) {
    let mut group = Vec::with_capacity(GROUP);
    while notes.recv_many(&mut group, GROUP).await > 0 {
        let some = std::mem::take(&mut group);
        for tried in 1..=TRIES {
            let again = some.clone();
            // Before what came in is worked off: until this is written, a kill lets servers get again what they have.
            match app.write(move |tx| write(tx, again)).await {
                Ok(()) => break,
                Err(error) if error.is_transient() && tried < TRIES => {
                    tracing::warn!(%error, tried, "results of deliveries cannot be written down yet");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(%error, "results of deliveries could not be written down");
                    break;
                }
            }
        }
        // Woken once for the group: lines on which more waits are due again.
        app.bells().ring(crate::db::Bell::Deliveries);
    }
}

fn write(tx: &mut Tx<'_>, notes: Vec<Note>) -> Result<()> {
    let (mut delivered, mut well) = (Vec::new(), Vec::new());
    for note in notes {
        match note {
            Note::Delivered { id } => delivered.push(id),
            Note::Dropped { id, reason } => store::drop_one(tx, id, &reason)?,
            Note::Gone { inbox, asked } => ending::close_inbox(tx, &inbox, &asked)?,
            Note::Well { host, went } => well.push((host, went)),
            Note::NotNow { host } => ending::put_off(tx, &host)?,
            Note::Held { id, reason } => ending::hold(tx, id, &reason)?,
            Note::Badly { host, id, reason, asked, alive } => {
                store::note_failure(tx, id, &reason)?;
                ending::end_line_badly(tx, &host, &reason, (asked, alive))?;
            }
        }
    }
    store::put_delivered(tx, &delivered)?;
    ending::end_lines_well(tx, &well)
}
