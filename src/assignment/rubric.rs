//! How is work judged? By criteria, each with levels in an order.

use crate::error::{Problems, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How work is judged: two to six criteria is usual, one to twelve is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rubric {
    /// In the order in which they are shown.
    pub criteria: Vec<Criterion>,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// A short word, unique in the rubric: what is written in `word level` lines.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What to look for; may be empty.
    pub prompt: String,
    /// From the lowest to the highest. The ordinal of a level is its place, from 0.
    pub levels: Vec<Level>,
}

/// One level of a criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// What it is called.
    pub name: String,
    /// What it is worth.
    pub points: f64,
    /// What work at this level looks like; may be empty.
    pub descriptor: String,
}

/// Levels chosen by one reviewer: ordinal by criterion id.
pub type Levels = BTreeMap<String, i64>;

impl Rubric {
    /// The most points that work can get.
    pub fn max_points(&self) -> f64 {
        self.criteria.iter().map(Criterion::max_points).sum()
    }

    /// The criterion with this id.
    pub fn find(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == id)
    }

    /// Refuses levels that the rubric does not have, and criteria left out (CRS-14).
    pub fn check(&self, levels: &Levels) -> Result<()> {
        let mut problems = Problems::default();
        for criterion in &self.criteria {
            match levels.get(&criterion.id) {
                None => problems.add("levels", format!("Please choose a level for {}.", criterion.name)),
                Some(ordinal) if criterion.level(*ordinal).is_none() => problems.add(
                    "levels",
                    format!("{} has levels 0 to {}.", criterion.name, criterion.levels.len().saturating_sub(1)),
                ),
                Some(_) => {}
            }
        }
        for unknown in levels.keys().filter(|id| self.find(id).is_none()) {
            problems.add(
                "levels",
                format!("The rubric has no criterion {}.", unknown.chars().take(40).collect::<String>()),
            );
        }
        problems.check()
    }

    /// What is wrong with it as a whole, each in one sentence that names the place.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.criteria.is_empty() || self.criteria.len() > MOST_CRITERIA {
            found.push(format!("A rubric has 1 to {MOST_CRITERIA} criteria."));
        }
        let mut words = BTreeSet::new();
        for (at, criterion) in self.criteria.iter().enumerate() {
            let place = format!("Criterion {}", at + 1);
            if !is_word(&criterion.id) {
                found.push(format!("{place}: its short word has 1 to 30 letters, digits, - or _, such as `clear`."));
            } else if !words.insert(criterion.id.to_lowercase()) {
                found.push(format!("{place}: another criterion has the same short word."));
            }
            criterion.find_problems(&place, &mut found);
        }
        found
    }

    /// The hash of its content: the same rubric has the same one, on every server.
    pub fn hash(&self) -> String {
        data_encoding::HEXLOWER.encode(&crate::crypto::sha256(self.canonical().as_bytes()))
    }

    /// What a content hash is made of: the same for the same rubric, whoever writes it down.
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The most criteria of a rubric.
pub const MOST_CRITERIA: usize = 12;

/// The fewest and the most levels of a criterion.
pub const LEVELS: std::ops::RangeInclusive<usize> = 2..=10;

/// The most points of one level.
const MOST_POINTS: f64 = 1000.0;

/// Whether it can stand in a `word level` line.
fn is_word(text: &str) -> bool {
    (1..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl Criterion {
    fn find_problems(&self, place: &str, found: &mut Vec<String>) {
        if !(1..=80).contains(&self.name.trim().chars().count()) {
            found.push(format!("{place}: please name it, in at most 80 characters."));
        }
        if self.prompt.chars().count() > 500 {
            found.push(format!("{place}: what to look for has at most 500 characters."));
        }
        if !LEVELS.contains(&self.levels.len()) {
            found.push(format!("{place} needs {} to {} levels.", LEVELS.start(), LEVELS.end()));
        }
        let mut last = f64::NEG_INFINITY;
        for (at, level) in self.levels.iter().enumerate() {
            if !(1..=60).contains(&level.name.trim().chars().count()) {
                found.push(format!("{place}, level {at}: please name it, in at most 60 characters."));
            }
            if level.descriptor.chars().count() > 500 {
                found.push(format!("{place}, level {at}: its description has at most 500 characters."));
            }
            if !(0.0..=MOST_POINTS).contains(&level.points) {
                found.push(format!("{place}, level {at}: points are a number from 0 to {MOST_POINTS}."));
            } else if level.points <= last {
                found.push(format!("{place}, level {at}: a higher level must give more points than the one before."));
            }
            last = last.max(level.points);
        }
    }

    /// The level with this ordinal.
    pub fn level(&self, ordinal: i64) -> Option<&Level> {
        usize::try_from(ordinal).ok().and_then(|at| self.levels.get(at))
    }

    /// The most points of this criterion.
    pub fn max_points(&self) -> f64 {
        self.levels.iter().map(|level| level.points).fold(0.0, f64::max)
    }
}
