//! How much is waiting, and what must be put right when a process starts?

use super::schema::{deliveries, inbox, jobs, letters, peers};
use super::{Db, Run, Tx};
use crate::clock::Time;
use crate::error::Result;
use diesel::{ExpressionMethods, QueryDsl};

/// Rows that wait, queue by queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Activities that came in and are not worked off.
    pub inbox: i64,
    /// Activities that are to go out.
    pub deliveries: i64,
    /// Planned work, due or not.
    pub jobs: i64,
    /// Letters that are to be sent.
    pub letters: i64,
}

/// Counts what waits.
pub fn waiting(db: &mut Db) -> Result<Waiting> {
    Ok(Waiting {
        inbox: inbox::table.filter(inbox::state.eq("pending")).count().get_result(db)?,
        deliveries: deliveries::table.filter(deliveries::state.eq("pending")).count().get_result(db)?,
        jobs: jobs::table.count().get_result(db)?,
        letters: letters::table.count().get_result(db)?,
    })
}

/// Frees what a killed process had claimed. Only where no other process can be at work: on SQLite, at the start.
pub fn free_leases(tx: &mut Tx<'_>) -> Result<()> {
    let never = Time(0);
    diesel::update(jobs::table).set(jobs::leased_until.eq(never)).execute(tx)?;
    diesel::update(letters::table).set(letters::leased_until.eq(never)).execute(tx)?;
    diesel::update(peers::table).set(peers::leased_until.eq(never)).execute(tx)?;
    diesel::update(inbox::table.filter(inbox::state.eq("pending"))).set(inbox::leased_until.eq(never)).execute(tx)?;
    Ok(())
}

/// When the newest event was written; the clock of a healthy machine is later.
pub fn newest_event(db: &mut Db) -> Result<Option<Time>> {
    use super::schema::events;
    use diesel::OptionalExtension;
    Ok(events::table.order(events::id.desc()).select(events::at).first(db).optional()?)
}
