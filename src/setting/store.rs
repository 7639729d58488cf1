//! Which rows hold settings?

use crate::db::{Db, Run, Tx, schema::settings};
use crate::error::Result;
use diesel::ExpressionMethods;

pub(super) fn list(db: &mut Db) -> Result<Vec<(String, String)>> {
    Ok(settings::table.load(db)?)
}

pub(super) fn put(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<()> {
    diesel::insert_into(settings::table)
        .values((settings::key.eq(key), settings::value.eq(value)))
        .on_conflict(settings::key)
        .do_update()
        .set(settings::value.eq(value))
        .execute(&mut **tx)?;
    Ok(())
}
