//! What does a course here tell those of our own kind of all its changes?

use crate::app::App;
use crate::assignment::Assignment;
use crate::course::apub::Asking;
use crate::course::{self, Row};
use crate::db::Db;
use crate::discussion::{self, Post};
use crate::error::Result;
use crate::federation::collection::FIRST;
use crate::federation::{object, wire};
use crate::history;
use crate::http::{self, Answer};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

/// `/c/{name}/changes`: every assignment, then every post with the newest change first. An item names what changed and
/// when; what it says now is at its id. What was deleted is a `Tombstone`.
pub fn routes() -> Router<App> {
    Router::new().route("/c/{name}/changes", get(whole)).route("/c/{name}/changes/after/{id}", get(page))
}

async fn whole(State(app): State<App>, asking: Asking, Path(name): Path<String>) -> Answer {
    let row = course::apub::readable(&app, &asking, name).await?;
    let document = app
        .read(move |db| {
            let (id, mut first) = piece(db, &row, FIRST)?;
            if let Some(fields) = first.as_object_mut() {
                fields.remove("@context");
            }
            let context = "https://www.w3.org/ns/activitystreams";
            Ok(json!({"@context": context, "id": id, "type": "OrderedCollection", "first": first}))
        })
        .await?;
    Ok(http::wire(&document))
}

async fn page(State(app): State<App>, asking: Asking, Path((name, after)): Path<(String, String)>) -> Answer {
    let row = course::apub::readable(&app, &asking, name).await?;
    Ok(http::wire(&app.read(move |db| Ok(piece(db, &row, &after)?.1)).await?))
}

/// The collection's id and a page of it.
fn piece(db: &mut Db, (course, group): &Row, after: &str) -> Result<(String, Value)> {
    let id = format!("{}/changes", group.uri);
    let (mut items, mut uris) = (Vec::new(), Vec::new());
    let from = if after == FIRST { None } else { Some(discussion::get_public(db, after)?) };
    let asked = if from.is_none() { history::assignments(db, course.id)? } else { Vec::new() };
    let (posts, more) = history::changes(db, course.id, from.as_ref())?;
    uris.extend(asked.iter().map(|assignment| assignment.uri.as_str()));
    uris.extend(posts.iter().filter(|post| post.is_top_level()).map(|post| post.uri.as_str()));
    let closed = object::locked_among(db, &uris)?;
    items.extend(asked.iter().map(of_assignment));
    items.extend(posts.iter().map(of_post));
    for item in &mut items {
        let is_closed = wire::text(item, "id").is_some_and(|uri| closed.contains(uri));
        if let Some(learning) = item.get_mut("learning").and_then(Value::as_object_mut).filter(|_| is_closed) {
            learning.insert("locked".into(), true.into());
        }
    }
    let mut page = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{id}/after/{after}"),
        "type": "OrderedCollectionPage", "partOf": id, "orderedItems": items,
    });
    if let (true, Some(last), Some(fields)) = (more, posts.last(), page.as_object_mut()) {
        fields.insert("next".into(), format!("{id}/after/{}", last.public_id).into());
    }
    Ok((id, page))
}

fn of_assignment(assignment: &Assignment) -> Value {
    json!({
        "id": assignment.uri, "type": "Page", "updated": assignment.updated_at.rfc3339(),
        "learning": {"type": "oer:Assessment", "state": assignment.state.as_str()},
    })
}

fn of_post(post: &Post) -> Value {
    let kind = match (post.is_deleted(), post.is_top_level()) {
        (true, _) => "Tombstone",
        (false, true) => "Page",
        (false, false) => "Note",
    };
    let mut item = json!({
        "id": post.uri, "type": kind, "updated": post.edited_at.unwrap_or(post.published_at).rfc3339(),
        "learning": {"type": "study:Change", "changed": post.changed_at.0},
    });
    if let (false, Some(fields)) = (post.removal.is_empty(), item.as_object_mut()) {
        fields.insert("summary".into(), post.removal.clone().into());
    }
    item
}
