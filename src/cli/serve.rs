//! How does a server run, from its first line to its last?

use super::{say, start};
use crate::app::App;
use crate::config::Config;
use crate::db::Bell;
use crate::error::{Error, Result};
use crate::http::health;
use crate::http::serve::{Bounds, serve as take_connections};
use crate::measure::Counters;
use crate::stop::{Stop, Stopper};
use crate::{account, dispatch, federation, jobs, mail, routes, schedule};
use activitypub_federation::config::FederationConfig;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// Serves until SIGTERM or SIGINT.
pub fn serve(config: Config) -> Result<()> {
    start::log(&config.log)?;
    let address = config.address()?;
    let _alone = start::alone(&address)?;
    let app = start::open(config)?;
    let failed = |e| Error::Internal(Box::new(e));
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    let behind = Builder::new_multi_thread().enable_all().on_thread_start(give_way).build().map_err(failed)?;
    let outcome = runtime.block_on(run(app, behind.handle()));
    // What still hangs after the drain must not keep the process.
    behind.shutdown_timeout(Duration::from_secs(1));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// This thread does what nobody waits for: while the processor is busy, who waits for an answer goes first.
fn give_way() {
    rustix::process::setpriority_process(Some(rustix::thread::gettid()), BEHIND).ok();
}

/// As `nice` says it: a tenth of the time of others, while they want it.
const BEHIND: i32 = 10;

/// Answers on this runtime, and works `behind` on what came in and what goes out.
async fn run(app: App, behind: &Handle) -> Result<()> {
    start::put_right(&app).await?;
    schedule::plan_recurring(&app).await?;
    let (stopper, stop) = Stop::pair();
    stop_by_signal(stopper)?;
    let server = &app.config().server;
    let head = Duration::from_secs(server.head_seconds);
    let bounds = Bounds { connections: server.max_connections, drain: Duration::from_secs(server.drain_seconds), head };
    let listener = listen(server.bind, "server.bind").await?;
    if let Some(bind) = app.config().metrics.bind {
        let page = health::metrics(app.clone(), Counters::install()?);
        let few = Bounds { connections: 16, drain: Duration::ZERO, head };
        tokio::spawn(take_connections(listen(bind, "metrics.bind").await?, page, few, stop.clone()));
    }
    let config = federation::run::config(&app).await?;
    let (app_behind, config_behind, stop_behind) = (app.clone(), config.clone(), stop.clone());
    let started = behind.spawn(async move {
        let running = federation::start(&config_behind, dispatch::dispatch).await?;
        Ok::<_, Error>((running, workers(&app_behind, &config_behind, &stop_behind)))
    });
    let (running, mut workers) = started.await??;
    welcome(&app, &listener).await?;
    let router = routes::router(&app, &config, stop.clone());
    // Requests and workers end at the same time: who asked for the end waits once.
    let ending = async {
        stop.asked().await;
        let all = async {
            running.stop().await;
            while workers.join_next().await.is_some() {}
        };
        tokio::time::timeout(bounds.drain, all).await.is_ok()
    };
    let serving = async { tokio::join!(take_connections(listener, router, bounds, stop.clone()), ending) };
    tokio::select! {
        (all_answered, all_ended) = serving => {
            tracing::info!(all_answered, all_ended, "stopped");
            Ok(())
        }
        () = app.bells().wait(Bell::Broken) => {
            // Whoever waits is answered yet.
            tokio::time::sleep(LAST_WORDS).await;
            Err(Error::Unavailable("the disk failed, so that nothing more can be promised; look at it, then start again".into()))
        }
    }
}

/// How long answers may take on their way when the disk has failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Everything that works beside the requests. Each ends by itself when asked to stop.
pub fn workers(app: &App, config: &FederationConfig<App>, stop: &Stop) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    workers.spawn(jobs::run_errands(config.clone(), schedule::run_errand, stop.clone()));
    workers.spawn(jobs::run(app.clone(), schedule::run_job, stop.clone()));
    workers.spawn(schedule::sweep(app.clone(), stop.clone()));
    workers.spawn(mail::run(app.clone(), stop.clone()));
    workers
}

async fn listen(bind: SocketAddr, setting: &'static str) -> Result<TcpListener> {
    TcpListener::bind(bind)
        .await
        .map_err(|e| Error::Unavailable(format!("{setting} = {bind} cannot be listened on: {e}")))
}

/// Says where it can be seen, and how the first administrator comes in while there is none.
async fn welcome(app: &App, listener: &TcpListener) -> Result<()> {
    let bind = listener.local_addr().unwrap_or(app.config().server.bind);
    say(&format!("hedgeschool listens on {bind}; open {}", app.links().absolute("/")));
    if let Some(token) = app.write(account::start_set_up).await? {
        let path = format!("/set-up/{}", token.reveal());
        say(&format!("There is no administrator yet. This link makes one, once: {}", app.links().absolute(&path)));
    }
    tracing::info!(%bind, url = %app.config().server.url, "listening");
    Ok(())
}

fn stop_by_signal(stopper: Stopper) -> Result<()> {
    let failed = |e| Error::Internal(Box::new(e));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, finishing what has begun");
        stopper.stop();
        // A second signal ends at once.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(())
}
