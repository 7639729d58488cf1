//! What do the collections of an actor say? Counts, and of a course what it announced.

use super::{outbox, wire};
use crate::actor::{Actor, ActorKind, follow};
use crate::db::Db;
use crate::error::Result;
use serde_json::{Value, json};

/// Announced posts in an outbox at most; other servers read no second page.
const NEWEST: i64 = 50;

/// The followers: how many, not who (AP 5.3).
pub fn followers(db: &mut Db, actor: &Actor) -> Result<Value> {
    let count = follow::count_followers(db, actor.id)?;
    Ok(counted(&format!("{}/followers", actor.uri), count))
}

/// Whom it follows: nobody is told, not even how many, because enrollments are among them.
pub fn following(actor: &Actor) -> Value {
    counted(&format!("{}/following", actor.uri), 0)
}

/// What it said publicly: of a course the newest posts that it announced, whole, because one item that cannot be read
/// makes other servers drop all; of others a count.
pub fn outbox(db: &mut Db, actor: &Actor) -> Result<Value> {
    let id = format!("{}/outbox", actor.uri);
    if actor.kind != ActorKind::Course {
        return Ok(counted(&id, outbox::count_public(db, actor.id)?));
    }
    let mut items = Vec::new();
    for sent in outbox::list_public(db, actor.id, "Announce", NEWEST * 2)? {
        let document: Value = serde_json::from_str(&sent.document)?;
        let inner = document.get("object").unwrap_or(&Value::Null);
        let post = inner.get("object").unwrap_or(&Value::Null);
        let is_new_post = wire::kind(inner) == Some("Create") && wire::kind(post) == Some("Page");
        if is_new_post && items.len() < usize::try_from(NEWEST).unwrap_or(50) {
            items.push(document);
        }
    }
    Ok(json!({
        "@context": wire::context(), "id": id, "type": "OrderedCollection",
        "totalItems": items.len(), "orderedItems": items,
    }))
}

fn counted(id: &str, count: i64) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
        "totalItems": count,
    })
}
