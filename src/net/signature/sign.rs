//! How do we sign what we send?

use std::{collections::BTreeMap, time::SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{
    SignatureError,
    cavage::{REQUEST_TARGET, signing_string},
    digest_header,
};
use crate::crypto::SigningKey;

/// The one media type in which activities and actors are sent.
pub const ACTIVITY_JSON: &str = "application/activity+json";

/// Who signs, and by which name the key is found.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The address of the public key, `https://host/…#main-key`.
    pub key_id: String,
    /// The private key, parsed once.
    pub key: SigningKey,
}

/// The headers of a signed `GET`: `Date` and `Signature` over `(request-target) host date`.
///
/// Sign at the moment of sending: a signature lives an hour.
///
/// # Errors
/// [`SignatureError::Unsignable`] when the address has no host or the key id is no header text.
pub fn sign_get(signer: &Signer, url: &Url, now: SystemTime) -> Result<HeaderMap, SignatureError> {
    let headers = vec![("date", httpdate::fmt_http_date(now))];
    sign(signer, &Method::GET, url, headers)
}

/// The headers of a signed `POST`: `Date`, `Digest`, `Content-Type`, and `Signature` over
/// `(request-target) host date digest content-type`.
///
/// # Errors
/// As [`sign_get`].
pub fn sign_post(signer: &Signer, url: &Url, body: &[u8], now: SystemTime) -> Result<HeaderMap, SignatureError> {
    let headers = vec![
        ("date", httpdate::fmt_http_date(now)),
        ("digest", digest_header(body)),
        ("content-type", ACTIVITY_JSON.to_owned()),
    ];
    sign(signer, &Method::POST, url, headers)
}

/// The `Host` that goes with `url`: the port only where it is not the scheme's own.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn sign(
    signer: &Signer,
    method: &Method,
    url: &Url,
    headers: Vec<(&'static str, String)>,
) -> Result<HeaderMap, SignatureError> {
    let host = host(url).ok_or(SignatureError::Unsignable)?;
    let mut covered = vec![REQUEST_TARGET.to_owned(), "host".to_owned()];
    let mut values = BTreeMap::from([("host".to_owned(), host)]);
    let mut out = HeaderMap::new();
    for (name, value) in headers {
        covered.push(name.to_owned());
        out.insert(HeaderName::from_static(name), text(&value)?);
        values.insert(name.to_owned(), value);
    }
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let message = signing_string(method, &target, &covered, values).map_err(|_| SignatureError::Unsignable)?;
    let signature = STANDARD.encode(signer.key.sign_rsa_sha256(message.as_bytes()));
    if signer.key_id.contains(['"', '\\', ',']) {
        return Err(SignatureError::Unsignable);
    }
    let header = format!(
        "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
        signer.key_id,
        covered.join(" ")
    );
    out.insert(HeaderName::from_static("signature"), text(&header)?);
    Ok(out)
}

fn text(value: &str) -> Result<HeaderValue, SignatureError> {
    HeaderValue::from_str(value).map_err(|_| SignatureError::Unsignable)
}
