//! How does a course pass on what was said in it? In the form that each server's software understands (FEP-1b12).

use super::outbox::{self, Audience};
use super::peer::{self, Family};
use super::wire;
use crate::actor::Actor;
use crate::db::Tx;
use crate::error::Result;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Passes on a public activity: the whole of it to forums, our own kind and software that is not known; the id of a
/// new top-level post to microblogs and, again, to software that is not known. Microblogs get no replies, because
/// each would be boosted to all followers, and hear of changes from the author. What is not public is not passed on
/// (checklist 42 to 45).
#[expect(clippy::too_many_arguments, reason = "six things that are all different and all needed")]
pub fn announce(
    tx: &mut Tx<'_>,
    group: &Actor,
    author: &Actor,
    activity: &Value,
    object_uri: &str,
    audience: Audience,
) -> Result<()> {
    let object = activity.get("object").unwrap_or(&Value::Null);
    if !wire::is_public(activity) {
        return Ok(());
    }
    let is_new = wire::kind(activity) == Some("Create") && object.get("inReplyTo").is_none_or(Value::is_null);
    let is_new = is_new && !is_announced_by_id(tx, group, object_uri)?;
    let (wrapped, by_id) = split(tx, audience, is_new)?;
    if wrapped.inboxes().next().is_some() {
        send(tx, group, (activity.clone(), object_uri), author, &wrapped)?;
    }
    if is_new && by_id.inboxes().next().is_some() {
        send(tx, group, (object_uri.into(), object_uri), author, &by_id)?;
    }
    Ok(())
}

/// Passes an activity on to our own kind alone: for what only they understand.
pub fn announce_to_own_kind(
    tx: &mut Tx<'_>,
    group: &Actor,
    activity: &Value,
    object_uri: &str,
    audience: Audience,
) -> Result<()> {
    let hosts = hosts_of(tx, &audience, |family| family == Family::OwnKind)?;
    let (own, _) = audience.split_by_host(&hosts);
    if own.inboxes().next().is_none() {
        return Ok(());
    }
    send(tx, group, (activity.clone(), object_uri), group, &own)?;
    Ok(())
}

/// Takes back what was announced by id, so that it vanishes from microblogs.
pub fn undo(tx: &mut Tx<'_>, group: &Actor, object_uri: &str, audience: Audience) -> Result<()> {
    for sent in outbox::list_about(tx, group.id, "Announce", object_uri)? {
        let document: Value = serde_json::from_str(&sent.document)?;
        if !document.get("object").is_some_and(Value::is_string) {
            continue;
        }
        let (_, by_id) = split(tx, audience.clone(), true)?;
        let inner = json!({"id": sent.uri, "type": "Announce", "actor": group.uri, "object": object_uri});
        let id = tx.links().activity(&tx.new_id());
        let (to, cc) = addressees(group, group);
        let undo = wire::activity("Undo", &id, &group.uri, &to, &cc, inner);
        outbox::send(tx, group, &undo, object_uri, &by_id)?;
    }
    Ok(())
}

fn is_announced_by_id(tx: &mut Tx<'_>, group: &Actor, object_uri: &str) -> Result<bool> {
    let sent = outbox::list_about(tx, group.id, "Announce", object_uri)?;
    let by_id = |document: &str| {
        serde_json::from_str::<Value>(document).is_ok_and(|d| d.get("object").is_some_and(Value::is_string))
    };
    Ok(sent.iter().any(|sent| by_id(&sent.document)))
}

/// Whom the wrapped form reaches, and whom the id. Software that is not known gets new posts in both forms and nothing
/// else, because a microblog would take a wrapped change or reply for something to boost.
fn split(tx: &mut Tx<'_>, audience: Audience, is_new: bool) -> Result<(Audience, Audience)> {
    let no_forum: fn(Family) -> bool = match is_new {
        true => |family| family == Family::Microblog,
        false => |family| matches!(family, Family::Microblog | Family::Unknown),
    };
    let blogs = hosts_of(tx, &audience, no_forum)?;
    let posts = hosts_of(tx, &audience, |family| matches!(family, Family::Microblog | Family::Unknown))?;
    let (_, wrapped) = audience.clone().split_by_host(&blogs);
    let (by_id, _) = audience.split_by_host(&posts);
    Ok((wrapped, by_id))
}

fn hosts_of(tx: &mut Tx<'_>, audience: &Audience, wanted: fn(Family) -> bool) -> Result<BTreeSet<String>> {
    let hosts = audience.hosts();
    let families = peer::families(tx, &hosts)?;
    let family = |host: &String| families.get(host).copied().unwrap_or(Family::Unknown);
    Ok(hosts.into_iter().filter(|host| wanted(family(host))).collect())
}

fn addressees(group: &Actor, author: &Actor) -> (Vec<String>, Vec<String>) {
    let mut cc: Vec<String> = group.followers.iter().cloned().collect();
    if author.id != group.id {
        cc.push(author.uri.clone());
    }
    (vec![wire::PUBLIC.to_owned()], cc)
}

fn send(
    tx: &mut Tx<'_>,
    group: &Actor,
    (object, about): (Value, &str),
    author: &Actor,
    audience: &Audience,
) -> Result<()> {
    let id = tx.links().activity(&tx.new_id());
    let (to, cc) = addressees(group, author);
    let mut announce = wire::activity("Announce", &id, &group.uri, &to, &cc, object);
    if let Some(fields) = announce.as_object_mut() {
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    outbox::send(tx, group, &announce, about, audience)?;
    Ok(())
}

#[cfg(test)]
mod tests;
