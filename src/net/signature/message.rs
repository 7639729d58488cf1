//! What do `Signature-Input` and `Signature` of RFC 9421 say, and do they say enough?

use std::time::SystemTime;

use http::{HeaderMap, Method};

use crate::crypto::Algorithm;

use super::{
    Claim, ED25519_BYTES, Incoming, SIGNATURE_BYTES, Scheme, SignatureError, Unverified, fresh,
    headers::joined,
    key_url,
    structured::{self, Input, Value},
};

/// RSASSA-PKCS1-v1_5 with SHA-256, as the registry of RFC 9421 calls it.
pub(super) const ALGORITHM: &str = "rsa-v1_5-sha256";
/// Ed25519 in the same registry.
const ED25519: &str = "ed25519";

/// Reads both fields and prepares what may have been signed. Of several signatures those count that are complete.
///
/// # Errors
/// When none is complete: what is wrong with the first.
pub(super) fn read(request: Incoming<'_>, now: SystemTime) -> Result<Unverified, SignatureError> {
    let inputs = structured::inputs(&joined(request.headers, "signature-input")?)?;
    let signatures = structured::byte_sequences(&joined(request.headers, "signature")?)?;
    if inputs.len() != signatures.len() {
        return Err(SignatureError::Malformed);
    }
    let (mut claims, mut wrong) = (Vec::new(), None);
    for input in inputs {
        let signature = signatures.iter().find(|(label, _)| *label == input.label);
        let (_, signature) = signature.ok_or(SignatureError::Malformed)?;
        match claim(request, &input, signature, now) {
            Ok(claim) => claims.push(claim),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    let mut claims = claims.into_iter();
    let claim = claims.next().ok_or(wrong.unwrap_or(SignatureError::Malformed))?;
    Ok(Unverified { scheme: Scheme::Rfc9421, claim, others: claims.collect() })
}

fn claim(request: Incoming<'_>, input: &Input, signature: &[u8], now: SystemTime) -> Result<Claim, SignatureError> {
    let said = Parameters::of(input)?;
    // Without `alg` the key decides (RFC 9421 3.2); only a signature of its kind has the length.
    let algorithm = match signature.len() {
        ED25519_BYTES => Algorithm::Ed25519,
        length if SIGNATURE_BYTES.contains(&length) => Algorithm::Rsa,
        _ if said.algorithm.is_some() => return Err(SignatureError::Malformed),
        _ => return Err(SignatureError::Algorithm),
    };
    if said.algorithm.is_some_and(|said| said != algorithm) {
        return Err(SignatureError::Malformed);
    }
    let key_id = said.key_id.ok_or(SignatureError::KeyId)?;
    let key_url = key_url(key_id)?;
    check_covered(request, input)?;
    check_fresh(&said, &input.covered, request.headers, now)?;
    let message = base(request, input)?;
    let (key_id, messages, signature) = (key_id.to_owned(), vec![message], signature.to_vec());
    Ok(Claim { key_id, key_url, algorithm, covered: input.covered.clone(), messages, signature })
}

/// The parameters that count (RFC 9421 2.3). `nonce` and `tag` are signed like all, but say nothing to us.
struct Parameters<'a> {
    key_id: Option<&'a str>,
    created: Option<u64>,
    expires: Option<u64>,
    algorithm: Option<Algorithm>,
}

impl<'a> Parameters<'a> {
    fn of(input: &'a Input) -> Result<Self, SignatureError> {
        let mut found = Self { key_id: None, created: None, expires: None, algorithm: None };
        let time = |number: &i64| u64::try_from(*number).map_err(|_| SignatureError::Time);
        for (name, value) in &input.parameters {
            match (name.as_str(), value) {
                ("keyid", Value::Text(text)) => found.key_id = Some(text),
                ("created", Value::Number(number)) => found.created = Some(time(number)?),
                ("expires", Value::Number(number)) => found.expires = Some(time(number)?),
                ("alg", Value::Text(text)) if text == ALGORITHM => found.algorithm = Some(Algorithm::Rsa),
                ("alg", Value::Text(text)) if text == ED25519 => found.algorithm = Some(Algorithm::Ed25519),
                ("alg", Value::Text(_)) => return Err(SignatureError::Algorithm),
                ("nonce" | "tag", Value::Text(_)) => {}
                ("created" | "expires", _) => return Err(SignatureError::Time),
                ("keyid" | "alg" | "nonce" | "tag", _) => return Err(SignatureError::Malformed),
                _ => return Err(SignatureError::Unsupported),
            }
        }
        Ok(found)
    }
}

/// The least that must be signed, so that a captured request serves for nothing else (SIG-20).
fn check_covered(request: Incoming<'_>, input: &Input) -> Result<(), SignatureError> {
    let has = |name: &str| input.covered.iter().any(|covered| covered == name);
    let mut names: Vec<&String> = input.covered.iter().collect();
    names.sort_unstable();
    names.dedup();
    let path = has("@path") && (has("@query") || !request.target.contains('?'));
    let target = has("@target-uri") || (has("@authority") && (has("@request-target") || path));
    match () {
        () if input.has_parametrised => Err(SignatureError::Unsupported),
        () if names.len() != input.covered.len() => Err(SignatureError::Malformed),
        () if !has("@method") => Err(SignatureError::Uncovered("@method")),
        () if !target => Err(SignatureError::Uncovered("@target-uri")),
        () if request.method == Method::POST && !has("content-digest") => {
            Err(SignatureError::Uncovered("content-digest"))
        }
        () => Ok(()),
    }
}

/// The same window as for the draft. `created` must be there; a `Date` that is covered must hold as well.
fn check_fresh(
    said: &Parameters<'_>,
    covered: &[String],
    headers: &HeaderMap,
    now: SystemTime,
) -> Result<(), SignatureError> {
    let mut signed_at = vec![fresh::at(said.created.ok_or(SignatureError::Uncovered("created"))?)?];
    if covered.iter().any(|name| name == "date") {
        signed_at.push(fresh::date(&joined(headers, "date")?)?);
    }
    fresh::check(&signed_at, said.expires.map(fresh::at).transpose()?, now)
}

/// The signature base (RFC 9421 2.5) of a request that came in.
pub(super) fn base(request: Incoming<'_>, input: &Input) -> Result<String, SignatureError> {
    let mut lines = Vec::with_capacity(input.covered.len());
    for name in &input.covered {
        lines.push((name.as_str(), component(request, name)?));
    }
    Ok(joined_base(&lines, &signature_params(&input.covered, &input.parameters)))
}

/// One line for each component, and `@signature-params` as the last.
pub(super) fn joined_base(lines: &[(&str, String)], parameters: &str) -> String {
    let mut out = String::new();
    for (name, value) in lines {
        out.push_str(&format!("\"{name}\": {value}\n"));
    }
    out + "\"@signature-params\": " + parameters
}

/// The inner list with its parameters, as the standard writes it (RFC 9421 2.3, RFC 9651 4.1.1.1).
pub(super) fn signature_params<T: AsRef<str>>(covered: &[T], parameters: &[(String, Value)]) -> String {
    let names: Vec<String> = covered.iter().map(|name| format!("\"{}\"", name.as_ref())).collect();
    let mut out = format!("({})", names.join(" "));
    for (name, value) in parameters {
        match value {
            Value::Number(number) => out.push_str(&format!(";{name}={number}")),
            Value::Text(text) => {
                let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
                out.push_str(&format!(";{name}=\"{escaped}\""));
            }
            // Refused before; left out, the signature cannot be right.
            Value::Other => {}
        }
    }
    out
}

/// The value of a component. Where the request was sent is what we know of ourselves, never what it says.
fn component(request: Incoming<'_>, name: &str) -> Result<String, SignatureError> {
    let Incoming { method, target, headers, origin } = request;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    match name {
        "@method" => Ok(method.as_str().to_owned()),
        "@target-uri" => Ok(format!("{origin}{target}")),
        "@authority" => Ok(authority.to_owned()),
        "@scheme" => Ok(scheme.to_owned()),
        "@request-target" => Ok(target.to_owned()),
        "@path" => Ok(if path.is_empty() { "/" } else { path }.to_owned()),
        "@query" => Ok(format!("?{query}")),
        derived if derived.starts_with('@') => Err(SignatureError::Unsupported),
        field => {
            let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            if field.is_empty() || !field.bytes().all(sound) {
                return Err(SignatureError::Malformed);
            }
            joined(headers, field)
        }
    }
}
