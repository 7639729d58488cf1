//! With which keys does an actor sign, and with which are its signatures checked?

use super::Actor;
use crate::crypto::{Algorithm, Keypair, VerifyingKey};
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actor_keys, actors},
};
use crate::error::{Error, Result};
use crate::id::ActorId;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable};

/// A key, as others name it.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = actor_keys)]
pub struct Key {
    /// Whose it is.
    pub actor_id: ActorId,
    /// The `keyId` of signatures, the `verificationMethod` of proofs.
    pub uri: String,
    /// How it signs.
    pub algorithm: Algorithm,
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

/// The key with which an actor here signs requests, and which others are shown as its `publicKey`.
pub fn signing_key_of(db: &mut Db, actor: ActorId) -> Result<Key> {
    let key = newest(db, actor, Algorithm::Rsa)?;
    key.ok_or_else(|| Error::internal("an actor here has no private key"))
}

/// The key with which an actor here signs documents (FEP-8b32).
pub fn proof_key_of(db: &mut Db, actor: ActorId) -> Result<Key> {
    let key = newest(db, actor, Algorithm::Ed25519)?;
    key.ok_or_else(|| Error::internal("an actor here has no key for documents"))
}

pub(super) fn newest(db: &mut Db, actor: ActorId, algorithm: Algorithm) -> Result<Option<Key>> {
    let query = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor))
        .filter(actor_keys::algorithm.eq(algorithm))
        .filter(actor_keys::retired_at.is_null())
        .filter(actor_keys::private_pem.is_not_null());
    Ok(query.order(actor_keys::id.desc()).select(Key::as_select()).first(db).optional()?)
}

/// Keys of documents that others are shown at most, with those that newer ones replaced.
const MOST_SHOWN: i64 = 4;

/// The public keys with which documents of an actor here can be checked, newest first: the one in force, and those
/// that it replaced, so that earlier documents can still be checked.
pub fn proof_keys_of(db: &mut Db, actor: ActorId) -> Result<Vec<Key>> {
    let query = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor))
        .filter(actor_keys::algorithm.eq(Algorithm::Ed25519))
        .filter(actor_keys::retired_at.is_null().or(actor_keys::replaced_at.is_not_null()));
    Ok(query.order(actor_keys::id.desc()).limit(MOST_SHOWN).select(Key::as_select()).load(db)?)
}

/// Actors here without a key for documents, made before there were such keys: at most so many.
pub fn without_proof_key(db: &mut Db, most: i64) -> Result<Vec<Actor>> {
    let having = actor_keys::table.filter(actor_keys::algorithm.eq(Algorithm::Ed25519)).select(actor_keys::actor_id);
    let query = actors::table.filter(actors::here).filter(actors::id.ne_all(having));
    Ok(query.order(actors::id).limit(most).select(Actor::as_select()).load(db)?)
}

/// Gives an actor here its first key for documents: private and public PEM.
pub fn put_proof_key(tx: &mut Tx<'_>, actor: &Actor, (private_pem, public_pem): (&str, &str)) -> Result<()> {
    insert_one(tx, actor.id, &format!("{}#ed25519-key", actor.uri), (Algorithm::Ed25519, private_pem, public_pem))
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, keys: &Keypair) -> Result<()> {
    let rsa = (Algorithm::Rsa, keys.private_pem.as_str(), keys.public_pem.as_str());
    insert_one(tx, actor.id, &format!("{}#main-key", actor.uri), rsa)?;
    put_proof_key(tx, actor, (&keys.proof_private_pem, &keys.proof_public_pem))
}

pub(super) fn insert_one(
    tx: &mut Tx<'_>,
    actor: ActorId,
    uri: &str,
    (algorithm, private_pem, public_pem): (Algorithm, &str, &str),
) -> Result<()> {
    let row = (
        actor_keys::actor_id.eq(actor),
        actor_keys::uri.eq(uri),
        actor_keys::algorithm.eq(algorithm),
        actor_keys::public_pem.eq(public_pem),
        actor_keys::private_pem.eq(Some(private_pem)),
        actor_keys::created_at.eq(tx.now()),
    );
    diesel::insert_into(actor_keys::table).values(row).execute(tx)?;
    Ok(())
}

/// Makes these the keys of somebody elsewhere. A key id that belongs to somebody else stays with them.
pub(super) fn replace(tx: &mut Tx<'_>, actor: &Actor, keys: &[(String, String)]) -> Result<()> {
    let now = tx.now();
    for (uri, pem) in keys {
        let algorithm = VerifyingKey::from_pem(pem).map_or(Algorithm::Rsa, |key| key.algorithm());
        let mine = (
            actor_keys::public_pem.eq(pem),
            actor_keys::algorithm.eq(algorithm),
            actor_keys::retired_at.eq(None::<crate::clock::Time>),
        );
        let row = (actor_keys::actor_id.eq(actor.id), actor_keys::uri.eq(uri), actor_keys::created_at.eq(now));
        let known = actor_keys::table.filter(actor_keys::uri.eq(uri)).select(actor_keys::actor_id);
        match known.first::<ActorId>(tx).optional()? {
            Some(owner) if owner == actor.id => {
                diesel::update(actor_keys::table.filter(actor_keys::uri.eq(uri))).set(mine).execute(tx)?;
            }
            Some(_) => tracing::warn!(key = uri, "a key id of another actor was claimed"),
            None => {
                diesel::insert_into(actor_keys::table).values((row, mine)).execute(tx)?;
            }
        }
    }
    let kept: Vec<&String> = keys.iter().map(|(uri, _)| uri).collect();
    let gone = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor.id))
        .filter(actor_keys::retired_at.is_null())
        .filter(actor_keys::uri.ne_all(kept));
    diesel::update(gone).set(actor_keys::retired_at.eq(Some(now))).execute(tx)?;
    Ok(())
}
