//! To which numbers does a name lead, and may we connect to them?

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::net::address::Rules;

/// Looks names up. The only implementation outside tests is [`SystemLookup`].
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of `host`.
    ///
    /// # Errors
    /// When there are none or nobody answers; worth another try later. [`io::ErrorKind::WouldBlock`] when it was not even
    /// asked.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's look-up, which also reads `/etc/hosts`.
///
/// It blocks a thread until it answers, deadline or not; therefore only so many at a time, so that
/// a dead name server does not use up the threads of the database.
pub struct SystemLookup {
    pub(super) places: Arc<Semaphore>,
    /// How long to wait for a place; less than the deadline of a look-up.
    pub(super) patience: Duration,
    pub(super) ask: fn(&str) -> io::Result<Vec<IpAddr>>,
}

impl Default for SystemLookup {
    fn default() -> Self {
        let ask = |host: &str| Ok((host, 0).to_socket_addrs()?.map(|socket| socket.ip()).collect());
        Self { places: Arc::new(Semaphore::new(64)), patience: Duration::from_secs(2), ask }
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(self.patience, place).await.map_err(|_| io::ErrorKind::WouldBlock)?;
        let place = place.map_err(io::Error::other)?;
        let (host, ask) = (host.to_owned(), self.ask);
        let found = tokio::task::spawn_blocking(move || {
            let found = ask(&host);
            // Held until here also when nobody waits for the answer any more.
            drop(place);
            found
        });
        found.await.map_err(io::Error::other)?
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("{0} resolves to an address that is not public")]
    Private(String),
    #[error("{0} cannot be looked up")]
    Failed(String),
    #[error("too many names are being looked up")]
    Busy,
}

/// A name that nobody answered for is not asked about again for so long: as long as its thread may still wait.
const SILENT: Duration = Duration::from_secs(60);
/// So many such names are remembered at most.
const MOST_SILENT: usize = 4096;

/// Names that nobody answered for, and when.
#[derive(Default)]
pub(super) struct Silent(Mutex<HashMap<String, Instant>>);

impl Silent {
    fn holds(&self, host: &str) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(host).is_some_and(|since| since.elapsed() < SILENT)
    }

    fn put(&self, host: &str) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST_SILENT {
            held.retain(|_, since| since.elapsed() < SILENT);
        }
        if held.len() < MOST_SILENT {
            held.insert(host.to_owned(), Instant::now());
        }
    }
}

/// Stands between names and connections: what it returns is what is connected to, so that a second,
/// different answer of the name server is never used (NET-02).
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) rules: Arc<Rules>,
    pub(super) deadline: Duration,
    pub(super) silent: Arc<Silent>,
}

impl Resolver {
    /// The addresses of `host`, if we may connect to every one of them. A single private one among
    /// them refuses the lot: no honest host has a mixed set.
    pub(super) async fn checked(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        // Asked of nobody (RFC 6761 6.3). In production `check_url` has refused such names long before.
        if self.rules.allow_loopback_names && is_localhost(host) {
            return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]);
        }
        let failed = || ResolveError::Failed(host.to_owned());
        if self.silent.holds(host) {
            return Err(failed());
        }
        let found = match tokio::time::timeout(self.deadline, self.lookup.lookup(host)).await {
            Ok(Ok(found)) if !found.is_empty() => found,
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => return Err(ResolveError::Busy),
            Ok(_) => return Err(failed()),
            Err(_) => {
                self.silent.put(host);
                return Err(failed());
            }
        };
        if !found.iter().all(|ip| self.rules.may_connect(host, *ip)) {
            return Err(ResolveError::Private(host.to_owned()));
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

/// Whether the name is `localhost` or below it.
fn is_localhost(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.checked(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
