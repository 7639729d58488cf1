//! How do posts travel between servers?

mod incoming;
mod mirror;
mod outgoing;

pub use incoming::{create, delete, update};
pub use mirror::announced;
pub use outgoing::{announce_deleted, announce_edited, announce_written};

use super::wire::Whole;
use crate::app::App;
use crate::assignment;
use crate::db::Db;
use crate::error::Result;
use crate::federation::wire;
use crate::http::{Answer, wire as as_wire};
use crate::id::PostId;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

/// The document of a post: a `Page`, a `Note`, or a `Tombstone` when it was deleted.
pub fn document(db: &mut Db, id: PostId) -> Result<Value> {
    let post = super::get(db, id)?;
    Whole::of(db, post)?.document()
}

/// The collections of what was answered.
pub fn routes() -> Router<App> {
    Router::new().route("/o/{id}/replies", get(replies)).route("/o/{id}/context", get(context))
}

/// The direct answers to a post or assignment, oldest first; all are public.
async fn replies(State(app): State<App>, Path(id): Path<String>) -> Answer {
    let here = app.links().object(&id);
    let items = app.read(move |db| {
        let uri = match super::store::find_public(db, &id)? {
            Some(post) => post.uri,
            None => assignment::get_public(db, &id)?.uri,
        };
        super::reply_uris(db, &uri)
    });
    Ok(as_wire(&collection(&format!("{here}/replies"), items.await?)))
}

/// A whole thread with its beginning, oldest first (FEP-7888).
async fn context(State(app): State<App>, Path(id): Path<String>) -> Answer {
    let here = app.links().object(&id);
    let items = app.read(move |db| match super::store::find_public(db, &id)? {
        Some(post) => super::thread_uris(db, post.root()),
        None => {
            let assignment = assignment::get_public(db, &id)?;
            if assignment.state == assignment::AssignmentState::Draft {
                return Err(crate::error::Error::NotFound);
            }
            let mut items = vec![assignment.uri];
            items.extend(super::comment_uris(db, assignment.id)?);
            Ok(items)
        }
    });
    Ok(as_wire(&collection(&format!("{here}/context"), items.await?)))
}

fn collection(id: &str, items: Vec<String>) -> Value {
    json!({
        "@context": wire::context(), "id": id, "type": "OrderedCollection", "totalItems": items.len(),
        "orderedItems": items,
    })
}
