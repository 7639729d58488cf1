//! How is work judged? By criteria, each with levels in an order.

use crate::error::{Problems, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

    /// What a content hash is made of: the same for the same rubric, whoever writes it down.
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Criterion {
    /// The level with this ordinal.
    pub fn level(&self, ordinal: i64) -> Option<&Level> {
        usize::try_from(ordinal).ok().and_then(|at| self.levels.get(at))
    }

    /// The most points of this criterion.
    pub fn max_points(&self) -> f64 {
        self.levels.iter().map(|level| level.points).fold(0.0, f64::max)
    }
}
