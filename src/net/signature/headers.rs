//! Are the headers of a signed request such that every reader sees the same request?

use http::{HeaderMap, Method};

use super::{Scheme, SignatureError};

/// Largest accepted value of a header that matters here, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// Headers that may appear at most once. Two of them let one reader check what another does not
/// use (F4).
const ONCE: [&str; 8] =
    ["host", "date", "digest", "signature", "content-type", "content-length", "content-digest", "signature-input"];

/// Checks the headers of a signed request before anything reads them (F4 to F9).
///
/// Exactly one `Host` and `Signature`, and with a `POST` one `Digest` (with `Signature-Input` one `Content-Digest`)
/// and `Content-Type`; at most one `Date`, which coverage then asks for unless `(created)` is signed; at most one of the others
/// of which two would be ambiguous; no `Authorization`; all of them short printable ASCII.
///
/// # Errors
/// 401 for what authentication lacks, 400 for the rest.
pub fn check(headers: &HeaderMap, method: &Method) -> Result<(), SignatureError> {
    let post = match *method {
        Method::POST => true,
        Method::GET => false,
        _ => return Err(SignatureError::Method),
    };
    if headers.contains_key("authorization") {
        return Err(SignatureError::Authorization);
    }
    for name in ONCE {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { continue };
        if values.next().is_some() {
            return Err(SignatureError::Repeated(name));
        }
        if value.len() > MAX_HEADER_BYTES {
            return Err(SignatureError::Oversized(name));
        }
        if value.to_str().is_err() {
            return Err(SignatureError::NotText(name));
        }
    }
    let has = |name: &str| headers.contains_key(name);
    let digest = match scheme(headers) {
        Scheme::Cavage => "digest",
        Scheme::Rfc9421 => "content-digest",
    };
    match () {
        () if !has("host") => Err(SignatureError::Absent("host")),
        () if !has("signature") => Err(SignatureError::Unsigned("signature")),
        () if post && !has(digest) => Err(SignatureError::Unsigned(digest)),
        () if post && !has("content-type") => Err(SignatureError::Absent("content-type")),
        () => Ok(()),
    }
}

/// How a request is signed that is signed at all. `Signature-Input` belongs to RFC 9421 alone.
pub(super) fn scheme(headers: &HeaderMap) -> Scheme {
    if headers.contains_key("signature-input") { Scheme::Rfc9421 } else { Scheme::Cavage }
}

/// The value of a header as it goes into the signing string: several are joined by comma and space
/// (draft-cavage-12 2.3, RFC 9421 2.1).
pub(super) fn joined(headers: &HeaderMap, name: &str) -> Result<String, SignatureError> {
    let mut out: Option<String> = None;
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| SignatureError::NotText("covered"))?.trim();
        if text.len() > MAX_HEADER_BYTES {
            return Err(SignatureError::Oversized("covered"));
        }
        match &mut out {
            None => out = Some(text.to_owned()),
            Some(out) => {
                out.push_str(", ");
                out.push_str(text);
            }
        }
    }
    out.ok_or(SignatureError::CoversAbsent)
}
