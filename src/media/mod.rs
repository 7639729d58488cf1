//! Where are the files that people hand in, whose are they, and how much may one person keep here?
//!
//! Bytes lie in a folder under random names; a row says what they are. Bytes without a row mean nothing.

mod clear;
pub mod file;
mod store;
#[cfg(test)]
mod tests;
pub mod web;

pub use clear::{clear, old, remove};
pub use file::{Arriving, File, Kept};

use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::{ActorId, MediaId, RevisionId};
use crate::measure;
use diesel::{Queryable, Selectable};
use std::time::Duration;

/// How much one person may keep here, in bytes.
pub const QUOTA: i64 = 100 << 20;

/// How long a file may be here without belonging to anything.
pub const ORPHAN: Duration = Duration::from_secs(24 * 60 * 60);

/// A file.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::media)]
pub struct Media {
    /// Key inside.
    pub id: MediaId,
    /// In URLs, and the name of the bytes in the folder.
    pub public_id: String,
    /// Who brought it.
    pub owner_id: ActorId,
    /// What the owner calls it, made harmless.
    pub name: String,
    /// One of the few types that are served as what they are, otherwise `application/octet-stream`.
    pub media_type: String,
    /// In bytes.
    pub size: i64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// Where it is when it is kept elsewhere.
    pub remote_url: Option<String>,
    /// When it came.
    pub created_at: Time,
}

impl Media {
    /// Where it can be fetched, on this instance.
    pub fn path(&self) -> String {
        format!("/media/{}", self.public_id)
    }

    /// Its size for people: `12 kB`.
    pub fn shown_size(&self) -> String {
        match self.size {
            bytes if bytes < 1000 => format!("{bytes} B"),
            bytes if bytes < 1_000_000 => format!("{} kB", bytes.div_euclid(1000)),
            bytes => format!("{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

/// Takes in a file whose bytes are on disk already, so that no crash leaves a row without bytes. Refused when the
/// owner would keep more than [`QUOTA`]; two uploads at once cannot both slip through, because the owner's row is held.
pub fn keep(tx: &mut Tx<'_>, owner: &Actor, kept: &Kept) -> Result<MediaId> {
    owner.may_act()?;
    store::hold_owner(tx, owner.id)?;
    if kept.size > room(tx, owner)? {
        return Err(full());
    }
    store::insert(tx, owner.id, kept)
}

/// How many bytes somebody may still bring.
pub fn room(db: &mut Db, owner: &Actor) -> Result<i64> {
    Ok(QUOTA.saturating_sub(store::used(db, owner.id)?))
}

/// What is said to who has too little room; counted.
pub fn full() -> Error {
    measure::file_refused("no-room");
    Error::invalid("files", "You keep as much here as one person may (100 MiB).")
}

/// Makes a file part of a version of somebody's work.
pub fn attach(tx: &mut Tx<'_>, revision: RevisionId, media: MediaId) -> Result<()> {
    store::attach(tx, revision, media)
}

/// Forgets files. Their bytes have no row any more, and the next [`clear`] removes them.
pub fn forget(tx: &mut Tx<'_>, all: &[MediaId]) -> Result<()> {
    store::delete(tx, all)
}

/// Forgets files that have belonged to nothing for [`ORPHAN`]; says how many.
pub fn purge(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now().minus(ORPHAN);
    store::delete_orphans(tx, before)
}

/// By key.
pub fn get(db: &mut Db, id: MediaId) -> Result<Media> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Media> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// The files of one version of somebody's work, in the order in which they came.
pub fn list_of(db: &mut Db, revision: RevisionId) -> Result<Vec<Media>> {
    store::list_of(db, revision)
}

/// To which versions of work a file belongs.
pub fn revisions_of(db: &mut Db, media: MediaId) -> Result<Vec<RevisionId>> {
    store::revisions_of(db, media)
}
