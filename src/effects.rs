//! What follows from what happened?

use crate::db::Tx;
use crate::error::Result;
use crate::event::{Event, Happened};
use crate::id::{ActorId, CohortId, CourseId};
use crate::jobs::{self, JobKind};
use crate::{
    actor, assignment, catalogue, cohort, course, discussion, enrollment, history, moderation, moving, notice, review,
    submission,
};

/// Does, in the same transaction, all that follows from one event.
pub fn follow(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    tracing::debug!(kind = event.what.kind(), "happened");
    courses(tx, &event.what)?;
    places(tx, &event.what)?;
    work(tx, &event.what)?;
    reviews(tx, &event.what)?;
    posts(tx, event)?;
    bans(tx, event)?;
    reports(tx, &event.what)?;
    moderation::keep_log(tx, event)
}

fn courses(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    course::tell(tx, what)?;
    match what {
        Happened::CourseListed(id) | Happened::CourseMoved(id) | Happened::SyllabusChanged(id) => {
            catalogue::apub::announce_change(tx, *id)
        }
        Happened::CourseChanged(id) => course_changed(tx, *id),
        Happened::CohortPlanned(id) | Happened::CohortChanged(id) => cohort_changed(tx, *id),
        _ => Ok(()),
    }
}

fn course_changed(tx: &mut Tx<'_>, id: CourseId) -> Result<()> {
    let course = course::get(tx, id)?;
    if !actor::get(tx, course.actor_id)?.here {
        return history::meet(tx, id);
    }
    for cohort in cohort::list_of(tx, id)? {
        enrollment::seat_organizers(tx, cohort.id)?;
    }
    catalogue::apub::announce_change(tx, id)
}

fn cohort_changed(tx: &mut Tx<'_>, id: CohortId) -> Result<()> {
    enrollment::seat_organizers(tx, id)?;
    enrollment::fill_seats(tx, id)?;
    let course = cohort::get(tx, id)?.course_id;
    catalogue::apub::announce_change(tx, course)
}

fn places(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    enrollment::tell(tx, what)?;
    match what {
        Happened::Followed { followed, follower, uri, again } => {
            enrollment::announce::followed(tx, *followed, *follower, uri, *again)
        }
        Happened::FollowersDiffer { followed, at } => jobs::plan(tx, JobKind::FollowersCompare, followed.0, *at),
        Happened::Unfollowed { followed, follower } => enrollment::announce::unfollowed(tx, *followed, *follower),
        Happened::EnrollmentAsked(id) => enrollment::announce::asked(tx, *id),
        Happened::Enrolled { enrollment, again } => {
            enrollment::announce::enrolled(tx, *enrollment)?;
            if *again { Ok(()) } else { enrollment::admit_follow(tx, *enrollment) }
        }
        Happened::DomainRuleChanged { .. } => enrollment::admit_waiting(tx),
        Happened::KeysChanged(id) | Happened::AliasesChanged(id) => moving::apub::announce_changed(tx, *id),
        Happened::Relocated { from, to } => moving::apub::announce_moved(tx, *from, *to),
        Happened::PlaceCarried { enrollment, origin } => enrollment::announce::carried(tx, *enrollment, *origin),
        Happened::EnrollmentDeclined(id) => enrollment::announce::declined(tx, *id),
        Happened::EnrollmentRemoved(id) => enrollment::announce::removed(tx, *id),
        Happened::EnrollmentLeft(id) => enrollment::announce::left(tx, *id),
        _ => Ok(()),
    }
}

fn work(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    match what {
        Happened::AssignmentOpened(id) => {
            assignment::news::opened(tx, *id)?;
            assignment::apub::announce_opened(tx, *id)
        }
        Happened::AssignmentChanged(id) => assignment::apub::announce_changed(tx, *id, true),
        Happened::ReviewStarted(id) | Happened::AssignmentReleased(id) | Happened::AssignmentClosed(id) => {
            assignment::apub::announce_changed(tx, *id, false)
        }
        Happened::SubmissionReceived { submission, revision } => {
            let arrival = submission::arrival(tx, *submission, *revision)?;
            submission::news::received(tx, &arrival)?;
            submission::apub::answer(tx, &arrival)?;
            review::admit(tx, &arrival).map(|_| ())
        }
        Happened::SubmissionSent { submission, revision } => submission::apub::send(tx, *submission, *revision),
        Happened::SubmissionWithdrawn(id) => submission::apub::send_withdrawal(tx, *id),
        Happened::SubmissionAnswered(id) => submission::news::answered(tx, *id),
        _ => Ok(()),
    }
}

fn reviews(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    match what {
        Happened::AssignmentChanged(id) => review::follow_assignment(tx, *id),
        Happened::SubmissionWithdrawn(id) => review::work_withdrawn(tx, *id),
        Happened::EnrollmentLeft(id) | Happened::EnrollmentRemoved(id) => {
            let place = enrollment::get(tx, *id)?;
            review::author_left(tx, place.actor_id, place.cohort_id)
        }
        Happened::ReviewStarted(id) => review::news::started(tx, *id),
        Happened::ReviewAllocated(id) => {
            review::news::allocated(tx, *id)?;
            review::apub::announce_allocation(tx, *id)
        }
        Happened::AllocationEnded(id) => {
            review::news::ended(tx, *id)?;
            review::apub::announce_end(tx, *id)
        }
        Happened::ReviewGiven(id) => review::apub::announce_given(tx, *id),
        Happened::AssignmentReleased(id) => {
            review::news::released(tx, *id)?;
            review::apub::announce_feedback(tx, *id)
        }
        Happened::ResultOverridden(id) => {
            review::news::overridden(tx, *id)?;
            review::apub::announce_override(tx, *id)
        }
        Happened::ReviewTaskReceived(id) => review::news::task_received(tx, *id),
        Happened::ReviewSent(id) => review::apub::send_review(tx, *id),
        Happened::ReviewAnswered(id) => review::news::answered(tx, *id),
        Happened::FeedbackReceived(id) => review::news::feedback_received(tx, *id),
        _ => Ok(()),
    }
}

fn posts(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    match &event.what {
        Happened::PostWritten(id) => {
            discussion::tell_written(tx, *id)?;
            let course = discussion::get(tx, *id)?.course_id;
            history::heard(tx, course)?;
            history::thread_grew(tx, *id)?;
            discussion::apub::announce_written(tx, *id)
        }
        Happened::PostLetIn(id) => discussion::apub::announce_let_in(tx, *id),
        Happened::PostEdited(id) => discussion::apub::announce_edited(tx, *id),
        Happened::PostDeleted(id) => {
            discussion::tell_deleted(tx, *id)?;
            discussion::apub::announce_deleted(tx, *id, event.by)
        }
        _ => Ok(()),
    }
}

fn bans(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    match &event.what {
        Happened::Banned { course, whom, removes } => {
            let Some(ban) = course::ban::find_ban(tx, *course, *whom)? else { return Ok(()) };
            let found = course::get(tx, *course)?;
            moderation::apub::announce_ban(tx, event, *course, *whom, *removes)?;
            enrollment::announce::shut_out(tx, &found, *whom, &ban.reason)?;
            enrollment::shut_out(tx, event.by, &found, *whom)?;
            if let (true, Some(by)) = (*removes, event.by) {
                let by = actor::get(tx, by)?;
                discussion::remove_all_of(tx, &by, *course, *whom, &ban.reason)?;
            }
            tell_about(tx, &found, *whom, &format!("You were banned: {}", ban.reason))
        }
        Happened::Unbanned { course, whom, by_then, uri } => {
            let found = course::get(tx, *course)?;
            moderation::apub::announce_unban(tx, event, (*course, *whom, *by_then, uri))?;
            enrollment::let_in(tx, &found, *whom)?;
            discussion::restore_all_of(tx, event.by.unwrap_or(*by_then), *course, *whom)?;
            tell_about(tx, &found, *whom, "You may come in again.")
        }
        Happened::Locked { course, .. }
        | Happened::Pinned { course, .. }
        | Happened::OrganizersChanged { course, .. } => moderation::apub::announce_standing(tx, event, *course),
        Happened::AccountDeleted(whom) => moderation::apub::announce_gone(tx, *whom),
        Happened::PostRestored(id) => moderation::apub::announce_restored(tx, event, *id),
        _ => Ok(()),
    }
}

fn tell_about(tx: &mut Tx<'_>, course: &course::Course, whom: ActorId, sentence: &str) -> Result<()> {
    let group = actor::get(tx, course.actor_id)?;
    notice::tell(tx, &[whom], "course", &format!("{}: {sentence}", group.name), &group.path())
}

fn reports(tx: &mut Tx<'_>, what: &Happened) -> Result<()> {
    match what {
        Happened::ReportMade(id) => moderation::tell_made(tx, *id),
        Happened::ReportDecided(id) => moderation::tell_decided(tx, *id),
        Happened::ReportForwarded(id) => moderation::apub::forward(tx, *id),
        _ => Ok(()),
    }
}
