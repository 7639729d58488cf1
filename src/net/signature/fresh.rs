//! Was a request signed just now?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::SignatureError;

/// How far clocks may be apart, in both directions.
const SKEW: Duration = Duration::from_secs(60 * 60);
/// How long a signature lives that does not say.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long a signature lives at most, whatever it says.
const LIFETIME_CAP: Duration = Duration::from_secs(12 * 60 * 60);
/// The last second of the year 9999: a larger number is no time, and adding it to one overflows.
const LAST_SECOND: u64 = 253_402_300_799;

/// The moment so many seconds after the beginning of 1970.
///
/// # Errors
/// [`SignatureError::Time`] for what no clock can show (F7).
pub(super) fn at(seconds: u64) -> Result<SystemTime, SignatureError> {
    match seconds {
        0..=LAST_SECOND => Ok(UNIX_EPOCH + Duration::from_secs(seconds)),
        _ => Err(SignatureError::Time),
    }
}

/// The moment that a `Date` header names.
pub(super) fn date(text: &str) -> Result<SystemTime, SignatureError> {
    httpdate::parse_http_date(text).map_err(|_| SignatureError::Time)
}

/// SIG-09: of all times that are signed, the oldest must not be too old and the newest not in the future. `expires`
/// may shorten or lengthen the life of the signature, up to twelve hours.
pub(super) fn check(
    signed_at: &[SystemTime],
    expires: Option<SystemTime>,
    now: SystemTime,
) -> Result<(), SignatureError> {
    let (Some(&oldest), Some(&newest)) = (signed_at.iter().min(), signed_at.iter().max()) else {
        return Err(SignatureError::Uncovered("date"));
    };
    let end = match expires {
        Some(expires) => expires.min(oldest + LIFETIME_CAP),
        None => oldest + LIFETIME,
    };
    match () {
        () if newest > now + SKEW => Err(SignatureError::Future),
        () if now > end + SKEW => Err(SignatureError::Stale),
        () => Ok(()),
    }
}
