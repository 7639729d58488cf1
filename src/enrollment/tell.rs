//! Who here is told of what happens to a place?

use super::{Around, EnrollmentState, Part, announce, around};
use crate::actor;
use crate::course;
use crate::db::Tx;
use crate::error::Result;
use crate::event::Happened;
use crate::id::ActorId;
use crate::notice;

/// Follows from every event about a place: notices to organizers and to the person.
pub fn tell(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    if let Happened::PlaceCarried { enrollment, origin } = what {
        let (all, origin) = (around(tx, *enrollment)?, actor::get(tx, *origin)?);
        person(tx, &all, "You moved, and your place came along in")?;
        let text = format!("{} ({}) came along from {}.", all.person.name, all.person.acct(), origin.acct());
        return organizers(tx, &all, &text);
    }
    let (Happened::EnrollmentAsked(id)
    | Happened::Enrolled { enrollment: id, again: false }
    | Happened::EnrollmentDeclined(id)
    | Happened::EnrollmentRemoved(id)
    | Happened::EnrollmentLeft(id)
    | Happened::EnrollmentAnswered(id)) = what
    else {
        return Ok(());
    };
    let all = around(tx, *id)?;
    match what {
        Happened::EnrollmentAsked(_) => asked(tx, &all),
        Happened::Enrolled { .. } => enrolled(tx, &all),
        Happened::EnrollmentDeclined(_) => person(tx, &all, "Your application was declined by"),
        Happened::EnrollmentRemoved(_) => person(tx, &all, "You were taken off the roster of"),
        Happened::EnrollmentLeft(_) => organizers(tx, &all, &format!("{} left “{}”.", all.person.name, all.group.name)),
        _ => answered(tx, &all),
    }
}

fn asked(tx: &mut Tx<'_>, all: &Around) -> Result<()> {
    match all.place.state {
        EnrollmentState::Applied => {
            organizers(tx, all, &format!("{} asks for a place in “{}”.", all.person.name, all.group.name))
        }
        EnrollmentState::Waitlisted => {
            person(tx, all, "You are on the waiting list of")?;
            organizers(tx, all, &format!("{} is on the waiting list of “{}”.", all.person.name, all.group.name))
        }
        _ => Ok(()),
    }
}

fn enrolled(tx: &mut Tx<'_>, all: &Around) -> Result<()> {
    person(tx, all, "You have a place in")?;
    // Somebody who waited hears of it; somebody who came in at once is answered where they asked.
    if all.place.created_at != all.place.changed_at {
        announce::tell_elsewhere(tx, all, announce::standing(&all.place))?;
    }
    organizers(tx, all, &format!("{} has a place in “{}”.", all.person.name, all.group.name))
}

fn answered(tx: &mut Tx<'_>, all: &Around) -> Result<()> {
    let words = match all.place.state {
        EnrollmentState::Active => "You have a place in",
        EnrollmentState::Applied => "Your application is with the organizers of",
        EnrollmentState::Waitlisted => "You are on the waiting list of",
        EnrollmentState::Declined => "There is no place for you in",
        _ => "You were taken off the roster of",
    };
    person(tx, all, words)
}

fn person(tx: &mut Tx<'_>, all: &Around, words: &str) -> Result<()> {
    let text = format!("{words} “{}” ({}).", all.group.name, all.cohort.name);
    notice::tell(tx, &[all.person.id], "enrollment", &text, &all.group.path())
}

fn organizers(tx: &mut Tx<'_>, all: &Around, text: &str) -> Result<()> {
    if !all.group.here {
        return Ok(());
    }
    let whom: Vec<ActorId> = course::organizers(tx, all.course.id)?.into_iter().map(|actor| actor.id).collect();
    let others: Vec<ActorId> = whom.into_iter().filter(|id| *id != all.person.id).collect();
    notice::tell(
        tx,
        &others,
        "roster",
        text,
        &format!("{}/people{}", all.group.path(), Part::of(all.place.state).query()),
    )
}
