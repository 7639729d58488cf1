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
    inbox: DefaultKeyedRateLimiter<String>,
    hosts: DefaultKeyedRateLimiter<String>,
    strangers: DefaultKeyedRateLimiter<String>,
    counts: Cache<String, Arc<AtomicU32>>,
    backlogged: Cache<String, ()>,
    forwards: DefaultKeyedRateLimiter<String>,
    lookups: DefaultKeyedRateLimiter<String>,
    handles: DefaultKeyedRateLimiter<String>,
}

/// Another process may have learned a newer key; after this long it is read from the database again.
const KEY_LIFE: Duration = Duration::from_secs(600);
/// So long a server with too much waiting is told to wait before it is looked at again.
const BACKLOG_LIFE: Duration = Duration::from_secs(30);
/// Another process may have given an actor new keys.
const SIGNING_LIFE: Duration = Duration::from_secs(60);
/// Addresses are forgotten by the limiter when it knows more than these.
const MOST_ADDRESSES: usize = 50_000;

impl Memory {
    /// Empty, with the limits that are set.
    pub fn new(limits: &Federation) -> Self {
        let rate = |a_minute: u32| {
            let rate = NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN);
            RateLimiter::keyed(Quota::per_minute(rate))
        };
        Self {
            verifying: Cache::builder().max_capacity(20_000).time_to_live(KEY_LIFE).build(),
            signing: Cache::builder().max_capacity(5_000).time_to_live(SIGNING_LIFE).build(),
            tried: Cache::new(50_000),
            inbox: rate(limits.inbox_per_minute),
            hosts: rate(limits.host_per_minute),
            strangers: rate(limits.new_actors_per_minute),
            counts: Cache::new(20_000),
            backlogged: Cache::builder().max_capacity(20_000).time_to_live(BACKLOG_LIFE).build(),
            forwards: rate(limits.forwards_per_minute),
            lookups: rate(limits.lookups_per_minute),
            handles: rate(limits.handles_per_minute),
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

    /// Whether this address may send one more activity now.
    pub fn may_send(&self, address: &str) -> bool {
        may(&self.inbox, address)
    }

    /// Whether this server may send one more activity now.
    pub fn host_may_send(&self, host: &str) -> bool {
        may(&self.hosts, host)
    }

    /// Whether somebody of this domain may be met for the first time now.
    pub fn may_meet(&self, domain: &str) -> bool {
        may(&self.strangers, domain)
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
        may(&self.forwards, forwarder)
    }

    /// Whether this person may look up one more thing on other servers now (NET-12); counted when not.
    pub fn may_look_up(&self, person: ActorId) -> bool {
        counted(may(&self.lookups, &person.0.to_string()), "person")
    }

    /// Whether this address may ask now where one more account goes on; counted when not.
    pub fn may_ask_of_handle(&self, address: &str) -> bool {
        counted(may(&self.handles, address), "address")
    }
}

fn counted(holds: bool, whose: &'static str) -> bool {
    if !holds {
        metrics::counter!("hedgeschool_lookups_refused_total", "of" => whose).increment(1);
    }
    holds
}

fn may(limiter: &DefaultKeyedRateLimiter<String>, key: &str) -> bool {
    if limiter.len() > MOST_ADDRESSES {
        limiter.retain_recent();
    }
    limiter.check_key(&key.to_owned()).is_ok()
}
