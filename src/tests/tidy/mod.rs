//! Does the code keep the house rules of `src/README.md`? Each rule is one test, and each complaint names the line.

mod directions;
mod sources;
mod tables;
mod words;

use sources::{Source, all};

/// Fails with every complaint at once, so that one run shows all there is to mend.
pub fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}\n", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_file_says_first_which_question_it_answers() {
    let complaint = |file: &Source| {
        let head: Vec<&str> = file.text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        let head = head.join(" ");
        let first = head.split_inclusive(['?', '.']).next().unwrap_or_default();
        let whole = first.len() > 8 && first.ends_with(['?', '.']);
        (!whole).then(|| format!("{}: begins without `//! ` and a sentence that ends with ? or .", file.path))
    };
    none(all().iter().filter_map(complaint).collect());
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = |file: &&Source| file.path != "src/db/schema.rs" && file.text.lines().count() > 400;
    let complaint = |file: &Source| format!("{}: {} lines; split it", file.path, file.text.lines().count());
    none(all().iter().filter(long).map(complaint).collect());
}

/// What says nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "helpers", "common", "misc", "manager", "service"];

/// `RowManager` and `row_manager` are both made of `row` and `manager`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if let (Some(part), true) = (parts.last_mut(), letter != '_') {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}

#[test]
fn names_say_what_is_inside() {
    let mut complaints = Vec::new();
    for file in all() {
        for step in file.path.trim_end_matches(".rs").split('/') {
            if EMPTY_NAMES.contains(&step) {
                complaints.push(format!("{}: `{step}` says nothing", file.path));
            }
        }
        for (number, line) in file.code_lines() {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            for pair in words.windows(2) {
                let declares = ["mod", "struct", "enum", "trait", "type", "fn"].contains(&pair[0]);
                if declares && parts(pair[1]).iter().any(|part| EMPTY_NAMES.contains(&part.as_str())) {
                    complaints.push(format!("{}:{number}: `{}` says nothing", file.path, pair[1]));
                }
                // `get_public` is `get` by the id that stands in URLs; `get_result` is what diesel calls it.
                if pair[0] == "fn" && pair[1].starts_with("get_") && !["get_public", "get_result"].contains(&pair[1]) {
                    complaints.push(format!("{}:{number}: `{}`: leave `get_` out", file.path, pair[1]));
                }
            }
        }
    }
    none(complaints);
}

#[test]
fn the_parts_of_a_name_are_found_in_both_spellings() {
    assert_eq!(parts("RowManager"), ["", "row", "manager"]);
    assert_eq!(parts("row_manager"), ["row", "manager"]);
}
