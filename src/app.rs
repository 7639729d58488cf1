//! What is every door handed? Configuration, database, clock and the way out to other servers.

use crate::chance::Chance;
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::db::{Bells, Db, Pool, Tx};
use crate::error::Result;
use crate::link::Links;
use crate::net::Net;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The running instance; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    config: Config,
    links: Links,
    pool: Pool,
    net: Net,
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl App {
    /// From its parts, which outlive every request. Fails when the way to other servers cannot be set up.
    pub fn new(config: Config, pool: Pool) -> Result<Self> {
        let net = Net::new(&config)?;
        Ok(Self::with_net(config, pool, net))
    }

    /// With a way to other servers of one's own making: for tests.
    pub fn with_net(config: Config, pool: Pool, net: Net) -> Self {
        let links = pool.around().links.clone();
        Self(Arc::new(Parts { config, links, pool, net, kept: Mutex::default() }))
    }

    /// The way to other servers, and what is remembered of them.
    pub fn net(&self) -> &Net {
        &self.0.net
    }

    /// Every setting of the file and the environment.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The addresses of this instance.
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// The database.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.pool.around().clock
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.clock().now()
    }

    /// Chance.
    pub fn chance(&self) -> &Chance {
        &self.0.pool.around().chance
    }

    /// The bells that wake workers.
    pub fn bells(&self) -> &Bells {
        &self.0.pool.around().bells
    }

    /// What a part of the program keeps in memory as long as the instance runs (limits, caches): one of each type.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        drop(kept);
        // The key is the type, so the cast cannot fail.
        entry.downcast().unwrap_or_default()
    }

    /// Asks the database.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.pool.read(question).await
    }

    /// Looks up a few rows by index, on this very thread where that is quicker ([`crate::db::Pool::look_up`]).
    pub async fn look_up<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.pool.look_up(question).await
    }

    /// Changes something: all of it and what follows, or nothing.
    pub async fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.pool.write(verb).await
    }

    /// Changes what nobody waits for: after all that somebody waits for.
    pub async fn write_behind<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.pool.write_behind(verb).await
    }
}
