//! What can happen? Every verb that changes something says so with one of these.

use crate::clock::Time;
use crate::id::{
    AccountId, ActorId, AllocationId, AssignmentId, CohortId, CourseId, EnrollmentId, InvitationId, NoteId, PostId,
    ReportId, ReviewId, ReviewTaskId, RevisionId, SubmissionId,
};
use serde::{Deserialize, Serialize};

/// One thing that happened, as kept in the `events` table.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Time,
    /// Who did it; nobody when the clock or an administrator's command line did.
    pub by: Option<ActorId>,
    /// What.
    pub what: Happened,
}

/// Everything that can happen. The variant's name is the event's kind in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum Happened {
    /// An account was made, active or waiting for approval.
    AccountCreated(AccountId),
    /// A pending account may now sign in.
    AccountApproved(AccountId),
    /// An account may not sign in any more.
    AccountSuspended(AccountId),
    /// A pending account was refused and is gone.
    AccountDeclined(AccountId),
    /// The role of an account changed.
    RoleChanged(AccountId),
    /// Somebody here signed in.
    SignedIn(AccountId),
    /// A code for signing up was made or revoked.
    InvitationChanged(InvitationId),
    /// A suspended account may sign in again.
    AccountRestored(AccountId),
    /// A password was changed or reset; all other sessions have ended.
    PasswordChanged(AccountId),
    /// Somebody asked for a link to set a new password.
    ResetAsked(AccountId),
    /// A setting of the instance was changed.
    SettingChanged(String),
    /// What holds for another server was decided, changed or taken back; `*` stands for all others.
    DomainRuleChanged {
        /// The domain.
        domain: String,
        /// What holds now; nothing when the rule was taken away.
        severity: Option<String>,
    },
    /// An actor here has new keys.
    KeysChanged(ActorId),
    /// An actor here names other accounts than before, or moved no more.
    AliasesChanged(ActorId),
    /// A person or course, here or elsewhere, moved to another account.
    Relocated {
        /// Who.
        from: ActorId,
        /// The new account.
        to: ActorId,
    },
    /// Name, summary or icon of an actor here changed.
    ProfileChanged(ActorId),
    /// A follower was accepted; `again` when it was one already, so only the Accept is repeated.
    Followed {
        /// The actor here.
        followed: ActorId,
        /// Who follows.
        follower: ActorId,
        /// The Follow that is answered.
        uri: String,
        /// Whether it is a repetition.
        again: bool,
    },
    /// A server counts other followers of somebody there than are known here (FEP-8fcf).
    FollowersDiffer {
        /// The actor elsewhere.
        followed: ActorId,
        /// When its list may be asked for.
        at: Time,
    },
    /// A follower left.
    Unfollowed {
        /// The actor here.
        followed: ActorId,
        /// Who followed.
        follower: ActorId,
    },
    /// A course was proposed.
    CourseProposed(CourseId),
    /// A course was accepted into the list.
    CourseListed(CourseId),
    /// A course was answered with a wish for changes, or archived or withdrawn.
    CourseMoved(CourseId),
    /// Title, description or organizers of a course changed.
    CourseChanged(CourseId),
    /// A new version of a syllabus is in force.
    SyllabusChanged(CourseId),
    /// A cohort was planned.
    CohortPlanned(CohortId),
    /// Dates, seats or state of a cohort changed.
    CohortChanged(CohortId),
    /// Somebody asked for a place and waits for an answer.
    EnrollmentAsked(EnrollmentId),
    /// Somebody has a place; `again` when they had it already, so only the answer is repeated.
    Enrolled {
        /// The place.
        enrollment: EnrollmentId,
        /// Whether it is a repetition.
        again: bool,
    },
    /// Somebody has a place because they, or the course, moved.
    PlaceCarried {
        /// The place.
        enrollment: EnrollmentId,
        /// The former account, or the former course.
        origin: ActorId,
    },
    /// Somebody was refused a place.
    EnrollmentDeclined(EnrollmentId),
    /// Somebody gave up their place.
    EnrollmentLeft(EnrollmentId),
    /// Somebody's place was taken away.
    EnrollmentRemoved(EnrollmentId),
    /// The home of a mirrored course answered to somebody here.
    EnrollmentAnswered(EnrollmentId),
    /// An assignment was drafted.
    AssignmentDrafted(AssignmentId),
    /// An assignment can be worked on.
    AssignmentOpened(AssignmentId),
    /// An open assignment was changed.
    AssignmentChanged(AssignmentId),
    /// The deadline passed and work is out for review.
    ReviewStarted(AssignmentId),
    /// Reviews and results are out.
    AssignmentReleased(AssignmentId),
    /// An assignment was closed.
    AssignmentClosed(AssignmentId),
    /// Work was handed in, or a further version of it.
    SubmissionReceived {
        /// The work.
        submission: SubmissionId,
        /// This version.
        revision: RevisionId,
    },
    /// Work for a mirrored course was sent to its home.
    SubmissionSent {
        /// The work.
        submission: SubmissionId,
        /// This version.
        revision: RevisionId,
    },
    /// The home of a mirrored course answered to work from here.
    SubmissionAnswered(SubmissionId),
    /// Work was withdrawn by its author.
    SubmissionWithdrawn(SubmissionId),
    /// Somebody shall review something.
    ReviewAllocated(AllocationId),
    /// An allocation ended without a review.
    AllocationEnded(AllocationId),
    /// A review was given.
    ReviewGiven(ReviewId),
    /// The home of a mirrored course asks somebody here for a review.
    ReviewTaskReceived(ReviewTaskId),
    /// A review for a mirrored course was sent to its home.
    ReviewSent(ReviewTaskId),
    /// The home of a mirrored course answered to a review from here.
    ReviewAnswered(ReviewTaskId),
    /// A released review or a result for somebody's work came from the home of a mirrored course.
    FeedbackReceived(SubmissionId),
    /// A result was overridden by hand.
    ResultOverridden(SubmissionId),
    /// A post was written, here or elsewhere.
    PostWritten(PostId),
    /// A post was edited.
    PostEdited(PostId),
    /// A post was deleted.
    PostDeleted(PostId),
    /// A post of somebody who does not take part waits for the organizers.
    PostHeld(CourseId),
    /// An organizer let a post that waited into the discussion.
    PostLetIn(PostId),
    /// An organizer refused a post that waited.
    HeldPostRefused(CourseId),
    /// A removed post was brought back.
    PostRestored(PostId),
    /// A thread or assignment was closed for answers, or opened again.
    Locked {
        /// Its id.
        uri: String,
        /// In which course.
        course: CourseId,
        /// Closed, or opened again.
        locked: bool,
    },
    /// A course shows a post first, or no more.
    Pinned {
        /// Its id.
        uri: String,
        /// Which course.
        course: CourseId,
        /// First, or no more.
        pinned: bool,
    },
    /// Somebody became an organizer of a course, or is none any more.
    OrganizersChanged {
        /// Which course.
        course: CourseId,
        /// Who.
        whom: ActorId,
        /// Became, or no more.
        added: bool,
    },
    /// A course keeps somebody out.
    Banned {
        /// Which course.
        course: CourseId,
        /// Whom.
        whom: ActorId,
        /// Whether what they wrote in it goes, too.
        removes: bool,
    },
    /// A course lets somebody in again.
    Unbanned {
        /// Which course.
        course: CourseId,
        /// Whom.
        whom: ActorId,
        /// Who had kept them out.
        by_then: ActorId,
        /// The id of the Block that ends.
        uri: String,
    },
    /// Somebody elsewhere was stopped by a moderator here, or may act again.
    ActorStopped {
        /// Who.
        whom: ActorId,
        /// Stopped, or may again.
        stopped: bool,
    },
    /// Somebody here deleted their account.
    AccountDeleted(ActorId),
    /// Somebody complained.
    ReportMade(ReportId),
    /// A complaint was decided, or opened again.
    ReportDecided(ReportId),
    /// A complaint was passed on to the server of the accused.
    ReportForwarded(ReportId),
    /// A direct note is to be sent for a course.
    NoteWritten(NoteId),
}

impl Happened {
    /// The event's name in the database and in logs.
    pub fn kind(&self) -> String {
        let text = serde_json::to_value(self).unwrap_or_default();
        text.get("kind").and_then(|kind| kind.as_str()).unwrap_or("Unknown").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_variants_name() {
        assert_eq!(Happened::CourseListed(CourseId(1)).kind(), "CourseListed");
        assert_eq!(Happened::Enrolled { enrollment: EnrollmentId(1), again: false }.kind(), "Enrolled");
    }
}
