//! What do the sample people write?

pub mod bread;
pub mod knots;
pub mod works;

use crate::clock::Time;
use crate::syllabus::{Resource, Task, Unit};

/// The licence of what the resources lead to.
const LICENSE: &str = "CC-BY-SA-4.0";

/// A unit: title, summary, tasks and resources.
fn unit(title: &str, summary: &str, tasks: &[(&str, &str)], resources: &[(&str, &str)]) -> Unit {
    let task = |(title, body): &(&str, &str)| Task {
        title: (*title).to_owned(),
        body_md: (*body).to_owned(),
        ..Task::default()
    };
    let resource = |(title, url): &(&str, &str)| Resource {
        title: (*title).to_owned(),
        url: (*url).to_owned(),
        license: LICENSE.to_owned(),
    };
    Unit {
        title: title.to_owned(),
        summary_md: summary.to_owned(),
        tasks: tasks.iter().map(task).collect(),
        resources: resources.iter().map(resource).collect(),
        ..Unit::default()
    }
}

/// A day as plans of runs have it.
fn day(time: Time) -> String {
    time.timestamp().strftime("%Y-%m-%d").to_string()
}
