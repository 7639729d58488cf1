//! How is it set what other servers may send and ask for?

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Other servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federation {
    /// Hosts to which deliveries run at the same time.
    pub parallel_hosts: usize,
    /// Fetches that one incoming activity may cause.
    pub fetches_per_activity: u32,
    /// Files that are fetched from other servers at the same time.
    pub parallel_downloads: usize,
    /// Seconds that a request to another server may take.
    pub timeout_seconds: u64,
    /// File with further certificate authorities (PEM) to trust.
    pub extra_ca: Option<PathBuf>,
    /// Host names that may be on this machine. Only where the server itself listens on loopback.
    pub loopback_names: Vec<String>,
    /// Requests to inboxes that one address may make in a minute.
    pub inbox_per_minute: u32,
    /// Posts and changes of one author that a course passes on in a minute.
    pub relays_per_author_minute: u32,
    /// The same of everyone together, for one course.
    pub relays_per_course_minute: u32,
    /// Posts by people who do not take part that may wait for the organizers of one course.
    pub held_per_course: u32,
    /// Rightly signed activities that one server may send in a minute.
    pub host_per_minute: u32,
    /// Activities of one server that may wait to be worked on.
    pub backlog_per_host: u32,
    /// Actors of one domain, with all names below it, that are met for the first time in a minute.
    pub new_actors_per_minute: u32,
    /// Largest activity that is taken, in bytes.
    pub largest_activity: usize,
    /// Actors to whom one activity may be, and whom it may name.
    pub largest_audience: usize,
    /// Deepest nesting of a document of another server that is read.
    pub largest_depth: usize,
    /// Values in a document of another server that is read: keys with what they hold, and entries of lists.
    pub largest_values: usize,
    /// Minutes between two comparisons of who follows one course or person elsewhere.
    pub followers_compared_minutes: u32,
    /// Followers that are read of another server's list.
    pub largest_followers_list: u32,
    /// How often in a minute one person here may look up what is elsewhere.
    pub lookups_per_minute: u32,
    /// How often in a minute one address may ask where an account elsewhere goes on, without being signed in.
    pub handles_per_minute: u32,
    /// How often in a minute activities of others that one server passes on may make us ask their origin.
    pub forwards_per_minute: u32,
}
