//! Who here is told of what happens to a proposal?

use super::{Course, CourseState};
use crate::actor;
use crate::db::Tx;
use crate::error::Result;
use crate::event::Happened;
use crate::id::ActorId;
use crate::notice;

/// Follows from every event about a course: moderators hear of proposals, the owner of their answer.
pub fn tell(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    let (Happened::CourseProposed(id) | Happened::CourseListed(id) | Happened::CourseMoved(id)) = what else {
        return Ok(());
    };
    let course = super::get(tx, *id)?;
    let group = actor::get(tx, course.actor_id)?;
    let name = &group.name;
    match course.state {
        CourseState::Proposed | CourseState::InReview => {
            let whom = super::moderators(tx)?;
            notice::tell(tx, &whom, "proposal", &format!("“{name}” waits for an answer."), "/admin/proposals")
        }
        CourseState::Listed => {
            let what = if course.private { "was agreed to: people can ask for a place" } else { "is in the list now" };
            tell_owner(tx, &course, &format!("“{name}” {what}."), &group.path())
        }
        CourseState::Drafting => {
            tell_owner(tx, &course, &format!("A moderator has a wish for “{name}”."), &group.path())
        }
        CourseState::Archived | CourseState::Withdrawn => Ok(()),
    }
}

fn tell_owner(tx: &mut Tx<'_>, course: &Course, text: &str, link: &str) -> Result<()> {
    let owner: Vec<ActorId> = course.owner_id.into_iter().collect();
    notice::tell(tx, &owner, "proposal", text, link)
}
