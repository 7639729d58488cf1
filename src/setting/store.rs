//! Which rows hold settings?

use crate::db::{Db, Tx, schema::settings};
use crate::each_db;
use crate::error::Result;
use diesel::{ExpressionMethods, RunQueryDsl};

pub(super) fn list(db: &mut Db) -> Result<Vec<(String, String)>> {
    Ok(settings::table.load(db)?)
}

pub(super) fn put(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<()> {
    each_db!(tx, |conn| diesel::insert_into(settings::table)
        .values((settings::key.eq(key), settings::value.eq(value)))
        .on_conflict(settings::key)
        .do_update()
        .set(settings::value.eq(value))
        .execute(conn))?;
    Ok(())
}
