//! When is a review taken, and when refused? The only place of the rule, for people here and elsewhere.

use super::{Allocation, AllocationState, Place, get, place, review_of, start, store};
use crate::actor::Actor;
use crate::assignment::AssignmentState;
use crate::assignment::rubric::Levels;
use crate::clock::Time;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{AllocationId, ReviewId};
use crate::submission;

/// What a reviewer says.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Level ordinal by criterion id.
    pub levels: Levels,
    /// Cleaned HTML.
    pub comment_html: String,
    /// The id of the review's note, when it came from elsewhere.
    pub uri: Option<String>,
    /// When it arrived, when that was earlier than now: deadlines go by it.
    pub received_at: Option<Time>,
}

/// Takes a review from whom it was asked of. Refused with a sentence for everyone else (CRS-11), for one's own work, a
/// second time (CRS-15), too late, after the release (CRS-16), and for levels that the rubric does not have (CRS-14).
/// The same note again is taken as the same review, without effect.
pub fn give(tx: &mut Tx<'_>, by: &Actor, allocation: AllocationId, answer: &Answer) -> Result<ReviewId> {
    if let (Some(given), Some(uri)) = (review_of(tx, allocation)?, &answer.uri)
        && given.uri == *uri
        && get(tx, allocation)?.reviewer_id == by.id
    {
        return Ok(given.id);
    }
    let place = check(tx, by, allocation, answer)?;
    place.assignment.rubric()?.check(&answer.levels)?;
    let uri = answer.uri.clone().unwrap_or_else(|| tx.links().object(&tx.new_id()));
    let id = store::insert_review(tx, allocation, &uri, &answer.levels, &answer.comment_html)?;
    store::move_to(tx, allocation, AllocationState::Submitted)?;
    tx.record(Some(by.id), Happened::ReviewGiven(id))?;
    Ok(id)
}

/// Everything that is asked of a review but its levels.
pub(super) fn check(tx: &mut Tx<'_>, by: &Actor, id: AllocationId, answer: &Answer) -> Result<Place> {
    by.may_act()?;
    let allocation = get(tx, id)?;
    let place = check_asked(tx, by, &allocation)?;
    if review_of(tx, id)?.is_some() {
        return Err(Error::denied("You have reviewed this work already; a review cannot be changed once it is sent."));
    }
    check_open(&allocation, &place)?;
    if answer.received_at.unwrap_or_else(|| tx.now()) > allocation.due_at {
        return Err(Error::invalid("levels", "The time for reviews of this assignment is over."));
    }
    Ok(place)
}

fn check_asked(tx: &mut Tx<'_>, by: &Actor, allocation: &Allocation) -> Result<Place> {
    let work = submission::get(tx, allocation.submission_id)?;
    if work.author_id == by.id {
        return Err(Error::denied("This is your own work; others review it."));
    }
    if allocation.reviewer_id != by.id {
        return Err(Error::denied("You were not asked to review this work."));
    }
    place(tx, work.assignment_id)
}

fn check_open(allocation: &Allocation, place: &Place) -> Result<()> {
    let refused = match (place.assignment.state, allocation.state) {
        (AssignmentState::Released | AssignmentState::Closed, _) => "The reviews are out; later ones do not count.",
        (AssignmentState::Draft | AssignmentState::Open, _) => "Reviewing has not started.",
        (_, AllocationState::Declined) => "You have declined this review; somebody else was asked.",
        (_, AllocationState::Voided) => "This review is no longer needed.",
        (_, AllocationState::Expired) => "The time for reviews of this assignment is over.",
        (_, AllocationState::Submitted) => "You have reviewed this work already.",
        (_, AllocationState::Offered | AllocationState::Accepted) => return Ok(()),
    };
    Err(Error::denied(refused))
}

/// Says no to a review, for instance because the reviewer knows whose work it is; somebody else is asked.
pub fn decline(tx: &mut Tx<'_>, by: &Actor, allocation: AllocationId) -> Result<()> {
    by.may_act()?;
    let allocation = get(tx, allocation)?;
    let place = check_asked(tx, by, &allocation)?;
    check_open(&allocation, &place)?;
    start::end(tx, Some(by.id), allocation.id, AllocationState::Declined)?;
    Ok(())
}
