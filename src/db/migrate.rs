//! How does the database get its tables? By the embedded migrations, run under a lock when the program starts.

use super::{Address, Db};
use crate::db::Run;
use crate::error::{Error, Result};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::fs::File;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as all processes use the same.
const LOCK: i64 = 0x6865_6467;

/// Brings the database to this program's version and says how many migrations that took.
///
/// Waits while another process does the same. Refuses a database that a newer program has changed.
pub fn run(address: &Address) -> Result<usize> {
    if let Some(folder) = address.folder() {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::Unavailable(format!("{} cannot be made: {e}", folder.display())))?;
    }
    let db = address.open(true).map_err(|e| Error::Unavailable(format!("the database cannot be reached: {e}")))?;
    match db {
        Db::Sqlite(mut conn) => under_file_lock(address, &mut conn),
        Db::Pg(mut conn) => under_advisory_lock(&mut conn),
    }
}

fn under_file_lock(address: &Address, conn: &mut SqliteConnection) -> Result<usize> {
    let Address::Sqlite(path) = address else { return Err(Error::internal("not a file")) };
    let lock = File::create(path.with_extension("lock")).map_err(|e| Error::Internal(Box::new(e)))?;
    lock.lock().map_err(|e| Error::Internal(Box::new(e)))?;
    // Dropping the file gives the lock back, also after an error.
    pending(conn, SQLITE)
}

fn under_advisory_lock(conn: &mut PgConnection) -> Result<usize> {
    conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let done = pending(conn, POSTGRES);
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
    done
}

/// How many migrations this database still lacks; an error when a newer program has changed it.
pub fn lacking(db: &mut Db) -> Result<usize> {
    match db {
        Db::Sqlite(conn) => compare(conn, &SQLITE),
        Db::Pg(conn) => compare(conn, &POSTGRES),
    }
}

/// How many migrations a database lacks that is in use already; one that is empty lacks nothing, it is new.
pub fn behind(address: &Address) -> Result<usize> {
    if matches!(address, Address::Sqlite(path) if !path.exists()) {
        return Ok(0);
    }
    let mut db = address.open(true).map_err(|e| Error::Unavailable(format!("the database cannot be reached: {e}")))?;
    let tables = match db {
        Db::Sqlite(_) => "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'settings'",
        Db::Pg(_) => "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public' AND tablename = 'settings'",
    };
    let tables: Count = diesel::sql_query(tables).get_result(&mut db)?;
    if tables.n == 0 { Ok(0) } else { lacking(&mut db) }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The newest migration of this database. Only reads, also of a database that cannot be written to.
pub fn newest(db: &mut Db) -> Result<String> {
    let list = "SELECT version FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1";
    Ok(diesel::sql_query(list).get_result::<Newest>(db)?.version)
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Whether this program has a migration of this version. Both databases have the same.
pub fn is_known(version: &str) -> Result<bool> {
    let known: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = SQLITE.migrations().map_err(Error::Internal)?;
    Ok(known.iter().any(|migration| migration.name().version().to_string() == version))
}

fn compare<C, B>(conn: &mut C, migrations: &EmbeddedMigrations) -> Result<usize>
where
    B: Backend + 'static,
    C: MigrationHarness<B>,
    EmbeddedMigrations: MigrationSource<B>,
{
    let applied = conn.applied_migrations().map_err(Error::Internal)?;
    let known: Vec<Box<dyn Migration<B>>> = migrations.migrations().map_err(Error::Internal)?;
    let newest = applied.iter().find(|version| !known.iter().any(|m| m.name().version() == **version));
    if let Some(version) = newest {
        return Err(Error::Conflict(format!(
            "the database was changed by a newer hedgeschool (migration {version}); start that version, or restore a backup"
        )));
    }
    Ok(known.len().saturating_sub(applied.len()))
}

fn pending<C, B>(conn: &mut C, migrations: EmbeddedMigrations) -> Result<usize>
where
    B: Backend + 'static,
    C: MigrationHarness<B>,
    EmbeddedMigrations: MigrationSource<B>,
{
    compare(conn, &migrations)?;
    conn.run_pending_migrations(migrations).map(|done| done.len()).map_err(Error::Internal)
}
