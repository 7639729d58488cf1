//! What identifies a row inside, and what identifies a thing in a URL?

use crate::chance::Chance;

/// Declares a newtype over `i64` that diesel stores as a big integer on both databases.
#[macro_export]
macro_rules! stored_number {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl<DB> diesel::serialize::ToSql<diesel::sql_types::BigInt, DB> for $name
        where
            DB: diesel::backend::Backend,
            i64: diesel::serialize::ToSql<diesel::sql_types::BigInt, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB> for $name
        where
            DB: diesel::backend::Backend,
            i64: diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                <i64 as diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB>>::from_sql(bytes).map($name)
            }
        }
    };
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident,)+) => { $(stored_number!($(#[$meta])* $name);)+ };
}

ids! {
    /// Anyone with an inbox.
    ActorId,
    /// The sign-in of a person here.
    AccountId,
    /// A signed-in browser.
    SessionId,
    /// A code that lets people sign up.
    InvitationId,
    /// A course, here or mirrored.
    CourseId,
    /// One run of a course.
    CohortId,
    /// A person's place in a cohort.
    EnrollmentId,
    /// What is asked of learners.
    AssignmentId,
    /// What a learner handed in.
    SubmissionId,
    /// One version of a submission.
    RevisionId,
    /// A file.
    MediaId,
    /// Who shall review what.
    AllocationId,
    /// One peer's levels and comment.
    ReviewId,
    /// A review task given by another instance.
    ReviewTaskId,
    /// A post in a discussion.
    PostId,
    /// A direct note written for a course.
    NoteId,
    /// An activity that an actor here sent.
    ActivityId,
    /// An activity that came in.
    InboxId,
    /// What a person here is told.
    NoticeId,
    /// A complaint.
    ReportId,
    /// Somebody's being kept out of a course.
    BanId,
    /// A line of the log of moderation.
    RulingId,
}

/// A new identifier for a URL: 128 random bits as 26 letters and digits.
///
/// Never ordered by time, because order would tell who reviewed when (PRV-04).
pub fn public_id(chance: &Chance) -> String {
    data_encoding::BASE32_NOPAD.encode(&chance.bytes::<16>()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_is_26_url_characters_and_never_repeats() {
        let chance = Chance::seeded(1);
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| public_id(&chance)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(
            ids.iter().all(|id| id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        );
    }
}
