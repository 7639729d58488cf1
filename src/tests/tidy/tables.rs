//! Do both databases and `schema.rs` have the same tables and columns?

use super::sources::root;
use std::collections::BTreeMap;

type Tables = BTreeMap<String, Vec<String>>;

fn folders(database: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join("migrations").join(database)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn word(text: &str) -> String {
    text.trim_start().trim_start_matches('"').chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What all migrations of a database add up to.
fn tables(database: &str) -> Tables {
    let mut tables = Tables::new();
    for folder in folders(database) {
        let sql =
            std::fs::read_to_string(root().join("migrations").join(database).join(folder).join("up.sql")).unwrap();
        let bare: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        for statement in bare.join("\n").split(';') {
            apply(statement.trim(), &mut tables);
        }
    }
    tables
}

fn apply(statement: &str, tables: &mut Tables) {
    if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
        let body = rest.split_once('(').map(|(_, body)| body).unwrap_or_default();
        tables.insert(word(rest), columns(body));
    } else if let Some(rest) = statement.strip_prefix("DROP TABLE ") {
        tables.remove(&word(rest));
    } else if let Some((table, column)) =
        statement.strip_prefix("ALTER TABLE ").and_then(|r| r.split_once(" ADD COLUMN "))
    {
        tables.entry(word(table)).or_default().push(word(column));
    }
}

/// The first words between commas that stand in no inner brackets, except those that begin a constraint.
fn columns(body: &str) -> Vec<String> {
    let (mut depth, mut starts, mut start) = (0, Vec::new(), 0);
    for (at, letter) in body.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 || (depth == 0 && letter == ',') {
            starts.push(word(&body[start..at]));
            start = at + 1;
        }
        if depth < 0 {
            break;
        }
    }
    let constraint = |name: &String| ["PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "CONSTRAINT"].contains(&name.as_str());
    starts.into_iter().filter(|name| !name.is_empty() && !constraint(name)).collect()
}

/// The tables of `schema.rs`.
fn typed() -> Tables {
    let text = std::fs::read_to_string(root().join("src/db/schema.rs")).unwrap();
    let mut tables = Tables::new();
    for table in text.split("diesel::table! {").skip(1) {
        let (head, body) = table.split_once('{').unwrap();
        let body = body.split('}').next().unwrap();
        let mut columns: Vec<String> = Vec::new();
        let mut renamed = None;
        for line in body.lines() {
            if let Some(rest) = line.trim().strip_prefix("#[sql_name = \"") {
                renamed = Some(word(rest));
            } else if line.contains("->") {
                columns.push(renamed.take().unwrap_or_else(|| word(line)));
            }
        }
        tables.insert(word(head), columns);
    }
    tables
}

#[test]
fn migrations_have_the_same_names_for_both_databases() {
    assert_eq!(folders("sqlite"), folders("postgres"));
}

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (tables("sqlite"), tables("postgres"));
    assert!(sqlite.len() > 20, "the tables are not found");
    assert_eq!(sqlite, postgres);
    // Search tables of one database alone are asked by hand-written SQL and need no type.
    assert_eq!(typed(), sqlite);
}
