//! How do we ask other servers anything without being used against ourselves?
//!
//! Every request of the program goes through [`SafeClient`]: addresses are checked as text and again
//! as numbers, the connection goes to the number that was checked, and time, size and redirects have
//! an end (NET-01 to NET-06).

mod error;
mod gate;
mod guard;
mod request;
mod resolve;
mod schemes;
#[cfg(test)]
pub(crate) mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::redirect::Policy;

use super::address::Rules;

pub use error::{ClientError, FetchError, Verdict};
pub use gate::{Gate, GateSlot};
pub use guard::{Guard, Now, SignerSlot, federation_client};
pub use request::{Answer, Letter, PostAnswer};
pub use resolve::{Lookup, SystemLookup};
pub use schemes::Schemes;

/// Most bytes of an answer that are read, after decompression (1 MiB).
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Most redirects that a GET follows.
pub const MAX_REDIRECTS: usize = 2;

/// How long each step of a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Looking up a name.
    pub lookup: Duration,
    /// Looking up, connecting and greeting.
    pub connect: Duration,
    /// All of it, redirects and body included.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let five = Duration::from_secs(5);
        Self { lookup: five, connect: five, total: Duration::from_secs(10) }
    }
}

/// With what a [`SafeClient`] is made.
#[derive(Clone)]
pub struct Settings {
    /// Whom it may talk to.
    pub rules: Rules,
    /// What it calls itself; see [`Settings::new`].
    pub user_agent: String,
    /// A PEM file with certificate authorities to trust beside the system's.
    pub extra_roots: Option<PathBuf>,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// Where names are looked up; tests put their own here.
    pub lookup: Arc<dyn Lookup>,
}

impl Settings {
    /// The settings of production for the instance at `origin` (`https://north.test`), which the
    /// user agent names so that other servers know whom to ask.
    pub fn new(origin: &str) -> Self {
        Self {
            rules: Rules::default(),
            user_agent: format!("hedgeschool/{} (+{origin})", env!("CARGO_PKG_VERSION")),
            extra_roots: None,
            deadlines: Deadlines::default(),
            lookup: Arc::new(SystemLookup::default()),
        }
    }
}

/// The one way to other servers. Cloning shares its connections.
#[derive(Clone)]
pub struct SafeClient {
    http: reqwest::Client,
    rules: Arc<Rules>,
    deadlines: Deadlines,
    schemes: Arc<Schemes>,
    gate: GateSlot,
}

impl SafeClient {
    /// Makes the client: rustls, no redirects of its own, no cookies, no proxy, own name look-up.
    ///
    /// # Errors
    /// When the extra certificates cannot be read, or the system has none.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let rules = Arc::new(settings.rules);
        let resolver = resolve::Resolver {
            lookup: settings.lookup,
            rules: Arc::clone(&rules),
            deadline: settings.deadlines.lookup,
            silent: Arc::default(),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(settings.user_agent)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(settings.deadlines.connect)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .dns_resolver(Arc::new(resolver));
        if let Some(path) = settings.extra_roots {
            let unreadable = |reason: String| ClientError::Roots { path: path.clone(), reason };
            let pem = std::fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?;
            if roots.is_empty() {
                return Err(unreadable("no certificate in it".to_owned()));
            }
            builder = builder.tls_certs_merge(roots);
        }
        let http = builder.build().map_err(|error| ClientError::Tls(error::chain(&error)))?;
        Ok(Self { http, rules, deadlines: settings.deadlines, schemes: Arc::default(), gate: GateSlot::default() })
    }

    /// The rules that addresses are held against, for checks before anything is stored.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Who is asked before every request whether that server may be reached at all.
    pub fn gate(&self) -> &GateSlot {
        &self.gate
    }

    /// How each server wants our signatures.
    pub fn schemes(&self) -> &Schemes {
        &self.schemes
    }
}
