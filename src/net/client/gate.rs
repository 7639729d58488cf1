//! Who says with whom nothing is exchanged at all?

use super::FetchError;
use crate::link::host_of;
use async_trait::async_trait;
use std::sync::{Arc, PoisonError, RwLock};
use url::Url;

/// Asked before every request, also before each hop of a redirect, so that no door can forget to.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Whether this host may be reached.
    ///
    /// # Errors
    /// [`FetchError::Blocked`] when it may not; anything transient when that cannot be told now.
    async fn check(&self, host: &str) -> Result<(), FetchError>;
}

/// A place for the gate, filled once the database is there. Clones share it.
#[derive(Clone, Default)]
pub struct GateSlot(Arc<RwLock<Option<Arc<dyn Gate>>>>);

impl GateSlot {
    /// Asks `gate` from now on.
    pub fn set(&self, gate: Arc<dyn Gate>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(gate);
    }

    pub(super) async fn check(&self, url: &Url) -> Result<(), FetchError> {
        let gate = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (gate, host_of(url)) {
            (Some(gate), Some(host)) => gate.check(&host).await,
            _ => Ok(()),
        }
    }
}
