//! How is one connection to either database typed?

use diesel::{PgConnection, SqliteConnection};

/// A connection to either database. Chosen by scheme in [`Address`], never by `Db::establish`, which guesses.
#[derive(diesel::MultiConnection)]
pub enum Db {
    /// The embedded one.
    Sqlite(SqliteConnection),
    /// The one for several processes.
    Pg(PgConnection),
}
