//! Where does somebody go on whose account lives elsewhere, and what may be looked up from here?
//!
//! Somebody without an account here types their handle; their server says by WebFinger where its people act on what lives
//! elsewhere (FEP-3b86, or the older `subscribe` link), and a page leads there. The other way round, other servers
//! send our people to `/authorize_interaction`.

#[cfg(test)]
mod tests;
pub mod web;

use crate::actor::{self, Actor, ActorState};
use crate::assignment;
use crate::course::{self, Course};
use crate::db::Db;
use crate::discussion;
use crate::error::{Error, Result};
use crate::federation::object;
use crate::link::host_of;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// What is done with something elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A course is followed.
    Follow,
    /// A post or an assignment is opened, to answer it.
    Answer,
}

impl Act {
    /// The links of a WebFinger answer that lead there, best first.
    fn rels(self) -> &'static [&'static str] {
        match self {
            Self::Follow => &["https://w3id.org/fep/3b86/Follow", "http://ostatus.org/schema/1.0/subscribe"],
            Self::Answer => &["https://w3id.org/fep/3b86/Object", "http://ostatus.org/schema/1.0/subscribe"],
        }
    }
}

/// Something here that people elsewhere may want to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its id.
    pub uri: String,
    /// What it is called.
    pub name: String,
    /// Its page.
    pub path: String,
    /// What one does with it.
    pub act: Act,
}

/// What has this id and is shown to everyone: a course, a person, an assignment or a post, of this server or known to it.
/// Everything else is not found, private things like unknown ones (PRV-01).
pub fn find(db: &mut Db, uri: &str) -> Result<Thing> {
    if let Some(actor) = actor::find_by_uri(db, uri)? {
        return of_actor(db, actor);
    }
    let known = object::find(db, uri)?.filter(|known| known.public && known.deleted_at.is_none());
    known.ok_or(Error::NotFound)?;
    let (name, path, course) = match (discussion::find_by_uri(db, uri)?, assignment::find_by_uri(db, uri)?) {
        (Some(post), _) => (post.title.clone(), post.path(), course::get(db, post.course_id)?),
        (None, Some(assignment)) => {
            let (_, course) = assignment::place(db, &assignment)?;
            (assignment.title.clone(), assignment.path(), course)
        }
        (None, None) => return Err(Error::NotFound),
    };
    if !course.is_public() {
        return Err(Error::NotFound);
    }
    let name = if name.is_empty() { actor::get(db, course.actor_id)?.name } else { name };
    Ok(Thing { uri: uri.to_owned(), name, path, act: Act::Answer })
}

fn of_actor(db: &mut Db, actor: Actor) -> Result<Thing> {
    let course = course::find_by_actor(db, actor.id)?;
    let is_hidden = course.as_ref().is_some_and(|course| !Course::is_public(course));
    if actor.state != ActorState::Active || is_hidden {
        return Err(Error::NotFound);
    }
    let act = if course.is_some() { Act::Follow } else { Act::Answer };
    Ok(Thing { path: actor.path(), uri: actor.uri, name: actor.name, act })
}

/// Longest address to which people are led, in bytes.
const LONGEST: usize = 4096;

/// Where the server of an account lets its people act on this: the first of its links that fits (WEB-06). The address is
/// https (`or_http` only where everything runs on one machine), on the account's own host or below it, and has the id in
/// it; nothing when there is none.
pub fn way_on(links: &[(String, String)], thing: &Thing, host: &str, or_http: bool) -> Option<String> {
    for rel in thing.act.rels() {
        let of = links.iter().filter(|(given, _)| given.eq_ignore_ascii_case(rel));
        let mut filled = of.filter_map(|(_, template)| fill(template, &thing.uri, host, or_http));
        if let Some(on) = filled.next() {
            return Some(on);
        }
    }
    None
}

fn fill(template: &str, uri: &str, host: &str, or_http: bool) -> Option<String> {
    let (mut filled, mut rest, mut has_uri) = (String::new(), template, false);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        filled.push_str(before);
        if matches!(name, "uri" | "object" | "inReplyTo") {
            filled.extend(byte_serialize(uri.as_bytes()));
            has_uri = true;
        }
        // Any other word stands for something that we do not give (FEP-3b86 3.2).
        rest = behind;
    }
    filled.push_str(rest);
    let url = Url::parse(&filled).ok().filter(|_| has_uri && filled.len() <= LONGEST)?;
    let there = host_of(&url)?;
    let is_theirs = there == host || there.ends_with(&format!(".{host}"));
    let scheme = url.scheme() == "https" || (or_http && url.scheme() == "http");
    let plain = url.username().is_empty() && url.password().is_none();
    (is_theirs && scheme && plain).then(|| url.into())
}
