//! What is counted, and what is each counter called? Shown at `/metrics` for Prometheus; costs nothing while nobody asks.

use crate::error::{Error, Result};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

const REQUESTS: &str = "hedgeschool_http_requests_total";
const REQUEST_SECONDS: &str = "hedgeschool_http_request_seconds";
const JOBS: &str = "hedgeschool_jobs_total";
const JOB_SECONDS: &str = "hedgeschool_job_seconds";
const DELIVERIES: &str = "hedgeschool_deliveries_total";
const INBOX_REFUSED: &str = "hedgeschool_inbox_refused_total";
const INBOX_DONE: &str = "hedgeschool_inbox_done_total";
const FILES_REFUSED: &str = "hedgeschool_files_refused_total";
const REQUESTS_REFUSED: &str = "hedgeschool_requests_refused_total";
const FULL: &str = "hedgeschool_connections_full_total";
const WAITING: &str = "hedgeschool_waiting";

/// Shows the counters.
#[derive(Clone)]
pub struct Counters(PrometheusHandle);

impl Counters {
    /// Begins to count. Once in a process.
    pub fn install() -> Result<Self> {
        let buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &buckets)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|e| Error::Internal(Box::new(e)))?;
        describe_counter!(REQUESTS, "Requests answered, by method, route and status");
        describe_histogram!(REQUEST_SECONDS, "Seconds from the request's head to the answer's head");
        describe_counter!(JOBS, "Planned work run, by kind and outcome (done, failed)");
        describe_histogram!(JOB_SECONDS, "Seconds that planned work took");
        describe_counter!(DELIVERIES, "Attempts to deliver to other servers, by outcome");
        describe_counter!(INBOX_REFUSED, "Requests to inboxes that were refused, by reason");
        describe_counter!(
            "hedgeschool_blocked_requests_total",
            "Requests that did not go out, because their server is blocked"
        );
        describe_counter!("hedgeschool_fetches_refused_total", "Fetches that were not made, by reason");
        describe_counter!(
            "hedgeschool_followers_differ_total",
            "Headers that count other followers than known (FEP-8fcf), by when the list is asked for (now, later, planned already)"
        );
        describe_counter!(
            "hedgeschool_followers_compared_total",
            "Lists of followers asked for, by result (done, refused, too_long)"
        );
        describe_counter!(INBOX_DONE, "Activities worked off, by outcome");
        describe_counter!(FILES_REFUSED, "Files that were not taken, by reason (too-large, no-room)");
        describe_counter!(REQUESTS_REFUSED, "Requests refused because their address asked too often");
        describe_counter!(FULL, "Times that as many connections were open as may be, so that others wait");
        describe_gauge!(WAITING, "Rows that wait, by queue (inbox, deliveries, jobs, letters)");
        Ok(Self(handle))
    }

    /// As Prometheus reads them.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// A request was answered. `route` is the pattern such as `/c/{name}`, so that no counter grows with what people ask.
pub fn request(method: &str, route: &str, status: u16, took: Duration) {
    let (method, route) = (method.to_owned(), route.to_owned());
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route).record(took);
}

/// Planned work was run.
pub fn job(kind: &'static str, done: bool, took: Duration) {
    counter!(JOBS, "kind" => kind, "outcome" => if done { "done" } else { "failed" }).increment(1);
    histogram!(JOB_SECONDS, "kind" => kind).record(took);
}

/// An address asked too often.
pub fn request_refused() {
    counter!(REQUESTS_REFUSED).increment(1);
}

/// As many connections are open as may be.
pub fn connections_full() {
    counter!(FULL).increment(1);
}

/// A file was not taken, for a reason from a fixed list: `too-large`, `no-room`.
pub fn file_refused(reason: &'static str) {
    counter!(FILES_REFUSED, "reason" => reason).increment(1);
}

/// A delivery was attempted: `delivered`, `retry`, `refused`, `gone`.
pub fn delivery(outcome: &'static str) {
    counter!(DELIVERIES, "outcome" => outcome).increment(1);
}

/// A request to an inbox was refused, for a reason from a fixed list.
pub fn inbox_refused(reason: &'static str) {
    counter!(INBOX_REFUSED, "reason" => reason).increment(1);
}

/// An activity from the inbox was worked off: `done`, `refused`, `retry`.
pub fn inbox_done(outcome: &'static str) {
    counter!(INBOX_DONE, "outcome" => outcome).increment(1);
}

/// So many rows wait in a queue.
pub fn waiting(queue: &'static str, rows: i64) {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts beyond 2^53 rows")]
    gauge!(WAITING, "queue" => queue).set(rows as f64);
}
