//! Who is anyone with an inbox, here or elsewhere?

pub mod follow;
mod key;
pub mod moves;
mod rotation;
mod store;

pub use key::{
    Key, find_key, proof_key_of, proof_keys_of, put_proof_key, signing_key_of, verifying_keys_of, without_proof_key,
};

pub use rotation::{Former, OVERLAP, SigningKeys, list_here_after, replace_keys, retire_keys, signing_keys_of};

use crate::clock::Time;
use crate::crypto::Keypair;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::ActorId;
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// What kind of actor it is.
    pub enum ActorKind {
        /// Somebody (AS2 `Person`).
        Person = "person",
        /// A course (AS2 `Group`, FEP-1b12).
        Course = "course",
        /// Writes to people for a course, because a Group must not author posts (AS2 `Service`).
        Bot = "bot",
        /// The server itself (AS2 `Application`, FEP-d556).
        Instance = "instance",
    }
}

words! {
    /// Whether it may act.
    pub enum ActorState {
        /// As usual.
        Active = "active",
        /// Its server is limited here: it acts, but what it asks needs approval, and no public list has it.
        Limited = "limited",
        /// Its server is blocked here: nothing of it is accepted, nothing is sent to it.
        Blocked = "blocked",
        /// Stopped by a moderator here: nothing of it is accepted.
        Suspended = "suspended",
        /// Deleted by itself; its server answers 410.
        Gone = "gone",
    }
}

/// The states in which one may act.
pub const MAY_ACT: [ActorState; 2] = [ActorState::Active, ActorState::Limited];

/// Anyone with an inbox.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::actors)]
pub struct Actor {
    /// Key inside.
    pub id: ActorId,
    /// Person, course, bot or instance.
    pub kind: ActorKind,
    /// Whether it lives on this instance.
    pub here: bool,
    /// The ActivityPub id.
    pub uri: String,
    /// The page for people.
    pub url: String,
    /// `preferredUsername`.
    pub handle: String,
    /// Its server, with port where it is not the default one.
    pub host: String,
    /// What it is called; never empty.
    pub name: String,
    /// Cleaned HTML.
    pub summary: String,
    /// Where activities for it alone go.
    pub inbox: String,
    /// Where public activities for everyone on its server go.
    pub shared_inbox: Option<String>,
    /// What it said publicly.
    pub outbox: Option<String>,
    /// The id of its followers collection.
    pub followers: Option<String>,
    /// Whether it may act.
    pub state: ActorState,
    /// When it was first known here.
    pub created_at: Time,
    /// When its profile last changed.
    pub updated_at: Time,
    /// When its document was last fetched; nothing for those here.
    pub fetched_at: Option<Time>,
}

impl Actor {
    /// `@handle@host`, as people write it.
    pub fn acct(&self) -> String {
        format!("@{}@{}", self.handle, self.host)
    }

    /// Where its page is on this instance, also when it lives elsewhere.
    pub fn path(&self) -> String {
        let letter = if self.kind == ActorKind::Course { 'c' } else { 'u' };
        if self.here {
            format!("/{letter}/{}", self.handle)
        } else {
            format!("/{letter}/{}@{}", self.handle, self.host)
        }
    }

    /// Whether its server is limited here.
    pub fn is_limited(&self) -> bool {
        self.state == ActorState::Limited
    }

    /// Refuses one who may not act.
    pub fn may_act(&self) -> Result<()> {
        match self.state {
            ActorState::Active | ActorState::Limited => Ok(()),
            ActorState::Blocked => Err(Error::denied("That server is blocked here.")),
            ActorState::Suspended => Err(Error::denied("This account is suspended.")),
            ActorState::Gone => Err(Error::denied("This account was deleted.")),
        }
    }
}

/// What is needed to make an actor here.
#[derive(Clone)]
pub struct NewActor<'a> {
    /// What kind.
    pub kind: ActorKind,
    /// Lower-case letters, digits, `-`, `_` and `.`; must be free.
    pub handle: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// Cleaned HTML.
    pub summary: &'a str,
    /// Its key.
    pub keys: &'a Keypair,
}

/// Makes an actor here with its key. A handle that is taken is a conflict, also when it is taken by another kind:
/// `@rust@school.example` must mean one thing.
pub fn create(tx: &mut Tx<'_>, new: &NewActor<'_>) -> Result<Actor> {
    if store::find_here(tx, new.handle)?.is_some() {
        return Err(Error::invalid("handle", "This name is taken; please choose another."));
    }
    let actor = store::insert_here(tx, new)?;
    key::insert(tx, &actor, new.keys)?;
    Ok(actor)
}

/// A document of somebody elsewhere, checked and cleaned.
#[derive(Clone, Debug)]
pub struct RemoteActor {
    /// What kind.
    pub kind: ActorKind,
    /// The ActivityPub id.
    pub uri: String,
    /// The page for people.
    pub url: String,
    /// `preferredUsername`.
    pub handle: String,
    /// Host of the id.
    pub host: String,
    /// Plain text.
    pub name: String,
    /// Cleaned HTML.
    pub summary: String,
    /// Its own inbox.
    pub inbox: String,
    /// The inbox of its server.
    pub shared_inbox: Option<String>,
    /// What it said publicly.
    pub outbox: Option<String>,
    /// Its followers collection.
    pub followers: Option<String>,
    /// Key id and PEM of its public keys; those no longer in the list are retired.
    pub keys: Vec<(String, String)>,
}

/// Stores or refreshes somebody elsewhere. Never touches an actor here, and never changes a suspension.
pub fn put(tx: &mut Tx<'_>, remote: &RemoteActor) -> Result<Actor> {
    if tx.links().is_ours(&remote.uri) {
        return Err(Error::denied("An actor of this instance cannot come from elsewhere."));
    }
    let actor = store::upsert_remote(tx, remote)?;
    key::replace(tx, &actor, &remote.keys)?;
    Ok(actor)
}

/// Changes name and summary of an actor here.
pub fn rename(tx: &mut Tx<'_>, id: ActorId, name: &str, summary: &str) -> Result<Actor> {
    store::update_profile(tx, id, name, summary)
}

/// Sets whether it may act.
pub fn move_to(tx: &mut Tx<'_>, id: ActorId, state: ActorState) -> Result<()> {
    store::update_state(tx, id, state)
}

/// By key.
pub fn get(db: &mut Db, id: ActorId) -> Result<Actor> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// Two actors by key, in one question.
pub fn pair(db: &mut Db, one: ActorId, other: ActorId) -> Result<(Actor, Actor)> {
    let found = store::find_pair(db, one, other)?;
    let of = |id| found.iter().find(|actor| actor.id == id).cloned().ok_or(Error::NotFound);
    Ok((of(one)?, of(other)?))
}

/// By keys, in any order.
pub fn list(db: &mut Db, ids: &[ActorId]) -> Result<Vec<Actor>> {
    store::list(db, ids)
}

/// By ActivityPub id.
pub fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Actor>> {
    store::find_by_uri(db, uri)
}

/// By handle, here.
pub fn find_here(db: &mut Db, handle: &str) -> Result<Option<Actor>> {
    store::find_here(db, handle)
}

/// How many people here may act.
pub fn count_people(db: &mut Db) -> Result<i64> {
    store::count_people(db)
}

/// By handle and host, known here already.
pub fn find_by_acct(db: &mut Db, handle: &str, host: &str) -> Result<Option<Actor>> {
    store::find_by_acct(db, handle, host)
}

/// Somebody on this host, the one who was known last.
pub fn newest_of(db: &mut Db, host: &str) -> Result<Option<Actor>> {
    store::newest_of(db, host)
}

/// The server itself, unless this is the first start.
pub fn find_instance(db: &mut Db) -> Result<Option<Actor>> {
    store::find_instance(db)
}

/// The server itself. It is there from the first start on.
pub fn instance(db: &mut Db) -> Result<Actor> {
    store::find_instance(db)?.ok_or_else(|| Error::internal("the instance actor is missing"))
}

#[cfg(test)]
mod tests;
