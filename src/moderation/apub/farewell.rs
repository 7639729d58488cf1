//! How do servers hear that somebody deleted their account?

use crate::actor;
use crate::db::Tx;
use crate::error::Result;
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, wire};
use crate::id::ActorId;
use crate::moderation::farewell;

/// Follows from `AccountDeleted`: a Delete of the person to every server that ever heard of them or got something of theirs.
pub fn announce_gone(tx: &mut Tx<'_>, whom: ActorId) -> Result<()> {
    let whom = actor::get(tx, whom)?;
    let id = tx.links().activity(&tx.new_id());
    let to = [wire::PUBLIC.to_owned()];
    let delete = wire::activity("Delete", &id, &whom.uri, &to, &[], whom.uri.clone().into());
    let audience = Audience::who_knows(tx, whom.id)?;
    outbox::send(tx, &whom, &delete, &whom.uri, &audience)?;
    Ok(())
}

/// `Delete` of somebody by themselves: their places, following and posts end here, and what is kept has no name.
pub async fn gone(context: &Context, got: &Received) -> Result<()> {
    let signer = got.signer.clone();
    got.settle(context, move |tx| farewell::forget(tx, &signer)).await
}
