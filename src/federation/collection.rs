//! What do the collections of an actor say? Counts, and of a course what it announced.

use super::{outbox, synchronization, wire};
use crate::actor::{Actor, ActorKind, follow};
use crate::clock::Time;
use crate::db::Db;
use crate::error::Result;
use serde_json::{Value, json};

/// Announced posts in an outbox at most; other servers read no second page, so it has none and counts these alone.
const NEWEST: i64 = 50;

/// The followers: how many, not who (AP 5.3).
pub fn followers(db: &mut Db, actor: &Actor) -> Result<Value> {
    let count = follow::count_followers(db, actor.id)?;
    Ok(counted(&format!("{}/followers", actor.uri), count))
}

/// The followers on one server, by name: for that server alone (FEP-8fcf).
pub fn followers_at(db: &mut Db, actor: &Actor, host: &str) -> Result<Value> {
    let items: Vec<String> = follow::followers_at(db, actor.id, host)?.into_iter().map(|one| one.uri).collect();
    let id = synchronization::address_of(&format!("{}/followers", actor.uri));
    Ok(json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
        "totalItems": items.len(), "orderedItems": items,
    }))
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
    let newest = outbox::list_top_level(db, actor.id, NEWEST)?;
    let items = newest.iter().map(|sent| serde_json::from_str(&sent.document)).collect::<Result<Vec<Value>, _>>()?;
    Ok(json!({
        "@context": wire::context(), "id": id, "type": "OrderedCollection",
        "totalItems": items.len(), "orderedItems": items,
    }))
}

/// Ids on one page of a long collection: as many as is reasonable, because some servers stop early (federation A2).
pub const PAGE: i64 = 500;

/// What stands for a post in the address of the first page.
pub const FIRST: &str = "first";

/// A piece of a collection of ids.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The collection's id.
    pub id: String,
    /// How many there are in all.
    pub count: i64,
    /// The ids of this page, in order.
    pub items: Vec<String>,
    /// After which one the next page begins, as it stands in the page's address.
    pub next: Option<String>,
    /// Who answers for it (FEP-f228).
    pub owner: Option<String>,
    /// When something in it last changed.
    pub updated: Option<Time>,
}

impl Listing {
    fn page_id(&self, after: &str) -> String {
        format!("{}/after/{after}", self.id)
    }

    fn described(&self, mut document: Value) -> Value {
        if let Some(fields) = document.as_object_mut() {
            fields.insert("@context".into(), "https://www.w3.org/ns/activitystreams".into());
            if let Some(owner) = &self.owner {
                fields.insert("attributedTo".into(), owner.clone().into());
            }
            if let Some(at) = self.updated {
                fields.insert("updated".into(), at.rfc3339().into());
            }
        }
        document
    }

    /// The collection: its items where they fit on one page, otherwise its first page (AP 3, AS2 collections).
    pub fn whole(&self) -> Value {
        let kind = "OrderedCollection";
        let document = match &self.next {
            None => json!({"id": self.id, "type": kind, "totalItems": self.count, "orderedItems": self.items}),
            Some(_) => {
                let mut first = self.leaf(&self.page_id(FIRST));
                if let Some(fields) = first.as_object_mut() {
                    fields.remove("@context");
                }
                json!({"id": self.id, "type": kind, "totalItems": self.count, "first": first})
            }
        };
        self.described(document)
    }

    /// One page of it.
    pub fn leaf(&self, page: &str) -> Value {
        let mut document = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": page, "type": "OrderedCollectionPage",
            "partOf": self.id, "orderedItems": self.items,
        });
        if let (Some(after), Some(fields)) = (&self.next, document.as_object_mut()) {
            fields.insert("next".into(), self.page_id(after).into());
        }
        document
    }
}

/// A collection of which only the number is told.
pub fn counted(id: &str, count: i64) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
        "totalItems": count,
    })
}
