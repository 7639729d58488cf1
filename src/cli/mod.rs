//! What can be asked of the program on the command line, and how does it end?

mod account;
mod actor;
mod backup;
mod check;
mod demo;
mod manifest;
mod peer;
mod serve;
mod start;

use crate::config::Config;
use crate::db::migrate;
use crate::error::{Error, Result};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Hedgeschool: a server for study groups that federates by ActivityPub.
///
/// Without a command it serves. Without a configuration file it serves an empty instance on http://localhost:8080 and
/// keeps its data in the folder `data`: everything for trying it out on this machine.
#[derive(Debug, Parser)]
#[command(name = "hedgeschool", version, after_long_help = MORE, max_term_width = 100)]
struct Arguments {
    /// Configuration file; without it hedgeschool.toml in the working folder, when there is one
    #[arg(long, global = true, value_name = "FILE", env = "HEDGESCHOOL_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve pages and other servers until SIGTERM or Ctrl-C (what it does without a command)
    ///
    /// Brings the database up to date first. The first start makes the instance's key. On SIGTERM or SIGINT it says at
    /// /readyz that it is stopping, takes no new connections, and ends when all requests have been answered, at the
    /// latest after server.drain_seconds.
    Serve,
    /// Show two schools at work, with sample people and a course that is taken from both
    ///
    /// Starts two instances on 127.0.0.1 and lets sample people play three weeks of a course within seconds, over real
    /// federation, up to open reviews. Then it prints addresses, who can sign in and what to do next, and serves until
    /// Ctrl-C or SIGTERM. Its data is in a temporary folder that is deleted at the end. Of the configuration only the
    /// log is used.
    #[command(after_long_help = DEMO)]
    Demo(demo::Ports),
    /// Bring the database to this version and end
    ///
    /// `serve` does the same at its start; this is for those who want to see it happen alone. Waits while another
    /// process does it. Refuses a database that a newer version has changed.
    Migrate,
    /// Make an account, list accounts, let somebody in again
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// See other servers, try them again, block and limit them
    #[command(subcommand, after_long_help = peer::EXAMPLES)]
    Peer(peer::PeerCommand),
    /// Copy everything that this instance is into a new folder, while it runs
    ///
    /// Database (with all keys), files that were handed in, and the configuration file, as they are at one moment; then
    /// looks the copy over: whether the database is whole, and each file as it was written. From PostgreSQL it copies
    /// with pg_dump, which must be installed. The folder holds private keys and perhaps passwords: keep it like those.
    #[command(after_long_help = BACKUP)]
    Backup(backup::Place),
    /// Make a backup the instance of this configuration, which must have no data yet
    ///
    /// Overwrites nothing, and refuses a backup that is damaged, of another server.url or of a newer version. What was
    /// restored sends nothing to other servers, and no mail, until `hedgeschool resume`.
    #[command(after_long_help = BACKUP)]
    Restore(backup::Place),
    /// Let deliveries and mail go out again after a backup was restored
    ///
    /// What waited when the backup was made has perhaps arrived since; other servers know it again by its id and ignore
    /// it. With --drop-waiting it is not sent at all.
    Resume(backup::Resume),
    /// Give people, courses or the instance new keys
    #[command(subcommand)]
    Actor(actor::ActorCommand),
    /// Look for what would not work, and say how to mend it
    ///
    /// Looks at the configuration, database, data folder, clock, mail server, the way out to other servers, and whether
    /// server.url leads here. Each line begins with `ok`, `note` or `WRONG`; ends with 1 when a line is WRONG, with 2 when
    /// the configuration is.
    Check,
}

const DEMO: &str = "\
Examples:
  hedgeschool demo                                          on ports 8081 and 8082
  hedgeschool demo --north-port 9081 --south-port 9082      when those are taken
  HEDGESCHOOL_LOG__FILTER=hedgeschool=info hedgeschool demo and tell each delivery and request

The schools are called north.localhost and south.localhost. Firefox, Chromium and their relatives know
that names below localhost lead to this machine; for other programs there is, for example,
  curl --resolve north.localhost:8081:127.0.0.1 http://north.localhost:8081/";

const BACKUP: &str = "\
Examples:
  hedgeschool backup /var/backups/hedgeschool-monday             while the server runs
  hedgeschool --config new.toml restore /var/backups/hedgeschool-monday
  hedgeschool --config new.toml serve                            receives, but sends nothing yet
  hedgeschool --config new.toml resume                           now it sends";

const MORE: &str = "\
Examples:
  hedgeschool                                       try it out on this machine
  hedgeschool demo                                  see two of them with people and a course
  hedgeschool --config /etc/hedgeschool/hedgeschool.toml serve
  hedgeschool --config /etc/hedgeschool/hedgeschool.toml check
  hedgeschool account create ada --email ada@example.org --admin
  hedgeschool peer list
  hedgeschool backup /var/backups/hedgeschool-monday
  hedgeschool actor rotate-key ada                  new keys for ada; --all for everyone here
  HEDGESCHOOL_SERVER__BIND=127.0.0.1:9000 hedgeschool

Configuration:
  config/hedgeschool.example.toml shows every setting with its default and meaning.
  A wrong key or value is refused by name.

Environment:
  HEDGESCHOOL_CONFIG             the configuration file, like --config
  HEDGESCHOOL_<PART>__<SETTING>  any setting; wins over the file. HEDGESCHOOL_SERVER__URL is server.url

Ends with:
  0  done, or stopped in order
  1  something went wrong; one line on standard error says what
  2  the command line or the configuration is wrong";

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            if let (Error::Invalid(problems), Some(Command::Check)) = (&error, &arguments.command) {
                check::refuse(problems);
            }
            return ended(2, &error);
        }
    };
    let outcome = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config),
        Command::Demo(ports) => demo::demo(ports, &config.log),
        Command::Migrate => bring_up_to_date(&config),
        Command::Account(command) => account::run(config, &command),
        Command::Peer(command) => peer::run(config, &command),
        Command::Backup(place) => backup::backup(&config, Config::file(arguments.config.as_deref()).as_deref(), &place),
        Command::Restore(place) => backup::restore(&config, &place),
        Command::Resume(how) => backup::resume(config, &how),
        Command::Actor(command) => actor::run(config, &command),
        Command::Check => check::check(&config),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Invalid(_)) => ended(2, &error),
        Err(error) => ended(1, &error),
    }
}

fn ended(code: u8, error: &Error) -> ExitCode {
    drop(writeln!(std::io::stderr(), "hedgeschool: {error}"));
    ExitCode::from(code)
}

/// A line for people, on standard output. That nobody reads it is no error.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

fn bring_up_to_date(config: &Config) -> Result<()> {
    let address = config.address()?;
    let _alone = start::alone(&address)?;
    match migrate::run(&address)? {
        0 => say("the database is up to date"),
        1 => say("1 migration done"),
        done => say(&format!("{done} migrations done")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_explained() {
        Arguments::command().debug_assert();
        let help = Arguments::command().render_long_help().to_string();
        for word in [
            "serve",
            "demo",
            "migrate",
            "account",
            "peer",
            "backup",
            "restore",
            "resume",
            "check",
            "--config",
            "HEDGESCHOOL_CONFIG",
            "Ends with",
        ] {
            assert!(help.contains(word), "{word} is missing in:\n{help}");
        }
    }
}
