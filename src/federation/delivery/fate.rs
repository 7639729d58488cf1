//! What becomes of a delivery, and when is a failing server asked again? Pure.

use crate::clock::Time;
use crate::error::Error;
use crate::net::client::{FetchError, PostAnswer, Verdict};
use rand::Rng;
use rand::rngs::StdRng;
use std::time::Duration;

/// What an attempt tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there: any 2xx.
    Delivered,
    /// This inbox is gone for good (410).
    Gone,
    /// It will never be taken; the reason.
    Dropped(String),
    /// The server answers, but chokes on this one (500): later, and meanwhile others may have their turn. The reason.
    Choked(String),
    /// The server is not well: later, with all that waits for it. The reason, and when it asks us to come back.
    Later(String, Option<Duration>),
    /// Something here does not work with this one alone: later, without blaming the server. The reason.
    Held(String),
    /// Something here does not work just now, such as the database, or has no room: soon, with all that waits. The reason.
    NotNow(String),
}

/// Reads an attempt (checklist 63): 408, 429, 5xx and no answer are tried again, other errors never.
pub fn fate_of(attempt: &Result<PostAnswer, FetchError>) -> Fate {
    match attempt {
        Ok(answer) => match answer.status.as_u16() {
            200..=299 => Fate::Delivered,
            410 => Fate::Gone,
            500 | 501 => Fate::Choked(format!("answered {}", answer.status)),
            408 | 429 | 502.. => Fate::Later(format!("answered {}", answer.status), answer.retry_after),
            _ => Fate::Dropped(format!("answered {}: {}", answer.status, shorten(&answer.excerpt))),
        },
        Err(FetchError::Busy) => Fate::NotNow(FetchError::Busy.to_string()),
        Err(error) => match error.verdict() {
            Verdict::Transient => Fate::Later(error.to_string(), None),
            Verdict::Refused | Verdict::Permanent => Fate::Dropped(error.to_string()),
        },
    }
}

/// Reads why we could not even try.
pub fn fate_of_ours(error: &Error) -> Fate {
    match error {
        Error::Unavailable(_) | Error::TooMany(_) => Fate::NotNow(error.to_string()),
        error if error.is_transient() => Fate::Held(error.to_string()),
        _ => Fate::Dropped(format!("it cannot be signed: {error}")),
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The longest wait that we choose ourselves.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The first wait.
const FIRST: u64 = 30;
/// The longest wait that another server may ask for.
pub const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// A server that fails for so long is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// A dead server is asked so often.
const PROBE: Duration = Duration::from_secs(24 * 3600);

/// Whoever waits for longer was put off by a clock that went ahead.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25 * 3600);
/// When something here does not work, a line is tried again after this long.
pub const PAUSE: Duration = Duration::from_secs(10);

/// Whether a server that fails since then is taken for dead.
pub fn is_dead(failing_since: Time, now: Time) -> bool {
    now.since(failing_since) >= DEAD_AFTER
}

/// How long to leave a server alone after its `failures`th failure in a row: 30 s x 4^n at most, drawn evenly so that
/// not all come back at once, but never sooner than it asked.
pub fn wait(failures: i64, asked: Option<Duration>, dead: bool, lots: &mut StdRng) -> Duration {
    let own = if dead {
        PROBE
    } else {
        let steps = u32::try_from(failures.clamp(1, 8) - 1).unwrap_or(0);
        let most = Duration::from_secs(FIRST.saturating_mul(4_u64.saturating_pow(steps))).min(LONGEST);
        Duration::from_millis(lots.random_range(1_000..=most.as_millis().try_into().unwrap_or(u64::MAX)))
    };
    own.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

/// So many in a row make it the server's fault, and no longer that of the activity.
pub const CHOKES: usize = 3;
/// Once a server that takes others choked on one so often, in two days or so, it never will take it.
pub const CHOKED_TRIES: i64 = 12;
/// A server that answers is asked again after this time at the latest.
pub const LONGEST_ALIVE: Duration = Duration::from_secs(3600);

/// How long an activity is worth sending to a server that comes back from the dead.
///
/// Public posts and likes are of their time. What takes something back, answers somebody or is for one person alone
/// (work, reviews, results) is kept as long as anything is: a text that stays although its author deleted it, or a
/// follow that waits for ever, is worse than a late word.
pub fn lifetime(kind: &str, public: bool) -> Duration {
    let days = match kind {
        "Like" | "Dislike" | "EmojiReact" => 1,
        "Create" | "Announce" if public => 3,
        "Follow" | "Join" | "Leave" | "Invite" | "Offer" | "Flag" => 14,
        _ => 30,
    };
    Duration::from_secs(days * 24 * 3600)
}

/// Nothing waits longer for a server that is dead.
pub const LONGEST_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use rand::SeedableRng;

    fn answer(status: u16, retry_after: Option<Duration>) -> Result<PostAnswer, FetchError> {
        Ok(PostAnswer { status: StatusCode::from_u16(status).unwrap(), retry_after, excerpt: String::new() })
    }

    #[test]
    fn checklist_63_only_what_may_pass_is_tried_again() {
        for status in [200, 202, 204] {
            assert_eq!(fate_of(&answer(status, None)), Fate::Delivered, "{status}");
        }
        assert!(matches!(fate_of(&answer(500, None)), Fate::Choked(_)));
        for status in [408, 429, 502, 503] {
            assert!(matches!(fate_of(&answer(status, None)), Fate::Later(..)), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 422] {
            assert!(matches!(fate_of(&answer(status, None)), Fate::Dropped(_)), "{status}");
        }
        assert_eq!(fate_of(&answer(410, None)), Fate::Gone);
        assert!(matches!(fate_of(&Err(FetchError::Timeout)), Fate::Later(_, None)));
        assert!(matches!(fate_of(&Err(FetchError::Busy)), Fate::NotNow(_)), "nobody else's fault");
        assert!(matches!(fate_of(&Err(FetchError::Private("x.test".into()))), Fate::Dropped(_)));
    }

    #[test]
    fn r_04_what_fails_here_drops_nothing_unless_it_always_will() {
        assert!(matches!(fate_of_ours(&Error::Unavailable("database".into())), Fate::NotNow(_)));
        assert!(matches!(fate_of_ours(&Error::internal("what is that")), Fate::Held(_)));
        assert!(matches!(fate_of_ours(&Error::denied("its key cannot be used")), Fate::Dropped(_)));
    }

    #[test]
    fn checklist_63_and_67_waits_grow_to_twelve_hours_and_obey_the_other_server() {
        let mut lots = StdRng::seed_from_u64(1);
        for (failures, most) in [(1, 30), (2, 120), (3, 480), (20, 12 * 3600)] {
            for _ in 0..100 {
                let wait = wait(failures, None, false, &mut lots);
                assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(most), "{failures}: {wait:?}");
            }
        }
        let asked = Duration::from_secs(3600);
        assert_eq!(wait(1, Some(asked), false, &mut lots), asked);
        assert_eq!(wait(1, Some(asked * 100), false, &mut lots), LONGEST_ASKED);
        assert_eq!(wait(30, None, true, &mut lots), PROBE);
    }

    #[test]
    fn checklist_67_what_takes_back_or_answers_outlives_what_is_of_its_time() {
        let days = |kind, public| lifetime(kind, public).as_secs() / 86_400;
        assert_eq!((days("Like", true), days("Create", true), days("Announce", true)), (1, 3, 3));
        assert_eq!((days("Follow", false), days("Join", false)), (14, 14));
        for kind in ["Delete", "Undo", "Accept", "Reject", "Update", "Remove", "Block", "Move"] {
            assert_eq!(days(kind, true), 30, "{kind}");
        }
        assert_eq!(days("Create", false), 30, "work and reviews");
        assert_eq!(lifetime("Delete", true), LONGEST_KEPT);
    }
}
