//! How is the database read and written? One schema and one set of queries over SQLite and PostgreSQL.
//!
//! Reads run on a pool of connections. Writes run as [`Tx`] jobs: on SQLite one thread takes them and commits many at
//! once (group commit), each in a savepoint of its own; on PostgreSQL each is a transaction on a pooled connection.
//! A job's answer is given only after the commit, so what was answered is on disk.

pub mod copy;
mod either;
pub mod migrate;
mod run;
pub mod schema;
mod tx;
pub mod upkeep;
mod writer;

pub use either::Db;
pub use run::{Columns, Kept, Literal, Run};
pub use tx::{Bell, Bells, Effects, Limits, Surroundings, Tx};

use crate::error::{Error, Result};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, PgConnection, SqliteConnection, r2d2};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A file; it is made when it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, which may hold a password.
    Postgres(String),
}

impl Address {
    /// Reads `sqlite:PATH` or `postgres://...`.
    pub fn parse(url: &str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(url.to_owned()))
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Ok(Self::Sqlite(PathBuf::from(path.trim_start_matches("//"))))
        } else {
            Err(Error::invalid("database.url", "must begin with sqlite: or postgres://"))
        }
    }

    /// Opens one connection. Readers of SQLite cannot write, so that no write escapes the writer.
    pub fn open(&self, for_writing: bool) -> Result<Db, diesel::ConnectionError> {
        match self {
            Self::Postgres(url) => Ok(Db::Pg(PgConnection::establish(url)?)),
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
                )
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                // In KiB. There are several readers: what they do not keep, the system's cache of files has.
                let own = if for_writing {
                    "PRAGMA cache_size = -16000;"
                } else {
                    "PRAGMA cache_size = -4000; PRAGMA query_only = ON;"
                };
                conn.batch_execute(own).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Db::Sqlite(conn))
            }
        }
    }

    /// The folder that must exist before the file can.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => path.parent(),
            Self::Postgres(_) => None,
        }
    }
}

struct Opener {
    address: Address,
    for_writing: bool,
}

/// A connection of the pool, and when it was last seen to work.
struct Link {
    db: Db,
    seen: Instant,
}

/// A connection that worked so recently is not asked whether it does: on PostgreSQL that would be a way there and back
/// before each question.
const TRUSTED: Duration = Duration::from_secs(1);

impl r2d2::ManageConnection for Opener {
    type Connection = Link;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Link, r2d2::Error> {
        let db = self.address.open(self.for_writing).map_err(r2d2::Error::ConnectionError)?;
        Ok(Link { db, seen: Instant::now() })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), r2d2::Error> {
        if link.seen.elapsed() >= TRUSTED {
            link.db.batch_execute("SELECT 1").map_err(r2d2::Error::QueryError)?;
            link.seen = Instant::now();
        }
        Ok(())
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        std::thread::panicking() || <Db as Connection>::TransactionManager::is_broken_transaction_manager(&mut link.db)
    }
}

/// Reads and writes; cheap to clone.
#[derive(Clone)]
pub struct Pool {
    readers: r2d2::Pool<Opener>,
    writer: writer::Writer,
    around: Arc<Surroundings>,
}

impl Pool {
    /// Connects to a database that is migrated already. `size` is the number of connections for reading (and, on
    /// PostgreSQL, for writing).
    pub fn open(address: &Address, size: u32, around: Surroundings) -> Result<Self> {
        let pool = |for_writing| {
            r2d2::Pool::builder()
                .max_size(size.max(1))
                .min_idle(Some(1))
                .connection_timeout(Duration::from_secs(5))
                .test_on_check_out(matches!(address, Address::Postgres(_)))
                .build(Opener { address: address.clone(), for_writing })
                .map_err(|e| Error::Unavailable(format!("the database cannot be reached: {e}")))
        };
        let around = Arc::new(around);
        let readers = pool(false)?;
        let writer = match address {
            Address::Sqlite(_) => writer::Writer::thread(address.clone(), around.clone())?,
            Address::Postgres(_) => writer::Writer::Pooled(readers.clone()),
        };
        Ok(Self { readers, writer, around })
    }

    /// What transactions are surrounded by.
    pub fn around(&self) -> &Surroundings {
        &self.around
    }

    /// Reads, on a thread that may wait.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.clone();
        tokio::task::spawn_blocking(move || pool.read_blocking(question)).await?
    }

    /// Looks something up: a few rows by index, no lists. From SQLite on this very thread, because that takes less time
    /// than the way to another thread and back; like [`Pool::read`] when a connection must be waited for or a server
    /// be asked.
    pub async fn look_up<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if let (writer::Writer::Thread(_), Some(mut link)) = (&self.writer, self.readers.try_get()) {
            return question(&mut link.db);
        }
        self.read(question).await
    }

    /// Reads on this thread: for the command line and tests.
    pub fn read_blocking<T>(&self, question: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
        let mut link = self.readers.get().map_err(|e| Error::Unavailable(format!("database: {e}")))?;
        question(&mut link.db)
    }

    /// Writes: all of `job` and of its effects, or nothing. Answers after the commit.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_in(writer::Turn::First, job).await
    }

    /// Writes what nobody waits for, such as working off what came in: after every [`Pool::write`] that waits.
    pub async fn write_behind<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_in(writer::Turn::Behind, job).await
    }

    async fn write_in<T: Send + 'static>(
        &self,
        turn: writer::Turn,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, receive) = tokio::sync::oneshot::channel();
        self.writer.submit((&self.around, turn), job, move |result| drop(answer.send(result)))?;
        receive.await.map_err(|_| Error::Unavailable("the database writer has stopped".into()))?
    }

    /// Writes and waits on this thread: for the command line and tests. Must not be called from async code.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, receive) = std::sync::mpsc::sync_channel(1);
        self.writer.submit((&self.around, writer::Turn::First), job, move |result| drop(answer.send(result)))?;
        receive.recv().map_err(|_| Error::Unavailable("the database writer has stopped".into()))?
    }
}

/// Runs `job` in a transaction that takes the write lock first, so that no read can go stale before its write.
fn in_transaction<T>(db: &mut Db, job: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
    type Transactions = <Db as Connection>::TransactionManager;
    match db {
        Db::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?,
        Db::Pg(conn) => AnsiTransactionManager::begin_transaction(conn)?,
    }
    match job(db) {
        Ok(value) => match Transactions::commit_transaction(db) {
            Ok(()) => Ok(value),
            Err(error) => {
                drop(Transactions::rollback_transaction(db));
                Err(error.into())
            }
        },
        Err(error) => {
            drop(Transactions::rollback_transaction(db));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
