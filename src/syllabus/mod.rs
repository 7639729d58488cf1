//! What is learned in which order, with which tasks and materials, and which version of it is in force?

mod edit;
mod outline;
mod store;
pub mod web;

pub use outline::{Outline, Resource, Task, Unit, is_web_address};

use crate::actor::Actor;
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{ActorId, CourseId};
use diesel::{Queryable, Selectable};

/// One version of a course's syllabus. The highest number is in force; all are kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::syllabi)]
pub struct Syllabus {
    /// Of which course.
    pub course_id: CourseId,
    /// Counts from 1.
    pub version: i64,
    /// Who saved it; nobody when mirrored.
    pub author_id: Option<ActorId>,
    /// What the author said about the change.
    pub note: String,
    /// An [`Outline`] as JSON.
    pub document: String,
    /// When it was saved.
    pub created_at: Time,
}

impl Syllabus {
    /// Its units.
    pub fn outline(&self) -> Result<Outline> {
        Ok(serde_json::from_str(&self.document)?)
    }
}

/// What an editor hands in.
#[derive(Clone, Debug, Default)]
pub struct Edition {
    /// The version that was changed; 0 when there was none.
    pub base: i64,
    /// What the editor says about the change.
    pub note: String,
    /// The units.
    pub outline: Outline,
}

/// Saves a new version. Organizers may. When somebody saved another in the meantime it is a conflict: nothing is lost,
/// because the form keeps what was typed.
pub fn save(tx: &mut Tx<'_>, by: &Actor, course: &Course, edition: Edition) -> Result<Syllabus> {
    course::may_organize(tx, by, course)?;
    if !tx_is_home(tx, course)? {
        return Err(Error::denied("The syllabus is edited at the course's home."));
    }
    let newest = current(tx, course.id)?.map_or(0, |syllabus| syllabus.version);
    if newest != edition.base {
        return Err(Error::Conflict(format!(
            "Version {newest} was saved while you were editing version {}.",
            edition.base
        )));
    }
    let outline = edition.outline.rendered()?;
    let note: String = edition.note.trim().chars().take(300).collect();
    let new = store::NewSyllabus { course: course.id, version: newest + 1, author: Some(by.id), note: &note };
    let syllabus = store::insert(tx, &new, &serde_json::to_string(&outline)?)?;
    tx.record(Some(by.id), Happened::SyllabusChanged(course.id))?;
    Ok(syllabus)
}

fn tx_is_home(tx: &mut Tx<'_>, course: &Course) -> Result<bool> {
    Ok(crate::actor::get(tx, course.actor_id)?.here)
}

/// Stores the syllabus of a mirrored course as its home gives it, cleaned already. The same again changes nothing.
pub fn mirrored(tx: &mut Tx<'_>, course: &Course, version: i64, outline: &Outline) -> Result<()> {
    outline.check()?;
    let document = serde_json::to_string(outline)?;
    let known = current(tx, course.id)?;
    if known.is_some_and(|syllabus| syllabus.version > version || syllabus.document == document) {
        return Ok(());
    }
    store::delete_version(tx, course.id, version)?;
    let new = store::NewSyllabus { course: course.id, version, author: None, note: "" };
    store::insert(tx, &new, &document)?;
    Ok(())
}

/// The version in force.
pub fn current(db: &mut Db, course: CourseId) -> Result<Option<Syllabus>> {
    Ok(store::list(db, course, 1)?.pop())
}

/// Versions, newest first, at most 200.
pub fn list(db: &mut Db, course: CourseId) -> Result<Vec<Syllabus>> {
    store::list(db, course, 200)
}

/// One version.
pub fn get(db: &mut Db, course: CourseId, version: i64) -> Result<Syllabus> {
    store::find(db, course, version)?.ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests;
