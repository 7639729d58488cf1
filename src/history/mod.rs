//! How does a course of another server come here whole, and how does it stay right when something was missed?
//!
//! Whatever the home of a course says arrives by itself while both servers are up. What was said before this server knew
//! the course, or while one of the two was out of reach, is pulled: at the first meeting, when something is heard after a
//! silence, when somebody looks at it, and slowly all the time while somebody here follows or takes part.

pub mod apub;
mod store;
#[cfg(test)]
mod tests;
pub mod web;

use crate::actor;
use crate::assignment::{self, Assignment};
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::discussion::{self, Post};
use crate::error::{Error, Result};
use crate::id::{CourseId, PostId};
use crate::jobs::{self, JobKind};
use std::time::Duration;

/// How often a mirrored course is brought up to date when nothing else asks for it.
pub const EVERY: Duration = Duration::from_secs(24 * 3600);
/// When it was not for so long, whatever is heard of it causes it: there may have been an outage.
pub const SILENCE: Duration = Duration::from_secs(6 * 3600);
/// What somebody looks at is not pulled more often.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// A pull that had to stop in the middle goes on after so long.
pub const PAUSE: Duration = Duration::from_secs(60);
/// A thread in which nothing happened for so long is pulled only when somebody looks at it.
const RECENT: Duration = Duration::from_secs(14 * 24 * 3600);
/// Posts on one page of the changes.
pub const PAGE: i64 = 200;

/// How far the mirror of a course is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// When it was last pulled, by our clock.
    pub pulled_at: Option<Time>,
    /// The last change that was taken over, by its home's clock.
    pub change: Option<Time>,
}

/// How far the mirror of a course is.
pub fn mark(db: &mut Db, id: CourseId) -> Result<Mark> {
    store::mark(db, id)
}

/// Plans a pull now: follows from the first meeting with a course, and from a Follow that was accepted. Nothing for a
/// course that lives here.
pub fn meet(tx: &mut Tx<'_>, id: CourseId) -> Result<()> {
    if is_mirrored(tx, id)? && store::mark(tx, id)?.pulled_at.is_none() {
        let now = tx.now();
        jobs::plan_once(tx, JobKind::CoursePull, id.0, now)?;
    }
    Ok(())
}

/// Something was heard of a mirrored course: when it was not brought up to date for long, something else may have been
/// missed.
pub fn heard(tx: &mut Tx<'_>, id: CourseId) -> Result<()> {
    hasten(tx, id, SILENCE)
}

/// Whether looking at a course is a reason to bring it up to date: it lives elsewhere, and that was not done just now.
pub fn is_stale(db: &mut Db, id: CourseId, now: Time) -> Result<bool> {
    Ok(is_mirrored(db, id)? && store::mark(db, id)?.pulled_at.is_none_or(|at| now.since(at) >= PATIENCE))
}

/// Somebody looks at a mirrored course.
pub fn looked_at(tx: &mut Tx<'_>, id: CourseId) -> Result<()> {
    hasten(tx, id, PATIENCE)
}

fn hasten(tx: &mut Tx<'_>, id: CourseId, rest: Duration) -> Result<()> {
    let now = tx.now();
    if !is_mirrored(tx, id)? || store::mark(tx, id)?.pulled_at.is_some_and(|at| now.since(at) < rest) {
        return Ok(());
    }
    jobs::hasten(tx, JobKind::CoursePull, id.0, now)
}

fn is_mirrored(db: &mut Db, id: CourseId) -> Result<bool> {
    let course = course::get(db, id)?;
    Ok(!actor::get(db, course.actor_id)?.here)
}

/// Whether anybody here follows a mirrored course or takes part in it.
pub fn is_wanted(db: &mut Db, course: &Course) -> Result<bool> {
    store::is_wanted(db, course)
}

/// Writes down that a course was pulled, up to this change of its home.
pub fn pulled(tx: &mut Tx<'_>, id: CourseId, change: Option<Time>) -> Result<()> {
    store::set_mark(tx, id, change)
}

/// After a start: everything that was not pulled for long, spread over the next minutes, because this process may have
/// been away.
pub fn plan_all(tx: &mut Tx<'_>) -> Result<()> {
    let now = tx.now();
    for (number, id) in (0_u64..).zip(store::list_stale(tx, now.minus(SILENCE))?) {
        let at = now.plus(Duration::from_secs(5 + 2 * (number % 300)));
        jobs::hasten(tx, JobKind::CoursePull, id.0, at)?;
    }
    Ok(())
}

/// Whether looking at a thread of a course here is a reason to ask other servers for answers that were missed: somebody
/// elsewhere wrote in it, and that was not done just now.
pub fn is_thread_stale(db: &mut Db, root: &Post, now: Time) -> Result<bool> {
    let rested = root.pulled_at.is_none_or(|at| now.since(at) >= PATIENCE);
    Ok(rested && !is_mirrored(db, root.course_id)? && store::is_written_elsewhere(db, root.id)?)
}

/// Somebody looks at a thread of a course here.
pub fn thread_looked_at(tx: &mut Tx<'_>, root: &Post) -> Result<()> {
    let now = tx.now();
    if is_thread_stale(tx, root, now)? { jobs::hasten(tx, JobKind::ThreadPull, root.id.0, now) } else { Ok(()) }
}

/// Plans to ask again for what was missed in a thread here in which somebody elsewhere wrote.
pub fn thread_grew(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let post = discussion::get(tx, id)?;
    let author = actor::get(tx, post.author_id)?;
    if author.here || is_mirrored(tx, post.course_id)? {
        return Ok(());
    }
    let at = tx.now().plus(PATIENCE);
    jobs::plan_once(tx, JobKind::ThreadPull, post.root().0, at)
}

/// When a thread is asked about again: the quieter it is the later, and never when it rests for two weeks.
pub fn next_thread_pull(root: &Post, now: Time) -> Option<Time> {
    let last = root.active_at.unwrap_or(root.published_at);
    let quiet = now.since(last);
    (quiet < RECENT).then(|| now.plus((quiet / 4).clamp(PATIENCE, EVERY)))
}

/// Writes down that a thread was pulled.
pub fn thread_pulled(tx: &mut Tx<'_>, root: PostId) -> Result<()> {
    store::set_thread_pulled(tx, root)
}

/// The posts of a thread that live elsewhere, newest first, at most so many.
pub fn posts_elsewhere(db: &mut Db, root: PostId, most: i64) -> Result<Vec<Post>> {
    store::posts_elsewhere(db, root, most)
}

/// What changed in a course here, newest change first, the deleted included: a page of [`PAGE`] posts after one of them,
/// and whether there is more.
pub fn changes(db: &mut Db, course: CourseId, after: Option<&Post>) -> Result<(Vec<Post>, bool)> {
    if after.is_some_and(|post| post.course_id != course) {
        return Err(Error::NotFound);
    }
    let mut rows = store::changes(db, course, after, PAGE + 1)?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    Ok((rows, more))
}

/// All assignments of a course that everyone may see.
pub fn assignments(db: &mut Db, course: CourseId) -> Result<Vec<Assignment>> {
    assignment::list_of_course(db, course, false)
}
