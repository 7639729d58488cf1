//! How is the whole database copied while it is in use, and how does a copy become a database again?

use super::schema::media;
use super::{Address, Db, migrate};
use crate::error::{Error, Result};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, ExpressionMethods, PgConnection, QueryDsl, QueryableByName, RunQueryDsl, SqliteConnection};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

/// What is in a database at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The newest migration.
    pub migration: String,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
}

/// A file of which the database says that its bytes are in the media folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The name of the bytes.
    pub name: String,
    /// In bytes.
    pub size: i64,
    /// In hexadecimal.
    pub sha256: String,
}

/// A database and its files, at one moment.
pub type Moment = (Content, Vec<Stored>);

/// Copies the database as it is at one moment into a new file; others go on reading and writing. Says what the copy
/// holds, read from the copy itself on SQLite and at the very same moment on PostgreSQL.
pub fn write(address: &Address, to: &Path) -> Result<Moment> {
    match address {
        Address::Sqlite(path) if !path.exists() => {
            Err(Error::Conflict(format!("there is no database {}", path.display())))
        }
        Address::Sqlite(path) => {
            let mut conn = sqlite(path)?;
            diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(to.to_string_lossy()).execute(&mut conn)?;
            sync(to)?;
            check(to)
        }
        Address::Postgres(url) => dump(url, to),
    }
}

/// Reads a copy of SQLite and looks whether it is whole: pages, indices and references.
pub fn check(path: &Path) -> Result<Moment> {
    let mut conn = sqlite(path)?;
    let said: Vec<Line> =
        diesel::sql_query("SELECT integrity_check AS said FROM pragma_integrity_check").load(&mut conn)?;
    if said.iter().map(|line| line.said.as_str()).ne(["ok"]) {
        return Err(Error::Conflict(format!("{} is damaged", path.display())));
    }
    let loose: Vec<Line> =
        diesel::sql_query("SELECT \"table\" AS said FROM pragma_foreign_key_check LIMIT 1").load(&mut conn)?;
    if let Some(line) = loose.first() {
        return Err(Error::Conflict(format!(
            "{} is damaged: {} refers to what is not there",
            path.display(),
            line.said
        )));
    }
    read(&mut Db::Sqlite(conn))
}

/// What is in a database.
pub fn read(db: &mut Db) -> Result<Moment> {
    let list = match db {
        Db::Sqlite(_) => "SELECT name AS said FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Db::Pg(_) => "SELECT tablename::text AS said FROM pg_tables WHERE schemaname = 'public'",
    };
    let tables: Vec<Line> = diesel::sql_query(list).load(db)?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let count: Count = diesel::sql_query(format!("SELECT count(*) AS n FROM \"{}\"", table.said)).get_result(db)?;
        rows.insert(table.said, count.n);
    }
    let files: Vec<(String, i64, String)> = media::table
        .filter(media::remote_url.is_null())
        .select((media::public_id, media::size, media::sha256))
        .load(db)?;
    let files = files.into_iter().map(|(name, size, sha256)| Stored { name, size, sha256 }).collect();
    Ok((Content { migration: migrate::newest(db)?, rows }, files))
}

/// Makes a copy the database of an address that has none yet. `calm` changes it before anybody can use it. Says what is
/// in it then.
pub fn restore(from: &Path, address: &Address, calm: fn(&mut Db) -> Result<()>) -> Result<Content> {
    match address {
        Address::Sqlite(path) => {
            let half = path.with_extension("restoring");
            std::fs::copy(from, &half).map_err(unwritable)?;
            let (content, _) = check(&half)?;
            calm(&mut Db::Sqlite(sqlite(&half)?))?;
            sync(&half)?;
            std::fs::rename(&half, path).map_err(unwritable)?;
            Ok(content)
        }
        Address::Postgres(url) => {
            let mut command = program("pg_restore", url)?;
            command.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]).arg(from);
            run(command, "pg_restore")?;
            let mut db = address.open(true).map_err(|e| Error::Unavailable(e.to_string()))?;
            let (content, _) = read(&mut db)?;
            calm(&mut db)?;
            Ok(content)
        }
    }
}

/// Refuses an address that holds something already.
pub fn must_be_empty(address: &Address) -> Result<()> {
    let full = match address {
        Address::Sqlite(path) => path.exists(),
        Address::Postgres(_) => {
            let mut db =
                address.open(true).map_err(|e| Error::Unavailable(format!("the database cannot be reached: {e}")))?;
            let count: Count = diesel::sql_query("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'")
                .get_result(&mut db)?;
            count.n > 0
        }
    };
    if full {
        return Err(Error::Conflict(
            "there is a database already; a backup is restored only where there is none".into(),
        ));
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    said: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn sqlite(path: &Path) -> Result<SqliteConnection> {
    let unreadable = |_| Error::Conflict(format!("{} cannot be opened as a database", path.display()));
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).map_err(unreadable)?;
    conn.batch_execute("PRAGMA busy_timeout = 30000")?;
    Ok(conn)
}

/// `pg_dump` sees the very moment at which the rows are counted.
fn dump(url: &str, to: &Path) -> Result<Moment> {
    let unreachable = |e| Error::Unavailable(format!("the database cannot be reached: {e}"));
    let mut conn = PgConnection::establish(url).map_err(unreachable)?;
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let snapshot: Line = diesel::sql_query("SELECT pg_export_snapshot()::text AS said").get_result(&mut conn)?;
    let mut command = program("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges"]);
    command.arg(format!("--snapshot={}", snapshot.said)).arg(format!("--file={}", to.display()));
    run(command, "pg_dump")?;
    sync(to)?;
    // The list at the end of the archive is there only when all of it is.
    let mut list = Command::new("pg_restore");
    list.arg("--list").arg(to);
    run(list, "pg_restore")?;
    read(&mut Db::Pg(conn))
}

/// A program of PostgreSQL, with the password where no list of processes shows it.
fn program(name: &str, url: &str) -> Result<Command> {
    let mut url = url::Url::parse(url).map_err(|e| Error::invalid("database.url", e.to_string()))?;
    let password = url.password().map(|text| {
        let pair = format!("p={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, text)| text.into_owned()).unwrap_or_default()
    });
    url.set_password(None).ok();
    let mut command = Command::new(name);
    command.arg(format!("--dbname={url}"));
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

fn run(mut command: Command, name: &str) -> Result<()> {
    let output = command.output().map_err(|e| {
        Error::Unavailable(format!(
            "{name} cannot be run ({e}); install the client programs of PostgreSQL (Debian: postgresql-client)"
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::Conflict(format!("{name} failed: {}", said.lines().next().unwrap_or("it says nothing"))))
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unwritable(error: std::io::Error) -> Error {
    Error::Unavailable(format!("the copy cannot be written: {error}"))
}
