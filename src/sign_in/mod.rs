//! Is it really them? From a name and a password to a session, and from a session's cookie to a person.

pub mod web;

use crate::clock::Clock;
use crate::error::Result;
use crate::http::limit::{Limit, network_of};
use crate::id::AccountId;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// How often somebody may try to sign in (ACC-02).
#[derive(Debug)]
pub struct Limits {
    by_address: Limit,
    by_account: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self { by_address: Limit::new(25, 5 * MINUTE), by_account: Limit::new(25, 60 * MINUTE) }
    }
}

impl Limits {
    /// Counts one attempt, before the password is looked at. Names without an account count as accounts of their own,
    /// so that the answer does not tell which names exist.
    pub fn check(&self, clock: &Clock, address: &str, account: Option<AccountId>, name: &str) -> Result<()> {
        self.by_address.check(clock, &network_of(address))?;
        let key = account.map_or_else(|| format!("name {}", name.trim().to_lowercase()), |id| format!("id {}", id.0));
        self.by_account.check(clock, &key)
    }
}

#[cfg(test)]
mod tests;
