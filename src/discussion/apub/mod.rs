//! How do posts travel between servers?

mod climb;
mod collections;
mod incoming;
mod mirror;
mod outgoing;
mod votes;

pub use climb::pull;
pub use collections::routes;
pub use incoming::{create, delete, update};
pub use mirror::{announced, bring};
pub use outgoing::{announce_deleted, announce_edited, announce_let_in, announce_written};
pub use votes::vote;

use super::wire::Whole;
use crate::db::Db;
use crate::error::Result;
use crate::id::PostId;
use serde_json::Value;

/// The document of a post: a `Page`, a `Note`, or a `Tombstone` when it was deleted.
pub fn document(db: &mut Db, id: PostId) -> Result<Value> {
    let post = super::get(db, id)?;
    Whole::of(db, post)?.document()
}
