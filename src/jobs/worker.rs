//! Who does planned work at its time? A worker in every process; each job's effect and its end are one transaction.

use super::JobKind;
use crate::app::App;
use crate::clock::Time;
use crate::db::{Bell, Db, Run, Tx, schema::jobs};
use crate::error::Result;
use crate::measure;
use crate::stop::Stop;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use std::time::{Duration, Instant};

/// The verb for a kind of work, given by the top, which knows every feature.
pub type RunJob = fn(&mut Tx<'_>, JobKind, i64) -> Result<()>;

/// How long a claim lasts: after that the process that made it is taken for dead.
const LEASE: Duration = Duration::from_secs(100);
/// The first wait after an error; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after an error.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// The longest sleep: clocks in tests jump, and other processes plan without ringing our bell.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// One claimed row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) id: i64,
    pub(super) kind: JobKind,
    pub(super) subject: i64,
    pub(super) attempts: i64,
    pub(super) leased_until: Time,
}

/// Works until asked to stop, and finishes what it is at.
pub async fn run(app: App, run_job: RunJob, stop: Stop) {
    let kinds: Vec<JobKind> = JobKind::ALL.iter().copied().filter(|kind| !JobKind::ERRANDS.contains(kind)).collect();
    while !stop.is_asked() {
        let kinds = kinds.clone();
        match app.write(move |tx| claim(tx, &kinds)).await {
            Ok(Some(claim)) => work(&app, run_job, claim).await,
            Ok(None) => rest(&app, &stop).await,
            Err(error) => {
                tracing::warn!(%error, "no job can be claimed");
                rest(&app, &stop).await;
            }
        }
    }
}

pub(super) async fn rest(app: &App, stop: &Stop) {
    tokio::select! {
        () = stop.asked() => {}
        () = app.bells().wait(Bell::Jobs) => {}
        () = tokio::time::sleep(LONGEST_SLEEP) => {}
    }
}

/// Takes the job of these kinds that is due for longest. On PostgreSQL other processes skip it; on SQLite nobody else
/// writes.
pub(super) fn claim(tx: &mut Tx<'_>, kinds: &[JobKind]) -> Result<Option<Claim>> {
    let now = tx.now();
    let Some((id, kind, subject, attempts)) = due(tx, now, kinds)? else { return Ok(None) };
    let leased_until = now.plus(LEASE);
    diesel::update(jobs::table.find(id))
        .set((jobs::leased_until.eq(leased_until), jobs::attempts.eq(attempts + 1)))
        .execute(tx)?;
    Ok(Some(Claim { id, kind, subject, attempts: attempts + 1, leased_until }))
}

type Due = (i64, JobKind, i64, i64);

fn due(db: &mut Db, now: Time, kinds: &[JobKind]) -> Result<Option<Due>> {
    let first = jobs::table
        .filter(jobs::kind.eq_any(kinds.to_vec()))
        .filter(jobs::run_at.le(now))
        .filter(jobs::leased_until.le(now))
        .order(jobs::run_at)
        .select((jobs::id, jobs::kind, jobs::subject, jobs::attempts))
        .limit(1);
    Ok(match db {
        Db::Sqlite(conn) => diesel::RunQueryDsl::first(first, conn).optional()?,
        Db::Pg(conn) => diesel::RunQueryDsl::first(first.for_update().skip_locked(), conn).optional()?,
    })
}

async fn work(app: &App, run_job: RunJob, claim: Claim) {
    let began = Instant::now();
    let outcome = app.write(move |tx| finish(tx, run_job, claim)).await;
    measure::job(claim.kind.as_str(), outcome.is_ok(), began.elapsed());
    let Err(error) = outcome else {
        tracing::info!(kind = %claim.kind, subject = claim.subject, "job done");
        return;
    };
    tracing::error!(kind = %claim.kind, subject = claim.subject, attempts = claim.attempts, %error, "job failed");
    let reason = error.to_string();
    if let Err(error) = app.write(move |tx| put_off(tx, claim, &reason)).await {
        // The lease ends by itself.
        tracing::warn!(%error, "a failed job could not be put off");
    }
}

/// The row goes first, so that a job may plan itself again. Without the row of this very claim it was moved, forgotten or
/// taken over, and nothing is done.
fn finish(tx: &mut Tx<'_>, run_job: RunJob, claim: Claim) -> Result<()> {
    let mine = jobs::table.find(claim.id).filter(jobs::leased_until.eq(claim.leased_until));
    if diesel::delete(mine).execute(tx)? == 1 { run_job(tx, claim.kind, claim.subject) } else { Ok(()) }
}

pub(super) fn put_off(tx: &mut Tx<'_>, claim: Claim, reason: &str) -> Result<()> {
    let mine = jobs::table.find(claim.id).filter(jobs::leased_until.eq(claim.leased_until));
    diesel::update(mine)
        .set((jobs::leased_until.eq(tx.now().plus(wait(claim.attempts))), jobs::last_error.eq(Some(reason))))
        .execute(tx)?;
    Ok(())
}

/// How long to wait after so many attempts.
pub(super) fn wait(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}
