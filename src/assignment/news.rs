//! Who here is told of an assignment?

use super::{AssignmentState, due, get, place};
use crate::db::Tx;
use crate::enrollment;
use crate::error::Result;
use crate::id::AssignmentId;
use crate::notice;

/// It was opened: everyone here who takes part in its run.
pub fn opened(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    let assignment = get(tx, id)?;
    if assignment.state != AssignmentState::Open {
        return Ok(());
    }
    let (cohort, _) = place(tx, &assignment)?;
    let people: Vec<_> = enrollment::roster(tx, cohort.id)?.into_iter().map(|(_, actor)| actor.id).collect();
    let until = due::in_zone(assignment.due_at, &cohort.zone);
    let text = format!("“{}” is open: hand in by {until} ({}).", assignment.title, cohort.zone);
    notice::tell(tx, &people, "assignment", &text, &assignment.path())
}
