//! How do activities reach other servers? One line for each server, in order; many lines at once; results in groups.
//!
//! A delivery is pending until its result is committed, so a crash loses nothing and repeats at most what was in
//! flight, under the same id. A line is leased while it is worked on; a lease that nobody ends runs out.

mod ending;
mod fate;
mod gone;
mod keys;
mod line;
mod record;
mod store;
#[cfg(test)]
mod tests;

use crate::app::App;
use crate::db::{Bell, Db, Tx};
use crate::error::Result;
use crate::setting;
use activitypub_federation::config::FederationConfig;
use line::Road;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// How long a line is held at most.
const LEASE: Duration = Duration::from_secs(100);
/// Look at least so often, for bells that rang in another process.
const LOOK: Duration = Duration::from_secs(5);
/// How often lines are looked for that nobody made due.
const SWEEP: Duration = Duration::from_secs(60);
/// Slow servers that may be waited for, for each place of the others.
const SLOW: usize = 4;

/// Makes everything that waits findable after a stop, orderly or not.
pub async fn recover(config: &FederationConfig<App>) -> Result<()> {
    let app: &App = config;
    app.write(|tx| {
        let alone = matches!(**tx, Db::Sqlite(_));
        store::sweep(tx, alone)
    })
    .await?;
    Ok(())
}

/// Drops what waits to go out, up to this delivery, with the reason; says how much that was. Only who owns the machine may.
pub fn drop_waiting(tx: &mut Tx<'_>, up_to: i64, reason: &str) -> Result<usize> {
    store::drop_waiting(tx, up_to, reason)
}

/// Delivers until told to stop, and then finishes what is in flight.
pub async fn run(config: FederationConfig<App>, mut stop: watch::Receiver<bool>) {
    let app: App = config.to_request_data().app_data().clone();
    let mut office = Office::open(&config, stop.clone());
    let mut swept = tokio::time::Instant::now();
    while !*stop.borrow() {
        match office.dispatch().await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, "deliveries cannot be read"),
        }
        tokio::select! {
            () = app.bells().wait(Bell::Deliveries) => {}
            () = tokio::time::sleep(office.until_due().await) => {}
            _ = stop.changed() => {}
        }
        if swept.elapsed() > SWEEP {
            swept = tokio::time::Instant::now();
            app.write(|tx| store::sweep(tx, false)).await.ok();
            // A command may have given the instance new keys.
            super::run::sign_fetches(&app).await.ok();
        }
    }
    office.close().await;
}

/// Delivers all that is due, once: for tests and the command line. Says how many lines were worked on.
pub async fn deliver_due(config: &FederationConfig<App>) -> Result<usize> {
    let mut office = Office::open(config, watch::channel(false).1);
    let mut count = 0;
    loop {
        match office.dispatch().await? {
            0 => break,
            more => count += more,
        }
    }
    office.close().await;
    Ok(count)
}

/// Where lines are given out.
struct Office {
    road: Road,
    size: usize,
    places: Arc<Semaphore>,
    lines: JoinSet<()>,
    recorder: tokio::task::JoinHandle<()>,
}

impl Office {
    fn open(config: &FederationConfig<App>, stop: watch::Receiver<bool>) -> Self {
        let app: &App = config;
        let (notes, written) = mpsc::channel(4096);
        let size = app.config().federation.parallel_hosts;
        Self {
            road: Road {
                app: app.clone(),
                config: config.clone(),
                notes,
                slow: Arc::new(Semaphore::new(size * SLOW)),
                stop,
            },
            size,
            places: Arc::new(Semaphore::new(size)),
            lines: JoinSet::new(),
            recorder: tokio::spawn(record::run(app.clone(), written)),
        }
    }

    /// Waits for free places, then gives out as many lines as there are places. Says how many were due.
    async fn dispatch(&mut self) -> Result<usize> {
        // Several at a time, because each time costs a transaction.
        let several = u32::try_from(self.size.div_ceil(4)).unwrap_or(1);
        let Ok(mut some) = Arc::clone(&self.places).acquire_many_owned(several).await else { return Ok(0) };
        let mut places = Vec::with_capacity(self.size);
        while let Some(place) = some.split(1) {
            places.push(place);
        }
        while let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            places.push(place);
        }
        while self.lines.try_join_next().is_some() {}
        let most = i64::try_from(places.len()).unwrap_or(1);
        let app = &self.road.app;
        let lines = app
            .write_behind(move |tx| {
                // A backup was restored: nothing goes out until somebody has looked around.
                if setting::are_deliveries_paused(tx)? {
                    return Ok(Vec::new());
                }
                let until = tx.now().plus(LEASE);
                let taken = store::take_lines(tx, most, until)?;
                store::fill_lines(tx, taken)
            })
            .await?;
        let count = lines.len();
        for line in lines {
            let Some(place) = places.pop() else { break };
            self.lines.spawn(line::work(self.road.clone(), line, place));
        }
        Ok(count)
    }

    /// How long to sleep when nothing rings.
    async fn until_due(&self) -> Duration {
        let app = &self.road.app;
        let now = app.now();
        let next =
            app.read(move |db| if setting::are_deliveries_paused(db)? { Ok(None) } else { store::next_due(db, now) });
        match next.await {
            Ok(Some(due)) => due.since(app.now()).clamp(Duration::from_millis(50), LOOK),
            _ => LOOK,
        }
    }

    /// Waits for what is in flight and for its results.
    async fn close(mut self) {
        while self.lines.join_next().await.is_some() {}
        drop(self.road);
        self.recorder.await.ok();
    }
}
