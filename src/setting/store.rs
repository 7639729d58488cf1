//! Which rows hold settings?

use crate::db::{Db, Run, Tx, schema::settings};
use crate::error::Result;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};

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

/// Pauses, and keeps up to which delivery there was something then. As text, so that it can be part of the transaction of a
/// program that restores.
pub const PAUSING: &str = "INSERT INTO settings (key, value) \
    SELECT 'deliveries_paused', CAST(coalesce(max(id), 0) AS TEXT) FROM deliveries WHERE true \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";

pub(super) fn pause(db: &mut Db) -> Result<()> {
    diesel::sql_query(PAUSING).execute(db)?;
    Ok(())
}

pub(super) fn paused_at(db: &mut Db) -> Result<Option<i64>> {
    let kept: Option<String> =
        settings::table.filter(settings::key.eq(PAUSED)).select(settings::value).first(db).optional()?;
    Ok(kept.and_then(|last| last.parse().ok()))
}

pub(super) fn is_paused(db: &mut Db) -> Result<bool> {
    let rows: i64 = settings::table.filter(settings::key.eq(PAUSED)).count().get_result(db)?;
    Ok(rows > 0)
}

pub(super) fn resume(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(diesel::delete(settings::table.filter(settings::key.eq(PAUSED))).execute(tx)? > 0)
}
