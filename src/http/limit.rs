//! How often may somebody do something? Counts in memory, by address, account or mail address.

use crate::clock::Clock as Ours;
use crate::error::{Error, Result};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// So many times at once, and then one more for each part of the span (GCRA).
pub struct Limit {
    quota: Option<Quota>,
    state: Mutex<Option<Keyed>>,
    asked: AtomicU32,
}

type Keyed = RateLimiter<String, HashMapStateStore<String>, Shared, NoOpMiddleware<Duration>>;

/// The instance's clock as governor wants it, so that tests can let time pass.
#[derive(Clone)]
struct Shared(Ours);

impl Clock for Shared {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().0).unwrap_or(0))
    }
}

/// After so many questions, what is forgotten anyway is dropped from memory.
const SWEEP: u32 = 1024;

impl Limit {
    /// `times` in each `span`.
    pub fn new(times: u32, span: Duration) -> Self {
        let times = NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(span / times.get()).map(|quota| quota.allow_burst(times));
        Self { quota, state: Mutex::new(None), asked: AtomicU32::new(0) }
    }

    /// Counts one more for `key`; refused with the time to wait when it is too often.
    pub fn check(&self, clock: &Ours, key: &str) -> Result<()> {
        let Some(quota) = self.quota else { return Ok(()) };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter =
            state.get_or_insert_with(|| RateLimiter::new(quota, HashMapStateStore::default(), Shared(clock.clone())));
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            limiter.retain_recent();
        }
        let now = Shared(clock.clone()).now();
        limiter.check_key(&key.to_owned()).map(drop).map_err(|early| Error::TooMany(early.wait_time_from(now)))
    }
}

impl std::fmt::Debug for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limit")
    }
}

/// The part of an address that one person holds: an IPv4 address, or the /64 of an IPv6 address.
pub fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(ip) => ip.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    #[test]
    fn the_one_too_many_waits_and_others_do_not() {
        let (clock, limit) = (Ours::at(Time(0)), Limit::new(3, Duration::from_secs(30)));
        for _ in 0..3 {
            limit.check(&clock, "a").unwrap();
        }
        let Err(Error::TooMany(wait)) = limit.check(&clock, "a") else { panic!("should wait") };
        assert_eq!(wait, Duration::from_secs(10));
        limit.check(&clock, "b").unwrap();
        clock.advance(wait);
        limit.check(&clock, "a").unwrap();
    }

    #[test]
    fn a_subscriber_of_ipv6_holds_a_64() {
        assert_eq!(network_of("2001:db8:1:2:3::4"), network_of("2001:db8:1:2:ffff::1"));
        assert_ne!(network_of("2001:db8:1:2::4"), network_of("2001:db8:1:3::4"));
        assert_eq!(network_of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
