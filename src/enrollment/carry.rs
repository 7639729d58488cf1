//! What of places and following goes along when somebody, or a course, moves?

use super::{Ask, Enrollment, EnrollmentState, Role, find, store};
use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor};
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::federation::peer::{self, Family};
use crate::id::{ActorId, CohortId};
use std::collections::BTreeSet;

/// Whether somebody is kept out of a course.
fn is_banned(db: &mut Db, whom: &Actor, course: &Course) -> Result<bool> {
    Ok(course::ban::find_ban(db, course.id, whom.id)?.is_some())
}

/// Whether a server runs our own software.
pub(super) fn is_own_kind(db: &mut Db, actor: &Actor) -> Result<bool> {
    let families = peer::families(db, &BTreeSet::from([actor.host.clone()]))?;
    Ok(families.get(&actor.host) == Some(&Family::OwnKind))
}

/// Gives what somebody follows and takes part in to the account that they moved to. The home of each course decides, so
/// for courses elsewhere only what this server shows of it ends. Follows from a move, whose verb asked who may.
///
/// Who was banned or taken off under the new name gets nothing, and who organizes a course goes on doing so under the
/// old name: a server that was broken into must not give courses away.
pub fn carry_over(tx: &mut Tx<'_>, from: &Actor, to: &Actor) -> Result<()> {
    for known in follow::followed_by(tx, from.id)? {
        let group = actor::get(tx, known.followed_id)?;
        let Some(course) = course::find_by_actor(tx, group.id)? else { continue };
        if group.here {
            carry_follow(tx, (from, to), &course, known.state)?;
        } else if from.here && is_own_kind(tx, &group)? {
            follow::remove(tx, from.id, group.id)?;
        }
    }
    for (place, cohort) in store::of_person(tx, from.id)? {
        if !place.is_current() || place.role == Role::Organizer {
            continue;
        }
        let course = course::get(tx, cohort.course_id)?;
        let group = actor::get(tx, course.actor_id)?;
        if group.here {
            carry_place(tx, to, &course, &place)?;
        } else if from.here && is_own_kind(tx, &group)? {
            store::move_to(tx, place.id, EnrollmentState::Left)?;
        }
    }
    Ok(())
}

fn carry_follow(tx: &mut Tx<'_>, (from, to): (&Actor, &Actor), course: &Course, state: FollowState) -> Result<()> {
    follow::remove(tx, from.id, course.actor_id)?;
    if is_banned(tx, to, course)? || follow::find(tx, to.id, course.actor_id)?.is_some() {
        return Ok(());
    }
    let uri = tx.links().activity(&tx.new_id());
    let state = if to.is_limited() { FollowState::Pending } else { state };
    follow::put(tx, to.id, course.actor_id, &uri, state).map(drop)
}

fn carry_place(tx: &mut Tx<'_>, to: &Actor, course: &Course, place: &Enrollment) -> Result<()> {
    let cohort = cohort::lock(tx, place.cohort_id)?;
    let known = find(tx, cohort.id, to.id)?;
    let refused = known.as_ref().is_some_and(|known| known.state == EnrollmentState::Removed);
    if refused || is_banned(tx, to, course)? {
        return Ok(());
    }
    store::move_to(tx, place.id, EnrollmentState::Left)?;
    if known.is_some_and(|known| known.is_current()) {
        return Ok(());
    }
    let state = if to.is_limited() { EnrollmentState::Applied } else { place.state };
    let ask = Ask { message: place.message.clone(), join_uri: None };
    let new = store::NewPlace { cohort: cohort.id, actor: to.id, role: place.role, state, ask: &ask };
    let new = store::put(tx, &new)?;
    tx.record(Some(to.id), Happened::PlaceCarried { enrollment: new.id, origin: place.actor_id })
}

/// Lets everyone here who follows a course that moved follow the course that it became, and no longer the old one. Says
/// how many. Follows from the move of the course.
pub fn follow_along(tx: &mut Tx<'_>, from: &Actor, to: &Course) -> Result<usize> {
    let mut count = 0;
    for person in follow::followers_of(tx, from.id)?.into_iter().filter(|person| person.here) {
        match super::follow(tx, &person, to) {
            Ok(_) => {}
            Err(Error::Denied(_)) => continue,
            Err(other) => return Err(other),
        }
        follow::remove(tx, person.id, from.id)?;
        count += 1;
    }
    Ok(count)
}

/// The people who take part in a course now and do not organize it, each once: whose places go along when it moves.
pub fn to_be_carried(db: &mut Db, course: &Course) -> Result<Vec<Actor>> {
    let mut people: Vec<Actor> = Vec::new();
    for cohort in cohort::list_of(db, course.id)?.into_iter().filter(|cohort| !cohort.is_over()) {
        for (place, person) in store::roster(db, cohort.id, &[EnrollmentState::Active, EnrollmentState::Dormant])? {
            if place.role != Role::Organizer && people.iter().all(|known| known.id != person.id) {
                people.push(person);
            }
        }
    }
    Ok(people)
}

/// Gives somebody who took part in a course that moved here a place in the run that people join now: a seat while there
/// is one, otherwise the waiting list. Its former home says so, and the course here named that home as its own former
/// one; the caller asked.
pub fn take_over(tx: &mut Tx<'_>, origin: &Actor, course: &Course, person: &Actor) -> Result<()> {
    let group = actor::get(tx, course.actor_id)?;
    person.may_act()?;
    let run = cohort::current(tx, course.id)?.filter(Cohort::takes_people);
    let Some(run) = run.filter(|_| group.here && course.is_shown()) else {
        return Err(Error::denied("The course has no run that takes people now."));
    };
    let run = cohort::lock(tx, run.id)?;
    let known = find(tx, run.id, person.id)?;
    let decided = known.is_some_and(|known| known.is_current() || known.state == EnrollmentState::Removed);
    if decided || is_banned(tx, person, course)? {
        return Ok(());
    }
    let free = store::seats_taken(tx, run.id)? < run.seats;
    let state = match (person.is_limited(), free) {
        (true, _) => EnrollmentState::Applied,
        (false, true) => EnrollmentState::Active,
        (false, false) => EnrollmentState::Waitlisted,
    };
    let ask = Ask { message: format!("Took part in {}.", origin.acct()), join_uri: None };
    let new = store::NewPlace { cohort: run.id, actor: person.id, role: Role::Learner, state, ask: &ask };
    let new = store::put(tx, &new)?;
    tx.record(Some(origin.id), Happened::PlaceCarried { enrollment: new.id, origin: origin.id })?;
    super::fill_seats(tx, run.id)
}

/// Writes down the place of a person here in a mirrored course, which its home gave them because they, or the course,
/// moved; that they wanted it the caller asked.
pub fn granted(tx: &mut Tx<'_>, group: &Actor, person: &Actor, place: (CohortId, EnrollmentState)) -> Result<()> {
    let (cohort, state) = (cohort::get(tx, place.0)?, place.1);
    let course = course::get(tx, cohort.course_id)?;
    if !person.here || group.here || course.actor_id != group.id {
        return Err(Error::denied("Only the home of a course gives places in it."));
    }
    if find(tx, cohort.id, person.id)?.is_some_and(|known| known.state == EnrollmentState::Active) {
        return Ok(());
    }
    let ask = Ask::default();
    let new = store::NewPlace { cohort: cohort.id, actor: person.id, role: Role::Learner, state, ask: &ask };
    let new = store::put(tx, &new)?;
    if follow::find(tx, person.id, group.id)?.is_none() {
        super::follow(tx, person, &course)?;
    }
    tx.record(Some(group.id), Happened::EnrollmentAnswered(new.id))
}

/// Refuses to begin anything in a course that moved away.
pub(super) fn still_here(db: &mut Db, group: ActorId) -> Result<()> {
    match actor::moves::moved_to(db, group)? {
        Some(now) => Err(Error::denied(format!("This course moved to {} ({}).", now.acct(), now.url))),
        None => Ok(()),
    }
}
