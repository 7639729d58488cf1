//! How does who owns the machine make accounts, see them, and let people in again?

use super::{say, start};
use crate::account::{self, Filter, NewAccount, Role};
use crate::app::App;
use crate::config::Config;
use crate::crypto::{Keypair, Password};
use crate::error::{Error, Result};
use clap::{Args, Subcommand};
use std::io::Read;
use std::path::PathBuf;

/// What can be done about accounts. All of it works while the server runs.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account, active at once
    ///
    /// Without --password-file it prints a link where the person chooses a password within an hour.
    Create(NewPerson),
    /// List accounts: name, role, state, mail address
    List,
    /// Print a link where the person can choose a new password within an hour
    ResetPassword {
        /// Name or mail address of the account, such as ada
        name: String,
    },
}

/// Whose account to make.
#[derive(Args, Clone, Debug)]
pub struct NewPerson {
    /// Name of the account: small letters, digits and _
    name: String,
    /// Mail address
    #[arg(long)]
    email: String,
    /// May change the instance
    #[arg(long)]
    admin: bool,
    /// File whose first line is the password; - is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Does it, on the database of the configuration.
pub fn run(config: Config, command: &AccountCommand) -> Result<()> {
    let app = start::open_beside(config)?;
    // Keys and ids of people rest on the instance, which the first start makes.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Error::Internal(Box::new(e)))?;
    runtime.block_on(start::instance(&app))?;
    match command {
        AccountCommand::Create(person) => create(&app, person),
        AccountCommand::List => list(&app),
        AccountCommand::ResetPassword { name } => reset(&app, name),
    }
}

fn create(app: &App, person: &NewPerson) -> Result<()> {
    let chosen = person.password_file.as_ref().map(password).transpose()?;
    if let Some(password) = &chosen {
        account::check_password(password, &[&person.name, &person.email])?;
    }
    // Nobody knows this one: the link below replaces it.
    let hidden = data_encoding::BASE64.encode(&app.chance().bytes::<24>());
    let internal = |e: Box<dyn std::error::Error + Send + Sync>| Error::Internal(e);
    let password_hash = app
        .chance()
        .with(|rng| Password::hash(chosen.as_deref().unwrap_or(&hidden), rng))
        .map_err(|e| internal(Box::new(e)))?;
    let new = NewAccount {
        handle: person.name.clone(),
        name: String::new(),
        email: person.email.clone(),
        password_hash,
        zone: String::new(),
        application: String::new(),
        keys: Keypair::generate().map_err(|e| internal(Box::new(e)))?,
    };
    let role = if person.admin { Role::Admin } else { Role::Member };
    let made = app.pool().write_blocking(move |tx| account::create_by_admin(tx, &new, role))?;
    say(&format!("made the account {} ({role})", person.name));
    if chosen.is_none() { show_link(app, made.id) } else { Ok(()) }
}

fn password(file: &PathBuf) -> Result<String> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|content| text = content)
    };
    read.map_err(|e| Error::invalid("--password-file", format!("{} cannot be read: {e}", file.display())))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn list(app: &App) -> Result<()> {
    for page in 0.. {
        let (rows, more) = app.pool().read_blocking(|db| account::list(db, &Filter::default(), page))?;
        for (account, actor) in rows {
            say(&format!("{:<30} {:<9} {:<9} {}", actor.handle, account.role, account.state, account.email));
        }
        if !more {
            break;
        }
    }
    Ok(())
}

fn reset(app: &App, name: &str) -> Result<()> {
    let nobody = || Error::Conflict(format!("there is no account {name}; `hedgeschool account list` shows all"));
    let found = app.pool().read_blocking(|db| account::find_by_name(db, name))?;
    show_link(app, found.ok_or_else(nobody)?.id)
}

fn show_link(app: &App, id: crate::id::AccountId) -> Result<()> {
    let path = app.pool().write_blocking(move |tx| account::reset_link(tx, id))?;
    say(&format!("choose a password within an hour: {}", app.links().absolute(&path)));
    Ok(())
}
