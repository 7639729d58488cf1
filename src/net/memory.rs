//! What is kept in memory about other servers? Bounded, and nothing that would be missed after a restart.

use super::signature::Signer;
use crate::clock::Time;
use crate::config::Federation;
use crate::crypto::VerifyingKey;
use crate::id::ActorId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// With which keys an actor here signs, parsed.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The one that others are shown.
    pub newest: Signer,
    /// The one that it replaced, and when, while both sign.
    pub former: Option<(Signer, Time)>,
}

/// Parsed keys, recent failures and limits.
pub struct Memory {
    verifying: Cache<String, (ActorId, VerifyingKey)>,
    signing: Cache<ActorId, Signing>,
    tried: Cache<String, Time>,
    inbox: Share,
    hosts: Share,
    strangers: Share,
    counts: Cache<String, Arc<AtomicU32>>,
    backlogged: Cache<String, ()>,
    forwards: Share,
    lookups: Share,
    handles: Share,
}

/// Another process may have learned a newer key; after this long it is read from the database again.
const KEY_LIFE: Duration = Duration::from_secs(600);
/// So long a server with too much waiting is told to wait before it is looked at again.
const BACKLOG_LIFE: Duration = Duration::from_secs(30);
/// Another process may have given an actor new keys.
const SIGNING_LIFE: Duration = Duration::from_secs(60);
/// After so many questions those who asked long ago are forgotten: looking through all takes long, so seldom.
const SWEEP: u32 = 50_000;

/// How often each of many may do something in a minute.
struct Share {
    limiter: DefaultKeyedRateLimiter<String>,
    asked: AtomicU32,
}

impl Share {
    fn new(a_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::keyed(quota), asked: AtomicU32::new(0) }
    }

    fn may(&self, key: &str) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key.to_owned()).is_ok()
    }
}

impl Memory {
    /// Empty, with the limits that are set.
    pub fn new(limits: &Federation) -> Self {
        Self {
            verifying: Cache::builder().max_capacity(20_000).time_to_live(KEY_LIFE).build(),
            signing: Cache::builder().max_capacity(5_000).time_to_live(SIGNING_LIFE).build(),
            tried: Cache::new(50_000),
            inbox: Share::new(limits.inbox_per_minute),
            hosts: Share::new(limits.host_per_minute),
            strangers: Share::new(limits.new_actors_per_minute),
            counts: Cache::new(20_000),
            backlogged: Cache::builder().max_capacity(20_000).time_to_live(BACKLOG_LIFE).build(),
            forwards: Share::new(limits.forwards_per_minute),
            lookups: Share::new(limits.lookups_per_minute),
            handles: Share::new(limits.handles_per_minute),
        }
    }

    /// The key with this `keyId` and whose it is.
    pub fn verifying(&self, key_id: &str) -> Option<(ActorId, VerifyingKey)> {
        self.verifying.get(key_id)
    }

    /// Keeps a parsed public key.
    pub fn keep_verifying(&self, key_id: &str, owner: ActorId, key: VerifyingKey) {
        self.verifying.insert(key_id.to_owned(), (owner, key));
    }

    /// Forgets a public key, because its owner's document changed.
    pub fn forget_verifying(&self, key_id: &str) {
        self.verifying.invalidate(key_id);
    }

    /// The keys with which an actor here signs.
    pub fn signing(&self, actor: ActorId) -> Option<Signing> {
        self.signing.get(&actor)
    }

    /// Keeps parsed private keys.
    pub fn keep_signing(&self, actor: ActorId, signing: Signing) {
        self.signing.insert(actor, signing);
    }

    /// Forgets the private keys of an actor, because there may be new ones.
    pub fn forget_signing(&self, actor: ActorId) {
        self.signing.invalidate(&actor);
    }

    /// Whether `what` was tried less than `span` ago.
    pub fn was_tried(&self, what: &str, now: Time, span: Duration) -> bool {
        self.tried.get(what).is_some_and(|at| now.since(at) < span && at.0 <= now.0)
    }

    /// Notes that `what` was tried.
    pub fn note_try(&self, what: &str, now: Time) {
        self.tried.insert(what.to_owned(), now);
    }

    /// Forgets that it was tried, because it went well.
    pub fn forget_try(&self, what: &str) {
        self.tried.invalidate(what);
    }

    /// Whether this network may send one more activity now.
    pub fn may_send(&self, network: &str) -> bool {
        self.inbox.may(network)
    }

    /// Whether this server may send one more activity now.
    pub fn host_may_send(&self, host: &str) -> bool {
        self.hosts.may(host)
    }

    /// Whether somebody of this domain may be met for the first time now.
    pub fn may_meet(&self, domain: &str) -> bool {
        self.strangers.may(domain)
    }

    /// How many activities this server sent before, as far as is remembered; counts one more.
    pub fn count(&self, host: &str) -> u32 {
        self.counts.get_with(host.to_owned(), Arc::default).fetch_add(1, Ordering::Relaxed)
    }

    /// Remembers for a while whether too much of this server waits.
    pub fn note_backlog(&self, host: &str, is_full: bool) {
        if is_full {
            self.backlogged.insert(host.to_owned(), ());
        } else {
            self.backlogged.invalidate(host);
        }
    }

    /// Whether too much of this server waited a moment ago.
    pub fn is_backlogged(&self, host: &str) -> bool {
        self.backlogged.contains_key(host)
    }

    /// Whether what this server passes on may make us ask somebody else once more now.
    pub fn may_ask_for(&self, forwarder: &str) -> bool {
        self.forwards.may(forwarder)
    }

    /// Whether this person may look up one more thing on other servers now (NET-12); counted when not.
    pub fn may_look_up(&self, person: ActorId) -> bool {
        counted(self.lookups.may(&person.0.to_string()), "person")
    }

    /// Whether this network may ask now where one more account goes on; counted when not.
    pub fn may_ask_of_handle(&self, network: &str) -> bool {
        counted(self.handles.may(network), "address")
    }
}

fn counted(holds: bool, whose: &'static str) -> bool {
    if !holds {
        metrics::counter!("hedgeschool_lookups_refused_total", "of" => whose).increment(1);
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_and_those_who_ask_no_more_are_forgotten() {
        let share = Share::new(1);
        assert!(share.may("a") && !share.may("a") && share.may("b"));
        let share = Share::new(u32::MAX);
        for n in 0..=SWEEP {
            assert!(share.may(&n.to_string()));
        }
        assert!(share.limiter.len() < SWEEP as usize / 2, "{}", share.limiter.len());
    }
}
