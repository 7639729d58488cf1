//! How do we sign what we send?

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{
    Scheme, SignatureError,
    cavage::{REQUEST_TARGET, signing_string},
    content_digest_header, digest_header,
    message::{ALGORITHM, joined_base, signature_params},
    structured::Value,
};
use crate::crypto::SigningKey;

/// The one media type in which activities and actors are sent.
pub const ACTIVITY_JSON: &str = "application/activity+json";

/// By which header two servers compare who follows whom (FEP-8fcf).
pub const SYNCHRONIZATION: &str = "collection-synchronization";

/// What is posted.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The body.
    pub body: &'a [u8],
    /// What goes with it as [`SYNCHRONIZATION`], signed as well.
    pub synchronization: Option<&'a str>,
}

impl<'a> From<&'a [u8]> for Load<'a> {
    fn from(body: &'a [u8]) -> Self {
        Self { body, synchronization: None }
    }
}

/// Who signs, and by which name the key is found.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The address of the public key, `https://host/…#main-key`.
    pub key_id: String,
    /// The private key, parsed once.
    pub key: SigningKey,
}

/// The headers of a signed `GET`: `Date` and `Signature` over `(request-target) host date`, or `Signature-Input` and
/// `Signature` over `@method @target-uri`.
///
/// Sign at the moment of sending: a signature lives an hour.
///
/// # Errors
/// [`SignatureError::Unsignable`] when the address has no host or the key id is no header text.
pub fn sign_get(signer: &Signer, scheme: Scheme, url: &Url, now: SystemTime) -> Result<HeaderMap, SignatureError> {
    let date = ("date", httpdate::fmt_http_date(now));
    match scheme {
        Scheme::Cavage => sign(signer, &Method::GET, url, vec![date]),
        Scheme::Rfc9421 => sign_message(signer, &Method::GET, url, vec![date], now),
    }
}

/// The headers of a signed `POST`: `Date`, `Content-Type`, and either `Digest`, with `Signature` over
/// `(request-target) host date digest content-type`, or `Content-Digest`, with `Signature-Input` and `Signature` over
/// `@method @target-uri content-digest`. What goes with it is covered in both.
///
/// # Errors
/// As [`sign_get`].
pub fn sign_post<'a>(
    signer: &Signer,
    scheme: Scheme,
    url: &Url,
    load: impl Into<Load<'a>>,
    now: SystemTime,
) -> Result<HeaderMap, SignatureError> {
    let Load { body, synchronization } = load.into();
    let digest = match scheme {
        Scheme::Cavage => ("digest", digest_header(body)),
        Scheme::Rfc9421 => ("content-digest", content_digest_header(body)),
    };
    let mut headers = vec![("date", httpdate::fmt_http_date(now)), digest, ("content-type", ACTIVITY_JSON.to_owned())];
    headers.extend(synchronization.map(|said| (SYNCHRONIZATION, said.to_owned())));
    match scheme {
        Scheme::Cavage => sign(signer, &Method::POST, url, headers),
        Scheme::Rfc9421 => sign_message(signer, &Method::POST, url, headers, now),
    }
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
    if signer.key_id.contains(['"', '\\', ',']) {
        return Err(SignatureError::Unsignable);
    }
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
    let header = format!(
        "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
        signer.key_id,
        covered.join(" ")
    );
    out.insert(HeaderName::from_static("signature"), text(&header)?);
    Ok(out)
}

/// By RFC 9421. Of the headers, `Content-Digest` is covered, which stands for the body, and what goes with it; others
/// may be changed on the way.
fn sign_message(
    signer: &Signer,
    method: &Method,
    url: &Url,
    headers: Vec<(&'static str, String)>,
    now: SystemTime,
) -> Result<HeaderMap, SignatureError> {
    let mut target = url.clone();
    target.set_fragment(None);
    let mut lines = vec![("@method", method.as_str().to_owned()), ("@target-uri", target.to_string())];
    let mut out = HeaderMap::new();
    for (name, value) in headers {
        out.insert(HeaderName::from_static(name), text(&value)?);
        if matches!(name, "content-digest" | SYNCHRONIZATION) {
            lines.push((name, value));
        }
    }
    let created = now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let parameters = [
        ("created".to_owned(), Value::Number(created.ok_or(SignatureError::Unsignable)?)),
        ("keyid".to_owned(), Value::Text(signer.key_id.clone())),
        ("alg".to_owned(), Value::Text(ALGORITHM.to_owned())),
    ];
    let covered: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let parameters = signature_params(&covered, &parameters);
    let signature = signer.key.sign_rsa_sha256(joined_base(&lines, &parameters).as_bytes());
    out.insert(HeaderName::from_static("signature-input"), text(&format!("sig1={parameters}"))?);
    out.insert(HeaderName::from_static("signature"), text(&format!("sig1=:{}:", STANDARD.encode(signature)))?);
    Ok(out)
}

fn text(value: &str) -> Result<HeaderValue, SignatureError> {
    HeaderValue::from_str(value).map_err(|_| SignatureError::Unsignable)
}
