//! With which keys does an actor sign, and with which are its signatures checked?

use super::Actor;
use crate::crypto::Keypair;
use crate::db::{Columns, Db, Run, Tx, schema::actor_keys};
use crate::error::{Error, Result};
use crate::id::ActorId;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable};

/// A key, as others name it.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = actor_keys)]
pub struct Key {
    /// Whose it is.
    pub actor_id: ActorId,
    /// The `keyId` of signatures.
    pub uri: String,
    /// SPKI or PKCS#1 PEM.
    pub public_pem: String,
    /// PKCS#8 PEM; only of actors here.
    pub private_pem: Option<String>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.uri)
    }
}

/// The key in force with this `keyId`.
pub fn find_key(db: &mut Db, uri: &str) -> Result<Option<Key>> {
    let query = actor_keys::table.filter(actor_keys::uri.eq(uri)).filter(actor_keys::retired_at.is_null());
    Ok(query.select(Key::as_select()).first(db).optional()?)
}

/// All keys in force of an actor.
pub fn verifying_keys_of(db: &mut Db, actor: ActorId) -> Result<Vec<Key>> {
    let query = actor_keys::table.filter(actor_keys::actor_id.eq(actor)).filter(actor_keys::retired_at.is_null());
    Ok(query.order(actor_keys::id).select(Key::as_select()).load(db)?)
}

/// The newest private key of an actor here.
pub fn signing_key_of(db: &mut Db, actor: ActorId) -> Result<Key> {
    let query = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor))
        .filter(actor_keys::retired_at.is_null())
        .filter(actor_keys::private_pem.is_not_null());
    let key = query.order(actor_keys::id.desc()).select(Key::as_select()).first(db).optional()?;
    key.ok_or_else(|| Error::internal("an actor here has no private key"))
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, keys: &Keypair) -> Result<()> {
    let row = (
        actor_keys::actor_id.eq(actor.id),
        actor_keys::uri.eq(format!("{}#main-key", actor.uri)),
        actor_keys::public_pem.eq(&keys.public_pem),
        actor_keys::private_pem.eq(Some(&keys.private_pem)),
        actor_keys::created_at.eq(tx.now()),
    );
    diesel::insert_into(actor_keys::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// Makes these the keys of somebody elsewhere. A key id that belongs to somebody else stays with them.
pub(super) fn replace(tx: &mut Tx<'_>, actor: &Actor, keys: &[(String, String)]) -> Result<()> {
    let now = tx.now();
    for (uri, pem) in keys {
        let mine = (actor_keys::public_pem.eq(pem), actor_keys::retired_at.eq(None::<crate::clock::Time>));
        let row = (actor_keys::actor_id.eq(actor.id), actor_keys::uri.eq(uri), actor_keys::created_at.eq(now));
        let known = actor_keys::table.filter(actor_keys::uri.eq(uri)).select(actor_keys::actor_id);
        match known.first::<ActorId>(&mut **tx).optional()? {
            Some(owner) if owner == actor.id => {
                diesel::update(actor_keys::table.filter(actor_keys::uri.eq(uri))).set(mine).execute(&mut **tx)?;
            }
            Some(_) => tracing::warn!(key = uri, "a key id of another actor was claimed"),
            None => {
                diesel::insert_into(actor_keys::table).values((row, mine)).execute(&mut **tx)?;
            }
        }
    }
    let kept: Vec<&String> = keys.iter().map(|(uri, _)| uri).collect();
    let gone = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor.id))
        .filter(actor_keys::retired_at.is_null())
        .filter(actor_keys::uri.ne_all(kept));
    diesel::update(gone).set(actor_keys::retired_at.eq(Some(now))).execute(&mut **tx)?;
    Ok(())
}
