//! Why was an activity not taken, and what is its sender told?

use crate::error::Error;
use crate::net::signature::SignatureError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A refusal. The sender learns the status alone; the reason is a stable word for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the sender is told.
    pub status: StatusCode,
    /// A stable word for counters and the log.
    pub reason: &'static str,
}

/// What cannot be read (400).
pub(super) const fn malformed(reason: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, reason }
}

/// Whom we do not believe to be who they say (401).
pub(super) const fn unproven(reason: &'static str) -> Refusal {
    Refusal { status: StatusCode::UNAUTHORIZED, reason }
}

/// What the sender may not do (403).
pub(super) const fn forbidden(reason: &'static str) -> Refusal {
    Refusal { status: StatusCode::FORBIDDEN, reason }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self { status: error.status(), reason: error.slug() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(_) | Error::Invalid(_) => forbidden("unfit"),
            Error::TooMany(_) => Self { status: StatusCode::TOO_MANY_REQUESTS, reason: "new-actors" },
            Error::NotFound | Error::SignInFirst => unproven("unknown-key"),
            other => {
                tracing::warn!(error = %other, "an activity could not be taken");
                Self { status: StatusCode::SERVICE_UNAVAILABLE, reason: "busy" }
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        metrics::counter!("hedgeschool_inbox_refused_total", "reason" => self.reason).increment(1);
        tracing::debug!(status = self.status.as_u16(), reason = self.reason, "activity refused");
        let mut response = (self.status, self.status.canonical_reason().unwrap_or_default()).into_response();
        let wait = match self.status {
            StatusCode::TOO_MANY_REQUESTS => Some("60"),
            StatusCode::SERVICE_UNAVAILABLE => Some("30"),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}
