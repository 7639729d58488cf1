//! What does a course look like as a whole, to people and to other servers?
//!
//! Puts together what course, syllabus, cohort and enrollment know; stands below them because it names them all.

pub mod apub;
pub mod read;
pub mod web;

use crate::actor::{self, Actor};
use crate::cohort;
use crate::course::{self, Course};
use crate::db::Tx;
use crate::error::Result;
use crate::id::ActorId;
use crate::syllabus;

/// Stores or refreshes a course of another instance as its home describes it: what is said of the course, the syllabus
/// and the run that people join now.
pub fn store(tx: &mut Tx<'_>, group: &Actor, bot: Option<ActorId>, said: &read::Group) -> Result<Course> {
    if group.name != said.name || group.summary != said.summary {
        actor::rename(tx, group.id, &said.name, &said.summary)?;
    }
    let course = course::mirrored(tx, group, bot, &said.course)?;
    if let Some((version, outline)) = &said.syllabus {
        syllabus::mirrored(tx, &course, *version, outline)?;
    }
    for cohort in said.others.iter().rev().chain(&said.cohort) {
        cohort::mirrored(tx, &course, cohort)?;
    }
    Ok(course)
}

#[cfg(test)]
pub(crate) mod tests;
