//! Which lanes are at work, and whose hold up the others?

use crate::domain::name::registrable;
use crate::id::ActorId;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// With fewer lanes at work than this, more are taken. Those that wait for somebody else do not count.
const FEW: usize = 32;
/// A lane that is at one activity for so long waits for somebody else.
pub(super) const SLOW: Duration = Duration::from_millis(250);
/// With so many of its lanes waiting, nothing more of a domain is taken: it holds up itself alone (DOS-05).
const SLOW_OF_DOMAIN: usize = 4;
/// Lanes in all.
const MOST: usize = 2048;

/// When a lane began its present activity, and whether that is at our own database by now.
#[derive(Clone, Debug)]
pub(super) struct Began(Arc<Mutex<(Instant, Arc<AtomicBool>)>>);

impl Began {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), Arc::default()))))
    }

    pub(super) fn again(&self, writing: Arc<AtomicBool>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), writing);
    }

    fn is_slow(&self) -> bool {
        let now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !now.1.load(Ordering::Acquire) && now.0.elapsed() >= SLOW
    }
}

/// The lanes at work.
#[derive(Default)]
pub(super) struct Lanes {
    tasks: JoinSet<ActorId>,
    busy: HashMap<ActorId, (String, Began)>,
}

/// What is not to be taken now.
#[derive(Debug, Default)]
pub(super) struct Except {
    /// Signers whose lanes are at work.
    pub(super) signers: Vec<ActorId>,
    /// Domains that hold up their own.
    pub(super) domains: Vec<String>,
}

impl Lanes {
    /// What is not to be taken now; nothing when no more is to be taken at all.
    pub(super) fn room(&self) -> Option<Except> {
        let (mut quick, mut slow) = (0, HashMap::<&str, usize>::new());
        for (host, began) in self.busy.values() {
            if began.is_slow() {
                *slow.entry(registrable(host)).or_default() += 1;
            } else {
                quick += 1;
            }
        }
        if quick >= FEW || self.busy.len() >= MOST {
            return None;
        }
        let domains: HashSet<&str> =
            slow.into_iter().filter(|(_, count)| *count >= SLOW_OF_DOMAIN).map(|(domain, _)| domain).collect();
        let domains = domains.into_iter().map(str::to_owned).collect();
        Some(Except { signers: self.busy.keys().copied().collect(), domains })
    }

    /// Puts a signer's lane to work.
    pub(super) fn spawn(&mut self, signer: ActorId, host: String, work: impl FnOnce(Began) -> Work) {
        let began = Began::now();
        let work = work(began.clone());
        self.busy.insert(signer, (host, began));
        self.tasks.spawn(async move {
            work.await;
            signer
        });
    }

    /// Forgets the lanes that are at their end.
    pub(super) fn sweep(&mut self) {
        while let Some(done) = self.tasks.try_join_next() {
            done.map(|signer| self.busy.remove(&signer)).ok();
        }
    }

    /// Waits until one is at its end; forever when none is at work.
    pub(super) async fn one_ends(&mut self) {
        match self.tasks.join_next().await {
            Some(done) => drop(done.map(|signer| self.busy.remove(&signer))),
            None => std::future::pending().await,
        }
    }

    /// Waits until all are at their end.
    pub(super) async fn all_end(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What a lane does.
pub(super) type Work = futures_util::future::BoxFuture<'static, ()>;
