//! Who may move to another account or server, and what goes along?
//!
//! Whoever moves is named by the account that they move to (`alsoKnownAs`), so that nobody is moved against their will
//! and nobody takes over another's followers (FEP-7628). Doors check that; verbs here do the rest.

pub mod apub;
#[cfg(test)]
mod tests;
pub mod web;

use crate::actor::{self, Actor, ActorKind, moves};
use crate::course::{self, Course, CourseState};
use crate::db::{Db, Tx};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::event::Happened;
use std::time::Duration;

/// Other accounts that one may name at most.
pub const MOST_ALIASES: usize = 5;
/// Somebody here who moved may not move again sooner.
pub const REST_HERE: Duration = Duration::from_secs(30 * 24 * 3600);
/// A further move of somebody elsewhere has no effect sooner; Mastodon rests as long.
pub const REST_ELSEWHERE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Refuses all but a person for themselves, and an organizer for a course here.
pub fn may_move(db: &mut Db, by: &Actor, whom: &Actor) -> Result<()> {
    by.may_act()?;
    let may = match whom.kind {
        ActorKind::Person => by.id == whom.id,
        ActorKind::Course => match course::find_by_actor(db, whom.id)? {
            Some(course) => course::organizes(db, by, &course)?,
            None => false,
        },
        ActorKind::Bot | ActorKind::Instance => false,
    };
    if may && whom.here {
        Ok(())
    } else {
        Err(Error::denied("Only oneself, or a course that one organizes, is moved."))
    }
}

/// Names another account that may move to this one. For a person or a course here.
pub fn name_alias(tx: &mut Tx<'_>, by: &Actor, whom: &Actor, other: &Actor) -> Result<()> {
    may_move(tx, by, whom)?;
    if other.id == whom.id {
        return Err(Error::invalid("alias", "This is the account itself."));
    }
    if other.kind != whom.kind {
        let text = if whom.kind == ActorKind::Course { "This is no course." } else { "This is no person." };
        return Err(Error::invalid("alias", text));
    }
    if moves::aliases_of(tx, whom.id)?.len() >= MOST_ALIASES {
        let text = format!("At most {MOST_ALIASES} others can be named. Please take one away first.");
        return Err(Error::invalid("alias", text));
    }
    if moves::put_alias(tx, whom.id, &other.uri)? {
        changed(tx, by, whom)?;
    }
    Ok(())
}

/// Names it no more. For a person or a course here.
pub fn drop_alias(tx: &mut Tx<'_>, by: &Actor, whom: &Actor, uri: &str) -> Result<()> {
    may_move(tx, by, whom)?;
    if moves::remove_alias(tx, whom.id, uri)? { changed(tx, by, whom) } else { Ok(()) }
}

/// The document of an actor here says something else now; others are told.
fn changed(tx: &mut Tx<'_>, by: &Actor, whom: &Actor) -> Result<()> {
    actor::rename(tx, whom.id, &whom.name, &whom.summary)?;
    tx.record(Some(by.id), Happened::AliasesChanged(whom.id))
}

/// Until when somebody here who moved must wait before they move again.
pub fn rests_until(db: &mut Db, whom: &Actor) -> Result<Option<crate::clock::Time>> {
    Ok(moves::last_move(db, whom.id)?.map(|last| last.moved_at.plus(REST_HERE)))
}

/// Moves a person, or a course, from here to an account that names it as one of its own: the door has just asked the
/// other server. Followers elsewhere are told, and whoever follows from here follows the new one; what somebody follows
/// and takes part in goes along where our own kind is its home. The old account stays as it is and leads to the new
/// one; a course is over here.
pub fn move_away(tx: &mut Tx<'_>, by: &Actor, whom: &Actor, to: &Actor) -> Result<()> {
    may_move(tx, by, whom)?;
    fits(tx, whom, to)?;
    let now = tx.now();
    if rests_until(tx, whom)?.is_some_and(|until| now < until) {
        return Err(Error::invalid("target", "It moved in the last 30 days and cannot move again yet."));
    }
    moves::put_move(tx, whom.id, to.id)?;
    actor::rename(tx, whom.id, &whom.name, &whom.summary)?;
    settle(tx, whom, to)?;
    if let Some(course) = course::find_by_actor(tx, whom.id)?.filter(|course| course.state == CourseState::Listed) {
        course::archive(tx, by, course.id)?;
    }
    tx.record(Some(by.id), Happened::Relocated { from: whom.id, to: to.id })
}

/// Somebody elsewhere, or a course there, moved, as they say themselves, to an account that names them: the door has
/// asked. Once only: what comes within seven days of a move has no effect.
pub fn moved_elsewhere(tx: &mut Tx<'_>, from: &Actor, to: &Actor) -> Result<()> {
    from.may_act()?;
    if from.here {
        return Err(Error::denied("Who lives here moves here."));
    }
    fits(tx, from, to)?;
    let now = tx.now();
    if moves::last_move(tx, from.id)?.is_some_and(|last| now.since(last.moved_at) < REST_ELSEWHERE) {
        return Ok(());
    }
    moves::put_move(tx, from.id, to.id)?;
    settle(tx, from, to)?;
    tx.record(Some(from.id), Happened::Relocated { from: from.id, to: to.id })
}

/// Refuses an account that cannot be moved to.
fn fits(db: &mut Db, from: &Actor, to: &Actor) -> Result<()> {
    let wrong = |text: &str| Err(Error::invalid("target", text));
    if to.id == from.id {
        return wrong("This is the account itself.");
    }
    if to.kind != from.kind {
        return wrong("A person moves to a person, and a course to a course.");
    }
    if to.may_act().is_err() {
        return wrong("This account may not act here.");
    }
    if moves::moved_to(db, to.id)?.is_some() {
        return wrong("This account has moved on itself. Please name the one where it is now.");
    }
    Ok(())
}

fn settle(tx: &mut Tx<'_>, from: &Actor, to: &Actor) -> Result<()> {
    if from.kind != ActorKind::Course {
        return enrollment::carry_over(tx, from, to);
    }
    let Some(course) = course::find_by_actor(tx, to.id)? else { return Ok(()) };
    enrollment::follow_along(tx, from, &course)?;
    if let (true, true, Some(old)) = (from.here, to.here, course::find_by_actor(tx, from.id)?) {
        for person in enrollment::to_be_carried(tx, &old)? {
            receive(tx, from, &course, &person)?;
        }
    }
    Ok(())
}

/// Takes somebody in who took part in a course that moved here; without a run that takes people they may ask later.
pub fn receive(tx: &mut Tx<'_>, origin: &Actor, course: &Course, person: &Actor) -> Result<()> {
    match enrollment::take_over(tx, origin, course, person) {
        Err(Error::Denied(_)) => Ok(()),
        other => other,
    }
}

/// Calls off the move of a person or course here: it leads nowhere any more. What went along stays where it is.
pub fn stay(tx: &mut Tx<'_>, by: &Actor, whom: &Actor) -> Result<()> {
    may_move(tx, by, whom)?;
    if moves::end_move(tx, whom.id)? { changed(tx, by, whom) } else { Ok(()) }
}
