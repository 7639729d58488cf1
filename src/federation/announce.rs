//! How does a course pass on what was said in it? In the form that each server's software understands (FEP-1b12).

use super::confined;
use super::outbox::{self, Audience, Marks};
use super::peer::{self, Family};
use super::wire;
use crate::actor::Actor;
use crate::db::Tx;
use crate::domain;
use crate::error::Result;
use crate::link::host_of_uri;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a course passes on.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Whose words they are.
    pub author: &'a Actor,
    /// The activity, its JSON values as they came.
    pub activity: &'a Value,
    /// The activity byte for byte, when it may be forwarded to microblogs: an answer, or a change of what they have.
    pub raw: Option<&'a str>,
    /// The id of what it is about.
    pub about: &'a str,
}

/// Passes on a public activity: the whole of it to forums, our own kind and software that is not known; the id of a
/// new top-level post to microblogs and, again, to software that is not known. Microblogs get no replies in this way,
/// because each would be boosted to all followers: see [`relay`]. What is not public is not passed on (checklist 42 to
/// 45).
#[expect(clippy::too_many_arguments, reason = "six things that are all different and all needed")]
pub fn announce(
    tx: &mut Tx<'_>,
    group: &Actor,
    author: &Actor,
    activity: &Value,
    object_uri: &str,
    audience: Audience,
) -> Result<()> {
    relay(tx, group, &Said { author, activity, raw: None, about: object_uri }, audience)
}

/// The same, and what is given `raw` goes to microblogs as well, untouched, when its author put a proof into it: it holds
/// (AP 7.1.2). Nothing new or changed is passed on above the limits (DOS-07); what is taken away always is.
pub fn relay(tx: &mut Tx<'_>, group: &Actor, said: &Said<'_>, audience: Audience) -> Result<()> {
    if !wire::is_public(said.activity) && !confined::is_private(tx, group.id)? {
        return Ok(());
    }
    let object = wire::only(said.activity.get("object").unwrap_or(&Value::Null));
    let begins = wire::kind(said.activity) == Some("Create")
        && object.is_object()
        && object.get("inReplyTo").is_none_or(Value::is_null);
    let top_level = begins && wire::kind(object) == Some("Page");
    if is_too_large(tx, said.activity) {
        return if top_level { name_only(tx, group, said, audience) } else { Ok(()) };
    }
    let kind = wire::kind(said.activity);
    if matches!(kind, Some("Create" | "Update")) && !is_within_limits(tx, group, said.author)? {
        // Who asks for the outbox still finds it.
        let found = Marks { relayed_for: None, top_level };
        let nobody = Audience::nobody();
        return if top_level {
            send(tx, group, (said.activity.clone(), said.about, found), said.author, &nobody)
        } else {
            Ok(())
        };
    }
    let is_new = begins && !is_announced_by_id(tx, group, said.about)?;
    let (wrapped, by_id) = split(tx, audience.clone(), is_new)?;
    let mut marks = Marks { relayed_for: Some(said.author.id), top_level };
    if marks.top_level || wrapped.inboxes().next().is_some() {
        send(tx, group, (said.activity.clone(), said.about, marks), said.author, &wrapped)?;
        marks = Marks::default();
    }
    marks.top_level = false;
    if is_new && by_id.inboxes().next().is_some() {
        send(tx, group, (said.about.into(), said.about, marks), said.author, &by_id)?;
        marks = Marks::default();
    }
    match said.raw {
        Some(raw) if !begins && is_vouched_for(said.activity) => forward(tx, group, (said, raw, marks), audience),
        _ => Ok(()),
    }
}

/// Activities of others above this many bytes are neither passed on whole nor shown so in the outbox: a course would send
/// its every follower, and whoever asks, what one of them wrote into unknown fields.
const LARGEST: usize = 128 * 1024;

fn is_too_large(tx: &Tx<'_>, activity: &Value) -> bool {
    !wire::text(activity, "id").is_some_and(|id| tx.links().is_ours(id)) && activity.to_string().len() > LARGEST
}

/// Passes on the id of a new thread alone, to everyone.
fn name_only(tx: &mut Tx<'_>, group: &Actor, said: &Said<'_>, audience: Audience) -> Result<()> {
    if is_announced_by_id(tx, group, said.about)? || !is_within_limits(tx, group, said.author)? {
        return Ok(());
    }
    let marks = Marks { relayed_for: Some(said.author.id), top_level: true };
    send(tx, group, (said.about.into(), said.about, marks), said.author, &audience)
}

/// Whether an activity itself tells who made it, by a proof (FEP-8b32) or a signature of linked data. Without, servers
/// refuse it from anybody but its author, and find the answer in `replies` and `context`.
fn is_vouched_for(activity: &Value) -> bool {
    ["proof", "signature"].into_iter().any(|key| activity.get(key).is_some_and(|value| !value.is_null()))
}

/// The span of the limits.
const MINUTE: Duration = Duration::from_secs(60);

/// Whether the course may pass on one more of this author.
fn is_within_limits(tx: &mut Tx<'_>, group: &Actor, author: &Actor) -> Result<bool> {
    let since = tx.now().minus(MINUTE);
    let (of_author, of_all) = outbox::count_relayed(tx, group.id, author.id, since)?;
    let limits = tx.limits();
    let refused = if of_author >= limits.relays_per_author.into() {
        "author"
    } else if of_all >= limits.relays_per_course.into() {
        "course"
    } else {
        metrics::counter!("hedgeschool_relays_total", "result" => "relayed").increment(1);
        return Ok(true);
    };
    metrics::counter!("hedgeschool_relays_total", "result" => refused).increment(1);
    tracing::info!(course = group.handle, author = author.uri, limit = refused, "not passed on: too many");
    Ok(false)
}

/// Hands an activity on to microblogs as it came, signed by the course (federation B7): not to its author's server, not to
/// blocked ones, and once. An act of somebody here goes there signed by themselves, which also those take who read no
/// proofs.
fn forward(
    tx: &mut Tx<'_>,
    group: &Actor,
    (said, raw, marks): (&Said<'_>, &str, Marks),
    audience: Audience,
) -> Result<()> {
    let id = wire::text(said.activity, "id").unwrap_or_default();
    if outbox::is_sent_by(tx, group.id, id)? {
        return Ok(());
    }
    let hosts = audience.hosts();
    let standings = domain::standings(tx, hosts.iter().map(String::as_str))?;
    let mut outside: BTreeSet<String> =
        standings.into_iter().filter(|(_, standing)| standing.is_suspended()).map(|(host, _)| host).collect();
    outside.extend(wire::id(said.activity, "actor").and_then(host_of_uri));
    let (_, audience) = audience.split_by_host(&outside);
    let blogs = hosts_of(tx, &audience, |family| matches!(family, Family::Microblog | Family::Unknown))?;
    let (mut blogs, _) = audience.split_by_host(&blogs);
    if blogs.inboxes().next().is_none() {
        return Ok(());
    }
    if let Some(own) = outbox::find(tx, id)?.filter(|own| own.actor_id != group.id) {
        outbox::send_more(tx, own.id, &blogs)?;
        blogs = Audience::nobody();
    }
    outbox::put(tx, group, (said.activity, raw.to_owned()), (said.about, marks), &blogs)?;
    Ok(())
}

/// Passes an activity on to servers of one family alone: for what only they understand.
pub fn announce_to(tx: &mut Tx<'_>, family: Family, group: &Actor, said: &Said<'_>, audience: Audience) -> Result<()> {
    if is_too_large(tx, said.activity) {
        return Ok(());
    }
    let hosts = hosts_of(tx, &audience, |found| found == family)?;
    let (some, _) = audience.split_by_host(&hosts);
    if some.inboxes().next().is_none() {
        return Ok(());
    }
    let marks = Marks { relayed_for: Some(said.author.id).filter(|author| *author != group.id), top_level: false };
    send(tx, group, (said.activity.clone(), said.about, marks), said.author, &some)
}

/// Whether servers of this family are among them.
pub fn reaches(tx: &mut Tx<'_>, family: Family, audience: &Audience) -> Result<bool> {
    Ok(!hosts_of(tx, audience, |found| found == family)?.is_empty())
}

/// Passes on a vote, or that it is taken back, to forums, which alone count them (checklist 42); above the limits not.
pub fn relay_vote(tx: &mut Tx<'_>, group: &Actor, said: &Said<'_>, audience: Audience) -> Result<()> {
    if is_within_limits(tx, group, said.author)? {
        announce_to(tx, Family::Threadiverse, group, said, audience)
    } else {
        Ok(())
    }
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

/// Announces by id once more what was taken back, to those who had got it so.
pub fn again(tx: &mut Tx<'_>, group: &Actor, object_uri: &str) -> Result<()> {
    let mut audience = Audience::nobody();
    for sent in outbox::list_about(tx, group.id, "Announce", object_uri)? {
        let document: Value = serde_json::from_str(&sent.document)?;
        if document.get("object").is_some_and(Value::is_string) {
            audience = audience.and(Audience::of(tx, sent.id)?);
        }
    }
    if audience.inboxes().next().is_none() {
        return Ok(());
    }
    send(tx, group, (object_uri.into(), object_uri, Marks::default()), group, &audience)
}

fn is_announced_by_id(tx: &mut Tx<'_>, group: &Actor, object_uri: &str) -> Result<bool> {
    Ok(announced(tx, group, object_uri)?.iter().any(Value::is_string))
}

/// Whether its beginning went out to others already, by its id or whole.
pub fn is_begun(tx: &mut Tx<'_>, group: &Actor, object_uri: &str) -> Result<bool> {
    let all = announced(tx, group, object_uri)?;
    Ok(all.iter().any(|said| said.is_string() || wire::kind(said) == Some("Create")))
}

/// All that was announced about it.
fn announced(tx: &mut Tx<'_>, group: &Actor, object_uri: &str) -> Result<Vec<Value>> {
    let sent = outbox::list_about(tx, group.id, "Announce", object_uri)?;
    let documents = sent.iter().filter_map(|sent| serde_json::from_str::<Value>(&sent.document).ok());
    Ok(documents.filter_map(|document| document.get("object").cloned()).collect())
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

fn hosts_of(tx: &mut Tx<'_>, audience: &Audience, wanted: impl Fn(Family) -> bool) -> Result<BTreeSet<String>> {
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
    (object, about, marks): (Value, &str, Marks),
    author: &Actor,
    audience: &Audience,
) -> Result<()> {
    let object = as_sent(tx, object)?;
    let id = tx.links().activity(&tx.new_id());
    let (to, cc) = addressees(group, author);
    let mut announce = wire::activity("Announce", &id, &group.uri, &to, &cc, object);
    if let Some(fields) = announce.as_object_mut() {
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    outbox::send_marked(tx, group, &announce, (about, marks), audience)?;
    Ok(())
}

/// An activity of ours as it was sent, with its proof. What came from elsewhere stays as it came.
fn as_sent(tx: &mut Tx<'_>, object: Value) -> Result<Value> {
    let ours = object.get("id").and_then(Value::as_str).filter(|id| tx.links().is_ours(id));
    match ours.map(str::to_owned) {
        Some(id) => match outbox::find(tx, &id)? {
            Some(sent) => Ok(serde_json::from_str(&sent.document)?),
            None => Ok(object),
        },
        None => Ok(object),
    }
}

#[cfg(test)]
mod tests;
