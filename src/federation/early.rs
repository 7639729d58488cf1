//! What was deleted or taken back before it ever came, and shall not come to life when it arrives late?

use crate::clock::Time;
use crate::db::schema::early_ends;
use crate::db::{Db, Run, Tx};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{ExpressionMethods, QueryDsl};

/// Longest id that is remembered, in bytes: longer ones are of nobody who means well.
const LONGEST: usize = 2048;

/// Remembers that the end of this came before its beginning. It holds for what the same actor sends alone, so that
/// nobody can end beforehand what others will say.
pub fn remember(tx: &mut Tx<'_>, uri: &str, by: ActorId) -> Result<()> {
    if uri.is_empty() || uri.len() > LONGEST || tx.links().is_ours(uri) {
        return Ok(());
    }
    let row = (early_ends::uri.eq(uri), early_ends::actor_id.eq(by), early_ends::ended_at.eq(tx.now()));
    diesel::insert_into(early_ends::table).values(row).on_conflict_do_nothing().execute(tx)?;
    metrics::counter!("hedgeschool_early_ends_total").increment(1);
    Ok(())
}

/// Whether its end came first.
pub fn is_over(db: &mut Db, uri: &str, by: ActorId) -> Result<bool> {
    let found: i64 = early_ends::table.find((uri, by)).count().get_result(db)?;
    Ok(found > 0)
}

/// Takes it back, because who ended it brought it back.
pub fn reopen(tx: &mut Tx<'_>, uri: &str, by: ActorId) -> Result<()> {
    diesel::delete(early_ends::table.find((uri, by))).execute(tx)?;
    Ok(())
}

/// Forgets what was remembered before this: its beginning cannot be on its way any more.
pub fn forget(tx: &mut Tx<'_>, before: Time) -> Result<()> {
    diesel::delete(early_ends::table.filter(early_ends::ended_at.lt(before))).execute(tx)?;
    Ok(())
}
