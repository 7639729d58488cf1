//! Who here is told of handed-in work?

use super::{Arrival, HomeAnswer, counted, get, place};
use crate::course;
use crate::db::Tx;
use crate::error::Result;
use crate::id::SubmissionId;
use crate::notice;

/// Work came in: the organizers, and its author when here.
pub fn received(tx: &mut Tx<'_>, arrival: &Arrival) -> Result<()> {
    let Arrival { submission, revision: version, author, assignment, course } = arrival;
    let organizers = course::organizers(tx, course.id)?;
    let what =
        if version.number == 1 { "handed in".to_owned() } else { format!("handed in version {}", version.number) };
    let late = if version.late { ", after the deadline" } else { "" };
    let text = format!("{} {what} for “{}”{late}.", author.name, assignment.title);
    notice::tell_known(tx, &organizers, "submission", &text, &submission.path())?;
    let text = format!("Version {} of your work for “{}” is received{late}.", version.number, assignment.title);
    notice::tell_known(tx, [author], "receipt", &text, &format!("{}/submission", assignment.path()))
}

/// The home of a mirrored course answered: the author.
pub fn answered(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    let submission = get(tx, id)?;
    let (assignment, _) = place(tx, &submission)?;
    let text = match submission.answer {
        HomeAnswer::Refused => {
            format!("Your work for “{}” was not taken: {}", assignment.title, submission.answer_reason)
        }
        _ if counted(tx, id)?.late => {
            format!("Your work for “{}” is received, after the deadline.", assignment.title)
        }
        _ => format!("Your work for “{}” is received.", assignment.title),
    };
    let kind = if submission.answer == HomeAnswer::Refused { "refusal" } else { "receipt" };
    notice::tell(tx, &[submission.author_id], kind, &text, &format!("{}/submission", assignment.path()))
}
