//! Whom does a course keep out?

use super::{Course, may_govern, organizes, store};
use crate::actor::{self, Actor, ActorKind};
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{ActorId, BanId, CourseId};
use crate::jobs::{self, JobKind};
use crate::text;
use diesel::{Queryable, Selectable};

/// Somebody's being kept out of a course, in force as long as its row is there.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::course_bans)]
pub struct Ban {
    /// Key inside.
    pub id: BanId,
    /// By which course.
    pub course_id: CourseId,
    /// Who is kept out.
    pub actor_id: ActorId,
    /// Who decided it: an organizer, a moderator, or the Group of a mirrored course.
    pub by_id: ActorId,
    /// The id of the Block.
    pub uri: String,
    /// Why; the person is told.
    pub reason: String,
    /// When it ends by itself.
    pub ends_at: Option<Time>,
    /// Since when.
    pub created_at: Time,
}

/// How somebody is to be kept out.
#[derive(Clone, Debug, Default)]
pub struct Term {
    /// Why. People here must say it.
    pub reason: String,
    /// When it ends by itself; never when nothing.
    pub ends_at: Option<Time>,
    /// Whether all that the person wrote in the course is taken away, too.
    pub removes: bool,
    /// The id of the Block, when it came from elsewhere.
    pub uri: Option<String>,
}

/// Keeps a person out of a course here: no place, no following, no post, until it is lifted. Organizers and moderators
/// of the instance may; not themselves, and no other organizer. Again for the same person, the newest word counts.
pub fn ban(tx: &mut Tx<'_>, by: &Actor, course: &Course, whom: &Actor, term: &Term) -> Result<Ban> {
    may_govern(tx, by, course)?;
    if whom.id == by.id || organizes(tx, whom, course)? {
        return Err(Error::denied("Organizers cannot be banned from their own course."));
    }
    if term.reason.trim().is_empty() && by.here {
        return Err(Error::invalid("reason", "Please say why: the person is told."));
    }
    if term.ends_at.is_some_and(|at| at <= tx.now()) {
        return Err(Error::invalid("days", "Please choose a time to come."));
    }
    put(tx, by, course, whom, term)
}

/// Notes that the home of a mirrored course keeps a person out. Only its own Group may say so.
pub fn banned_by_home(tx: &mut Tx<'_>, group: &Actor, whom: &Actor, term: &Term) -> Result<()> {
    let course = super::find_by_actor(tx, group.id)?.filter(|_| !group.here);
    let course = course.ok_or_else(|| Error::denied("This course is not mirrored here."))?;
    put(tx, group, &course, whom, term).map(drop)
}

fn put(tx: &mut Tx<'_>, by: &Actor, course: &Course, whom: &Actor, term: &Term) -> Result<Ban> {
    if !matches!(whom.kind, ActorKind::Person | ActorKind::Bot) {
        return Err(Error::denied("Only people can be banned."));
    }
    let uri = term.uri.clone().unwrap_or_else(|| tx.links().activity(&tx.new_id()));
    let reason = text::excerpt(term.reason.trim(), 500);
    let reason = if reason.is_empty() { "no reason was given".to_owned() } else { reason };
    store::remove_ban(tx, course.id, whom.id)?;
    let ban = store::insert_ban(tx, (course.id, whom.id, by.id), (&uri, &reason), term.ends_at)?;
    if let Some(at) = term.ends_at {
        jobs::plan(tx, JobKind::BanEnds, ban.id.0, at)?;
    }
    tx.record(Some(by.id), Happened::Banned { course: course.id, whom: whom.id, removes: term.removes })?;
    Ok(ban)
}

/// Lets a person in again. As [`ban`]; nothing happens when they are not kept out.
pub fn unban(tx: &mut Tx<'_>, by: &Actor, course: &Course, whom: ActorId) -> Result<()> {
    may_govern(tx, by, course)?;
    lift(tx, Some(by), course.id, whom)
}

/// The same because the home of a mirrored course says so.
pub fn unbanned_by_home(tx: &mut Tx<'_>, group: &Actor, whom: ActorId) -> Result<()> {
    let course = super::find_by_actor(tx, group.id)?.filter(|_| !group.here);
    let course = course.ok_or_else(|| Error::denied("This course is not mirrored here."))?;
    lift(tx, Some(group), course.id, whom)
}

/// The time of a ban is over. For the clock; one that was lifted or renewed meanwhile is not there any more.
pub fn ban_over(tx: &mut Tx<'_>, id: BanId) -> Result<()> {
    match store::find_ban_by_id(tx, id)? {
        Some(ban) => lift(tx, None, ban.course_id, ban.actor_id),
        None => Ok(()),
    }
}

fn lift(tx: &mut Tx<'_>, by: Option<&Actor>, course: CourseId, whom: ActorId) -> Result<()> {
    let Some(ban) = store::find_ban(tx, course, whom)? else { return Ok(()) };
    store::remove_ban(tx, course, whom)?;
    let what = Happened::Unbanned { course, whom, by_then: ban.by_id, uri: ban.uri };
    tx.record(by.map(|by| by.id), what)
}

/// Whether and why a course keeps this person out.
pub fn find_ban(db: &mut Db, course: CourseId, whom: ActorId) -> Result<Option<Ban>> {
    store::find_ban(db, course, whom)
}

/// Refuses whom the course keeps out, with the reason.
pub fn may_come_in(db: &mut Db, by: &Actor, course: CourseId) -> Result<()> {
    match store::find_ban(db, course, by.id)? {
        Some(ban) => Err(Error::denied(format!("You were banned from this course: {}", ban.reason))),
        None => Ok(()),
    }
}

/// Everyone whom the course keeps out, latest first.
pub fn list_bans(db: &mut Db, course: CourseId) -> Result<Vec<(Ban, Actor)>> {
    let bans = store::list_bans(db, course)?;
    bans.into_iter().map(|ban| Ok((ban.clone(), actor::get(db, ban.actor_id)?))).collect()
}
