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
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

/// Makes a copy the database of an address that has none yet. `calm` is a statement that changes it before anybody can
/// use it: no moment shows the copy without it. Says what was in the copy. What breaks off leaves no database.
pub fn restore(from: &Path, address: &Address, calm: &str) -> Result<Content> {
    match address {
        Address::Sqlite(path) => {
            let half = path.with_extension("restoring");
            // What an earlier attempt left; its journal would be played into this one.
            for left in files_of(&half).into_iter().filter(|left| left.exists()) {
                std::fs::remove_file(left).map_err(unwritable)?;
            }
            std::fs::copy(from, &half).map_err(unwritable)?;
            let (content, _) = check(&half)?;
            sqlite(&half)?.batch_execute(calm)?;
            sync(&half)?;
            std::fs::rename(&half, path).map_err(unwritable)?;
            address.folder().map_or(Ok(()), sync)?;
            Ok(content)
        }
        Address::Postgres(url) => {
            let settings = pour(from, url, calm)?;
            let mut db = address.open(true).map_err(|e| Error::Unavailable(e.to_string()))?;
            let (mut content, _) = read(&mut db)?;
            content.rows.insert("settings".into(), settings);
            Ok(content)
        }
    }
}

/// A database of SQLite and all that may lie beside it: a leftover of these would be played into whatever takes its name.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let with = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    ["", "-wal", "-shm", "-journal"].map(with).into()
}

/// Plays a dump and `calm` into an empty database, in one transaction that ends well only when all of the dump has come.
/// Says how many settings the dump has, which is what `calm` changes.
fn pour(from: &Path, url: &str, calm: &str) -> Result<i64> {
    let mut reading = Command::new("pg_restore");
    reading.args(["--no-owner", "--no-privileges", "--file=-"]).arg(from);
    let mut reader =
        reading.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| missing("pg_restore", &e))?;
    let mut writing = program("psql", url)?;
    writing.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--file=-"]);
    writing.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut writer = writing.spawn().map_err(|e| missing("psql", &e))?;
    let (Some(mut dump), Some(mut script)) = (reader.stdout.take(), writer.stdin.take()) else {
        return Err(Error::internal("pipes that were asked for"));
    };
    // An error here is one of the two programs, which say more.
    let poured = script.write_all(b"BEGIN;\n").and_then(|()| std::io::copy(&mut dump, &mut script));
    drop(dump);
    let read = ended("pg_restore", &reader.wait_with_output().map_err(|e| missing("pg_restore", &e))?);
    if poured.is_ok() && read.is_ok() {
        let end = format!("SET search_path = public; SELECT count(*) FROM settings; {calm}; COMMIT;\n");
        script.write_all(end.as_bytes()).ok();
    }
    drop(script);
    let written = writer.wait_with_output().map_err(|e| missing("psql", &e))?;
    ended("psql", &written).and(read)?;
    let said = String::from_utf8_lossy(&written.stdout).into_owned();
    let count = said.lines().rev().find_map(|line| line.trim().parse().ok());
    count.ok_or_else(|| Error::Conflict("psql did not come to the end of the backup".into()))
}

/// Refuses an address that holds something already.
pub fn must_be_empty(address: &Address) -> Result<()> {
    let full = match address {
        Address::Sqlite(path) => match files_of(path).into_iter().find(|file| file.exists()) {
            Some(rest) if rest != *path => {
                return Err(Error::Conflict(format!(
                    "{} is left of another database and would damage this one; move it away first",
                    rest.display()
                )));
            }
            found => found.is_some(),
        },
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
    ended(name, &command.output().map_err(|e| missing(name, &e))?)
}

fn missing(name: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(format!(
        "{name} cannot be run ({error}); install the client programs of PostgreSQL (Debian: postgresql-client)"
    ))
}

fn ended(name: &str, output: &Output) -> Result<()> {
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
