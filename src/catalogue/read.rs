//! What does another server's Group say about its course? Pure: cleaned, bounded, and only about its own host.

use crate::cohort;
use crate::course::{self, CourseState};
use crate::error::{Error, Result};
use crate::federation::wire;
use crate::link::same_host;
use crate::syllabus::{Outline, Resource, Task, Unit};
use crate::text;
use serde_json::Value;

/// A Group that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub uri: String,
    /// Plain text.
    pub name: String,
    /// Cleaned HTML.
    pub summary: String,
    /// Who writes in its name.
    pub bot: Option<String>,
    /// What it is about.
    pub course: course::Mirrored,
    /// Version and units.
    pub syllabus: Option<(i64, Outline)>,
    /// The run that people join now. A Group of other software has none and cannot be enrolled in.
    pub cohort: Option<cohort::Mirrored>,
    /// Other runs, newest first.
    pub others: Vec<cohort::Mirrored>,
}

/// Runs of a course that are told at most.
pub const MOST_RUNS: usize = 20;

/// The extension is ignored when it is longer (checklist 59).
const LONGEST_LEARNING: usize = 64 * 1024;

/// Reads a Group document; unknown content is ignored, unusable parts are left out.
pub fn group(document: &Value) -> Result<Group> {
    if wire::kind(document) != Some("Group") {
        return Err(Error::denied("This is not a course or group."));
    }
    let uri = wire::text(document, "id").ok_or_else(|| Error::denied("The group has no id."))?.to_owned();
    let handle = wire::text(document, "preferredUsername").unwrap_or("course");
    let name = line(wire::text(document, "name").unwrap_or(handle), 120);
    let name = if name.is_empty() { line(handle, 60) } else { name };
    let summary = html(wire::text(document, "summary"));
    let learning = document.get("learning").filter(|l| l.is_object() && l.to_string().len() <= LONGEST_LEARNING);
    let nothing = Value::Null;
    let said = learning.unwrap_or(&nothing);
    let bot = wire::text(said, "bot").filter(|bot| same_host(bot, &uri)).map(str::to_owned);
    let archived = wire::text(said, "state") == Some("archived");
    let description = html(wire::text(said, "description"));
    let is = |key: &str, wanted: bool| document.get(key) == Some(&Value::Bool(wanted));
    let course = course::Mirrored {
        state: if archived { CourseState::Archived } else { CourseState::Listed },
        tagline: line(wire::text(said, "tagline").unwrap_or_default(), 200),
        description: if description.is_empty() { summary.clone() } else { description },
        language: language(document),
        license: line(wire::text(said, "license").unwrap_or_default(), 200),
        indexable: document.get("indexable") != Some(&Value::Bool(false)),
        private: is("manuallyApprovesFollowers", true) && is("discoverable", false),
    };
    let syllabus = said.get("syllabus").and_then(outline);
    let cohort = said.get("cohort").and_then(run);
    let others = list(said, "cohorts", MOST_RUNS).filter_map(run);
    let others = others.filter(|other| cohort.as_ref().is_none_or(|now| now.public_id != other.public_id)).collect();
    Ok(Group { uri, name, summary, bot, course, syllabus, cohort, others })
}

/// Plain text of one line.
fn line(text: &str, most: usize) -> String {
    let plain = text::plain(text).unwrap_or_default();
    let one: String = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    one.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Cleaned HTML; what is too long or too costly is left out.
fn html(text: Option<&str>) -> String {
    text.and_then(|text| text::clean_html(text).ok()).unwrap_or_default()
}

/// `language` is one object or text, or a list of them.
fn language(document: &Value) -> String {
    let said = match document.get("language") {
        Some(Value::Array(list)) => list.first(),
        one => one,
    };
    let tag = match said {
        Some(Value::String(tag)) => tag.as_str(),
        Some(object) => wire::text(object, "identifier").unwrap_or_default(),
        None => "",
    };
    let usable = !tag.is_empty() && tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if usable { tag.to_owned() } else { "en".to_owned() }
}

fn list<'a>(document: &'a Value, key: &str, most: usize) -> impl Iterator<Item = &'a Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten().filter(|item| item.is_object()).take(most)
}

fn outline(said: &Value) -> Option<(i64, Outline)> {
    let version = said.get("version")?.as_i64().filter(|version| *version > 0)?;
    let title = |item: &Value| line(wire::text(item, "title").unwrap_or_default(), 200);
    let mut outline = Outline::default();
    for unit in list(said, "units", 40).filter(|unit| !title(unit).is_empty()) {
        let tasks = list(unit, "tasks", 20).map(|task| Task {
            title: title(task),
            body_md: String::new(),
            body: html(wire::text(task, "body")),
        });
        let resources = list(unit, "resources", 20).map(|resource| Resource {
            title: title(resource),
            url: wire::text(resource, "url").unwrap_or_default().to_owned(),
            license: line(wire::text(resource, "license").unwrap_or("not said"), 200),
        });
        outline.units.push(Unit {
            title: title(unit),
            summary_md: String::new(),
            summary: html(wire::text(unit, "summary")),
            tasks: tasks.filter(|task| !task.title.is_empty()).collect(),
            resources: resources
                .filter(|r| !r.title.is_empty() && !r.license.is_empty() && crate::syllabus::is_web_address(&r.url))
                .collect(),
        });
    }
    outline.check().ok().map(|()| (version, outline))
}

fn run(said: &Value) -> Option<cohort::Mirrored> {
    let word = |key| wire::text(said, key).unwrap_or_default();
    let public_id = word("id");
    let usable = (1..=64).contains(&public_id.len()) && public_id.bytes().all(|b| b.is_ascii_alphanumeric());
    let zone = word("zone");
    jiff::tz::TimeZone::get(zone).ok()?;
    usable.then_some(())?;
    Some(cohort::Mirrored {
        public_id: public_id.to_owned(),
        name: line(word("name"), 100),
        starts_on: day(word("startDate"))?,
        ends_on: day(word("endDate"))?,
        zone: zone.to_owned(),
        seats: said.get("capacity")?.as_i64().filter(|seats| (1..=10_000).contains(seats))?,
        enrolling: word("enrolling").parse().ok()?,
        state: word("state").parse().ok()?,
    })
}

fn day(text: &str) -> Option<String> {
    text.parse::<jiff::civil::Date>().ok().map(|day| day.to_string())
}
