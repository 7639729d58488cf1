//! Is this the body that was signed?

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method};

use super::{Incoming, Scheme, SignatureError, headers::scheme, structured};
use crate::crypto::{same_secret, sha256};

/// The `Digest` header of `body` (RFC 3230 4.3.2, SHA-256).
pub fn digest_header(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(sha256(body)))
}

/// The `Content-Digest` header of `body` (RFC 9530 2, SHA-256).
pub fn content_digest_header(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256(body)))
}

/// Compares the digest headers with the body. A `POST` must have the one that goes with its signature, and it must
/// list SHA-256, perhaps beside others. Whatever SHA-256 is listed anywhere must fit.
///
/// # Errors
/// 401: without SHA-256, or when it is that of another body (SIG-01).
pub(super) fn check(request: Incoming<'_>, body: &[u8]) -> Result<(), SignatureError> {
    let own = scheme(request.headers);
    for (name, of, claims) in [
        ("digest", Scheme::Cavage, digests(request.headers)),
        ("content-digest", Scheme::Rfc9421, content_digests(request.headers)),
    ] {
        let there = request.headers.contains_key(name);
        if !there && (own != of || request.method != Method::POST) {
            continue;
        }
        match claims {
            Err(_) if own != of => {}
            claims => fits(&claims?, body, own == of)?,
        }
    }
    Ok(())
}

fn fits(claims: &[Vec<u8>], body: &[u8], must: bool) -> Result<(), SignatureError> {
    let actual = sha256(body);
    match () {
        () if claims.iter().any(|claim| !same_secret(claim, &actual)) => Err(SignatureError::DigestMismatch),
        () if must && claims.is_empty() => Err(SignatureError::DigestAlgorithm),
        () => Ok(()),
    }
}

/// Each SHA-256 that `Digest` lists, in any case.
fn digests(headers: &HeaderMap) -> Result<Vec<Vec<u8>>, SignatureError> {
    let header =
        headers.get("digest").and_then(|value| value.to_str().ok()).ok_or(SignatureError::Unsigned("digest"))?;
    let mut found = Vec::new();
    for part in header.split(',') {
        let (algorithm, value) = part.trim().split_once('=').ok_or(SignatureError::DigestAlgorithm)?;
        if algorithm.eq_ignore_ascii_case("sha-256") {
            found.push(STANDARD.decode(value.trim()).map_err(|_| SignatureError::DigestMismatch)?);
        }
    }
    Ok(found)
}

/// The SHA-256 that `Content-Digest` lists.
fn content_digests(headers: &HeaderMap) -> Result<Vec<Vec<u8>>, SignatureError> {
    let name = "content-digest";
    let header = headers.get(name).and_then(|value| value.to_str().ok()).ok_or(SignatureError::Unsigned(name))?;
    let listed = structured::byte_sequences(header).map_err(|_| SignatureError::DigestAlgorithm)?;
    Ok(listed.into_iter().filter(|(algorithm, _)| algorithm == "sha-256").map(|(_, value)| value).collect())
}
