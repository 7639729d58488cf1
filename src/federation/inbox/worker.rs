//! Who works on what came in? One lane for each signer, in order; several lanes at once.
//!
//! Where several processes share a database (PostgreSQL), one of them at a time takes a batch by a lease, behind a
//! lock that nobody waits for. SQLite belongs to one process, which remembers in memory what it has in hand: that saves
//! a write for each activity. Either way a crash loses nothing, because a row is pending until the very transaction
//! that works it off.

use super::lanes::{Began, Except, Lanes, SLOW};
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
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Activities that are taken at once.
const BATCH: i64 = 256;
/// An activity that fails so often is given up, with the reason.
const TRIES: i64 = 10;
/// The longest wait for the next try.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long another process keeps its hands off.
const LEASE: Duration = Duration::from_secs(100);
/// So long more may arrive before the next are taken, because each time costs two queries.
const GATHER: Duration = Duration::from_millis(5);
/// The bell may ring in another process; so look now and then.
const LOOK: Duration = Duration::from_secs(1);

/// How often times are looked for that only a wrong clock can have set.
const MEND_EVERY: Duration = Duration::from_secs(60);

/// Works until told to stop, and then finishes what is in hand.
pub async fn run(config: FederationConfig<App>, dispatch: Dispatch, mut stop: watch::Receiver<bool>) {
    let worker = Worker { config, dispatch, stop: stop.clone() };
    let app: App = (*worker.config).clone();
    let (mut lanes, mut mended) = (Lanes::default(), None::<Instant>);
    while !*stop.borrow() {
        if mended.is_none_or(|at| at.elapsed() >= MEND_EVERY) {
            mended = Some(Instant::now());
            if let Err(error) = app.write(|tx| store::mend(tx, LONGEST_WAIT, LEASE)).await {
                tracing::warn!(%error, "times of the inbox could not be mended");
            }
        }
        let room = lanes.room();
        let pause = if room.is_none() { SLOW } else { LOOK };
        if let Some(except) = room {
            match worker.take(except).await {
                Ok(batch) if !batch.is_empty() => {
                    for (signer, waiting) in batch {
                        let host = waiting.first().map(|one| one.received.signer.host.clone()).unwrap_or_default();
                        let worker = worker.clone();
                        lanes.spawn(signer, host, |began| Box::pin(async move { worker.work(waiting, &began).await }));
                    }
                    tokio::time::sleep(GATHER).await;
                    lanes.sweep();
                    continue;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the inbox cannot be read"),
            }
        }
        tokio::select! {
            () = lanes.one_ends() => {}
            () = app.bells().wait(Bell::Inbox) => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
        lanes.sweep();
    }
    lanes.all_end().await;
}

/// Works on everything that waits now, once: for tests and the command line. Says how many there were.
pub async fn work_off(config: &FederationConfig<App>, dispatch: Dispatch) -> Result<usize> {
    let worker = Worker { config: config.clone(), dispatch, stop: watch::channel(false).1 };
    let mut count = 0;
    loop {
        let batch = worker.take(Except::default()).await?;
        if batch.is_empty() {
            return Ok(count);
        }
        for (_, waiting) in batch {
            count += waiting.len();
            worker.work(waiting, &Began::now()).await;
        }
    }
}

#[derive(Clone)]
struct Worker {
    config: FederationConfig<App>,
    dispatch: Dispatch,
    stop: watch::Receiver<bool>,
}

impl Worker {
    /// The next batch, by lane.
    async fn take(&self, except: Except) -> Result<BTreeMap<ActorId, Vec<Waiting>>> {
        let app: &App = &self.config;
        let now = app.now();
        let several = app.look_up(|db| Ok(matches!(db, Db::Pg(_)))).await?;
        let waiting = if several {
            app.write(move |tx| {
                if !store::is_alone(tx)? {
                    return Ok(Vec::new());
                }
                let waiting = store::list_waiting(tx, now, except, BATCH)?;
                let ids: Vec<_> = waiting.iter().map(|one| one.received.id).collect();
                store::lease(tx, &ids, now.plus(LEASE))?;
                Ok(waiting)
            })
            .await?
        } else {
            app.read(move |db| store::list_waiting(db, now, except, BATCH)).await?
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
    async fn work(&self, lane: Vec<Waiting>, began: &Began) {
        let app: &App = &self.config;
        let mut done = Vec::new();
        let all: Vec<_> = lane.iter().map(|one| one.received.id).collect();
        for one in lane {
            let id = one.received.id;
            if *self.stop.borrow() {
                // Other processes need not wait for our lease to end.
                app.write(move |tx| store::lease(tx, &all, crate::clock::Time(0))).await.ok();
                break;
            }
            began.again(one.received.writing());
            let context = self.config.to_request_data();
            match self.work_on(&context, &one).await {
                Ok(()) if one.received.is_settled() => {}
                // Perhaps in another way; seldom, so that the database may be asked.
                Ok(()) => done.push(id),
                Err(error) => match self.fail(&one, &error, context.request_count()).await {
                    Ok(true) => {
                        // What waits behind it is held by its time alone, and no longer by our lease.
                        app.write(move |tx| store::lease(tx, &all, crate::clock::Time(0))).await.ok();
                        break;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, "the fate of an activity could not be written down");
                        // Else it would be taken again at once, with all that it asks of others.
                        tokio::time::sleep(LOOK).await;
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

    async fn work_on(&self, context: &Context, one: &Waiting) -> Result<()> {
        one.received.signer.may_act()?;
        peer::meet(context, &one.received.signer.host).await?;
        let work = AssertUnwindSafe((self.dispatch)(context, &one.received)).catch_unwind();
        match work.await {
            Ok(result) => result,
            Err(_) => Err(Error::internal("a door panicked")),
        }
    }

    /// Writes down that it failed. Says whether it is tried again: not when all tries together would fetch more than one
    /// activity may (NET-07).
    async fn fail(&self, one: &Waiting, error: &Error, fetched: u32) -> Result<bool> {
        let app: &App = &self.config;
        let (id, attempts) = (one.received.id, one.attempts + 1);
        let reason: String = error.to_string().chars().take(500).collect();
        let kind = crate::federation::wire::kind(&one.received.activity).unwrap_or_default().to_owned();
        let most = i64::from(app.config().federation.fetches_per_activity);
        let again = error.is_transient() && attempts < TRIES && (attempts + 1) * i64::from(fetched) <= most;
        let result = if again { "again" } else { "refused" };
        metrics::counter!("hedgeschool_inbox_unworked_total", "result" => result).increment(1);
        tracing::info!(inbox = id.0, kind, attempts, again, reason, "activity not worked off");
        let transient = error.is_transient();
        app.write(move |tx| {
            if again {
                let wait = Duration::from_secs(1 << attempts.clamp(0, 8)).min(LONGEST_WAIT);
                store::put_off(tx, id, attempts, wait, &reason)
            } else {
                store::end(tx, id, if transient { "failed" } else { "refused" }, Some(&reason))
            }
        })
        .await?;
        Ok(again)
    }
}
