//! What can go wrong, and what is it called? One type, which each door translates for its reader.

use std::time::Duration;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the asker may not know that there is.
    #[error("not found")]
    NotFound,
    /// The asker must sign in first.
    #[error("sign in first")]
    SignInFirst,
    /// The rules do not allow it; the sentence may be shown.
    #[error("{0}")]
    Denied(#[from] Refused),
    /// What was given cannot be used; each problem names its field.
    #[error("{0}")]
    Invalid(#[from] Problems),
    /// Somebody else was faster, or it is there already; the sentence may be shown.
    #[error("{0}")]
    Conflict(String),
    /// Asked too often; may be asked again after this time.
    #[error("too many requests")]
    TooMany(Duration),
    /// Cannot be done now and can be later: a full queue, another server that does not answer.
    #[error("not available now: {0}")]
    Unavailable(String),
    /// Our fault. Logged once where it surfaces, never shown.
    #[error("internal error: {0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Our fault, for a reason in words.
    pub fn internal(reason: impl Into<String>) -> Self {
        Self::Internal(reason.into().into())
    }

    /// One field cannot be used.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(Problems::of(field, message))
    }

    /// The rules do not allow it.
    pub fn denied(reason: impl Into<String>) -> Self {
        Self::Denied(Refused(reason.into()))
    }

    /// Whether SQLite could not read or write its files, for whatever reason but that it says that the disk is full.
    pub fn is_of_disk(&self) -> bool {
        matches!(self, Self::Unavailable(said) if said.contains(BROKEN))
    }

    /// Whether trying again later may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TooMany(_) | Self::Internal(_))
    }
}

/// The rules do not allow it: one sentence that says why, to be shown to the asker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// What is wrong with a form or document, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<(&'static str, String)>);

impl std::error::Error for Problems {}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (field, message)) in self.0.iter().enumerate() {
            write!(f, "{}{field}: {message}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Problems {
    /// One problem.
    pub fn of(field: &'static str, message: impl Into<String>) -> Self {
        Self(vec![(field, message.into())])
    }

    /// Adds a problem.
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    /// Adds the problem when `wrong`.
    pub fn add_if(&mut self, wrong: bool, field: &'static str, message: &str) {
        if wrong {
            self.add(field, message);
        }
    }

    /// Adds what somebody else found.
    pub fn add_all(&mut self, found: Self) {
        self.0.extend(found.0);
    }

    /// Adds what is wrong when the error names fields; any other error goes on.
    pub fn gather(&mut self, result: Result<()>) -> Result<()> {
        match result {
            Err(Error::Invalid(found)) => {
                self.add_all(found);
                Ok(())
            }
            other => other,
        }
    }

    /// The first problem of a field.
    pub fn of_field(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, message)| message.as_str())
    }

    /// All, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(field, message)| (*field, message.as_str()))
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error unless nothing is wrong.
    pub fn check(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

impl From<tokio::task::JoinError> for Error {
    /// Work on another thread ends early when the program does; what panicked there is our fault.
    fn from(error: tokio::task::JoinError) -> Self {
        if error.is_cancelled() {
            Self::Unavailable("the program is stopping".into())
        } else {
            Self::Internal(Box::new(error))
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error as Db};
        match error {
            Db::NotFound => Self::NotFound,
            Db::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Conflict("It is there already.".into()),
            Db::DatabaseError(kind, said) if is_passing(&kind, said.message()) => {
                Self::Unavailable(format!("the database: {}", said.message()))
            }
            Db::BrokenTransactionManager => Self::Unavailable("the database lost a transaction".into()),
            Db::RollbackErrorOnCommit { commit_error, .. } => {
                Self::Unavailable(format!("the database lost a transaction: {commit_error}"))
            }
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// What SQLite says of a disk that does not do what it is told.
const BROKEN: &str = "disk I/O error";

/// What databases say when it is not the query that is wrong. Neither diesel nor SQLite's driver keeps the code.
const PASSING: [&str; 16] = [
    "database is locked",
    "database table is locked",
    "disk is full",
    BROKEN,
    "unable to open database file",
    "readonly database",
    // SQLite rolls everything back by itself when the disk is full; what was begun is gone then.
    "no such savepoint",
    "no transaction is active",
    "the database system is",
    "terminating connection",
    "deadlock detected",
    "could not extend file",
    "could not write",
    "No space left on device",
    "too many clients",
    "connection slots",
];

/// Whether the same may succeed later: locked, full, restarted, crossed by another transaction.
fn is_passing(kind: &diesel::result::DatabaseErrorKind, said: &str) -> bool {
    use diesel::result::DatabaseErrorKind::{ClosedConnection, ReadOnlyTransaction, SerializationFailure};
    matches!(kind, ClosedConnection | ReadOnlyTransaction | SerializationFailure)
        || PASSING.iter().any(|words| said.contains(words))
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(Box::new(error))
    }
}
