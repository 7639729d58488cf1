//! What time is it? Asked of a clock that is handed in, so that a deadline can be tested.

use crate::stored_number;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

stored_number! {
    /// A moment, in milliseconds since 1970-01-01 UTC.
    Time
}

impl Time {
    /// This much later.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This much earlier.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// For jiff, which knows calendars and zones. Out of its range becomes 1970.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// For standard library and HTTP dates. Before 1970 becomes 1970.
    pub fn system(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// As on the wire: `2026-09-20T08:00:00Z`, whole seconds (RFC 3339).
    pub fn rfc3339(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Reads a time of the wire, with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

/// Tells the time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// The machine's clock and as many milliseconds as the file says: for tests of running servers, in development only.
    Shifted(Arc<PathBuf>),
    /// Stands still until moved: for tests inside the process.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `time`.
    pub fn at(time: Time) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(time.0)))
    }

    /// The present.
    pub fn now(&self) -> Time {
        match self {
            Self::System => system_time(),
            Self::Shifted(path) => {
                let shift = std::fs::read_to_string(path.as_path()).ok();
                Time(system_time().0.saturating_add(shift.and_then(|s| s.trim().parse().ok()).unwrap_or(0)))
            }
            Self::Manual(millis) => Time(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock; others go by themselves.
    pub fn advance(&self, span: Duration) {
        if let Self::Manual(millis) = self {
            millis.fetch_add(i64::try_from(span.as_millis()).unwrap_or(0), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
fn system_time() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_wire_read_back() {
        let time = Time(1_790_000_000_000);
        assert_eq!(Time::parse_rfc3339(&time.rfc3339()), Some(time));
        assert_eq!(Time::parse_rfc3339("2026-09-20T10:00:00+02:00"), Time::parse_rfc3339("2026-09-20T08:00:00Z"));
        assert_eq!(Time::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn a_manual_clock_stands_until_moved() {
        let clock = Clock::at(Time(5));
        assert_eq!(clock.now(), Time(5));
        clock.clone().advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Time(1005));
    }
}
