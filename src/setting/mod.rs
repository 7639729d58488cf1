//! What have administrators set for this instance? Name, texts, and who may sign up.

mod store;

pub use store::PAUSING;

use crate::app::App;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::{Problems, Result};
use crate::event::Happened;
use crate::id::ActorId;
use crate::words;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

words! {
    /// Who may make an account.
    pub enum SignUp {
        /// Everyone.
        Open = "open",
        /// Everyone may ask; an administrator answers.
        Approval = "approval",
        /// Whoever has a code.
        Invitation = "invitation",
        /// Nobody.
        Closed = "closed",
    }
}

/// Everything that is set while the instance runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the instance is called.
    pub name: String,
    /// What it is, in one or two sentences of plain text.
    pub description: String,
    /// How people treat each other here, in Markdown.
    pub rules: String,
    /// What is kept about people and for how long, in Markdown.
    pub privacy: String,
    /// How to reach who runs it: a mail address or anything else in plain text.
    pub contact: String,
    /// Who may make an account.
    pub sign_up: SignUp,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Hedgeschool".into(),
            description: "Neighbours teach neighbours here. Courses are run by volunteers, the work is looked at by \
                          peers, and you may take part from this server or from your own."
                .into(),
            rules: RULES.into(),
            privacy: PRIVACY.into(),
            contact: String::new(),
            sign_up: SignUp::Approval,
        }
    }
}

const RULES: &str = "1. Be kind. Everybody here is learning, and everybody here teaches.
2. Hand in your own work, and say where the rest comes from.
3. Review as you would like to be reviewed: about the work, with reasons, in time.
4. What you read as a reviewer stays with you.
5. No harassment, no advertising, nothing that is against the law.

Who breaks these rules may be asked to stop, and suspended.";

const PRIVACY: &str = "We keep what you give us: your name, your mail address, your password as a hash that cannot be \
turned back, what you hand in, review and write, and the times at which you did so.

- Your mail address is used for signing in and for letters about your account. Nobody else sees it.
- Your reviews are shown without your name to whom you review. Organizers of the course can see who wrote them.
- What you do in a course that lives on another server is sent to that server, which keeps it by its own rules.
- Cookies keep you signed in and remember your colours. Nothing here follows you around.
- Addresses from which you signed in are shown to you in your settings and forgotten when the session ends.";

/// The longest text of a setting, in bytes.
const LONGEST: usize = 20_000;

/// What is set, as the database has it now.
pub fn load(db: &mut Db) -> Result<Settings> {
    let mut settings = Settings::default();
    for (key, value) in store::list(db)? {
        match key.as_str() {
            "name" => settings.name = value,
            "description" => settings.description = value,
            "rules" => settings.rules = value,
            "privacy" => settings.privacy = value,
            "contact" => settings.contact = value,
            "sign_up" => settings.sign_up = value.parse().unwrap_or(SignUp::Closed),
            _ => {}
        }
    }
    Ok(settings)
}

/// Sets all of it; who may is asked by the verb that calls this. What did not change is left alone.
pub fn change(tx: &mut Tx<'_>, by: Option<ActorId>, new: &Settings) -> Result<()> {
    let old = load(tx)?;
    check(new)?;
    let pairs = [
        ("name", &old.name, &new.name),
        ("description", &old.description, &new.description),
        ("rules", &old.rules, &new.rules),
        ("privacy", &old.privacy, &new.privacy),
        ("contact", &old.contact, &new.contact),
        ("sign_up", &old.sign_up.to_string(), &new.sign_up.to_string()),
    ];
    for (key, was, is) in pairs {
        if was != is {
            store::put(tx, key, is)?;
            tx.record(by, Happened::SettingChanged(key.into()))?;
        }
    }
    Ok(())
}

/// Lets nothing go out until [`resume_deliveries`], without a transaction of the house; see [`PAUSING`].
pub fn pause_deliveries(db: &mut Db) -> Result<()> {
    store::pause(db)
}

/// Whether nothing may go out.
pub fn are_deliveries_paused(db: &mut Db) -> Result<bool> {
    store::is_paused(db)
}

/// The last delivery that there was when they were paused.
pub fn paused_at(db: &mut Db) -> Result<Option<i64>> {
    store::paused_at(db)
}

/// Lets deliveries and mail go out again; only who owns the machine may. Says whether they were paused.
pub fn resume_deliveries(tx: &mut Tx<'_>) -> Result<bool> {
    let was_paused = store::resume(tx)?;
    if was_paused {
        tx.record(None, Happened::SettingChanged(store::PAUSED.into()))?;
    }
    Ok(was_paused)
}

/// What is wrong with it.
pub fn check(new: &Settings) -> Result<()> {
    let mut problems = Problems::default();
    let name = new.name.chars().count();
    problems.add_if(name == 0 || name > 60, "site_name", "Please give the school a name of at most 60 letters.");
    problems.add_if(new.description.chars().count() > 500, "description", "Please use at most 500 letters.");
    problems.add_if(new.rules.len() > LONGEST, "rules", "This is too long.");
    problems.add_if(new.privacy.len() > LONGEST, "privacy", "This is too long.");
    problems.add_if(new.contact.chars().count() > 200, "contact", "Please use at most 200 letters.");
    problems.check()
}

/// Keeps what is set in memory, so that not every page asks the database.
///
/// The door that changes a setting calls [`Cache::forget`]; another process or the command line is heard of after
/// [`FRESH`] at the latest.
#[derive(Default)]
pub struct Cache(Mutex<Option<(Time, Arc<Settings>)>>);

/// How long what is set may be remembered without asking.
pub const FRESH: Duration = Duration::from_secs(10);

impl Cache {
    /// What is set, if it was read lately.
    pub fn find(app: &App) -> Option<Arc<Settings>> {
        let cache = app.kept::<Self>();
        let held = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(at, _)| app.now().since(*at) < FRESH).map(|(_, settings)| settings.clone())
    }

    /// Remembers what was read at `at`.
    pub fn keep(app: &App, at: Time, settings: Settings) -> Arc<Settings> {
        let settings = Arc::new(settings);
        *app.kept::<Self>().0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, settings.clone()));
        settings
    }

    /// Forgets, because something was changed.
    pub fn forget(app: &App) {
        *app.kept::<Self>().0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests;
