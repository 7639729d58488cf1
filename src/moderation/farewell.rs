//! What goes and what stays when somebody deletes their account?
//!
//! Gone: name, profile, mail address and password, sessions, following, places, and the text of every post. Kept without
//! a name: work that others reviewed and reviews that others got, because results rest on them.

use crate::account;
use crate::actor::{self, Actor, ActorState, follow};
use crate::course::{self, Course, CourseState};
use crate::db::{Db, Tx};
use crate::discussion;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::event::Happened;

/// What somebody is called who is gone.
const NOBODY: &str = "Deleted account";

/// Refuses whoever cannot go yet: the only administrator, and who is the only organizer of a course that goes on.
pub fn may_go(db: &mut Db, by: &Actor) -> Result<()> {
    by.may_act()?;
    account::may_close(db, by)?;
    for course in running(db, by)? {
        if course::organizers(db, course.id)?.len() < 2 {
            let name = actor::get(db, course.actor_id)?.name;
            let text =
                format!("You are the only organizer of “{name}”. Please add another one, or end the course first.");
            return Err(Error::denied(text));
        }
    }
    Ok(())
}

/// The courses here that this person organizes and that are not over.
fn running(db: &mut Db, by: &Actor) -> Result<Vec<Course>> {
    let all = course::organized_by(db, by.id)?.into_iter().filter(|(_, group)| group.here).map(|(course, _)| course);
    Ok(all.filter(|course| !matches!(course.state, CourseState::Archived | CourseState::Withdrawn)).collect())
}

/// Deletes one's own account here, for good. Every server that heard of the person is told; from then on their id is
/// answered 410 and nobody can take it again (AP 7.4).
pub fn delete_account(tx: &mut Tx<'_>, by: &Actor) -> Result<()> {
    may_go(tx, by)?;
    for course in running(tx, by)? {
        course::hand_over(tx, by, &course)?;
    }
    account::close(tx, by)?;
    clear(tx, by)?;
    tx.record(Some(by.id), Happened::AccountDeleted(by.id))
}

/// Somebody elsewhere deleted their account, as their own server says.
pub fn forget(tx: &mut Tx<'_>, whom: &Actor) -> Result<()> {
    if whom.here || whom.state == ActorState::Gone {
        return Ok(());
    }
    for course in running(tx, whom)? {
        if course.owner_id != Some(whom.id) {
            let group = actor::get(tx, course.actor_id)?;
            tracing::debug!(course = group.uri, "an organizer is gone");
            course::hand_over(tx, whom, &course)?;
        }
    }
    clear(tx, whom)
}

fn clear(tx: &mut Tx<'_>, whom: &Actor) -> Result<()> {
    for (place, _) in enrollment::of_person(tx, whom.id)? {
        if place.is_current() && place.role != enrollment::Role::Organizer {
            enrollment::leave(tx, whom, place.id)?;
        }
    }
    follow::remove_all(tx, whom.id)?;
    discussion::erase_all_of(tx, whom.id)?;
    actor::rename(tx, whom.id, NOBODY, "")?;
    actor::move_to(tx, whom.id, ActorState::Gone)
}
