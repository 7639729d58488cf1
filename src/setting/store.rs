//! Which rows hold settings?

use crate::db::{Db, Run, Tx, schema::settings};
use crate::error::Result;
use diesel::{ExpressionMethods, QueryDsl};

pub(super) fn list(db: &mut Db) -> Result<Vec<(String, String)>> {
    Ok(settings::table.load(db)?)
}

pub(super) fn put(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<()> {
    diesel::insert_into(settings::table)
        .values((settings::key.eq(key), settings::value.eq(value)))
        .on_conflict(settings::key)
        .do_update()
        .set(settings::value.eq(value))
        .execute(tx)?;
    Ok(())
}

/// Set while nothing may go out.
pub(super) const PAUSED: &str = "deliveries_paused";

pub(super) fn pause(db: &mut Db) -> Result<()> {
    let row = (settings::key.eq(PAUSED), settings::value.eq("restored"));
    diesel::insert_into(settings::table).values(row).on_conflict_do_nothing().execute(db)?;
    Ok(())
}

pub(super) fn is_paused(db: &mut Db) -> Result<bool> {
    let rows: i64 = settings::table.filter(settings::key.eq(PAUSED)).count().get_result(db)?;
    Ok(rows > 0)
}

pub(super) fn resume(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(diesel::delete(settings::table.filter(settings::key.eq(PAUSED))).execute(tx)? > 0)
}
