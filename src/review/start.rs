//! Who gets which work when hand-in ends, and who steps in later?

use super::allocation::{self, Candidate};
use super::{Allocation, AllocationState, Place, get, place, store};
use crate::actor::{self, Actor};
use crate::assignment::{self, AssignmentState};
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::event::Happened;
use crate::id::{ActorId, AllocationId, AssignmentId, CohortId, SubmissionId};
use crate::submission::{self, Arrival, HomeAnswer, Submission, SubmissionState};
use std::collections::{BTreeSet, HashMap};

/// What starting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Works that are out for review.
    pub works: usize,
    /// Reviews that were asked for.
    pub allocations: usize,
}

/// Ends hand-in and gives work to reviewers: each work that came in time gets as many reviews as the assignment wants
/// (fewer when there are too few people), nobody their own. Work that came late, or whose author no longer takes part,
/// goes to those with the least to do. By the clock ([`crate::jobs::JobKind::AssignmentDue`]), at the course's home. Plans the
/// release. Nothing happens when it was done before or the assignment is not open; with fewer than two works it goes
/// on without reviews.
pub fn start(tx: &mut Tx<'_>, assignment: AssignmentId) -> Result<Started> {
    let place = place(tx, assignment)?;
    let mut started = Started { works: 0, allocations: 0 };
    if place.assignment.state != AssignmentState::Open || !place.group.here {
        return Ok(started);
    }
    assignment::begin_review(tx, assignment)?;
    let works: Vec<Submission> = submission::list_of(tx, assignment)?.into_iter().filter(is_handed_in).collect();
    let takes_part = taking_part(tx, place.assignment.cohort_id)?;
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for work in works {
        submission::move_to(tx, work.id, SubmissionState::UnderReview)?;
        let in_time = !submission::counted(tx, work.id)?.late;
        started.works += 1;
        if in_time && takes_part.contains(&work.author_id) { first.push(work) } else { later.push(work) }
    }
    let wanted = wanted(&place);
    for (reviewer, work) in allocation::batch(first.len(), wanted, &BTreeSet::new(), &tx.chance()) {
        if let (Some(reviewer), Some(work)) = (first.get(reviewer), first.get(work)) {
            allocate(tx, &place, work.id, reviewer.author_id)?;
            started.allocations += 1;
        }
    }
    for work in later {
        started.allocations += join_in(tx, &place, &work)?;
    }
    Ok(started)
}

fn is_handed_in(work: &Submission) -> bool {
    matches!(work.state, SubmissionState::Submitted | SubmissionState::Late | SubmissionState::UnderReview)
}

fn wanted(place: &Place) -> usize {
    usize::try_from(place.assignment.reviews_each).unwrap_or(0)
}

/// Those who take part in the cohort and may act.
fn taking_part(db: &mut Db, cohort: CohortId) -> Result<BTreeSet<ActorId>> {
    let ids = store::taking_part(db, cohort)?;
    let actors: Vec<Actor> = actor::list(db, &ids)?;
    Ok(actors.into_iter().filter(|actor| actor.may_act().is_ok()).map(|actor| actor.id).collect())
}

fn allocate(tx: &mut Tx<'_>, place: &Place, work: SubmissionId, reviewer: ActorId) -> Result<AllocationId> {
    let revision = submission::counted(tx, work)?.id;
    let new = store::NewAllocation { submission: work, revision, reviewer, due_at: place.assignment.review_due_at };
    let id = store::insert(tx, &new)?;
    tx.record(None, Happened::ReviewAllocated(id))?;
    Ok(id)
}

/// Takes work into reviewing that came after it started: it gets reviews from those with the least to do, and its
/// author reviews the works that have the fewest. What came before, or after reviewing ended, is left as it is.
pub fn admit(tx: &mut Tx<'_>, arrival: &Arrival) -> Result<usize> {
    if arrival.assignment.state != AssignmentState::Review {
        return Ok(0);
    }
    let work = &arrival.submission;
    let place = place(tx, work.assignment_id)?;
    if !is_waiting(work) || !place.group.here || !is_reviewing(tx, &place) || !store::of_work(tx, work.id)?.is_empty() {
        return Ok(0);
    }
    submission::move_to(tx, work.id, SubmissionState::UnderReview)?;
    join_in(tx, &place, work)
}

fn is_reviewing(tx: &Tx<'_>, place: &Place) -> bool {
    place.assignment.state == AssignmentState::Review && tx.now() < place.assignment.review_due_at
}

fn join_in(tx: &mut Tx<'_>, place: &Place, work: &Submission) -> Result<usize> {
    let mut made = 0;
    for _ in 0..wanted(place) {
        made += usize::from(find_reviewer(tx, place, work.id)?.is_some());
    }
    if taking_part(tx, place.assignment.cohort_id)?.contains(&work.author_id) {
        for _ in 0..wanted(place) {
            made += usize::from(find_work(tx, place, work.author_id)?.is_some());
        }
    }
    Ok(made)
}

/// Gives a work to the one with the least to do who may review it and was not asked before.
fn find_reviewer(tx: &mut Tx<'_>, place: &Place, work: SubmissionId) -> Result<Option<AllocationId>> {
    let author = submission::get(tx, work)?.author_id;
    let asked: BTreeSet<ActorId> = store::of_work(tx, work)?.into_iter().map(|a| a.reviewer_id).collect();
    let takes_part = taking_part(tx, place.assignment.cohort_id)?;
    let loads = loads(tx, place, |allocation| allocation.reviewer_id.0)?;
    let (mut people, mut candidates) = (Vec::new(), Vec::new());
    for other in submission::list_of(tx, place.assignment.id)?.into_iter().filter(is_handed_in) {
        let who = other.author_id;
        if who != author && !asked.contains(&who) && takes_part.contains(&who) {
            people.push(who);
            candidates.push(Candidate { load: loads.get(&who.0).copied().unwrap_or(0), since: 0 });
        }
    }
    let picked = allocation::pick(&candidates, &tx.chance()).and_then(|at| people.get(at).copied());
    picked.map(|who| allocate(tx, place, work, who)).transpose()
}

/// Gives somebody the work that has the fewest reviews; of several, the one that waits longest.
fn find_work(tx: &mut Tx<'_>, place: &Place, reviewer: ActorId) -> Result<Option<AllocationId>> {
    let had: BTreeSet<SubmissionId> = store::of_reviewer(tx, reviewer)?.into_iter().map(|a| a.submission_id).collect();
    let loads = loads(tx, place, |allocation| allocation.submission_id.0)?;
    let (mut works, mut candidates) = (Vec::new(), Vec::new());
    for work in submission::list_of(tx, place.assignment.id)?.into_iter().filter(is_handed_in) {
        if work.author_id != reviewer && !had.contains(&work.id) {
            works.push(work.id);
            candidates.push(Candidate { load: loads.get(&work.id.0).copied().unwrap_or(0), since: work.created_at.0 });
        }
    }
    let picked = allocation::pick(&candidates, &tx.chance()).and_then(|at| works.get(at).copied());
    picked.map(|work| allocate(tx, place, work, reviewer)).transpose()
}

fn loads(db: &mut Db, place: &Place, key: impl Fn(&Allocation) -> i64) -> Result<HashMap<i64, usize>> {
    let mut loads = HashMap::new();
    for allocation in store::of_assignment(db, place.assignment.id)?.iter().filter(|a| a.is_live()) {
        *loads.entry(key(allocation)).or_insert(0) += 1;
    }
    Ok(loads)
}

/// Ends an allocation without a review and looks for somebody else while there is time.
pub(super) fn end(
    tx: &mut Tx<'_>,
    by: Option<ActorId>,
    allocation: AllocationId,
    state: AllocationState,
) -> Result<Option<AllocationId>> {
    store::move_to(tx, allocation, state)?;
    tx.record(by, Happened::AllocationEnded(allocation))?;
    let submission = get(tx, allocation)?.submission_id;
    let work = submission::get(tx, submission)?;
    let place = place(tx, work.assignment_id)?;
    if is_handed_in(&work) && is_reviewing(tx, &place) { find_reviewer(tx, &place, work.id) } else { Ok(None) }
}

/// Gives the open reviews of somebody who left the cohort, or was removed, to others. What they handed in stays.
pub fn author_left(tx: &mut Tx<'_>, who: ActorId, cohort: CohortId) -> Result<()> {
    for assignment in store::assignments_in(tx, cohort, AssignmentState::Review)? {
        let open = store::of_assignment(tx, assignment)?.into_iter().filter(|a| a.reviewer_id == who && a.is_open());
        for allocation in open.collect::<Vec<_>>() {
            end(tx, None, allocation.id, AllocationState::Voided)?;
        }
    }
    Ok(())
}

/// Nobody needs to review a work that was withdrawn or does not count; and who withdrew is not asked for reviews.
pub fn work_withdrawn(tx: &mut Tx<'_>, work: SubmissionId) -> Result<()> {
    let work = submission::get(tx, work)?;
    for allocation in store::of_work(tx, work.id)?.into_iter().filter(Allocation::is_open) {
        end(tx, None, allocation.id, AllocationState::Voided)?;
    }
    let own = store::of_assignment(tx, work.assignment_id)?;
    for allocation in own.into_iter().filter(|a| a.reviewer_id == work.author_id && a.is_open()) {
        end(tx, None, allocation.id, AllocationState::Voided)?;
    }
    Ok(())
}

/// Follows from a change of an assignment: moves the end of reviewing along for all who have not sent their review yet,
/// here and for a mirrored course. Work that the home of a mirrored course has is out for review once the home says that
/// reviewing began.
pub fn follow_assignment(tx: &mut Tx<'_>, assignment: AssignmentId) -> Result<()> {
    let place = place(tx, assignment)?;
    if place.assignment.state != AssignmentState::Review {
        return Ok(());
    }
    if !place.group.here {
        for work in submission::list_of(tx, assignment)? {
            if is_waiting(&work) && work.answer == HomeAnswer::Received {
                submission::move_to(tx, work.id, SubmissionState::UnderReview)?;
            }
        }
    }
    store::move_due(tx, &place.assignment)
}

fn is_waiting(work: &Submission) -> bool {
    matches!(work.state, SubmissionState::Submitted | SubmissionState::Late)
}
