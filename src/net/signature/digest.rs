//! Is this the body that was signed?

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;

use super::SignatureError;
use crate::crypto::{same_secret, sha256};

/// The `Digest` header of `body` (RFC 3230 4.3.2, SHA-256).
pub fn digest_header(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(sha256(body)))
}

/// Compares the one `Digest` header with the body. Several algorithms may be listed; SHA-256, in
/// any case, must be among them, and each time it is listed it must fit.
///
/// # Errors
/// 401: without SHA-256, or when it is that of another body (SIG-01).
pub(super) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
    let header =
        headers.get("digest").and_then(|value| value.to_str().ok()).ok_or(SignatureError::Unsigned("digest"))?;
    let actual = sha256(body);
    let mut listed = false;
    for part in header.split(',') {
        let (algorithm, value) = part.trim().split_once('=').ok_or(SignatureError::DigestAlgorithm)?;
        if !algorithm.eq_ignore_ascii_case("sha-256") {
            continue;
        }
        let claimed = STANDARD.decode(value.trim()).map_err(|_| SignatureError::DigestMismatch)?;
        if !same_secret(&claimed, &actual) {
            return Err(SignatureError::DigestMismatch);
        }
        listed = true;
    }
    match listed {
        true => Ok(()),
        false => Err(SignatureError::DigestAlgorithm),
    }
}
