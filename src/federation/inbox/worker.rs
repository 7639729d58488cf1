//! Who works on what came in? One lane for each signer, in order; several lanes at once.
//!
//! Where several processes share a database (PostgreSQL), one of them at a time takes a batch by a lease, behind a
//! lock that nobody waits for. SQLite belongs to one process, which remembers in memory what it has in hand: that saves
//! a write for each activity. Either way a crash loses nothing, because a row is pending until the very transaction
//! that works it off.

use super::store::{self, Waiting};
use crate::app::App;
use crate::db::{Bell, Db};
use crate::error::{Error, Result};
use crate::federation::peer;
use crate::federation::received::Context;
use crate::federation::run::Dispatch;
use crate::id::ActorId;
use activitypub_federation::config::FederationConfig;
use futures_util::FutureExt;
use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Activities that are taken at once.
const BATCH: i64 = 256;
/// With fewer lanes at work than this, more are taken.
const FEW: usize = 32;
/// An activity that fails so often is given up, with the reason.
const TRIES: i64 = 10;
/// How long another process keeps its hands off.
const LEASE: Duration = Duration::from_secs(100);
/// So long more may arrive before the next are taken, because each time costs two queries.
const GATHER: Duration = Duration::from_millis(5);
/// The bell may ring in another process; so look now and then.
const LOOK: Duration = Duration::from_secs(1);

/// Works until told to stop, and then finishes what is in hand.
pub async fn run(config: FederationConfig<App>, dispatch: Dispatch, mut stop: watch::Receiver<bool>) {
    let worker = Worker { config, dispatch };
    let mut lanes: JoinSet<ActorId> = JoinSet::new();
    let mut busy: HashSet<ActorId> = HashSet::new();
    while !*stop.borrow() {
        if busy.len() < FEW {
            match worker.take(&busy).await {
                Ok(batch) if !batch.is_empty() => {
                    for (signer, waiting) in batch {
                        busy.insert(signer);
                        let worker = worker.clone();
                        lanes.spawn(async move {
                            worker.work(waiting).await;
                            signer
                        });
                    }
                    tokio::time::sleep(GATHER).await;
                    while let Some(done) = lanes.try_join_next() {
                        done.map(|signer| busy.remove(&signer)).ok();
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the inbox cannot be read"),
            }
        }
        let app = worker.config.to_request_data().app_data().clone();
        tokio::select! {
            Some(done) = lanes.join_next() => { done.map(|signer| busy.remove(&signer)).ok(); }
            () = app.bells().wait(Bell::Inbox) => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
        while let Some(done) = lanes.try_join_next() {
            done.map(|signer| busy.remove(&signer)).ok();
        }
    }
    while lanes.join_next().await.is_some() {}
}

/// Works on everything that waits now, once: for tests and the command line. Says how many there were.
pub async fn work_off(config: &FederationConfig<App>, dispatch: Dispatch) -> Result<usize> {
    let worker = Worker { config: config.clone(), dispatch };
    let mut count = 0;
    loop {
        let batch = worker.take(&HashSet::new()).await?;
        if batch.is_empty() {
            return Ok(count);
        }
        for (_, waiting) in batch {
            count += waiting.len();
            worker.work(waiting).await;
        }
    }
}

#[derive(Clone)]
struct Worker {
    config: FederationConfig<App>,
    dispatch: Dispatch,
}

impl Worker {
    /// The next batch, by lane.
    async fn take(&self, busy: &HashSet<ActorId>) -> Result<BTreeMap<ActorId, Vec<Waiting>>> {
        let app: &App = &self.config;
        let (now, busy): (_, Vec<ActorId>) = (app.now(), busy.iter().copied().collect());
        let several = app.look_up(|db| Ok(matches!(db, Db::Pg(_)))).await?;
        let waiting = if several {
            app.write(move |tx| {
                if !store::is_alone(tx)? {
                    return Ok(Vec::new());
                }
                let waiting = store::list_waiting(tx, now, &busy, BATCH)?;
                let ids: Vec<_> = waiting.iter().map(|one| one.received.id).collect();
                store::lease(tx, &ids, now.plus(LEASE))?;
                Ok(waiting)
            })
            .await?
        } else {
            app.read(move |db| store::list_waiting(db, now, &busy, BATCH)).await?
        };
        let mut lanes: BTreeMap<ActorId, Vec<Waiting>> = BTreeMap::new();
        for one in waiting {
            lanes.entry(one.received.signer.id).or_default().push(one);
        }
        for lane in lanes.values_mut() {
            lane.sort_by_key(|one| one.received.id);
        }
        Ok(lanes)
    }

    /// One lane, in order. When something must be tried again, what follows it waits.
    async fn work(&self, lane: Vec<Waiting>) {
        let app: &App = &self.config;
        let mut done = Vec::new();
        let all: Vec<_> = lane.iter().map(|one| one.received.id).collect();
        for one in lane {
            let id = one.received.id;
            match self.work_on(&one).await {
                Ok(()) if one.received.is_settled() => {}
                // Perhaps in another way; seldom, so that the database may be asked.
                Ok(()) => done.push(id),
                Err(error) => match self.fail(&one, &error).await {
                    Ok(true) => {
                        // What waits behind it is held by its time alone, and no longer by our lease.
                        app.write(move |tx| store::lease(tx, &all, crate::clock::Time(0))).await.ok();
                        break;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, "the fate of an activity could not be written down");
                        break;
                    }
                },
            }
        }
        if done.is_empty() {
            return;
        }
        // A door that forgot to settle must not be entered again and again.
        let unsettled = app.read(move |db| store::list_unsettled(db, &done)).await.unwrap_or_default();
        for id in unsettled {
            tracing::error!(inbox = id.0, "a door answered without settling");
            app.write(move |tx| store::end(tx, id, "done", None)).await.ok();
        }
    }

    async fn work_on(&self, one: &Waiting) -> Result<()> {
        let context: Context = self.config.to_request_data();
        one.received.signer.may_act()?;
        peer::meet(&context, &one.received.signer.host).await?;
        let work = AssertUnwindSafe((self.dispatch)(&context, &one.received)).catch_unwind();
        match work.await {
            Ok(result) => result,
            Err(_) => Err(Error::internal("a door panicked")),
        }
    }

    /// Writes down that it failed. Says whether it is tried again.
    async fn fail(&self, one: &Waiting, error: &Error) -> Result<bool> {
        let app: &App = &self.config;
        let (id, attempts) = (one.received.id, one.attempts + 1);
        let reason: String = error.to_string().chars().take(500).collect();
        let kind = crate::federation::wire::kind(&one.received.activity).unwrap_or_default().to_owned();
        let again = error.is_transient() && attempts < TRIES;
        let result = if again { "again" } else { "refused" };
        metrics::counter!("hedgeschool_inbox_unworked_total", "result" => result).increment(1);
        tracing::info!(inbox = id.0, kind, attempts, again, reason, "activity not worked off");
        let transient = error.is_transient();
        app.write(move |tx| {
            if again {
                let wait = Duration::from_secs(1 << attempts.clamp(0, 8));
                store::put_off(tx, id, attempts, wait, &reason)
            } else {
                store::end(tx, id, if transient { "failed" } else { "refused" }, Some(&reason))
            }
        })
        .await?;
        Ok(again)
    }
}
