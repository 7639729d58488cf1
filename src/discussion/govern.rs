//! How do those who keep a course safe close threads and assignments, and put posts first?

use super::{Parent, Post, find_by_uri, get, store};
use crate::actor::Actor;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::federation::object;
use crate::id::CourseId;

/// Refuses all but those who may govern the course, and the Group of a mirrored one.
fn check(db: &mut Db, by: &Actor, course: CourseId) -> Result<Course> {
    let course = course::get(db, course)?;
    if course.actor_id != by.id {
        course::may_govern(db, by, &course)?;
    }
    Ok(course)
}

/// Closes a whole thread, or an assignment with its comments and hand-ins, or opens it again: then only those who govern
/// the course may answer. Organizers of the course and moderators may, and the Group of a mirrored course.
pub fn lock(tx: &mut Tx<'_>, by: &Actor, uri: &str, locked: bool) -> Result<()> {
    let parent = Parent::find(tx, uri)?.ok_or(Error::NotFound)?;
    let id = parent.course(tx)?;
    check(tx, by, id)?;
    let (uri, root) = match parent {
        Parent::Post(post) => (get(tx, post.root())?.uri, Some(post.root())),
        Parent::Assignment(assignment) => (assignment.uri, None),
    };
    if object::lock(tx, &uri, locked)? {
        // Mirrors that were away find it among what changed.
        root.map_or(Ok(()), |root| store::mark_changed(tx, root))?;
        tx.record(Some(by.id), Happened::Locked { uri, course: id, locked })?;
    }
    Ok(())
}

/// Shows the first post of a thread before all others, or no more. As [`lock`].
pub fn pin(tx: &mut Tx<'_>, by: &Actor, uri: &str, pinned: bool) -> Result<()> {
    let post = find_by_uri(tx, uri)?.filter(|post| post.is_top_level() && !post.is_deleted());
    let post = post.ok_or_else(|| Error::denied("Only posts that begin a thread can be pinned."))?;
    let course = check(tx, by, post.course_id)?;
    if pinned && course::pins(tx, course.id)?.len() >= course::MOST_PINS {
        return Err(Error::denied("Too many posts are pinned already. Unpin one first."));
    }
    if course::set_pin(tx, course.id, uri, pinned)? {
        tx.record(Some(by.id), Happened::Pinned { uri: uri.to_owned(), course: course.id, pinned })?;
    }
    Ok(())
}

/// Refuses an answer to what is closed, unless it is of somebody who governs the course.
pub(super) fn may_answer(db: &mut Db, by: &Actor, course: &Course, place: &super::write::Place) -> Result<()> {
    let uri = match (place.thread, place.assignment) {
        (Some(root), _) => get(db, root)?.uri,
        (None, Some(assignment)) => crate::assignment::get(db, assignment)?.uri,
        (None, None) => return Ok(()),
    };
    if object::is_locked(db, &uri)? && course::may_govern(db, by, course).is_err() {
        return Err(Error::denied("This is closed: it takes no answers any more."));
    }
    Ok(())
}

/// Whether the thread of this post is closed, and whether it stands first.
pub fn standing(db: &mut Db, root: &Post) -> Result<(bool, bool)> {
    Ok((object::is_locked(db, &root.uri)?, course::pins(db, root.course_id)?.contains(&root.uri)))
}
