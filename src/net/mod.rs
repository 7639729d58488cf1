//! How are other servers reached, and what do signatures prove? Knows no actors.

pub mod address;
pub mod client;
pub mod media;
pub mod memory;
pub mod signature;

use crate::config::Config;
use crate::error::{Error, Result};
use address::Rules;
use client::{SafeClient, Settings, SignerSlot};
use memory::Memory;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The way to other servers, and what is remembered of them.
pub struct Net {
    /// The one way out.
    pub client: SafeClient,
    /// Signs fetches, once the instance has its key.
    pub signer: SignerSlot,
    /// Keys, failures and limits.
    pub memory: Memory,
    /// Places for files that are fetched at the same time.
    pub downloads: Semaphore,
}

impl Net {
    /// As configured; loopback only on a trial machine.
    pub fn new(config: &Config) -> Result<Self> {
        let mut settings = Settings::new(config.server.url.as_str().trim_end_matches('/'));
        settings.rules = Rules {
            allow_loopback_names: config.is_development(),
            loopback_names: config.federation.loopback_names.clone(),
        };
        settings.extra_roots = config.federation.extra_ca.clone();
        settings.deadlines.total = Duration::from_secs(config.federation.timeout_seconds.max(1));
        let client = SafeClient::new(settings).map_err(|e| Error::invalid("federation.extra_ca", e.to_string()))?;
        Ok(Self::with_client(config, client))
    }

    /// With a client of one's own making: for tests, which look names up themselves.
    pub fn with_client(config: &Config, client: SafeClient) -> Self {
        let memory = Memory::new(&config.federation);
        let downloads = Semaphore::new(config.federation.parallel_downloads);
        Self { client, signer: SignerSlot::default(), memory, downloads }
    }
}
