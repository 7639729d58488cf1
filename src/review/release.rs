//! When do authors see reviews, and what do these come to? All at once, and then no more changes but an organizer's.

use super::score::{self, Score};
use super::{
    Allocation, AllocationState, Place, ResultState, Review, StoredResult, find_result, may_see_results, place,
    place_of_work, store,
};
use crate::actor::{self, Actor};
use crate::assignment::rubric::Levels;
use crate::assignment::{self, AssignmentState};
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::id::{ActorId, AssignmentId, SubmissionId};
use crate::submission::{self, Submission, SubmissionState};

/// Shows all reviews of an assignment to the authors and computes the results. By the clock
/// ([`crate::jobs::JobKind::ReviewsDue`], `by` is nobody) or earlier by an organizer. By the clock nothing happens when it was done
/// before; an organizer is told so. Reviews that are missing then are not waited for.
pub fn release(tx: &mut Tx<'_>, by: Option<&Actor>, assignment: AssignmentId) -> Result<()> {
    let place = place(tx, assignment)?;
    if let Some(by) = by {
        may_see_results(tx, by, &place)?;
    }
    match (place.assignment.state, by) {
        (AssignmentState::Review, _) if place.group.here => {}
        (_, None) => return Ok(()),
        (AssignmentState::Released | AssignmentState::Closed, _) => {
            return Err(Error::Conflict("The reviews of this assignment are out already.".into()));
        }
        _ => return Err(Error::denied("Reviews can be released once work is out for review.")),
    }
    let who = by.map(|actor| actor.id);
    for open in store::of_assignment(tx, assignment)?.into_iter().filter(Allocation::is_open) {
        store::move_to(tx, open.id, AllocationState::Expired)?;
        tx.record(who, Happened::AllocationEnded(open.id))?;
    }
    for work in submission::list_of(tx, assignment)?.iter().filter(|work| work.state == SubmissionState::UnderReview) {
        conclude(tx, &place, work)?;
    }
    assignment::release(tx, by, assignment)
}

fn takes(place: &Place, is_over: bool) -> usize {
    score::takes(usize::try_from(place.assignment.reviews_each).unwrap_or(0), is_over)
}

fn conclude(tx: &mut Tx<'_>, place: &Place, work: &Submission) -> Result<()> {
    let given = store::reviews_of_work(tx, work.id)?;
    let levels = given.iter().map(Review::levels).collect::<Result<Vec<Levels>>>()?;
    let score = score::score(&place.assignment.rubric()?, &levels, takes(place, true));
    let row = StoredResult {
        submission_id: work.id,
        document: serde_json::to_string(&score)?,
        points: score.points,
        max_points: score.max_points,
        state: score.state,
        override_points: None,
        override_reason: String::new(),
        decided_by: None,
        computed_at: tx.now(),
    };
    store::put_result(tx, &row)?;
    store::release_reviews(tx, &given.iter().map(|review| review.id).collect::<Vec<_>>())?;
    submission::move_to(tx, work.id, SubmissionState::Released)
}

/// Most characters of a reason.
const LONGEST_REASON: usize = 2000;

/// Decides a result by hand, by an organizer, after the release. The reason is shown to the author; the reviewers'
/// result is kept beside it. `points` must be between 0 and what the rubric gives.
pub fn override_result(tx: &mut Tx<'_>, by: &Actor, submission: SubmissionId, points: f64, reason: &str) -> Result<()> {
    let (work, place) = place_of_work(tx, submission)?;
    may_see_results(tx, by, &place)?;
    let Some(mut row) = find_result(tx, work.id)? else {
        return Err(Error::denied("There is no result yet; it comes with the release."));
    };
    let reason = reason.trim();
    let mut problems = Problems::default();
    let is_possible = points.is_finite() && (0.0..=row.max_points).contains(&points);
    if !is_possible {
        problems.add("points", format!("Please enter points from 0 to {}.", score::show(row.max_points)));
    }
    problems.add_if(reason.is_empty(), "reason", "Please say why; the author will read it.");
    problems.add_if(reason.chars().count() > LONGEST_REASON, "reason", "Please use at most 2000 characters.");
    problems.check()?;
    row.override_points = Some(points);
    row.override_reason = reason.to_owned();
    row.decided_by = Some(by.id);
    row.state = ResultState::Overridden;
    row.computed_at = tx.now();
    store::put_result(tx, &row)?;
    tx.record(Some(by.id), Happened::ResultOverridden(work.id))
}

/// A review under the label that its author's reader sees.
#[derive(Clone, Debug)]
pub struct Given {
    /// A, B, C: by random order, so that it tells nothing.
    pub label: String,
    /// The chosen levels.
    pub levels: Levels,
    /// The comment, written anew from its words and without the reviewer's names.
    pub comment_html: String,
}

/// The released reviews of a work as its author may see them: nothing that identifies a reviewer (PRV-02).
pub fn labelled(db: &mut Db, submission: SubmissionId) -> Result<Vec<Given>> {
    let reviews = store::reviews_of_work(db, submission)?;
    let mut all = Vec::with_capacity(reviews.len());
    for (at, review) in reviews.iter().filter(|review| review.released_at.is_some()).enumerate() {
        let reviewer = super::get(db, review.allocation_id)?.reviewer_id;
        let reviewer = actor::get(db, reviewer)?;
        let comment_html = super::desk::anonymous(&review.comment_html, &reviewer);
        all.push(Given { label: label(at), levels: review.levels()?, comment_html });
    }
    Ok(all)
}

/// A, B, ... Z, A1, B1.
pub(super) fn label(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    if at < 26 { letter.to_string() } else { format!("{letter}{}", at / 26) }
}

/// One work with all that an organizer may know of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The work.
    pub work: Submission,
    /// Whose.
    pub author: Actor,
    /// Whether it came late.
    pub late: bool,
    /// Who was asked, with the review when it is there.
    pub reviews: Vec<(Allocation, Actor, Option<Review>)>,
    /// What they come to so far, or came to.
    pub score: Score,
    /// What was kept at the release.
    pub result: Option<StoredResult>,
}

/// Everything about the reviews of an assignment here, for its organizers.
pub fn outcomes(db: &mut Db, by: &Actor, assignment: AssignmentId) -> Result<(Place, Vec<Outcome>)> {
    let place = place(db, assignment)?;
    may_see_results(db, by, &place)?;
    let rubric = place.assignment.rubric()?;
    let is_over = matches!(place.assignment.state, AssignmentState::Released | AssignmentState::Closed);
    let takes = takes(&place, is_over);
    let allocations = store::of_assignment(db, assignment)?;
    let given = store::reviews_of_assignment(db, assignment)?;
    let works = submission::list_of(db, assignment)?;
    let mut ids: Vec<ActorId> = works.iter().map(|work| work.author_id).collect();
    ids.extend(allocations.iter().map(|allocation| allocation.reviewer_id));
    ids.sort_unstable();
    ids.dedup();
    let people = actor::list(db, &ids)?;
    let person = |id: ActorId| people.iter().find(|actor| actor.id == id).cloned();
    let mut all = Vec::new();
    for work in works.into_iter().filter(|work| work.state != SubmissionState::Draft) {
        let Some(author) = person(work.author_id) else { continue };
        let of_work = |allocation: &&Allocation| allocation.submission_id == work.id;
        let review = |id| given.iter().find(|(a, _)| a.id == id).map(|(_, review)| review.clone());
        let reviews: Vec<_> = allocations
            .iter()
            .filter(of_work)
            .filter_map(|a| person(a.reviewer_id).map(|who| (a.clone(), who, review(a.id))))
            .collect();
        let levels =
            reviews.iter().filter_map(|(_, _, r)| r.as_ref()).map(Review::levels).collect::<Result<Vec<_>>>()?;
        let score = score::score(&rubric, &levels, takes);
        let late = submission::counted(db, work.id).is_ok_and(|revision| revision.late);
        let result = find_result(db, work.id)?;
        all.push(Outcome { work, author, late, reviews, score, result });
    }
    Ok((place, all))
}
