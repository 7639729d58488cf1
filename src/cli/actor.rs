//! How does who owns the machine give people, courses and the instance new keys?

use super::{say, start};
use crate::actor::{self, Actor, ActorState, Former};
use crate::app::App;
use crate::config::Config;
use crate::crypto::Keypair;
use crate::error::{Error, Result};
use crate::id::ActorId;
use clap::{Args, Subcommand};

/// What can be done about actors. All of it works while the server runs.
#[derive(Clone, Debug, Subcommand)]
pub enum ActorCommand {
    /// Make new keys for people, courses or the instance, and tell other servers
    ///
    /// The old keys still sign for two days or more where the new ones are not known yet, so that nothing is lost. Then their
    /// private halves are deleted; what they signed can still be checked.
    RotateKey(Which),
}

/// Whose keys.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Handles, such as ada or rust_101; the instance is called by its host name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    handles: Vec<String>,
    /// Everyone here
    #[arg(long)]
    all: bool,
    /// Somebody else may have the old keys: they end at once. Servers that keep old keys refuse what they are sent until
    /// they ask again, and earlier proofs cannot be checked any more
    #[arg(long)]
    stolen: bool,
}

/// Actors that are read at once.
const SOME: i64 = 100;

/// Does it, on the database of the configuration.
pub fn run(config: Config, command: &ActorCommand) -> Result<()> {
    let app = start::open_beside(config)?;
    let ActorCommand::RotateKey(which) = command;
    let former = if which.stolen { Former::Withdrawn } else { Former::Replaced };
    if which.all { everyone(&app, former) } else { some(&app, &which.handles, former) }
}

fn some(app: &App, handles: &[String], former: Former) -> Result<()> {
    let mut found = Vec::new();
    for handle in handles {
        let nobody = || Error::Conflict(format!("nobody here is called {handle}"));
        let actor = app.pool().read_blocking(|db| actor::find_here(db, handle))?.ok_or_else(nobody)?;
        found.push(actor);
    }
    found.into_iter().try_for_each(|actor| rotate(app, actor, former))
}

fn everyone(app: &App, former: Former) -> Result<()> {
    let mut last = ActorId(0);
    loop {
        let some = app.pool().read_blocking(|db| actor::list_here_after(db, last, SOME))?;
        let Some(end) = some.last() else { return Ok(()) };
        last = end.id;
        for actor in some {
            if actor.state != ActorState::Gone {
                rotate(app, actor, former)?;
            }
        }
    }
}

fn rotate(app: &App, actor: Actor, former: Former) -> Result<()> {
    let keys = Keypair::generate().map_err(|e| Error::Internal(Box::new(e)))?;
    let line = format!("{} has new keys", actor.handle);
    app.pool().write_blocking(move |tx| actor::replace_keys(tx, &actor, &keys, former))?;
    say(&line);
    Ok(())
}
