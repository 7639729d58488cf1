//! Does everyone look down only, and does each file keep its role?

use super::none;
use super::sources::{Source, all, root};

/// Where a module stands in `src/lib.rs`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Floor {
    Ground,
    Mechanics,
    Features,
    Top,
}

/// The modules in the order of `src/lib.rs`, which is the order in which they may use each other.
fn house() -> Vec<(String, Floor)> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut floor = Floor::Ground;
    let mut modules = Vec::new();
    for line in text.lines() {
        for (word, next) in
            [("// Mechanics", Floor::Mechanics), ("// Features", Floor::Features), ("// Top", Floor::Top)]
        {
            if line.starts_with(word) {
                floor = next;
            }
        }
        let name = line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
        modules.extend(name.map(|name| (name.to_owned(), floor)));
    }
    assert!(modules.len() > 20 && floor == Floor::Top, "the order of src/lib.rs is not found");
    modules
}

fn floor_of(file: &Source) -> Option<Floor> {
    let module = file.module()?;
    house().into_iter().find(|(name, _)| name == module).map(|(_, floor)| floor)
}

/// Names that stand behind `crate::`, also those in `crate::{a, b::c}`.
fn named(line: &str) -> Vec<String> {
    let ident = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.push(ident(rest)),
            Some(group) => {
                let mut depth = 0;
                for part in group.split_inclusive([',', '{', '}']) {
                    if depth == 0 {
                        names.push(ident(part.trim_start()));
                    }
                    depth += i32::from(part.ends_with('{')) - i32::from(part.ends_with('}'));
                }
            }
        }
    }
    names
}

#[test]
fn names_behind_crate_are_found() {
    assert_eq!(named("use crate::clock::Time;"), ["clock"]);
    assert_eq!(named("use crate::{actor::{self, Actor}, db::Tx};").join(" ").trim(), "actor  db");
}

#[test]
fn everyone_looks_down_only() {
    let house = house();
    let place = |name: &str| house.iter().position(|(module, _)| module == name);
    let mut complaints = Vec::new();
    for file in all().iter().filter(|file| !file.is_test()) {
        let Some(module) = file.module() else { continue };
        let Some(own) = place(module) else { continue };
        if house[own].1 == Floor::Top {
            continue;
        }
        for (number, line) in file.code_lines() {
            for name in named(line) {
                if place(&name).is_some_and(|other| other > own) {
                    complaints.push(format!(
                        "{}:{number}: `{module}` may not use `{name}`, which stands below it in src/lib.rs",
                        file.path
                    ));
                }
            }
        }
    }
    none(complaints);
}

/// Which of these a file holds, line by line.
fn hold(file: &Source, forbidden: &[&str], why: &str) -> Vec<String> {
    let complaint = |(number, line): (usize, &str)| {
        let found = forbidden.iter().find(|word| line.contains(**word))?;
        Some(format!("{}:{number}: `{found}`: {why}", file.path))
    };
    file.code_lines().filter_map(complaint).collect()
}

const DOORS: [&str; 3] = ["web.rs", "api.rs", "apub.rs"];

/// Features' files that are rules or SQL: all but the doors. A door that outgrew its file is a folder of its name.
fn is_door(file: &Source) -> bool {
    let folder = |door: &&str| file.path.contains(&format!("/{}/", door.trim_end_matches(".rs")));
    DOORS.contains(&file.name()) || DOORS.iter().any(folder)
}

fn features() -> impl Iterator<Item = &'static Source> {
    all().iter().filter(|file| !file.is_test() && floor_of(file) == Some(Floor::Features))
}

#[test]
fn rules_know_neither_http_nor_the_wire_nor_async() {
    let forbidden =
        ["axum::", "axum_extra::", "activitypub_federation::", "reqwest::", "async fn", "async move", ".await"];
    let rules = features().filter(|file| !is_door(file));
    none(rules.flat_map(|file| hold(file, &forbidden, "belongs into a door (web.rs, apub.rs)")).collect());
}

#[test]
fn rules_call_no_door() {
    let forbidden = ["::web::", "::apub::", "use super::web", "use super::apub"];
    let rules = features().filter(|file| !is_door(file));
    none(rules.flat_map(|file| hold(file, &forbidden, "doors call rules, not the other way round")).collect());
}

#[test]
fn the_federation_door_does_not_call_the_html_door() {
    let doors = features().filter(|file| is_door(file) && file.path.contains("apub"));
    none(doors.flat_map(|file| hold(file, &["::web::", "super::web"], "no door calls another")).collect());
}

const QUERIES: [&str; 9] = [
    "RunQueryDsl",
    "QueryDsl",
    "SimpleConnection",
    "insert_into(",
    "diesel::update(",
    "diesel::delete(",
    "diesel::select(",
    "sql_query(",
    "batch_execute(",
];

/// SQL stands in `db/`, `event.rs`, mechanics that are tables themselves, and every feature's `store.rs`.
fn may_hold_sql(file: &Source) -> bool {
    let Some(module) = file.module() else { return true };
    let floor = floor_of(file).unwrap_or(Floor::Top);
    let is_store = file.name() == "store.rs" || file.path.contains("/store/");
    match floor {
        Floor::Ground => ["db", "event"].contains(&module),
        Floor::Mechanics => module != "http",
        // A notice is one insert without rules.
        Floor::Features => is_store || file.path == "src/notice/mod.rs",
        Floor::Top => false,
    }
}

#[test]
fn sql_stands_where_it_belongs() {
    let others = all().iter().filter(|file| !file.is_test() && !may_hold_sql(file));
    none(others.flat_map(|file| hold(file, &QUERIES, "SQL belongs into store.rs")).collect());
}

#[test]
fn stores_hold_sql_and_no_rules() {
    let stores = features().filter(|file| file.name() == "store.rs");
    none(stores.flat_map(|file| hold(file, &["Error::denied", ".record("], "rules belong into mod.rs")).collect());
}
