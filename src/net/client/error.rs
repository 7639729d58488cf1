//! What went wrong on the way to another server, and is it worth trying again?

use std::{error::Error, path::PathBuf};

use super::resolve::ResolveError;
use crate::net::address::UrlRefused;

/// Why no client could be made; for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The file of extra certificates is unusable.
    #[error("cannot read certificates from {path}: {reason}")]
    Roots {
        /// The file as configured.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up, usually for want of the system's certificates.
    #[error("cannot set up TLS (is the package ca-certificates installed?): {0}")]
    Tls(String),
}

/// What follows from a [`FetchError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// We do not talk to this address; nothing was sent.
    Refused,
    /// The other side may be well again later.
    Transient,
    /// The other side answers, but never usefully.
    Permanent,
}

/// Why there is no answer that could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address, or one that it redirects to, breaks a rule.
    #[error("refused: {0}")]
    Refused(#[from] UrlRefused),
    /// The name resolves to an address that is not public.
    #[error("refused: {0} resolves to an address that is not public")]
    Private(String),
    /// Administrators blocked this server; nothing was sent, not even a question for its address.
    #[error("{0} is blocked here")]
    Blocked(String),
    /// Nothing was asked, for want of something here: whether this server may be reached, where it is, room for a file.
    #[error("not available now")]
    Busy,
    /// More than [`super::MAX_REDIRECTS`] redirects.
    #[error("too many redirects")]
    Redirects,
    /// A redirect to something that is no address.
    #[error("a redirect that leads nowhere")]
    Location,
    /// More than [`super::MAX_BODY_BYTES`], announced or real.
    #[error("the answer is too large")]
    TooLarge,
    /// Our own signature cannot be made.
    #[error("the request cannot be signed")]
    Unsignable,
    /// The name cannot be looked up.
    #[error("cannot look up {0}")]
    Name(String),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or no TLS.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The other side answered a document's request with this status. Only [`super::federation_client`] makes it one.
    #[error("the answer was {0}")]
    Status(u16),
}

impl FetchError {
    /// Whether to try again.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Refused(_) | Self::Private(_) | Self::Blocked(_) => Verdict::Refused,
            Self::Redirects | Self::Location | Self::TooLarge | Self::Unsignable => Verdict::Permanent,
            Self::Name(_) | Self::Timeout | Self::Busy | Self::Connect(_) | Self::Broken(_) => Verdict::Transient,
            Self::Status(408 | 429 | 500..) => Verdict::Transient,
            Self::Status(_) => Verdict::Permanent,
        }
    }

    /// A stable word for metrics and the log.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused-url",
            Self::Private(_) => "refused-address",
            Self::Blocked(_) => "blocked",
            Self::Busy => "busy",
            Self::Redirects => "redirects",
            Self::Location => "location",
            Self::TooLarge => "too-large",
            Self::Unsignable => "unsignable",
            Self::Name(_) => "name",
            Self::Timeout => "timeout",
            Self::Connect(_) => "connect",
            Self::Broken(_) => "broken",
            Self::Status(_) => "status",
        }
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(inner) = source {
            if let Some(resolve) = inner.downcast_ref::<ResolveError>() {
                return match resolve {
                    ResolveError::Private(host) => Self::Private(host.clone()),
                    ResolveError::Failed(host) => Self::Name(host.clone()),
                    ResolveError::Busy => Self::Busy,
                };
            }
            source = inner.source();
        }
        match () {
            () if error.is_timeout() => Self::Timeout,
            () if error.is_connect() => Self::Connect(chain(&error)),
            () => Self::Broken(chain(&error)),
        }
    }
}

/// The innermost message, which says most and holds no address of ours.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().chars().take(200).collect()
}
