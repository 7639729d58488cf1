//! By which scheme does each server take our signatures?

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;
use moka::sync::Cache;
use url::Url;

use crate::{link::host_of, net::signature::Scheme};

/// Another process may have learned otherwise; after this long the database is asked again.
const LIFE: Duration = Duration::from_secs(600);
const MOST_HOSTS: u64 = 20_000;

/// What was learned of servers: draft-cavage until one refused it and took RFC 9421, and the other way round.
///
/// Kept in memory; what is new waits in [`Schemes::take_learned`] for whoever can write it down.
#[derive(Debug)]
pub struct Schemes {
    known: Cache<String, Scheme>,
    learned: Mutex<BTreeMap<String, Scheme>>,
}

impl Default for Schemes {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(MOST_HOSTS).time_to_live(LIFE).build();
        Self { known, learned: Mutex::default() }
    }
}

impl Schemes {
    /// What to try first at this address. Some servers answer before they verify, and to them an activity signed by
    /// RFC 9421 would be lost without a word: so draft-cavage where nothing is known.
    pub fn of(&self, url: &Url) -> Scheme {
        host_of(url).and_then(|host| self.known.get(&host)).unwrap_or(Scheme::Cavage)
    }

    /// Whether something is known of this host, so that the database need not be asked.
    pub fn knows(&self, host: &str) -> bool {
        self.known.contains_key(host)
    }

    /// Keeps what the database says.
    pub fn keep(&self, host: &str, scheme: Scheme) {
        self.known.insert(host.to_owned(), scheme);
    }

    /// Whether the other scheme may help against this answer (checklist 19).
    pub(crate) fn may_help(status: StatusCode) -> bool {
        matches!(status.as_u16(), 400 | 401 | 403)
    }

    /// The other scheme helped.
    pub(super) fn learn(&self, url: &Url, scheme: Scheme) {
        let Some(host) = host_of(url) else { return };
        tracing::info!(host, %scheme, "signatures are made otherwise from now on");
        self.known.insert(host.clone(), scheme);
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).insert(host, scheme);
    }

    /// What was learned since this was asked last, to be written down.
    pub fn take_learned(&self) -> BTreeMap<String, Scheme> {
        mem::take(&mut *self.learned.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
