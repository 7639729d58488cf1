//! What did a reviewer on a microblog mean? Reads `criterion level` lines; the rest is the comment. Pure.

use crate::assignment::rubric::{Criterion, Levels, Rubric};
use crate::error::{Problems, Result};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Levels that were named.
    pub levels: Levels,
    /// Everything else, as plain text.
    pub comment: String,
    /// Sentences about lines that begin with a criterion and do not end with one of its levels, or that contradict
    /// another line.
    pub unclear: Vec<String>,
}

impl Reading {
    /// The levels, or what was unclear.
    pub fn levels(&self) -> Result<&Levels> {
        let mut problems = Problems::default();
        for sentence in &self.unclear {
            problems.add("levels", sentence.clone());
        }
        problems.check()?;
        Ok(&self.levels)
    }
}

/// Reads plain text (see [`crate::text::plain`] for HTML): lines such as `clear 2`, `Clear: good`, `clear = 2`. Upper
/// and lower case are the same; a criterion is named by its id or its name, a level by its ordinal or its name.
/// Mentions at the beginning of a line are passed over, because microblogs put them there.
pub fn read(rubric: &Rubric, text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut comment = Vec::new();
    for line in text.lines() {
        let line = without_mentions(line);
        match rubric.criteria.iter().find_map(|criterion| rest_after(line, criterion).map(|rest| (criterion, rest))) {
            Some((criterion, rest)) => match level(criterion, rest) {
                Some(ordinal) => put(&mut reading, criterion, ordinal),
                // A sentence that happens to begin with the word is part of the comment, unless it looks like a level.
                None if looks_like_level(rest) => reading.unclear.push(unclear(criterion)),
                None => comment.push(line),
            },
            None => comment.push(line),
        }
    }
    reading.comment = comment.join("\n").trim().to_owned();
    reading
}

fn put(reading: &mut Reading, criterion: &Criterion, ordinal: i64) {
    if reading.levels.insert(criterion.id.clone(), ordinal).is_some_and(|had| had != ordinal) {
        reading.unclear.push(format!("{} has two different levels in your answer.", criterion.name));
    }
}

fn unclear(criterion: &Criterion) -> String {
    format!("{} has levels 0 to {}.", criterion.name, criterion.levels.len().saturating_sub(1))
}

fn without_mentions(line: &str) -> &str {
    let mut rest = line.trim();
    while rest.starts_with('@') {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, after)| after.trim_start());
    }
    rest.trim_start_matches(['-', '*', '•']).trim_start()
}

/// What follows the criterion's id or name, when the line begins with it as a whole word.
fn rest_after<'a>(line: &'a str, criterion: &Criterion) -> Option<&'a str> {
    [&criterion.name, &criterion.id].into_iter().find_map(|word| {
        let rest = strip_prefix_ignoring_case(line, word.trim())?;
        let apart = rest.is_empty() || rest.starts_with([':', '=', '-']) || rest.starts_with(char::is_whitespace);
        apart.then(|| rest.trim_start_matches(|c: char| matches!(c, ':' | '=') || c.is_whitespace()).trim())
    })
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let mut chars = text.char_indices();
    if prefix.is_empty() {
        return None;
    }
    for wanted in prefix.chars() {
        let (_, had) = chars.next()?;
        if !had.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    text.get(chars.next().map_or(text.len(), |(at, _)| at)..)
}

fn level(criterion: &Criterion, rest: &str) -> Option<i64> {
    let word = rest.trim_end_matches(['.', ',', '!']).trim();
    let by_number = word.parse::<i64>().ok().filter(|ordinal| criterion.level(*ordinal).is_some());
    by_number.or_else(|| {
        let at = criterion.levels.iter().position(|level| level.name.trim().to_lowercase() == word.to_lowercase())?;
        i64::try_from(at).ok()
    })
}

/// Nothing, or something short that begins like a number.
fn looks_like_level(rest: &str) -> bool {
    let begins = rest.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit());
    rest.is_empty() || (begins && rest.split_whitespace().count() <= 2)
}
