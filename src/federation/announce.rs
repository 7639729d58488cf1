//! How does a course pass on what was written in it?

use super::outbox::{self, Audience};
use super::wire;
use crate::actor::Actor;
use crate::db::Tx;
use crate::error::Result;
use serde_json::Value;

/// Announces a public post of the course in the form that each server understands (FEP-1b12).
#[expect(clippy::too_many_arguments, reason = "whose, by whom, what, about what, to whom")]
pub fn announce(
    tx: &mut Tx<'_>,
    group: &Actor,
    author: &Actor,
    activity: &Value,
    object_uri: &str,
    audience: Audience,
) -> Result<()> {
    let _ = author;
    announce_to_own_kind(tx, group, activity, object_uri, audience)
}

/// Passes an activity on, whole, to servers of our own kind.
pub fn announce_to_own_kind(
    tx: &mut Tx<'_>,
    group: &Actor,
    activity: &Value,
    object_uri: &str,
    audience: Audience,
) -> Result<()> {
    let id = tx.links().activity(&tx.new_id());
    let cc: Vec<String> = group.followers.clone().into_iter().collect();
    let document = wire::activity("Announce", &id, &group.uri, &[wire::PUBLIC.into()], &cc, activity.clone());
    outbox::send(tx, group, &document, object_uri, &audience)?;
    Ok(())
}
