//! What does a server hold? Every row of every table, read beside it.

use crate::server::{PATIENCE, Server};
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The rows of each table.
pub type State = BTreeMap<String, BTreeSet<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What the server holds once everything that was under way is done, planned work that is due among it: a pull from
/// another server may last longer than any rest.
pub async fn settled(server: &Server) -> State {
    let begin = Instant::now();
    let mut last = read(server);
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let due = jobs_due(server);
        let now = read(server);
        if due.is_empty() && differences(&last, &now).is_empty() {
            assert!(now.get("accounts").is_some_and(|rows| !rows.is_empty()), "{} cannot be looked into", server.name);
            return now;
        }
        let changes = differences(&last, &now);
        assert!(begin.elapsed() < PATIENCE, "{} never rests: {due:?} {changes:?}", server.name);
        last = now;
    }
}

/// Waits until nothing that `from` has for `to` is under way. What another process queued, such as the command line, is
/// found only at the next look.
pub async fn delivered(from: &Server, to: &Server) {
    let begin = Instant::now();
    let waits = |row: &String| row.contains("pending") && row.contains(&to.host);
    while read(from).get("deliveries").is_some_and(|rows| rows.iter().any(waits)) {
        assert!(begin.elapsed() < PATIENCE, "{} does not deliver to {}", from.name, to.name);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What came and what went.
pub fn differences(before: &State, after: &State) -> Vec<String> {
    let mut found = Vec::new();
    for (table, rows) in after {
        let Some(had) = before.get(table) else { continue };
        let cut = |row: &String| row.chars().take(300).collect::<String>();
        found.extend(rows.difference(had).map(|row| format!("{table} has got {}", cut(row))));
        found.extend(had.difference(rows).map(|row| format!("{table} has lost {}", cut(row))));
    }
    found
}

/// What the server is to do by now.
fn jobs_due(server: &Server) -> Vec<String> {
    let now = server.clock.now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let query = sql_query(format!("SELECT kind AS line FROM jobs WHERE run_at <= {now}"));
    let due: Vec<Line> = match server.database() {
        Some(url) => query.load(&mut PgConnection::establish(&url).unwrap()).unwrap(),
        None => query.load(&mut beside(server)).unwrap(),
    };
    due.into_iter().map(|row| row.line).collect()
}

fn beside(server: &Server) -> SqliteConnection {
    let path = format!("file:{}?mode=ro", server.sqlite().display());
    SqliteConnection::establish(&path).unwrap()
}

fn read(server: &Server) -> State {
    match server.database() {
        Some(url) => {
            let mut db = PgConnection::establish(&url).unwrap();
            let tables = "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'";
            rows(tables, &mut |query| sql_query(query).load(&mut db).unwrap(), |table, _| {
                format!("SELECT to_jsonb(t)::text AS line FROM \"{table}\" t")
            })
        }
        None => {
            let mut db = beside(server);
            let tables = "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
            rows(tables, &mut |query| sql_query(query).load(&mut db).unwrap(), |table, ask| {
                let columns =
                    ask(&format!("SELECT 'quote(\"' || name || '\")' AS line FROM pragma_table_info('{table}')"));
                let columns: Vec<String> = columns.into_iter().map(|column| column.line).collect();
                format!("SELECT {} AS line FROM \"{table}\"", columns.join(" || ',' || "))
            })
        }
    }
}

type Ask<'a> = &'a mut dyn FnMut(String) -> Vec<Line>;

fn rows(tables: &str, ask: Ask<'_>, query: impl Fn(&str, &mut dyn FnMut(&str) -> Vec<Line>) -> String) -> State {
    let mut state = State::new();
    for table in ask(tables.to_owned()) {
        let rows = query(&table.line, &mut |question| ask(question.to_owned()));
        let rows = ask(rows).into_iter().map(|row| row.line).collect();
        state.insert(table.line, rows);
    }
    state
}
