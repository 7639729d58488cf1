//! Who does planned work that goes to other servers? One worker in every process, a few errands at once, so that no server
//! is pressed and none holds up the others; what an errand finds is written in transactions of its own.

use super::worker::{Claim, claim, put_off, rest};
use super::{JobKind, plan};
use crate::app::App;
use crate::db::{Run, Tx, schema::jobs};
use crate::error::{Error, Result};
use crate::measure;
use crate::stop::Stop;
use activitypub_federation::config::FederationConfig;
use diesel::{ExpressionMethods, QueryDsl};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinSet};

/// The work for a kind, given by the top. Says after how long it is to be done again, if at all. May be repeated after a
/// crash.
pub type RunErrand = for<'a> fn(&'a FederationConfig<App>, JobKind, i64) -> BoxFuture<'a, Result<Option<Duration>>>;

/// An errand ends after this time at the latest, before its claim does.
const LONGEST: Duration = Duration::from_secs(90);
/// Errands of one kind at once: so that a server that does not answer holds up neither the others nor other kinds.
const AT_ONCE: usize = 2;
/// What fails so often is given up, except for what recurs.
const TRIES: i64 = 10;

/// Works until asked to stop; what it is at is broken off then and begins again after the next start.
pub async fn run_errands(config: FederationConfig<App>, run: RunErrand, stop: Stop) {
    let app: App = (*config).clone();
    let (mut at_work, mut busy) = (JoinSet::new(), HashMap::<Id, JobKind>::new());
    while !stop.is_asked() {
        let is_free = |kind: &JobKind| busy.values().filter(|busy| *busy == kind).count() < AT_ONCE;
        let free: Vec<JobKind> = JobKind::ERRANDS.into_iter().filter(is_free).collect();
        match app.write(move |tx| claim(tx, &free)).await {
            Ok(Some(claim)) => {
                let (config, app, stop) = (config.clone(), app.clone(), stop.clone());
                let task = at_work.spawn(async move {
                    tokio::select! {
                        () = work(&config, run, claim) => {}
                        () = stop.asked() => release(&app, claim).await,
                    }
                });
                busy.insert(task.id(), claim.kind);
            }
            Ok(None) => tokio::select! {
                () = rest(&app, &stop) => {}
                Some(done) = at_work.join_next_with_id() => {
                    busy.remove(&done.map_or_else(|error| error.id(), |(id, ())| id));
                }
            },
            Err(error) => {
                tracing::warn!(%error, "no errand can be claimed");
                rest(&app, &stop).await;
            }
        }
    }
    while at_work.join_next().await.is_some() {}
}

async fn work(config: &FederationConfig<App>, run: RunErrand, claim: Claim) {
    let app: &App = config;
    let began = Instant::now();
    let outcome = match tokio::time::timeout(LONGEST, run(config, claim.kind, claim.subject)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::Unavailable("it took too long".into())),
    };
    measure::job(claim.kind.as_str(), outcome.is_ok(), began.elapsed());
    let ended = match outcome {
        Ok(again) => app.write(move |tx| finish(tx, claim, again)).await,
        Err(error) if claim.attempts >= TRIES && claim.kind != JobKind::CoursePull => {
            tracing::info!(kind = %claim.kind, subject = claim.subject, %error, "errand given up");
            app.write(move |tx| finish(tx, claim, None)).await
        }
        Err(error) => {
            tracing::info!(kind = %claim.kind, subject = claim.subject, attempts = claim.attempts, %error, "errand failed");
            let reason = error.to_string();
            app.write(move |tx| put_off(tx, claim, &reason)).await
        }
    };
    if let Err(error) = ended {
        // The lease ends by itself.
        tracing::warn!(%error, "the end of an errand could not be written down");
    }
}

/// Without the row of this very claim it was moved or taken over: then that stays.
fn finish(tx: &mut Tx<'_>, claim: Claim, again: Option<Duration>) -> Result<()> {
    let mine = jobs::table.find(claim.id).filter(jobs::leased_until.eq(claim.leased_until));
    if diesel::delete(mine).execute(tx)? == 1
        && let Some(span) = again
    {
        let at = tx.now().plus(span);
        plan(tx, claim.kind, claim.subject, at)?;
    }
    Ok(())
}

async fn release(app: &App, claim: Claim) {
    let freed = app.write(move |tx| {
        let mine = jobs::table.find(claim.id).filter(jobs::leased_until.eq(claim.leased_until));
        diesel::update(mine).set(jobs::leased_until.eq(crate::clock::Time(0))).execute(tx)?;
        Ok(())
    });
    freed.await.ok();
}
