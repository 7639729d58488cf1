//! To which numbers does a name lead, and may we connect to them?

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
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
    /// When there are none or nobody answers; worth another try later.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's look-up, which also reads `/etc/hosts`.
///
/// It blocks a thread until it answers, deadline or not; therefore only so many at a time, so that
/// a dead name server does not use up the threads of the database.
pub struct SystemLookup(Arc<Semaphore>);

impl Default for SystemLookup {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(32)))
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            let found = (host.as_str(), 0).to_socket_addrs();
            // Held until here also when nobody waits for the answer any more.
            drop(permit);
            found
        });
        Ok(found.await.map_err(io::Error::other)??.map(|socket| socket.ip()).collect())
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("{0} resolves to an address that is not public")]
    Private(String),
    #[error("{0} cannot be looked up")]
    Failed(String),
}

/// Stands between names and connections: what it returns is what is connected to, so that a second,
/// different answer of the name server is never used (NET-02).
pub(super) struct Resolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) rules: Arc<Rules>,
    pub(super) deadline: Duration,
}

impl Resolver {
    /// The addresses of `host`, if we may connect to every one of them. A single private one among
    /// them refuses the lot: no honest host has a mixed set.
    pub(super) async fn checked(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        // Asked of nobody (RFC 6761 6.3). In production `check_url` has refused such names long before.
        if self.rules.allow_loopback_names && is_localhost(host) {
            return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]);
        }
        let found = match tokio::time::timeout(self.deadline, self.lookup.lookup(host)).await {
            Ok(Ok(found)) if !found.is_empty() => found,
            _ => return Err(ResolveError::Failed(host.to_owned())),
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
        let (lookup, rules) = (Arc::clone(&self.lookup), Arc::clone(&self.rules));
        let deadline = self.deadline;
        Box::pin(async move {
            let resolver = Self { lookup, rules, deadline };
            let found = resolver.checked(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
