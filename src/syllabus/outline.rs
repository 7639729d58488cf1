//! What are units, tasks and resources, and when are they usable? Pure.

use crate::error::{Error, Result};
use crate::text;
use serde::{Deserialize, Serialize};

/// All units in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outline {
    /// In the order in which they are learned.
    pub units: Vec<Unit>,
}

/// One unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unit {
    /// What it is called.
    pub title: String,
    /// Markdown; empty when mirrored.
    pub summary_md: String,
    /// Cleaned HTML.
    pub summary: String,
    /// What is done.
    pub tasks: Vec<Task>,
    /// What is read, seen, used.
    pub resources: Vec<Resource>,
}

/// Something to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// What it is called.
    pub title: String,
    /// Markdown; empty when mirrored.
    pub body_md: String,
    /// Cleaned HTML.
    pub body: String,
}

/// Something of somebody's, with its licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// What it is called.
    pub title: String,
    /// http or https.
    pub url: String,
    /// SPDX identifier or words.
    pub license: String,
}

/// Units of a syllabus at most.
pub const MOST_UNITS: usize = 40;
/// Tasks or resources of a unit at most.
pub const MOST_PARTS: usize = 20;

impl Outline {
    /// Refuses what cannot be used; says where.
    pub fn check(&self) -> Result<()> {
        let wrong = |text: String| Err(Error::invalid("units", text));
        if self.units.len() > MOST_UNITS {
            return wrong(format!("A syllabus has at most {MOST_UNITS} units."));
        }
        for (at, unit) in self.units.iter().enumerate() {
            let number = at + 1;
            if unit.tasks.len() > MOST_PARTS || unit.resources.len() > MOST_PARTS {
                return wrong(format!("Unit {number} has more than {MOST_PARTS} tasks or resources."));
            }
            let mut titles = vec![&unit.title];
            titles.extend(unit.tasks.iter().map(|task| &task.title));
            titles.extend(unit.resources.iter().map(|resource| &resource.title));
            if titles.iter().any(|title| title.trim().is_empty() || title.chars().count() > 200) {
                return wrong(format!("Unit {number}: every unit, task and resource needs a title."));
            }
            for resource in &unit.resources {
                if !is_web_address(&resource.url) {
                    return wrong(format!("Unit {number}: the address of “{}” must be http or https.", resource.title));
                }
                if resource.license.trim().is_empty() || resource.license.len() > 200 {
                    return wrong(format!("Unit {number}: please name the licence of “{}”.", resource.title));
                }
            }
        }
        Ok(())
    }

    /// The same, checked, with HTML made from what was written.
    pub fn rendered(mut self) -> Result<Self> {
        self.check()?;
        let html = |markdown: &str| text::render(markdown).map_err(|e| Error::invalid("units", e.to_string()));
        for unit in &mut self.units {
            unit.summary = html(&unit.summary_md)?;
            for task in &mut unit.tasks {
                task.body = html(&task.body_md)?;
            }
        }
        Ok(self)
    }
}

/// Whether it is an address that a browser may follow.
pub fn is_web_address(address: &str) -> bool {
    let url = url::Url::parse(address);
    address.len() <= 2000 && url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
