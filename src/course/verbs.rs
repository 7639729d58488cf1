//! How does a course come to be, change and end?

use super::ban;
use super::{Course, CourseState, Draft, may_moderate, may_organize, store, summary};
use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor, ActorKind, NewActor};
use crate::crypto::Keypair;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{ActorId, CourseId};

/// The keys of a new course and its bot, made before the transaction because that takes long.
#[derive(Clone, Debug)]
pub struct BotKeys {
    /// Of the Group.
    pub course: Keypair,
    /// Of the bot.
    pub bot: Keypair,
}

impl BotKeys {
    /// Makes both.
    pub fn generate() -> Result<Self> {
        let one = || Keypair::generate().map_err(|e| Error::Internal(Box::new(e)));
        Ok(Self { course: one()?, bot: one()? })
    }
}

/// Proposes a course. Any person here may; they own it, and moderators are told.
pub fn propose(tx: &mut Tx<'_>, by: &Actor, draft: &Draft, keys: &BotKeys) -> Result<Course> {
    by.may_act()?;
    if !by.here || by.kind != ActorKind::Person {
        return Err(Error::denied("Only people of this instance may propose a course here."));
    }
    draft.check()?;
    draft.check_handle()?;
    let (handle, about) = (draft.handle(), summary(&draft.tagline, false)?);
    let bot_handle = format!("{handle}_bot");
    let group =
        NewActor { kind: ActorKind::Course, handle: &handle, name: &draft.title, summary: &about, keys: &keys.course };
    let group = actor::create(tx, &group)?;
    let bot_name = format!("{} (course notes)", draft.title);
    let bot = NewActor {
        kind: ActorKind::Bot,
        handle: &bot_handle,
        name: &bot_name,
        summary: "<p>Writes to learners for the course. Answer “enroll” to take part.</p>",
        keys: &keys.bot,
    };
    let bot = actor::create(tx, &bot)?;
    let html = draft.html()?;
    let course =
        store::insert(tx, &store::NewCourse { group: group.id, bot: bot.id, owner: by.id, draft, html: &html })?;
    store::put_organizer(tx, course.id, by.id)?;
    tx.record(Some(by.id), Happened::CourseProposed(course.id))?;
    Ok(course)
}

/// Puts a proposal into the list for everyone. Moderators may.
pub fn list_it(tx: &mut Tx<'_>, by: &Actor, id: CourseId) -> Result<Course> {
    may_moderate(tx, by)?;
    let course = super::get(tx, id)?;
    if !matches!(course.state, CourseState::Proposed | CourseState::InReview | CourseState::Drafting) {
        return Err(Error::denied("This course does not wait for an answer."));
    }
    let course = store::move_to(tx, id, CourseState::Listed, "")?;
    tx.record(Some(by.id), Happened::CourseListed(id))?;
    Ok(course)
}

/// Sends a proposal back with a wish for changes. Moderators may; the owner is told.
pub fn send_back(tx: &mut Tx<'_>, by: &Actor, id: CourseId, wish: &str) -> Result<Course> {
    may_moderate(tx, by)?;
    let course = super::get(tx, id)?;
    let wish = wish.trim();
    if wish.is_empty() || wish.len() > 5000 {
        return Err(Error::invalid("wish", "Please say what should change, so that the organizer can do it."));
    }
    if !matches!(course.state, CourseState::Proposed | CourseState::InReview) {
        return Err(Error::denied("This course does not wait for an answer."));
    }
    let course = store::move_to(tx, id, CourseState::Drafting, wish)?;
    tx.record(Some(by.id), Happened::CourseMoved(id))?;
    Ok(course)
}

/// Hands a draft in again. Organizers may; moderators are told.
pub fn hand_in(tx: &mut Tx<'_>, by: &Actor, id: CourseId) -> Result<Course> {
    step(tx, by, id, &[CourseState::Drafting], CourseState::InReview)
}

/// Takes a proposal back. Organizers may, until it is listed.
pub fn withdraw(tx: &mut Tx<'_>, by: &Actor, id: CourseId) -> Result<Course> {
    let from = [CourseState::Proposed, CourseState::Drafting, CourseState::InReview];
    step(tx, by, id, &from, CourseState::Withdrawn)
}

/// Ends a listed course; it stays readable. Organizers may.
pub fn archive(tx: &mut Tx<'_>, by: &Actor, id: CourseId) -> Result<Course> {
    step(tx, by, id, &[CourseState::Listed], CourseState::Archived)
}

fn step(tx: &mut Tx<'_>, by: &Actor, id: CourseId, from: &[CourseState], to: CourseState) -> Result<Course> {
    let course = super::get(tx, id)?;
    may_organize(tx, by, &course)?;
    if !from.contains(&course.state) {
        return Err(Error::denied(format!("This course is {} and cannot become {to}.", course.state)));
    }
    let course = store::move_to(tx, id, to, &course.answer)?;
    tx.record(Some(by.id), Happened::CourseMoved(id))?;
    Ok(course)
}

/// Makes a course private, or not, until it is listed: what was said to everyone cannot be taken back, and what was said
/// among a few must not come out. Organizers may.
pub fn set_private(tx: &mut Tx<'_>, by: &Actor, id: CourseId, private: bool) -> Result<()> {
    let course = super::get(tx, id)?;
    may_organize(tx, by, &course)?;
    if course.private == private {
        return Ok(());
    }
    if course.is_shown() {
        return Err(Error::invalid("private", "This cannot be changed any more, because the course is in use."));
    }
    let group = actor::get(tx, course.actor_id)?;
    actor::rename(tx, group.id, &group.name, &summary(&course.tagline, private)?)?;
    store::set_private(tx, id, private)?;
    tx.record(Some(by.id), Happened::CourseChanged(id))
}

/// Changes what is said about a course; its handle stays. Organizers may.
pub fn edit(tx: &mut Tx<'_>, by: &Actor, id: CourseId, draft: &Draft) -> Result<Course> {
    let course = super::get(tx, id)?;
    may_organize(tx, by, &course)?;
    may_change(&course)?;
    draft.check()?;
    actor::rename(tx, course.actor_id, &draft.title, &summary(&draft.tagline, course.private)?)?;
    let course = store::update(tx, id, draft, &draft.html()?)?;
    tx.record(Some(by.id), Happened::CourseChanged(id))?;
    Ok(course)
}

/// Makes somebody, named by handle, an organizer beside the others: who has an account here, or follows the course from
/// elsewhere. Organizers may.
pub fn add_organizer(tx: &mut Tx<'_>, by: &Actor, id: CourseId, handle: &str) -> Result<Actor> {
    let wanted = handle.trim().trim_start_matches('@').to_ascii_lowercase();
    let ours = format!("@{}", tx.links().host());
    let known = match wanted.strip_suffix(ours.as_str()).unwrap_or(&wanted).split_once('@') {
        Some((handle, host)) => actor::find_by_acct(tx, handle, host)?,
        None => actor::find_here(tx, wanted.strip_suffix(ours.as_str()).unwrap_or(&wanted))?,
    };
    let Some(person) = known.filter(|who| who.kind == ActorKind::Person && who.may_act().is_ok()) else {
        let text = "Nobody here has this handle, and nobody elsewhere who follows the course.";
        return Err(Error::invalid("organizer", text));
    };
    appoint(tx, by, id, &person, true)?;
    Ok(person)
}

/// Makes somebody an organizer, or ends that; the owner stays. Organizers may, and for a mirrored course its own Group.
/// Nothing happens when it is so already.
pub fn appoint(tx: &mut Tx<'_>, by: &Actor, id: CourseId, whom: &Actor, added: bool) -> Result<()> {
    let course = super::get(tx, id)?;
    let group = actor::get(tx, course.actor_id)?;
    let from_home = by.id == group.id && !group.here;
    if !from_home {
        may_organize(tx, by, &course)?;
        may_change(&course)?;
        let follows = follow::find(tx, whom.id, group.id)?.is_some_and(|f| f.state == FollowState::Accepted);
        if added && !whom.here && !follows {
            return Err(Error::invalid("organizer", "Somebody elsewhere must follow the course first."));
        }
    }
    if !added && course.owner_id == Some(whom.id) {
        return Err(Error::denied("The owner of the course stays its organizer."));
    }
    if super::organizers(tx, id)?.iter().any(|known| known.id == whom.id) == added {
        return Ok(());
    }
    if added {
        ban::may_come_in(tx, whom, id)?;
        store::put_organizer(tx, id, whom.id)?;
    } else {
        store::remove_organizer(tx, id, whom.id)?;
    }
    tx.record(Some(by.id), Happened::OrganizersChanged { course: id, whom: whom.id, added })?;
    tx.record(Some(by.id), Happened::CourseChanged(id))
}

/// Ends somebody's being an organizer; the owner stays. Organizers may.
pub fn remove_organizer(tx: &mut Tx<'_>, by: &Actor, id: CourseId, whom: ActorId) -> Result<()> {
    let whom = actor::get(tx, whom)?;
    appoint(tx, by, id, &whom, false)
}

/// Takes an organizer who goes for good off a course; another one becomes its owner where they were that. For the person
/// themselves.
pub fn hand_over(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<()> {
    let next = super::organizers(tx, course.id)?.into_iter().find(|other| other.id != by.id);
    if course.owner_id == Some(by.id) {
        let next = next.ok_or_else(|| Error::denied("A course needs an organizer."))?;
        store::set_owner(tx, course.id, next.id)?;
    }
    store::remove_organizer(tx, course.id, by.id)?;
    tx.record(Some(by.id), Happened::OrganizersChanged { course: course.id, whom: by.id, added: false })?;
    tx.record(Some(by.id), Happened::CourseChanged(course.id))
}

/// Refuses changes to what is over.
fn may_change(course: &Course) -> Result<()> {
    match course.state {
        CourseState::Archived | CourseState::Withdrawn => Err(Error::denied("This course is over.")),
        _ => Ok(()),
    }
}

/// What another instance says about its course, checked and cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// Listed or archived.
    pub state: CourseState,
    /// Plain text.
    pub tagline: String,
    /// Cleaned HTML.
    pub description: String,
    /// BCP 47 tag.
    pub language: String,
    /// SPDX identifier or address of the licence.
    pub license: String,
    /// Whether it may stand in lists and be found by words (FEP-5feb).
    pub indexable: bool,
    /// Whether only those whose following was agreed to may see what is in it.
    pub private: bool,
}

/// Stores or refreshes a course of another instance. `bot` is who writes to people in its name, when known.
pub fn mirrored(tx: &mut Tx<'_>, group: &Actor, bot: Option<ActorId>, said: &Mirrored) -> Result<Course> {
    if group.here || group.kind != ActorKind::Course {
        return Err(Error::denied("Only courses of other servers are mirrored."));
    }
    let course = match super::find_by_actor(tx, group.id)? {
        Some(course) => store::refresh(tx, course.id, bot, said)?,
        None => store::insert_mirrored(tx, group.id, bot, said)?,
    };
    tx.record(Some(group.id), Happened::CourseChanged(course.id))?;
    Ok(course)
}
