//! What must be there before anything can be done? Log, database, key.

use crate::actor::{self, ActorKind, NewActor};
use crate::app::App;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Config, Log, LogFormat};
use crate::crypto::Keypair;
use crate::db::{Address, Bells, Pool, Surroundings, migrate, upkeep};
use crate::effects;
use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::IsTerminal;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Begins the log, on standard error.
pub fn log(settings: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|e| Error::invalid("log.filter", format!("cannot be read: {e}; such as info,hedgeschool=debug")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match settings.format {
        LogFormat::Human => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
    begun.map_err(Error::Internal)
}

/// Makes sure that no other process works on the same SQLite file: jobs and deliveries would be done twice. Held until
/// dropped. On PostgreSQL several processes share the work.
pub fn alone(address: &Address) -> Result<Option<File>> {
    let Address::Sqlite(path) = address else { return Ok(None) };
    if let Some(folder) = address.folder() {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::Unavailable(format!("the folder {} cannot be made: {e}", folder.display())))?;
    }
    let name = path.with_extension("in-use");
    let file =
        File::create(&name).map_err(|e| Error::Unavailable(format!("{} cannot be written: {e}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Conflict(format!(
            "another hedgeschool process works on {}; stop it first, or give this one another server.data",
            path.display()
        ))),
        Err(TryLockError::Error(e)) => Err(Error::Unavailable(format!("{} cannot be locked: {e}", name.display()))),
    }
}

/// Opens the database beside a server that may be at work on it: then it is not migrated under its feet.
pub fn open_beside(config: Config) -> Result<App> {
    match migrate::behind(&config.address()?)? {
        0 => open(config),
        lacking => Err(Error::Conflict(format!(
            "the database lacks {lacking} migrations of this version; run `hedgeschool migrate` with the server stopped"
        ))),
    }
}

/// Opens the database of a configuration, migrated.
pub fn open(config: Config) -> Result<App> {
    let address = config.address()?;
    let done = migrate::run(&address)?;
    if done > 0 {
        tracing::info!(migrations = done, "the database was brought up to date");
    }
    let clock = match &config.development.clock_file {
        Some(path) => Clock::Shifted(Arc::new(path.clone())),
        None => Clock::System,
    };
    let around = Surroundings {
        clock,
        chance: Chance::system(),
        links: config.links(),
        limits: config.limits(),
        effects: effects::follow,
        bells: Arc::new(Bells::default()),
    };
    let pool = Pool::open(&address, config.database.connections, around)?;
    App::new(config, pool)
}

/// What the first start makes, and what a process that was killed left behind.
pub async fn put_right(app: &App) -> Result<()> {
    instance(app).await?;
    proof_keys(app).await?;
    if matches!(app.config().address()?, Address::Sqlite(_)) {
        app.write(upkeep::free_leases).await?;
    }
    Ok(())
}

/// Makes the instance's actor and key at the first start; refuses a database that belongs to another address.
pub async fn instance(app: &App) -> Result<()> {
    match app.read(actor::find_instance).await? {
        Some(known) if known.uri != app.links().instance() => Err(Error::Conflict(format!(
            "server.url is {}, but this database belongs to {}; ids that others know cannot change",
            app.links().host(),
            known.host
        ))),
        Some(_) => Ok(()),
        None => first_start(app).await,
    }
}

/// Actors in one transaction.
const SOME: i64 = 200;

/// Makes a key for documents for everyone here who was made before there were such keys.
async fn proof_keys(app: &App) -> Result<()> {
    loop {
        let made = app.write(|tx| {
            let without = actor::without_proof_key(tx, SOME)?;
            for actor in &without {
                let (private, public) = Keypair::generate_proof().map_err(|e| Error::Internal(Box::new(e)))?;
                actor::put_proof_key(tx, actor, (&private, &public))?;
            }
            Ok(without.len())
        });
        match made.await? {
            0 => return Ok(()),
            count => tracing::info!(count, "keys for documents were made"),
        }
    }
}

async fn first_start(app: &App) -> Result<()> {
    let made = tokio::task::spawn_blocking(Keypair::generate).await?;
    let keys = made.map_err(|e| Error::Internal(Box::new(e)))?;
    let host = app.links().host().to_owned();
    let made = app
        .write(move |tx| {
            let new = NewActor { kind: ActorKind::Instance, handle: &host, name: &host, summary: "", keys: &keys };
            actor::create(tx, &new)
        })
        .await;
    match made {
        Ok(_) => tracing::info!("first start: the instance has its key"),
        // Another process on the same PostgreSQL was faster, by whatever rule this one ran into it.
        Err(_) if app.read(actor::find_instance).await?.is_some() => {}
        Err(other) => return Err(other),
    }
    Ok(())
}
