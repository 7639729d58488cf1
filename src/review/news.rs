//! Who is told what about reviews? People here by notices; those elsewhere hear it from `apub`.

use super::{get, place, place_of_work, store, task};
use crate::assignment::AssignmentState;
use crate::course;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{AllocationId, AssignmentId, ReviewTaskId, SubmissionId};
use crate::notice;
use crate::review::{AllocationState, TaskState};
use crate::submission::{self, SubmissionState};

/// A reviewer has a new task.
pub fn allocated(tx: &mut Tx<'_>, id: AllocationId) -> Result<()> {
    let allocation = get(tx, id)?;
    let (_, place) = place_of_work(tx, allocation.submission_id)?;
    let text = format!("You have work to review for “{}”.", place.assignment.title);
    notice::tell(tx, &[allocation.reviewer_id], "review", &text, &format!("/reviews/{}", allocation.public_id))
}

/// A reviewer has one task less.
pub fn ended(tx: &mut Tx<'_>, id: AllocationId) -> Result<()> {
    let allocation = get(tx, id)?;
    if allocation.state != AllocationState::Voided {
        return Ok(());
    }
    let (_, place) = place_of_work(tx, allocation.submission_id)?;
    let text = format!("A review for “{}” is no longer needed.", place.assignment.title);
    notice::tell(tx, &[allocation.reviewer_id], "review", &text, "/reviews")
}

/// Organizers hear that reviewing started, and when it could not.
pub fn started(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    let place = place(tx, id)?;
    let works = submission::list_of(tx, id)?;
    let works = works.iter().filter(|work| work.state == SubmissionState::UnderReview).count();
    let title = &place.assignment.title;
    let text = match works {
        0 => format!("Hand-in for “{title}” is over and nobody handed anything in, so there is nothing to review."),
        1 => format!("Hand-in for “{title}” is over. Only one work is there, so nobody else can review it; please do."),
        n => format!("Hand-in for “{title}” is over. {n} works are out for review."),
    };
    let whom: Vec<_> = course::organizers(tx, place.course.id)?.into_iter().map(|who| who.id).collect();
    notice::tell(tx, &whom, "review", &text, &format!("{}/results", place.assignment.path()))
}

/// Authors hear that their reviews are there.
pub fn released(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    let place = place(tx, id)?;
    if place.assignment.state != AssignmentState::Released || !place.group.here {
        return Ok(());
    }
    for work in submission::list_of(tx, id)?.into_iter().filter(|work| work.state == SubmissionState::Released) {
        let text = format!("The reviews of your work for “{}” are there.", place.assignment.title);
        notice::tell(tx, &[work.author_id], "result", &text, &format!("/submissions/{}/feedback", work.public_id))?;
    }
    Ok(())
}

/// The author of a work hears that an organizer decided its result.
pub fn overridden(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    let (work, place) = place_of_work(tx, id)?;
    let text = format!("An organizer decided the result of your work for “{}”.", place.assignment.title);
    notice::tell(tx, &[work.author_id], "result", &text, &format!("/submissions/{}/feedback", work.public_id))
}

/// Somebody here is asked for a review by the home of a mirrored course.
pub fn task_received(tx: &mut Tx<'_>, id: ReviewTaskId) -> Result<()> {
    let task = task(tx, id)?;
    let place = place(tx, task.assignment_id)?;
    let text = format!("You have work to review for “{}”.", place.assignment.title);
    notice::tell(tx, &[task.reviewer_id], "review", &text, &format!("/reviews/{}", task.public_id))
}

/// A home refused a review from here.
pub fn answered(tx: &mut Tx<'_>, id: ReviewTaskId) -> Result<()> {
    let Some(task) = store::find_task(tx, id)?.filter(|task| task.state == TaskState::Refused) else { return Ok(()) };
    let place = place(tx, task.assignment_id)?;
    let text = format!("Your review for “{}” was not taken: {}", place.assignment.title, task.answer_reason);
    notice::tell(tx, &[task.reviewer_id], "review", &text, &format!("/reviews/{}", task.public_id))
}

/// Reviews or a result came from the home of a mirrored course.
pub fn feedback_received(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    let (work, place) = place_of_work(tx, id)?;
    let text = format!("There is news about your work for “{}”: reviews or a result.", place.assignment.title);
    notice::tell(tx, &[work.author_id], "result", &text, &format!("/submissions/{}/feedback", work.public_id))
}
