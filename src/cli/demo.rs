//! How does somebody see everything at work within a minute? Two instances, sample people, and a course between them.

mod calendar;
mod people;
mod school;
mod story;
mod table;
mod words;

use super::{say, start};
use crate::config::{Config, Log};
use crate::error::{Error, Result};
use calendar::Calendar;
use clap::Args;
use school::School;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use story::Stage;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

/// Where the two schools are found.
#[derive(Args, Clone, Copy, Debug)]
pub struct Ports {
    /// Port of the school called North; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8081)]
    north_port: u16,
    /// Port of the school called South; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8082)]
    south_port: u16,
}

/// What is said when nothing else is asked for: what does not go well, and letters, because nobody sends them.
const FILTER: &str = "warn,hedgeschool::mail=info";
/// How long what is under way may take once the end is asked for.
const LAST_CALL: Duration = Duration::from_millis(100);

/// Plays until Ctrl-C or SIGTERM, and then leaves nothing behind.
pub fn demo(ports: Ports, log: &Log) -> Result<()> {
    if ports.north_port == ports.south_port && ports.north_port != 0 {
        return Err(Error::invalid("--south-port", "North and South each need a port of their own."));
    }
    let quiet = log.filter == Config::default().log.filter;
    start::log(&Log { filter: if quiet { FILTER.into() } else { log.filter.clone() }, ..log.clone() })?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| Error::Internal(Box::new(e)))?;
    let end = {
        let _inside = runtime.enter();
        end_asked_for()?
    };
    let folder =
        tempfile::Builder::new().prefix("hedgeschool-demo-").permissions(Permissions::from_mode(0o700)).tempdir();
    let folder = folder.map_err(|e| Error::Unavailable(format!("no temporary folder can be made: {e}")))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = show(ports, folder.path()) => outcome,
            () = end => Ok(()),
        }
    });
    // What is under way needs no end in order: its data goes with it.
    runtime.shutdown_timeout(LAST_CALL);
    let removed = remove(folder);
    outcome?;
    removed?;
    say("\nThe demonstration is over; its data is deleted.");
    Ok(())
}

/// Returns when the terminal or somebody asks for the end. From its call on no such signal ends the process by itself,
/// so that the folder is always removed.
fn end_asked_for() -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).map_err(|e| Error::Internal(Box::new(e)));
    let (mut interrupt, mut terminate, mut hang_up) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

/// Opens both schools, plays the story and goes on for ever.
async fn show(ports: Ports, folder: &Path) -> Result<()> {
    say("Two schools are being set up, and people take a course together. This takes some seconds.");
    let calendar = Calendar::open(folder)?;
    let (north, south) = tokio::try_join!(
        School::open("north", ports.north_port, calendar.file()),
        School::open("south", ports.south_port, calendar.file()),
    )?;
    let stage = Stage { north: &north, south: &south, calendar: &calendar };
    let played = stage.play(&|step| say(&format!("  - {step}"))).await?;
    say(&table::of(&north, &south, &played));
    std::future::pending().await
}

/// Removes the folder also while a database that is just being closed still takes files out of it.
fn remove(folder: TempDir) -> Result<()> {
    let path = folder.keep();
    let mut last = Ok(());
    for _ in 0..20 {
        last = std::fs::remove_dir_all(&path);
        match &last {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    last.map_err(|e| Error::Unavailable(format!("{} cannot be removed; please do: {e}", path.display())))
}
