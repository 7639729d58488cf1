//! Why was a signed request refused, and with which status?

use http::StatusCode;

/// The reason, one for each counter in the metrics. Answers never show more than the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header that may appear once appears more often (F4).
    #[error("more than one {0} header")]
    Repeated(&'static str),
    /// A header without which the request is no HTTP request for an inbox.
    #[error("no {0} header")]
    Absent(&'static str),
    /// The request is not signed, or lacks what a signature must cover.
    #[error("no {0} header to authenticate by")]
    Unsigned(&'static str),
    /// `Authorization` beside a signature: it is not clear which of them speaks.
    #[error("an Authorization header beside a signature")]
    Authorization,
    /// A header is larger than any honest one.
    #[error("the {0} header is too large")]
    Oversized(&'static str),
    /// A header is not printable ASCII.
    #[error("the {0} header is not plain text")]
    NotText(&'static str),
    /// The `Signature` header or its `Signature-Input` cannot be read.
    #[error("the Signature header is malformed")]
    Malformed,
    /// RFC 9421 allows what the signature makes use of, but it is not understood here: parameters of components, response
    /// components, parameters that the standard does not define.
    #[error("the signature makes use of something that is not supported")]
    Unsupported,
    /// Neither GET nor POST.
    #[error("a signed request must be GET or POST")]
    Method,
    /// Another algorithm than RSA with SHA-256.
    #[error("the signature's algorithm is not supported")]
    Algorithm,
    /// The key id is no https (in development: http) address.
    #[error("the key id is not an address")]
    KeyId,
    /// The signature does not cover what it must (F5).
    #[error("the signature does not cover {0}")]
    Uncovered(&'static str),
    /// The signature covers a header that the request does not have.
    #[error("the signature covers a header that is absent")]
    CoversAbsent,
    /// `Date`, `created` or `expires` is no time, or none a clock can show (F7).
    #[error("a time of the signature cannot be read")]
    Time,
    /// Signed too long ago, or expired.
    #[error("the signature is too old")]
    Stale,
    /// Signed more than an hour from now.
    #[error("the signature is from the future")]
    Future,
    /// `Digest` or `Content-Digest` names no SHA-256, or cannot be read.
    #[error("the digest has no SHA-256")]
    DigestAlgorithm,
    /// `Digest` or `Content-Digest` is that of another body.
    #[error("the body does not fit its digest")]
    DigestMismatch,
    /// The key did not make this signature.
    #[error("the signature is not by this key")]
    Wrong,
    /// Our own key id or address cannot be put into a header.
    #[error("the request cannot be signed")]
    Unsignable,
}

impl SignatureError {
    /// A stable word for metrics and the log.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Repeated(_) => "repeated-header",
            Self::Absent(_) => "absent-header",
            Self::Unsigned(_) => "unsigned",
            Self::Authorization => "authorization",
            Self::Oversized(_) => "oversized-header",
            Self::NotText(_) => "not-text",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Method => "method",
            Self::Algorithm => "algorithm",
            Self::KeyId => "key-id",
            Self::Uncovered(_) => "uncovered",
            Self::CoversAbsent => "covers-absent",
            Self::Time => "time",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::DigestAlgorithm => "digest-algorithm",
            Self::DigestMismatch => "digest-mismatch",
            Self::Wrong => "wrong-signature",
            Self::Unsignable => "unsignable",
        }
    }

    /// 400 for what is malformed, 401 for what does not authenticate (catalogue of `SIG` cases).
    pub fn status(self) -> StatusCode {
        match self {
            Self::Repeated(_)
            | Self::Absent(_)
            | Self::Authorization
            | Self::Oversized(_)
            | Self::NotText(_)
            | Self::Malformed
            | Self::Method
            | Self::Time => StatusCode::BAD_REQUEST,
            Self::Unsigned(_)
            | Self::Unsupported
            | Self::Algorithm
            | Self::KeyId
            | Self::Uncovered(_)
            | Self::CoversAbsent
            | Self::Stale
            | Self::Future
            | Self::DigestAlgorithm
            | Self::DigestMismatch
            | Self::Wrong
            | Self::Unsignable => StatusCode::UNAUTHORIZED,
        }
    }
}
