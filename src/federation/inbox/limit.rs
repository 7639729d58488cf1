//! How much may one server send, and how many may one activity name?

use super::refusal::{Refusal, malformed};
use super::shape::Shape;
use super::store;
use crate::app::App;
use axum::http::StatusCode;
use serde_json::Value;

/// What is counted of each activity: whom it is to and whom it names.
const LISTS: [&str; 6] = ["to", "cc", "bto", "bcc", "audience", "tag"];

/// Refuses an activity that is to more actors, or names more, than is set.
pub(super) fn check_shape(app: &App, shape: &Shape) -> Result<(), Refusal> {
    let most = app.config().federation.largest_audience;
    let object = shape.activity.get("object").unwrap_or(&Value::Null);
    let inner = object.get("object").unwrap_or(&Value::Null);
    let count = |document: &Value, key: &str| document.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    let within = |document: &Value| LISTS.iter().all(|key| count(document, key) <= most);
    if [&shape.activity, object, inner].into_iter().all(within) { Ok(()) } else { Err(malformed("audience")) }
}

/// How often the backlog of a busy server is looked at: after so many of its activities.
const EVERY: u32 = 64;

/// Refuses a server that sends faster than is set, or of which too much waits to be worked on. Only after its signature
/// was found right, so that nobody can use up another's share (DOS-05).
pub(super) async fn check_host(app: &App, host: &str) -> Result<(), Refusal> {
    let memory = &app.net().memory;
    if !memory.host_may_send(host) {
        return Err(Refusal { status: StatusCode::TOO_MANY_REQUESTS, reason: "too-many-of-host" });
    }
    if memory.count(host).is_multiple_of(EVERY) {
        let (name, most) = (host.to_owned(), i64::from(app.config().federation.backlog_per_host));
        let waiting = app.look_up(move |db| store::count_waiting(db, &name, most)).await?;
        memory.note_backlog(host, waiting >= most);
    }
    if memory.is_backlogged(host) {
        return Err(Refusal { status: StatusCode::TOO_MANY_REQUESTS, reason: "backlog-of-host" });
    }
    Ok(())
}
