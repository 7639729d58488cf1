//! What does a `Signature` header of draft-cavage say, and does it say enough?

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method};
use http_signature_normalization::verify::ParsedHeader;

use crate::crypto::Algorithm;

use super::{Claim, Incoming, SIGNATURE_BYTES, Scheme, SignatureError, Unverified, fresh, headers::joined, key_url};

pub(super) const REQUEST_TARGET: &str = "(request-target)";
const CREATED: &str = "(created)";
const EXPIRES: &str = "(expires)";

/// The library compares `Date` with the machine's clock; ours was compared with `now` before.
const NEVER: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);

const MAX_PARAMETERS: usize = 16;
const MAX_COVERED: usize = 32;

/// Reads the one `Signature` header and prepares what may have been signed.
pub(super) fn read(request: Incoming<'_>, now: SystemTime) -> Result<Unverified, SignatureError> {
    let header = joined(request.headers, "signature").map_err(|_| SignatureError::Unsigned("signature"))?;
    let parameters = parameters(&header)?;
    let get = |name: &str| parameters.get(name).copied();
    let hs2019 = match get("algorithm") {
        None | Some("hs2019") => true,
        Some("rsa-sha256") => false,
        Some(_) => return Err(SignatureError::Algorithm),
    };
    let key_id = get("keyId").ok_or(SignatureError::Malformed)?;
    let key_url = key_url(key_id)?;
    let signature = STANDARD
        .decode(get("signature").ok_or(SignatureError::Malformed)?)
        .ok()
        .filter(|bytes| SIGNATURE_BYTES.contains(&bytes.len()))
        .ok_or(SignatureError::Malformed)?;
    let covered = covered(get("headers").ok_or(SignatureError::Uncovered(REQUEST_TARGET))?)?;
    let post = request.method == Method::POST;
    check_covered(&covered, post)?;
    let times =
        Times { created: get("created").map(seconds).transpose()?, expires: get("expires").map(seconds).transpose()? };
    // The draft ties the two to hs2019, because older verifiers do not know them (12 2.3).
    let signs_times = covered.iter().any(|name| name == CREATED || name == EXPIRES);
    if signs_times && !hs2019 {
        return Err(SignatureError::Algorithm);
    }
    check_fresh(&covered, &times, request.headers, now)?;
    let messages = messages(request, &covered, &times)?;
    let claim = Claim { key_id: key_id.to_owned(), key_url, algorithm: Algorithm::Rsa, covered, messages, signature };
    Ok(Unverified { scheme: Scheme::Cavage, claim, others: Vec::new() })
}

/// `created` and `expires` in seconds since 1970, within what a clock can show.
struct Times {
    created: Option<u64>,
    expires: Option<u64>,
}

fn seconds(text: &str) -> Result<u64, SignatureError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = digits.then(|| text.parse().ok()).flatten().ok_or(SignatureError::Time)?;
    fresh::at(value).map(|_| value)
}

/// Splits `name="value",name=number` strictly: no escapes, no repetition, nothing left over.
///
/// # Errors
/// [`SignatureError::Malformed`] when it is not of this form, or too long.
pub fn parameters(header: &str) -> Result<HashMap<&str, &str>, SignatureError> {
    let mut found = HashMap::new();
    let mut rest = header.trim();
    loop {
        let (name, after) = rest.split_once('=').ok_or(SignatureError::Malformed)?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(SignatureError::Malformed)?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let name = name.trim();
        let sound = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !value.contains(['"', '\\']);
        if !sound || found.len() >= MAX_PARAMETERS || found.insert(name, value.trim()).is_some() {
            return Err(SignatureError::Malformed);
        }
        rest = match after.trim_start() {
            "" => return Ok(found),
            more => more.strip_prefix(',').ok_or(SignatureError::Malformed)?,
        };
    }
}

fn covered(list: &str) -> Result<Vec<String>, SignatureError> {
    let names: Vec<String> = list.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    let sound = |name: &str| {
        matches!(name, REQUEST_TARGET | CREATED | EXPIRES)
            || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let good = names.len() <= MAX_COVERED && sorted.len() == names.len() && names.iter().all(|n| sound(n));
    good.then_some(names).ok_or(SignatureError::Malformed)
}

/// The least that must be signed, so that a captured request serves for nothing else (SIG-05 to 08).
fn check_covered(covered: &[String], post: bool) -> Result<(), SignatureError> {
    let has = |name: &str| covered.iter().any(|c| c == name);
    match () {
        () if !has(REQUEST_TARGET) => Err(SignatureError::Uncovered(REQUEST_TARGET)),
        () if !has("host") => Err(SignatureError::Uncovered("host")),
        () if !has("date") && !has(CREATED) => Err(SignatureError::Uncovered("date")),
        () if post && !has("digest") => Err(SignatureError::Uncovered("digest")),
        () => Ok(()),
    }
}

/// SIG-09: only times that are signed count, and all that are signed must hold.
fn check_fresh(covered: &[String], times: &Times, headers: &HeaderMap, now: SystemTime) -> Result<(), SignatureError> {
    let has = |name: &str| covered.iter().any(|c| c == name);
    let mut signed_at = Vec::new();
    if has(CREATED) {
        signed_at.push(fresh::at(times.created.ok_or(SignatureError::Time)?)?);
    }
    if has("date") {
        let date = joined(headers, "date").map_err(|_| SignatureError::Unsigned("date"))?;
        signed_at.push(fresh::date(&date)?);
    }
    let expires = match has(EXPIRES) {
        true => Some(fresh::at(times.expires.ok_or(SignatureError::Time)?)?),
        false => None,
    };
    fresh::check(&signed_at, expires, now)
}

/// The signing strings to try. Some software signs the path alone, some the path with its query.
fn messages(request: Incoming<'_>, covered: &[String], times: &Times) -> Result<Vec<String>, SignatureError> {
    let mut values = BTreeMap::new();
    for name in covered {
        let value = match name.as_str() {
            REQUEST_TARGET => continue,
            CREATED => times.created.ok_or(SignatureError::Time)?.to_string(),
            EXPIRES => times.expires.ok_or(SignatureError::Time)?.to_string(),
            header => joined(request.headers, header)?,
        };
        values.insert(name.clone(), value);
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let mut targets = vec![request.target];
    if path != request.target {
        targets.push(path);
    }
    targets.into_iter().map(|target| signing_string(request.method, target, covered, values.clone())).collect()
}

/// The text that is signed (draft-cavage-12 2.3), for both directions.
///
/// The library would read `created` and `expires` itself and hold them against the machine's clock;
/// both are checked above against ours, and go in as values like any header.
pub(super) fn signing_string(
    method: &Method,
    target: &str,
    covered: &[String],
    mut values: BTreeMap<String, String>,
) -> Result<String, SignatureError> {
    let header = format!("keyId=\"k\",headers=\"{}\",signature=\"s\"", covered.join(" "));
    let parsed: ParsedHeader = header.parse().map_err(|_| SignatureError::Malformed)?;
    let prepared = parsed
        .into_unvalidated(method.as_str(), target, &mut values, Default::default())
        .map_err(|_| SignatureError::CoversAbsent)?
        .validate(NEVER)
        .map_err(|_| SignatureError::Stale)?;
    Ok(prepared.signing_string().to_owned())
}
