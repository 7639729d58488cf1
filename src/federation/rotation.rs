//! How do others learn that an actor here has new keys, and with which is signed for whom meanwhile?
//!
//! Others keep an actor's key, many for a day and without asking again when it does not fit; most know only one key of
//! an actor. So its document shows the new key at once, and everyone who ever heard of the actor gets an `Update`. What
//! goes to a server before it has taken the `Update` is signed by the old key, what goes there afterwards by the new
//! one. The instance signs by the new one at once: most servers that get its `Update` never saw it sign, and what it asks
//! of others is answered at once. Should a server refuse one of the two, it gets the same once more signed by the other,
//! as long as both sign: two days, and longer while the `Update` waits for a server that is away. What is known to answer
//! before it verifies gets everything once by each.

use super::outbox::{self, Audience};
use super::wire;
use crate::actor::{Actor, ActorKind};
use crate::clock::Time;
use crate::db::{
    Db, Run, Tx,
    schema::{activities, deliveries},
};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use serde_json::Value;

/// Sends the document of an actor here, with its new keys, to every server that ever got something of it; of the
/// instance, whose key everyone keeps who is asked by it, to all servers.
pub fn announce(tx: &mut Tx<'_>, actor: &Actor, document: Value) -> Result<()> {
    let audience = match actor.kind {
        ActorKind::Instance => Audience::all_servers(tx)?,
        ActorKind::Person | ActorKind::Course | ActorKind::Bot => Audience::who_knows(tx, actor.id)?,
    };
    let audience = audience.and(Audience::followers_of(tx, actor.id)?).once_for_each_host();
    let id = tx.links().activity(&tx.new_id());
    let cc: Vec<String> = actor.followers.iter().cloned().collect();
    let mut update = wire::activity("Update", &id, &actor.uri, &[wire::PUBLIC.to_owned()], &cc, document);
    if let Some(fields) = update.as_object_mut() {
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    outbox::send(tx, actor, &update, &actor.uri, &audience)?;
    Ok(())
}

/// Whether a server is to get requests signed by the key that replaced another `since` then: when it has taken the
/// `Update`, and when none was sent there. Such a server never got anything of this actor, so it does not know the old key
/// and finds the new one when it looks.
pub fn knows_newest(db: &mut Db, host: &str, actor: (ActorId, &str), since: Time) -> Result<bool> {
    let updates = deliveries::table
        .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
        .filter(activities::object_uri.eq(actor.1))
        .filter(activities::actor_id.eq(actor.0))
        .filter(activities::type_.eq("Update"))
        .filter(activities::created_at.ge(since))
        .filter(deliveries::host.eq(host));
    let states: Vec<String> = updates.select(deliveries::state).load(db)?;
    Ok(states.is_empty() || states.iter().any(|state| state == "delivered"))
}

#[cfg(test)]
mod tests;
