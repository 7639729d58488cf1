//! How does one watch a course without taking part?

use super::EnrollmentState;
use crate::actor::follow::{self, Follow, FollowState};
use crate::actor::{self, Actor, ActorKind};
use crate::cohort;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::EnrollmentId;
use crate::jobs::{self, JobKind};
use std::time::Duration;

/// Whoever is asked has so long to answer before they are asked once more.
const AGAIN: Duration = Duration::from_secs(90);

/// Follows a course as a person here. Agreed to at once when the course is here, asked of its home otherwise.
pub fn follow(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<FollowState> {
    by.may_act()?;
    let group = actor::get(tx, course.actor_id)?;
    course::ban::may_come_in(tx, by, course.id)?;
    let known = follow::find(tx, by.id, group.id)?;
    super::carry::still_here(tx, group.id)?;
    if let Some(known) = known.filter(|known| known.state == FollowState::Accepted) {
        return Ok(known.state);
    }
    if group.here && course.private && !is_inside(tx, by, course)? {
        return Err(Error::denied("This course is followed by those alone who take part. Please ask for a place."));
    }
    let uri = tx.links().activity(&tx.new_id());
    let state = if group.here { FollowState::Accepted } else { FollowState::Pending };
    follow::put(tx, by.id, group.id, &uri, state)?;
    if let (FollowState::Pending, Some(asked)) = (state, follow::find(tx, by.id, group.id)?) {
        let at = tx.now().plus(AGAIN);
        jobs::plan(tx, JobKind::FollowAgain, asked.id, at)?;
    }
    tx.record(Some(by.id), Happened::Followed { followed: group.id, follower: by.id, uri, again: false })?;
    Ok(state)
}

/// Asks once more to follow a course elsewhere, by a new id, when nobody answered: some servers begin to send only after
/// they noticed us, so that their first answer is lost, and they take an id only once. Follows from its planned time.
pub fn ask_again(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    let Some(known) = follow::find_by_key(tx, id)?.filter(|known| known.state == FollowState::Pending) else {
        return Ok(());
    };
    let (by, group) = (actor::get(tx, known.follower_id)?, actor::get(tx, known.followed_id)?);
    if !by.here || group.here || by.may_act().is_err() || group.may_act().is_err() {
        return Ok(());
    }
    let uri = tx.links().activity(&tx.new_id());
    follow::put(tx, by.id, group.id, &uri, FollowState::Pending)?;
    tx.record(Some(by.id), Happened::Followed { followed: group.id, follower: by.id, uri, again: true })
}

/// Ends following, whoever follows.
pub fn unfollow(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<()> {
    if follow::remove(tx, by.id, course.actor_id)? {
        tx.record(Some(by.id), Happened::Unfollowed { followed: course.actor_id, follower: by.id })?;
    }
    Ok(())
}

/// Takes somebody elsewhere as a follower of a course here; answered each time (checklist 36).
pub fn accept_follower(tx: &mut Tx<'_>, by: &Actor, group: &Actor, uri: &str) -> Result<()> {
    by.may_act()?;
    let course = course::find_by_actor(tx, group.id)?.filter(|course| group.here && course.is_shown());
    let course = course.filter(|_| group.kind == ActorKind::Course).ok_or(Error::NotFound)?;
    let known = follow::find(tx, by.id, group.id)?;
    // Whoever is of a limited server waits until the organizers give them a place.
    if (by.is_limited() || course.private) && !is_inside(tx, by, &course)? {
        follow::put(tx, by.id, group.id, uri, FollowState::Pending)?;
        return if course.private { apply(tx, by, &course) } else { Ok(()) };
    }
    let again = known.is_some_and(|follow| follow.state == FollowState::Accepted);
    follow::put(tx, by.id, group.id, uri, FollowState::Accepted)?;
    let happened = Happened::Followed { followed: group.id, follower: by.id, uri: uri.to_owned(), again };
    tx.record(Some(by.id), happened)
}

fn is_inside(db: &mut Db, by: &Actor, course: &Course) -> Result<bool> {
    let found = super::find_in_course(db, course.id, by.id)?;
    Ok(found.is_some_and(|(place, _)| place.state == EnrollmentState::Active) || course::organizes(db, by, course)?)
}

/// Whoever asks to follow a private course asks for a place in it, because there is no watching from outside. Without a
/// run that takes people the following waits.
fn apply(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<()> {
    let Some(run) = cohort::current(tx, course.id)? else { return Ok(()) };
    let ask = super::Ask { message: "Asks to follow the course.".into(), join_uri: None };
    match super::enroll(tx, by, run.id, &ask) {
        Err(Error::Denied(_)) => Ok(()),
        other => other.map(drop),
    }
}

/// Agrees to what somebody of a limited server asked, now that they have a place. Follows from `Enrolled`.
pub fn admit_follow(tx: &mut Tx<'_>, place: EnrollmentId) -> Result<()> {
    let place = super::get(tx, place)?;
    let course = cohort::get(tx, place.cohort_id)?.course_id;
    let group = course::get(tx, course)?.actor_id;
    match follow::find(tx, place.actor_id, group)? {
        Some(known) if known.state == FollowState::Pending => agree(tx, &known),
        _ => Ok(()),
    }
}

/// Agrees to all that waits although nothing holds it up any more. Follows from `DomainRuleChanged`.
pub fn admit_waiting(tx: &mut Tx<'_>) -> Result<()> {
    for known in follow::waiting(tx)? {
        agree(tx, &known)?;
    }
    Ok(())
}

/// Only what somebody elsewhere asked of a course here can be agreed to here.
fn agree(tx: &mut Tx<'_>, known: &Follow) -> Result<()> {
    let (by, group) = (actor::get(tx, known.follower_id)?, actor::get(tx, known.followed_id)?);
    if by.here || !group.here {
        return Ok(());
    }
    follow::accept(tx, by.id, group.id)?;
    let uri = known.uri.clone();
    tx.record(Some(by.id), Happened::Followed { followed: group.id, follower: by.id, uri, again: false })
}

/// Takes the answer to a Follow from here; only the followed one may answer, and only what is pending changes.
pub fn follow_answered(tx: &mut Tx<'_>, group: &Actor, uri: &str, follower: &Actor, agreed: bool) -> Result<()> {
    // An answer to an earlier Follow of the same pair counts as well.
    let known = match follow::find_by_uri(tx, follower.id, uri)? {
        None => follow::find(tx, follower.id, group.id)?,
        known => known,
    };
    let Some(known) = known else { return Ok(()) };
    if known.followed_id != group.id {
        return Err(Error::denied("Only the followed one can answer a Follow."));
    }
    if agreed {
        follow::accept(tx, follower.id, group.id)?;
        let_see(tx, group)?;
    } else {
        follow::remove(tx, follower.id, group.id)?;
    }
    Ok(())
}

/// What a private course elsewhere shows to those alone who are in it can be fetched now that somebody here is.
pub(super) fn let_see(tx: &mut Tx<'_>, group: &Actor) -> Result<()> {
    let now = tx.now();
    match course::find_by_actor(tx, group.id)?.filter(|course| course.private && !group.here) {
        Some(course) => jobs::hasten(tx, JobKind::CoursePull, course.id.0, now),
        None => Ok(()),
    }
}
