//! What is a course, and who may change it?

pub mod apub;
pub mod ban;
mod draft;
mod store;
mod tell;
mod verbs;
pub mod web;

use draft::summary;
pub use draft::{Draft, LANGUAGES, LICENSES, LONGEST_HANDLE, language_name, license_url};
pub use tell::tell;
pub use verbs::{
    BotKeys, Mirrored, add_organizer, appoint, archive, edit, hand_in, hand_over, list_it, mirrored, propose,
    remove_organizer, send_back, set_private, withdraw,
};

use crate::account;
use crate::actor::{self, Actor};
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::confined;
use crate::id::{ActorId, CourseId};
use crate::note::Writer;
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far a course is.
    pub enum CourseState {
        /// An idea that waits for an answer.
        Proposed = "proposed",
        /// Sent back with a wish for changes.
        Drafting = "drafting",
        /// Handed in again.
        InReview = "in_review",
        /// In the list for everyone.
        Listed = "listed",
        /// Over, kept for reading.
        Archived = "archived",
        /// Taken back by its owner.
        Withdrawn = "withdrawn",
    }
}

/// The lasting thing that people study, here or mirrored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::courses)]
pub struct Course {
    /// Key inside.
    pub id: CourseId,
    /// Its Group.
    pub actor_id: ActorId,
    /// Who writes to people in its name.
    pub bot_id: Option<ActorId>,
    /// Who proposed it.
    pub owner_id: Option<ActorId>,
    /// How far it is.
    pub state: CourseState,
    /// One sentence.
    pub tagline: String,
    /// Markdown; empty when mirrored.
    pub description_md: String,
    /// Cleaned HTML.
    pub description_html: String,
    /// BCP 47 tag.
    pub language: String,
    /// SPDX identifier.
    pub license: String,
    /// What a moderator answered to the proposal.
    pub answer: String,
    /// When it was proposed, or first seen here.
    pub created_at: Time,
    /// When it was listed.
    pub listed_at: Option<Time>,
    /// Whether what is in it is there for those alone who take part, or whose following was agreed to.
    pub private: bool,
}

/// By key.
pub fn get(db: &mut Db, id: CourseId) -> Result<Course> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By its Group.
pub fn find_by_actor(db: &mut Db, actor: ActorId) -> Result<Option<Course>> {
    store::find_by_actor(db, actor)
}

/// By who writes to people in its name.
pub fn find_by_bot(db: &mut Db, bot: ActorId) -> Result<Option<Course>> {
    store::find_by_bot(db, bot)
}

/// Whether this person is among the organizers.
pub fn organizes(db: &mut Db, by: &Actor, course: &Course) -> Result<bool> {
    store::is_organizer(db, course.id, by.id)
}

/// Refuses anyone who does not organize the course.
pub fn may_organize(db: &mut Db, by: &Actor, course: &Course) -> Result<()> {
    by.may_act()?;
    if organizes(db, by, course)? { Ok(()) } else { Err(Error::denied("Only organizers of the course may do this.")) }
}

/// Posts that a course may show first.
pub const MOST_PINS: usize = 10;

/// The ids of the posts that a course shows first, the newest pin first.
pub fn pins(db: &mut Db, course: CourseId) -> Result<Vec<String>> {
    store::pins(db, course, i64::try_from(MOST_PINS).unwrap_or(10))
}

/// Writes down that a course shows a post first, or no more. Says whether that changed anything. Who may, and what,
/// `discussion::pin` asks.
pub fn set_pin(tx: &mut crate::db::Tx<'_>, course: CourseId, uri: &str, pinned: bool) -> Result<bool> {
    if pinned { store::insert_pin(tx, course, uri) } else { store::remove_pin(tx, course, uri) }
}

/// Refuses anyone who neither organizes the course nor, when it lives here, moderates the instance.
pub fn may_govern(db: &mut Db, by: &Actor, course: &Course) -> Result<()> {
    by.may_act()?;
    if organizes(db, by, course)? {
        return Ok(());
    }
    if by.here && actor::get(db, course.actor_id)?.here && is_moderator(db, by)? {
        return Ok(());
    }
    Err(Error::denied("Only organizers of the course and moderators may do this."))
}

/// In whose name notes of the course are written.
pub fn writer(db: &mut Db, course: &Course) -> Result<Writer> {
    let bot = course.bot_id.ok_or_else(|| Error::internal("the course has no bot"))?;
    let (course_actor, bot) = actor::pair(db, course.actor_id, bot)?;
    Ok(Writer { course_id: course.id, course: course_actor, bot })
}

/// A course with its Group, as most pages show it.
pub type Row = (Course, Actor);

/// Which courses are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// From everywhere.
    #[default]
    Everywhere,
    /// Whose home is this instance.
    Here,
    /// Mirrored from others.
    Elsewhere,
}

/// Rows of one page of a list.
pub const PAGE: i64 = 20;

/// A page of the courses that everyone may see, newest first; one row more than [`PAGE`] when there is a next page.
pub fn list(db: &mut Db, place: Place, page: i64) -> Result<Vec<Row>> {
    store::list(db, place, page)
}

/// Listed courses whose title or tagline has all these words; at most [`PAGE`].
pub fn search(db: &mut Db, words: &str) -> Result<Vec<Row>> {
    store::search(db, words)
}

/// Proposals that wait for an answer, oldest first.
pub fn proposals(db: &mut Db) -> Result<Vec<Row>> {
    store::list_in(db, &[CourseState::Proposed, CourseState::InReview])
}

/// The courses that this person organizes, in whatever state.
pub fn organized_by(db: &mut Db, actor: ActorId) -> Result<Vec<Row>> {
    store::organized_by(db, actor)
}

/// Who organizes it, the owner first.
pub fn organizers(db: &mut Db, course: CourseId) -> Result<Vec<Actor>> {
    store::organizers(db, course)
}

/// The course that a path names: `handle` here or `handle@host` elsewhere.
pub fn named(db: &mut Db, name: &str) -> Result<Row> {
    let actor = match name.split_once('@') {
        None => actor::find_here(db, name)?,
        Some((handle, host)) => actor::find_by_acct(db, handle, host)?,
    };
    let actor = actor.ok_or(Error::NotFound)?;
    let course = find_by_actor(db, actor.id)?.ok_or(Error::NotFound)?;
    Ok((course, actor))
}

/// The course that a path names, when this visitor may see what is in it; for others there is nothing.
pub fn visible(db: &mut Db, name: &str, visitor: Option<&Actor>) -> Result<Row> {
    let (course, actor) = named(db, name)?;
    if may_see(db, &course, visitor)? { Ok((course, actor)) } else { Err(Error::NotFound) }
}

/// The course that a path names, when this visitor may see that it is there: also a private one, whose inside they do
/// not see. What is not listed exists for nobody else.
pub fn front(db: &mut Db, name: &str, visitor: Option<&Actor>) -> Result<Row> {
    let (course, actor) = named(db, name)?;
    if course.is_shown() || may_see(db, &course, visitor)? { Ok((course, actor)) } else { Err(Error::NotFound) }
}

/// Whether somebody here, or in whose name a server asks, may see what is in a course: everyone, of a private one those
/// who follow or take part and those who keep it.
pub fn may_see(db: &mut Db, course: &Course, visitor: Option<&Actor>) -> Result<bool> {
    if course.is_public() {
        return Ok(true);
    }
    let Some(by) = visitor else { return Ok(false) };
    if organizes(db, by, course)? || (by.here && is_moderator(db, by)?) {
        return Ok(true);
    }
    Ok(course.is_shown() && confined::is_member(db, course.actor_id, by)?)
}

/// Whether this person moderates the instance.
pub fn is_moderator(db: &mut Db, by: &Actor) -> Result<bool> {
    match account::may_moderate(db, by) {
        Ok(_) => Ok(true),
        Err(Error::Denied(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Refuses anyone who does not moderate the instance.
pub fn may_moderate(db: &mut Db, by: &Actor) -> Result<()> {
    account::may_moderate(db, by).map(drop)
}

/// Everyone who moderates the instance.
pub fn moderators(db: &mut Db) -> Result<Vec<ActorId>> {
    store::moderators(db)
}

impl Course {
    /// Whether everyone may see it and what is in it.
    pub fn is_public(&self) -> bool {
        self.is_shown() && !self.private
    }

    /// Whether it ended, or was taken back.
    pub fn is_over(&self) -> bool {
        matches!(self.state, CourseState::Archived | CourseState::Withdrawn)
    }

    /// Whether whoever has its address may see that it is there, and ask for a place.
    pub fn is_shown(&self) -> bool {
        matches!(self.state, CourseState::Listed | CourseState::Archived)
    }
}

#[cfg(test)]
mod tests;
