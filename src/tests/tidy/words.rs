//! Is every word that stands in the database, on the wire and in pages explained in the glossary?

use super::none;
use super::sources::{all, root};

/// One `words!` list: its Rust name and each word with its doc comment.
struct List {
    name: String,
    words: Vec<(String, String)>,
}

fn lists(text: &str) -> Vec<List> {
    let mut lists = Vec::new();
    let mut inside = false;
    let mut doc = String::new();
    for line in text.lines().map(str::trim) {
        if line.ends_with("words! {") && !line.starts_with("macro_rules") && !line.starts_with("//") {
            inside = true;
        } else if inside && let Some(text) = line.strip_prefix("/// ") {
            doc = text.trim_end_matches('.').to_owned();
        } else if inside && let Some((_, rest)) = line.split_once("enum ") {
            let name = rest.trim_end_matches([' ', '{']).to_owned();
            lists.push(List { name, words: Vec::new() });
        } else if inside && let Some((_, rest)) = line.split_once(" = \"") {
            let word = rest.split('"').next().unwrap_or_default().to_owned();
            if let Some(list) = lists.last_mut() {
                list.words.push((word, std::mem::take(&mut doc)));
            }
        } else if line == "}" && lists.last().is_some_and(|list| !list.words.is_empty()) {
            inside = false;
        }
    }
    lists
}

#[test]
fn every_word_has_its_glossary_entry() {
    let map = std::fs::read_to_string(root().join("src/README.md")).unwrap();
    let mut complaints = Vec::new();
    for file in all().iter().filter(|file| !file.is_test() && file.path != "src/word.rs") {
        for list in lists(&file.text) {
            let head = format!("| `{}` |", list.name);
            let line = map.lines().find(|line| line.starts_with(&head)).unwrap_or_default();
            if list.words.iter().any(|(word, _)| !line.contains(&format!("`{word}`"))) {
                let words: Vec<String> =
                    list.words.iter().map(|(word, doc)| format!("`{word}` {}", doc.to_lowercase())).collect();
                complaints.push(format!("src/README.md lacks (from {}):\n{head} {} |", file.path, words.join("; ")));
            }
        }
    }
    none(complaints);
}

#[test]
fn the_map_is_short_enough_to_be_read() {
    let map = std::fs::read_to_string(root().join("src/README.md")).unwrap();
    assert!(map.lines().count() <= 220, "src/README.md has {} lines", map.lines().count());
}

#[test]
fn lists_of_words_are_found() {
    let found =
        lists("words! {\n    /// States.\n    pub enum S {\n        /// New.\n        New = \"new\",\n    }\n}\n");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].words[0].0.as_str()), ("S", "new"));
}
