//! How does one get a place, and how does one lose it?

use super::{Enrollment, EnrollmentState, Role, around, find, get, may_lead, store};
use crate::actor::follow;
use crate::actor::{self, Actor, ActorKind};
use crate::cohort::{self, Cohort, CohortState, Enrolling};
use crate::course::{self, Course};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{ActorId, CohortId, EnrollmentId};

/// What somebody asks with.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// What they wrote to the organizers.
    pub message: String,
    /// The Join that is to be answered; nothing when asked by a form or by words.
    pub join_uri: Option<String>,
}

/// Asks for a place in a cohort whose home is here. While it is open: a seat, or the waiting list; when moderated: an
/// application. Asking again is answered again and changes nothing. Seats are never given away twice: the cohort's row
/// is held from the count to the commit (CRS-05).
pub fn enroll(tx: &mut Tx<'_>, by: &Actor, cohort: CohortId, ask: &Ask) -> Result<Enrollment> {
    by.may_act()?;
    if by.kind != ActorKind::Person && by.kind != ActorKind::Bot {
        return Err(Error::denied("Only people can enroll."));
    }
    let cohort = cohort::lock(tx, cohort)?;
    let course = course::get(tx, cohort.course_id)?;
    if !actor::get(tx, course.actor_id)?.here {
        return Err(Error::denied("This course is enrolled in at its home."));
    }
    super::carry::still_here(tx, course.actor_id)?;
    course::ban::may_come_in(tx, by, course.id)?;
    let known = find(tx, cohort.id, by.id)?;
    if let Some(place) = known.as_ref().filter(|place| place.is_current()) {
        return repeat(tx, by, place, ask);
    }
    if known.as_ref().is_some_and(|place| place.state == EnrollmentState::Removed) {
        return Err(Error::denied("The organizers took you off this run; please write to them."));
    }
    if !cohort.takes_people() || !course.is_shown() {
        return Err(Error::denied(format!("“{}” takes nobody now: it is {}.", cohort.name, cohort.state)));
    }
    let (role, state) = place_for(tx, by, &course, &cohort)?;
    let place = store::put(tx, &store::NewPlace { cohort: cohort.id, actor: by.id, role, state, ask })?;
    let what = match state {
        EnrollmentState::Active => Happened::Enrolled { enrollment: place.id, again: false },
        _ => Happened::EnrollmentAsked(place.id),
    };
    tx.record(Some(by.id), what)?;
    settle(tx, &cohort)?;
    Ok(place)
}

/// As what, and how far, a new one comes in.
fn place_for(tx: &mut Tx<'_>, by: &Actor, course: &Course, cohort: &Cohort) -> Result<(Role, EnrollmentState)> {
    if course::organizes(tx, by, course)? {
        return Ok((Role::Organizer, EnrollmentState::Active));
    }
    // People of a limited server need approval, however open the run is.
    if cohort.enrolling == Enrolling::Moderated || course.private || by.is_limited() {
        return Ok((Role::Learner, EnrollmentState::Applied));
    }
    let free = store::seats_taken(tx, cohort.id)? < cohort.seats;
    Ok((Role::Learner, if free { EnrollmentState::Active } else { EnrollmentState::Waitlisted }))
}

fn repeat(tx: &mut Tx<'_>, by: &Actor, place: &Enrollment, ask: &Ask) -> Result<Enrollment> {
    if let Some(uri) = &ask.join_uri {
        store::set_join(tx, place.id, uri)?;
    }
    if place.state == EnrollmentState::Active {
        tx.record(Some(by.id), Happened::Enrolled { enrollment: place.id, again: true })?;
    }
    get(tx, place.id)
}

fn settle(tx: &mut Tx<'_>, cohort: &Cohort) -> Result<()> {
    let taken = store::seats_taken(tx, cohort.id)?;
    cohort::settle_seats(tx, cohort, taken)
}

/// Accepts an application, or somebody from the waiting list: a seat, or a place on the waiting list when all are
/// taken. Organizers and facilitators may.
pub fn accept(tx: &mut Tx<'_>, by: &Actor, id: EnrollmentId) -> Result<Enrollment> {
    let cohort = get(tx, id)?.cohort_id;
    let cohort = cohort::lock(tx, cohort)?;
    may_lead(tx, by, &cohort)?;
    let place = get(tx, id)?;
    if place.state != EnrollmentState::Applied {
        return Err(Error::denied(format!("This place is {} and waits for no answer.", place.state)));
    }
    if cohort.is_over() {
        return Err(Error::denied("This run is over."));
    }
    if store::seats_taken(tx, cohort.id)? >= cohort.seats {
        let place = store::move_to(tx, id, EnrollmentState::Waitlisted)?;
        tx.record(Some(by.id), Happened::EnrollmentAsked(id))?;
        return Ok(place);
    }
    let place = store::move_to(tx, id, EnrollmentState::Active)?;
    tx.record(Some(by.id), Happened::Enrolled { enrollment: id, again: false })?;
    settle(tx, &cohort)?;
    Ok(place)
}

/// Declines an application or a place on the waiting list. Organizers and facilitators may.
pub fn decline(tx: &mut Tx<'_>, by: &Actor, id: EnrollmentId) -> Result<Enrollment> {
    let place = get(tx, id)?;
    let cohort = cohort::get(tx, place.cohort_id)?;
    may_lead(tx, by, &cohort)?;
    if !matches!(place.state, EnrollmentState::Applied | EnrollmentState::Waitlisted) {
        return Err(Error::denied(format!("This place is {} and waits for no answer.", place.state)));
    }
    let place = store::move_to(tx, id, EnrollmentState::Declined)?;
    tx.record(Some(by.id), Happened::EnrollmentDeclined(id))?;
    Ok(place)
}

/// Takes somebody off the roster; the first who waits gets the seat. Organizers and facilitators may; organizers
/// themselves are taken off by no longer being organizers.
pub fn remove(tx: &mut Tx<'_>, by: &Actor, id: EnrollmentId) -> Result<Enrollment> {
    let place = get(tx, id)?;
    let cohort = cohort::lock(tx, place.cohort_id)?;
    may_lead(tx, by, &cohort)?;
    if place.role == Role::Organizer || !matches!(place.state, EnrollmentState::Active | EnrollmentState::Dormant) {
        return Err(Error::denied("Only learners who take part can be taken off."));
    }
    let place = store::move_to(tx, id, EnrollmentState::Removed)?;
    tx.record(Some(by.id), Happened::EnrollmentRemoved(id))?;
    fill_seats(tx, cohort.id)?;
    Ok(place)
}

/// Ends all that a person whom the course keeps out has in it: places, what they asked for, and following. Follows from
/// a ban, whose verb asked who may.
pub fn shut_out(tx: &mut Tx<'_>, by: Option<ActorId>, course: &Course, whom: ActorId) -> Result<()> {
    follow::remove(tx, whom, course.actor_id)?;
    let all = store::of_person(tx, whom)?;
    for (place, cohort) in all.into_iter().filter(|(place, cohort)| cohort.course_id == course.id && place.is_current())
    {
        store::move_to(tx, place.id, EnrollmentState::Removed)?;
        tx.record(by, Happened::EnrollmentRemoved(place.id))?;
        fill_seats(tx, cohort.id)?;
    }
    Ok(())
}

/// Makes it possible that a person who was kept out asks for a place again. Follows from the end of a ban.
pub fn let_in(tx: &mut Tx<'_>, course: &Course, whom: ActorId) -> Result<()> {
    for (place, cohort) in store::of_person(tx, whom)? {
        if cohort.course_id == course.id && place.state == EnrollmentState::Removed {
            store::move_to(tx, place.id, EnrollmentState::Left)?;
        }
    }
    Ok(())
}

/// Gives up one's own place, or what was asked for; the first who waits gets the seat.
pub fn leave(tx: &mut Tx<'_>, by: &Actor, id: EnrollmentId) -> Result<Enrollment> {
    let place = get(tx, id)?;
    if place.actor_id != by.id {
        return Err(Error::denied("Only the person themselves can leave."));
    }
    if !place.is_current() {
        return Ok(place);
    }
    if place.role == Role::Organizer {
        return Err(Error::denied("Organizers leave by no longer organizing the course."));
    }
    let cohort = cohort::lock(tx, place.cohort_id)?;
    let place = store::move_to(tx, id, EnrollmentState::Left)?;
    tx.record(Some(by.id), Happened::EnrollmentLeft(id))?;
    if is_home(tx, &cohort)? {
        fill_seats(tx, cohort.id)?;
    }
    Ok(place)
}

/// Gives up all of one's places in a course. Says how many there were.
pub fn leave_course(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<usize> {
    let all = store::of_person(tx, by.id)?;
    let mine = all.into_iter().filter(|(place, cohort)| cohort.course_id == course.id && place.is_current());
    let ids: Vec<EnrollmentId> = mine.map(|(place, _)| place.id).collect();
    for id in &ids {
        leave(tx, by, *id)?;
    }
    Ok(ids.len())
}

fn is_home(tx: &mut Tx<'_>, cohort: &Cohort) -> Result<bool> {
    let course = course::get(tx, cohort.course_id)?;
    Ok(actor::get(tx, course.actor_id)?.here)
}

/// Gives free seats to those who wait, in the order in which they came.
pub fn fill_seats(tx: &mut Tx<'_>, id: CohortId) -> Result<()> {
    let cohort = cohort::lock(tx, id)?;
    if !is_home(tx, &cohort)? {
        return Ok(());
    }
    if cohort.takes_people() {
        let free = cohort.seats - store::seats_taken(tx, id)?;
        for place in store::waiting(tx, id, free)? {
            store::move_to(tx, place, EnrollmentState::Active)?;
            tx.record(None, Happened::Enrolled { enrollment: place, again: false })?;
        }
    }
    settle(tx, &cohort)
}

/// Puts the course's organizers on the roster of its cohort, and takes those off who are none any more. Follows from
/// planning a cohort and from changing a course, whose events are recorded already.
pub fn seat_organizers(tx: &mut Tx<'_>, id: CohortId) -> Result<()> {
    let cohort = cohort::get(tx, id)?;
    if cohort.is_over() || !is_home(tx, &cohort)? {
        return Ok(());
    }
    let organizers: Vec<_> = course::organizers(tx, cohort.course_id)?.into_iter().map(|actor| actor.id).collect();
    for (place, _) in store::roster(tx, id, &[EnrollmentState::Active])? {
        if place.role == Role::Organizer && !organizers.contains(&place.actor_id) {
            store::move_to(tx, place.id, EnrollmentState::Left)?;
        }
    }
    for actor in organizers {
        let known = find(tx, id, actor)?;
        if !known.is_some_and(|p| p.role == Role::Organizer && p.state == EnrollmentState::Active) {
            let (role, state, ask) = (Role::Organizer, EnrollmentState::Active, &Ask::default());
            store::put(tx, &store::NewPlace { cohort: id, actor, role, state, ask })?;
        }
    }
    Ok(())
}

/// Asks the home of a mirrored course for a place, for a person here. Shown as asked until the home answers, then as
/// applied or waitlisted until it decides; asking again sends a new Join.
pub fn ask(tx: &mut Tx<'_>, by: &Actor, cohort: CohortId, message: &str) -> Result<Enrollment> {
    by.may_act()?;
    let cohort = cohort::get(tx, cohort)?;
    if !by.here || is_home(tx, &cohort)? {
        return Err(Error::denied("Only people here ask for places in courses elsewhere."));
    }
    course::ban::may_come_in(tx, by, cohort.course_id)?;
    let group = course::get(tx, cohort.course_id)?.actor_id;
    super::carry::still_here(tx, group)?;
    if let Some(place) = find(tx, cohort.id, by.id)?.filter(|place| place.state == EnrollmentState::Active) {
        return Ok(place);
    }
    if cohort.is_over() || cohort.state == CohortState::Planned {
        return Err(Error::denied(format!("“{}” takes nobody now: it is {}.", cohort.name, cohort.state)));
    }
    let join_uri = Some(tx.links().activity(&tx.new_id()));
    let ask = &Ask { message: message.to_owned(), join_uri };
    let (role, state) = (Role::Learner, EnrollmentState::Asked);
    let place = store::put(tx, &store::NewPlace { cohort: cohort.id, actor: by.id, role, state, ask })?;
    tx.record(Some(by.id), Happened::EnrollmentAsked(place.id))?;
    Ok(place)
}

/// Takes the home's answer to a Join from here: how the place stands. Only the course itself may answer (CRS-01); an
/// answer to what was not asked, or was decided or given up already, changes nothing (CRS-02).
pub fn answered(tx: &mut Tx<'_>, group: &Actor, join_uri: &str, state: EnrollmentState) -> Result<()> {
    let Some(place) = store::find_by_join(tx, join_uri)? else { return Ok(()) };
    let all = around(tx, place.id)?;
    if all.group.id != group.id || all.group.here {
        return Err(Error::denied("Only the course itself can answer a Join."));
    }
    let is_open = place.state == EnrollmentState::Asked || place.waits();
    if !is_open || place.state == state {
        return Ok(());
    }
    store::move_to(tx, place.id, state)?;
    tx.record(Some(group.id), Happened::EnrollmentAnswered(place.id))
}

/// Takes a person here off the roster of a mirrored course, because its home says so.
pub fn removed_by_home(tx: &mut Tx<'_>, group: &Actor, person: &Actor) -> Result<()> {
    let Some(course) = course::find_by_actor(tx, group.id)?.filter(|_| !group.here) else {
        return Err(Error::denied("Only a course can take people off its roster."));
    };
    let all = store::of_person(tx, person.id)?;
    for (place, _) in all.into_iter().filter(|(place, cohort)| cohort.course_id == course.id && place.is_current()) {
        store::move_to(tx, place.id, EnrollmentState::Removed)?;
        tx.record(Some(group.id), Happened::EnrollmentAnswered(place.id))?;
    }
    Ok(())
}
