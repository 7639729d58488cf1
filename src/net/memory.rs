//! What is kept in memory about other servers? Bounded, and nothing that would be missed after a restart.

use super::signature::Signer;
use crate::clock::Time;
use crate::crypto::VerifyingKey;
use crate::id::ActorId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use std::num::NonZeroU32;
use std::time::Duration;

/// Parsed keys, recent failures and limits.
pub struct Memory {
    verifying: Cache<String, (ActorId, VerifyingKey)>,
    signing: Cache<ActorId, Signer>,
    tried: Cache<String, Time>,
    inbox: DefaultKeyedRateLimiter<String>,
}

/// Another process may have learned a newer key; after this long it is read from the database again.
const KEY_LIFE: Duration = Duration::from_secs(600);
/// Addresses are forgotten by the limiter when it knows more than these.
const MOST_ADDRESSES: usize = 50_000;

impl Memory {
    /// Empty, with so many requests a minute for each address.
    pub fn new(inbox_per_minute: u32) -> Self {
        let rate = NonZeroU32::new(inbox_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            verifying: Cache::builder().max_capacity(20_000).time_to_live(KEY_LIFE).build(),
            signing: Cache::builder().max_capacity(5_000).time_to_live(KEY_LIFE).build(),
            tried: Cache::new(50_000),
            inbox: RateLimiter::keyed(Quota::per_minute(rate)),
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

    /// The key with which an actor here signs.
    pub fn signing(&self, actor: ActorId) -> Option<Signer> {
        self.signing.get(&actor)
    }

    /// Keeps a parsed private key.
    pub fn keep_signing(&self, actor: ActorId, signer: Signer) {
        self.signing.insert(actor, signer);
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
        if self.inbox.len() > MOST_ADDRESSES {
            self.inbox.retain_recent();
        }
        self.inbox.check_key(&address.to_owned()).is_ok()
    }
}
