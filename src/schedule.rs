//! Which verb does a planned time call?

use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::federation::synchronization;
use crate::id::{ActorId, AssignmentId, BanId, CourseId, PostId};
use crate::jobs::{self, JobKind};
use crate::stop::Stop;
use crate::{course, enrollment, history, media, review};
use activitypub_federation::config::FederationConfig;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// How often bytes on disk that belong to nothing are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// The longest sleep: clocks in tests jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Does one planned job, in the transaction that ends it.
pub fn run_job(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    match kind {
        // Features add their lines here, one for each kind. An error keeps the job for later.
        JobKind::AssignmentDue => review::start(tx, AssignmentId(subject)).map(|_| ()),
        JobKind::ReviewsDue => review::release(tx, None, AssignmentId(subject)),
        JobKind::FollowAgain => enrollment::ask_again(tx, subject),
        JobKind::BanEnds => course::ban::ban_over(tx, BanId(subject)),
        JobKind::Purge => {
            media::purge(tx)?;
            jobs::purge(tx)
        }
        JobKind::CoursePull | JobKind::ThreadPull | JobKind::FollowersCompare => {
            Err(Error::internal("an errand is no verb"))
        }
    }
}

/// Does one planned job that goes to other servers.
pub fn run_errand<'a>(
    config: &'a FederationConfig<App>,
    kind: JobKind,
    subject: i64,
) -> BoxFuture<'a, Result<Option<Duration>>> {
    match kind {
        JobKind::CoursePull => history::apub::pull_course(config, CourseId(subject)).boxed(),
        JobKind::ThreadPull => history::apub::pull_thread(config, PostId(subject)).boxed(),
        JobKind::FollowersCompare => synchronization::compare(config, ActorId(subject)).boxed(),
        _ => std::future::ready(Err(Error::internal("a verb is no errand"))).boxed(),
    }
}

/// Plans what recurs, unless it is planned already.
pub async fn plan_recurring(app: &App) -> Result<()> {
    app.write(|tx| {
        let first = tx.now().plus(jobs::PURGE_EVERY);
        jobs::plan_once(tx, JobKind::Purge, 0, first)?;
        history::plan_all(tx)
    })
    .await
}

/// Clears away files that belong to nothing, after the start and then every [`SWEEP_EVERY`], until asked to stop. No
/// planned job, because each process has a disk and a transaction must not wait for one. What fails is tried again the
/// next time.
pub async fn sweep(app: App, stop: Stop) {
    while !stop.is_asked() {
        let next = app.now().plus(SWEEP_EVERY);
        tokio::select! {
            () = stop.asked() => return,
            swept = media::web::sweep(&app) => {
                if let Err(error) = swept {
                    tracing::warn!(%error, "files that belong to nothing could not be cleared away");
                }
            }
        }
        while app.now() < next {
            tokio::select! {
                () = stop.asked() => return,
                () = tokio::time::sleep(LONGEST_SLEEP) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::File;
    use crate::tests::World;

    #[tokio::test]
    async fn files_without_a_row_are_cleared_away_again_and_again() {
        let world = World::new();
        let app = world.app();
        let (stopper, stop) = Stop::pair();
        let sweeping = tokio::spawn(sweep(app.clone(), stop));
        for text in ["one", "two"] {
            let file = File { name: "a.txt".into(), media_type: "text/plain".into(), bytes: text.into() };
            let path = app
                .config()
                .server
                .data
                .join("media")
                .join(file.write(&app.config().server.data, app.chance()).unwrap().public_id);
            assert!(path.exists());
            // The disk has a clock of its own.
            world.pass(Duration::from_secs(50 * 365 * 24 * 60 * 60));
            for _ in 0..3000 {
                if !path.exists() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(!path.exists(), "still there: {text}");
        }
        stopper.stop();
        sweeping.await.unwrap();
    }
}
