//! How does an actor here get new keys, while others still know the old ones?

use super::key::{insert_one, newest};
use super::{Actor, Key, store};
use crate::clock::Time;
use crate::crypto::{Algorithm, Keypair};
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{activities, actor_keys, actors, deliveries},
};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::ActorId;
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};
use std::time::Duration;

/// How long keys that were replaced still sign for servers that do not know the new ones: others keep actors for a day.
pub const OVERLAP: Duration = Duration::from_secs(48 * 3600);

/// Nothing waits longer for a server that is away, so nothing has to be signed for it by an old key afterwards.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// What becomes of the keys that an actor had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// They sign for [`OVERLAP`] where the new ones are not known yet; what they proved can be checked for good.
    Replaced,
    /// Somebody else may have them: they sign nothing any more, and what they proved cannot be checked any more.
    Withdrawn,
}

/// Gives an actor here new keys. Others are told by an `Update`, which follows from the event.
pub fn replace_keys(tx: &mut Tx<'_>, actor: &Actor, keys: &Keypair, former: Former) -> Result<()> {
    if !actor.here {
        return Err(Error::denied("Only actors of this instance get new keys."));
    }
    let now = tx.now();
    let all = actor_keys::table.filter(actor_keys::actor_id.eq(actor.id));
    match former {
        Former::Replaced => {
            let in_force = all.filter(actor_keys::retired_at.is_null()).filter(actor_keys::replaced_at.is_null());
            diesel::update(in_force).set(actor_keys::replaced_at.eq(Some(now))).execute(tx)?;
        }
        Former::Withdrawn => {
            let gone = (
                actor_keys::private_pem.eq(None::<String>),
                actor_keys::replaced_at.eq(None::<Time>),
                actor_keys::retired_at.eq(Some(now)),
            );
            diesel::update(all).set(gone).execute(tx)?;
        }
    }
    for (name, pair) in [
        ("main-key", (Algorithm::Rsa, keys.private_pem.as_str(), keys.public_pem.as_str())),
        ("ed25519-key", (Algorithm::Ed25519, keys.proof_private_pem.as_str(), keys.proof_public_pem.as_str())),
    ] {
        // Rows of keys stay, so that the name of a key never means another one.
        let before: i64 = all.filter(actor_keys::algorithm.eq(pair.0)).count().get_result(tx)?;
        insert_one(tx, actor.id, &format!("{}#{name}-{}", actor.uri, before + 1), pair)?;
    }
    store::update_profile(tx, actor.id, &actor.name, &actor.summary)?;
    tx.record(None, Happened::KeysChanged(actor.id))
}

/// With which keys requests of an actor here may be signed now.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    /// The one that others are shown.
    pub newest: Key,
    /// The one before it and since when it is not shown any more, for those who do not know the newest yet.
    pub former: Option<(Key, Time)>,
}

/// Reads them.
pub fn signing_keys_of(db: &mut Db, actor: ActorId) -> Result<SigningKeys> {
    let none = || Error::internal("an actor here has no private key");
    let newest = newest(db, actor, Algorithm::Rsa)?.ok_or_else(none)?;
    let query = actor_keys::table
        .filter(actor_keys::actor_id.eq(actor))
        .filter(actor_keys::algorithm.eq(Algorithm::Rsa))
        .filter(actor_keys::retired_at.is_null())
        .filter(actor_keys::private_pem.is_not_null())
        .filter(actor_keys::replaced_at.is_not_null());
    let row = query.order(actor_keys::id.desc()).select((Key::as_select(), actor_keys::replaced_at));
    let former = row.first::<(Key, Option<Time>)>(db).optional()?;
    Ok(SigningKeys { newest, former: former.and_then(|(key, since)| Some((key, since?))) })
}

/// Deletes the private halves of keys that were replaced longer ago than [`OVERLAP`], unless a server has yet to be told
/// of the new ones: it knows the old ones alone. Says how many.
pub fn retire_keys(tx: &mut Tx<'_>) -> Result<usize> {
    let now = tx.now();
    let over = || {
        actor_keys::table
            .filter(actor_keys::replaced_at.lt(Some(now.minus(OVERLAP))))
            .filter(actor_keys::retired_at.is_null())
    };
    let old: Vec<(ActorId, Option<Time>)> =
        over().select((actor_keys::actor_id, actor_keys::replaced_at)).distinct().load(tx)?;
    let mut count = 0;
    for (actor, since) in old {
        let Some(since) = since else { continue };
        if now.since(since) < LONGEST && is_untold(tx, actor, since)? {
            continue;
        }
        let gone = (actor_keys::private_pem.eq(None::<String>), actor_keys::retired_at.eq(Some(now)));
        let theirs = over().filter(actor_keys::actor_id.eq(actor)).filter(actor_keys::replaced_at.eq(Some(since)));
        count += diesel::update(theirs).set(gone).execute(tx)?;
    }
    Ok(count)
}

/// Whether word of the keys that an actor has since then still waits for a server.
fn is_untold(db: &mut Db, actor: ActorId, since: Time) -> Result<bool> {
    let uri: String = actors::table.find(actor).select(actors::uri).first(db)?;
    let waiting = activities::table
        .inner_join(deliveries::table.on(deliveries::activity_id.eq(activities::id)))
        .filter(activities::actor_id.eq(actor))
        .filter(activities::type_.eq("Update"))
        .filter(activities::object_uri.eq(uri))
        .filter(activities::created_at.ge(since))
        .filter(deliveries::state.eq("pending"));
    Ok(waiting.select(deliveries::id).first::<i64>(db).optional()?.is_some())
}

/// Actors here, some after the other, in the order in which they were made.
pub fn list_here_after(db: &mut Db, after: ActorId, most: i64) -> Result<Vec<Actor>> {
    let query = actors::table.filter(actors::here).filter(actors::id.gt(after));
    Ok(query.order(actors::id).limit(most).select(Actor::as_select()).load(db)?)
}
