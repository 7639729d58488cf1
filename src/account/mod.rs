//! Who may sign in here, and what may they do? Accounts of local people: making, approving, suspending, changing them.

mod asking;
mod invitation;
mod once;
pub mod session;
mod standing;
mod store;
pub mod web;

pub use asking::{Asked, problems};
pub use invitation::{Invitation, invite, list_invitations, revoke_invitation};
pub use once::{ask_reset, may_reset, may_set_up, reset, reset_link, set_up, start_set_up};
pub use standing::{PENDING, approve, close, decline, may_close, purge, restore, set_role, suspend};

use crate::actor::{self, Actor, ActorKind, ActorState, NewActor};
use crate::clock::Time;
use crate::crypto::{Keypair, MAX_PASSWORD_BYTES};
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::id::{AccountId, ActorId};
use crate::setting::{self, SignUp};
use crate::words;
use crate::{mail, notice, text};
use diesel::{Queryable, Selectable};
use std::time::Duration;

words! {
    /// What a person may do on the instance.
    pub enum Role {
        /// Take part.
        Member = "member",
        /// Keep it safe.
        Moderator = "moderator",
        /// Change it.
        Admin = "admin",
    }
}

words! {
    /// Whether a person may sign in.
    pub enum AccountState {
        /// Waits for approval.
        Pending = "pending",
        /// May.
        Active = "active",
        /// Stopped by a moderator.
        Suspended = "suspended",
        /// Gone.
        Deleted = "deleted",
    }
}

words! {
    /// The colours in which a person sees pages.
    pub enum Theme {
        /// As the device has them.
        Auto = "auto",
        /// Light.
        Light = "light",
        /// Dark.
        Dark = "dark",
    }
}

/// A local person's sign-in and preferences.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::accounts)]
pub struct Account {
    /// Key inside.
    pub id: AccountId,
    /// The person.
    pub actor_id: ActorId,
    /// Mail address, lower case.
    pub email: String,
    /// Argon2id, as a PHC string. Never shown, never logged.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub state: AccountState,
    /// IANA zone in which they see times.
    pub zone: String,
    /// The colours in which they see pages.
    pub theme: Theme,
    /// What they wrote when signing up needs approval.
    pub application: String,
    /// About themselves, in Markdown.
    pub bio_md: String,
    /// When it was made.
    pub created_at: Time,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}, {}, {})", self.id.0, self.role, self.state)
    }
}

/// What is needed to make an account.
#[derive(Clone)]
pub struct NewAccount {
    /// The handle, as typed.
    pub handle: String,
    /// What the person is called; the handle when empty.
    pub name: String,
    /// Mail address, as typed.
    pub email: String,
    /// Hash of a password that [`check_password`] let pass.
    pub password_hash: String,
    /// IANA zone; UTC when empty.
    pub zone: String,
    /// What they say to who approves.
    pub application: String,
    /// The person's key, made beforehand because that takes long.
    pub keys: Keypair,
}

/// What became of a wish to sign up.
#[derive(Clone, Debug)]
pub enum SignedUp {
    /// There is an account; `Active` or `Pending` by its state.
    Made(Account),
    /// The mail address has one already. Its owner was written to, and the asker is told nothing else (ACC-01).
    Known,
}

/// When so many signed up in an hour, further ones wait for approval: it looks like machines (ACC-11).
const MOST_AN_HOUR: i64 = 50;
/// The least letters of a password.
pub const SHORTEST: usize = 10;
/// Handles that mean the instance, or could be taken for it.
const RESERVED: &[&str] =
    &["admin", "administrator", "actor", "hedgeschool", "inbox", "moderator", "root", "support", "system"];

/// Makes an account for somebody who asks, by the rules for signing up that are set. Administrators hear of those who
/// wait.
pub fn sign_up(tx: &mut Tx<'_>, new: &NewAccount, code: &str) -> Result<SignedUp> {
    let mode = setting::load(tx)?.sign_up;
    if mode == SignUp::Closed {
        return Err(Error::denied("Nobody can sign up here at the moment."));
    }
    let now = tx.now();
    problems(tx, &Asked::of(new, code), Some(mode), now)?.check()?;
    if let Some(known) = store::find_by_email(tx, &email_of(&new.email))? {
        let text = "Somebody, perhaps you, tried to make another account with this mail address.\n\nYou have one \
                    already. Sign in with it, or ask for a new password on the sign-in page. If it was not you, there \
                    is nothing to do.\n";
        mail::post(tx, &known.email, "You have an account already", text)?;
        return Ok(SignedUp::Known);
    }
    if mode == SignUp::Invitation {
        invitation::spend(tx, code)?;
    }
    let hour = tx.now().minus(Duration::from_secs(3600));
    let rush = mode == SignUp::Open && store::count_since(tx, hour)? >= MOST_AN_HOUR;
    let state = if mode == SignUp::Approval || rush { AccountState::Pending } else { AccountState::Active };
    let account = make(tx, new, Role::Member, state)?;
    if state == AccountState::Pending {
        let admins = store::list_admins(tx)?;
        let name = actor::get(tx, account.actor_id)?.name;
        notice::tell(tx, &admins, "account", &format!("{name} asks for an account"), "/admin/accounts?state=pending")?;
    }
    Ok(SignedUp::Made(account))
}

/// Makes an account without asking: for the command line, whose user owns the machine.
pub fn create_by_admin(tx: &mut Tx<'_>, new: &NewAccount, role: Role) -> Result<Account> {
    let now = tx.now();
    let mut problems = problems(tx, &Asked::of(new, ""), None, now)?;
    let known = store::find_by_email(tx, &email_of(&new.email))?.is_some();
    problems.add_if(known, "email", "There is an account with this mail address.");
    problems.check()?;
    make(tx, new, role, AccountState::Active)
}

fn make(tx: &mut Tx<'_>, new: &NewAccount, role: Role, state: AccountState) -> Result<Account> {
    let handle = handle_of(&new.handle);
    let name = one_line(&new.name);
    let name = if name.is_empty() { handle.clone() } else { name };
    let person = NewActor { kind: ActorKind::Person, handle: &handle, name: &name, summary: "", keys: &new.keys };
    let actor = actor::create(tx, &person)?;
    if state != AccountState::Active {
        // Whoever waits for approval cannot act and is not seen from elsewhere (ACC-09).
        actor::move_to(tx, actor.id, ActorState::Suspended)?;
    }
    let zone = if new.zone.is_empty() { "UTC" } else { &new.zone };
    let account = store::insert(tx, &actor, new, &store::Fixed { email: &email_of(&new.email), role, state, zone })?;
    tx.record(Some(actor.id), Happened::AccountCreated(account.id))?;
    Ok(account)
}

/// How a person is shown: name, and a text about themselves in Markdown.
pub fn edit_profile(tx: &mut Tx<'_>, by: &Actor, name: &str, bio: &str) -> Result<Actor> {
    by.may_act()?;
    let account = find_by_actor(tx, by.id)?.ok_or(Error::NotFound)?;
    let name = one_line(name);
    let mut problems = Problems::default();
    let long = name.chars().count();
    problems.add_if(long == 0 || long > 60, "name", "Please enter a name of at most 60 letters.");
    problems.add_if(bio.chars().count() > 2000, "bio", "Please use at most 2000 letters.");
    let html = text::render(bio).unwrap_or_else(|error| {
        problems.add("bio", format!("This cannot be shown: {error}."));
        String::new()
    });
    problems.check()?;
    store::update_bio(tx, account.id, bio)?;
    let actor = actor::rename(tx, by.id, &name, &html)?;
    tx.record(Some(by.id), Happened::ProfileChanged(by.id))?;
    Ok(actor)
}

/// In which zone a person sees times, and in which colours they see pages.
pub fn set_preferences(tx: &mut Tx<'_>, by: &Actor, zone: &str, theme: Theme) -> Result<()> {
    let account = find_by_actor(tx, by.id)?.ok_or(Error::NotFound)?;
    if zone.is_empty() || !is_zone(zone) {
        return Err(Error::invalid("zone", "Please choose a zone from the list."));
    }
    store::update_preferences(tx, account.id, zone, theme)?;
    tx.record(Some(by.id), Happened::ProfileChanged(by.id))
}

/// A new password; every other session of the account ends, and links for a reset are void. The old password was
/// checked by the door, away from the database. `session` is the one that stays, if any.
pub fn change_password(
    tx: &mut Tx<'_>,
    id: AccountId,
    hash: &str,
    session: Option<crate::id::SessionId>,
) -> Result<()> {
    let account = get(tx, id)?;
    store::update_password(tx, id, hash)?;
    session::end_all(tx, id, session)?;
    once::void(tx, id)?;
    tx.record(Some(account.actor_id), Happened::PasswordChanged(id))
}

/// What is wrong with a password somebody chose, before it is hashed.
pub fn check_password(password: &str, not: &[&str]) -> Result<()> {
    let bad = |text: &str| Err(Error::invalid("password", text));
    if password.chars().count() < SHORTEST {
        bad("Please use at least 10 letters. A few words together are fine.")
    } else if password.len() > MAX_PASSWORD_BYTES {
        bad("Please use at most 1024 letters.")
    } else if not.iter().any(|word| !word.is_empty() && password.eq_ignore_ascii_case(word)) {
        bad("Please choose something else than your name or mail address.")
    } else if password.chars().all(|c| password.starts_with(c)) {
        bad("Please choose something that is harder to guess.")
    } else {
        Ok(())
    }
}

/// By key.
pub fn get(db: &mut Db, id: AccountId) -> Result<Account> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// Of a person here.
pub fn find_by_actor(db: &mut Db, actor: ActorId) -> Result<Option<Account>> {
    store::find_by_actor(db, actor)
}

/// By handle (with or without `@`) or mail address, as typed when signing in.
pub fn find_by_name(db: &mut Db, name: &str) -> Result<Option<Account>> {
    let name = name.trim();
    let handle = name.strip_prefix('@').unwrap_or(name);
    if handle.contains('@') {
        return store::find_by_email(db, &email_of(name));
    }
    match actor::find_here(db, &handle_of(handle))? {
        Some(actor) => store::find_by_actor(db, actor.id),
        None => Ok(None),
    }
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these; all but the deleted when nothing.
    pub state: Option<AccountState>,
    /// Part of name, handle or mail address.
    pub text: String,
}

/// How many accounts a page of the list has.
pub const PAGE: i64 = 50;

/// Accounts with their people, newest first; `page` counts from 0. Says also whether there are more.
pub fn list(db: &mut Db, filter: &Filter, page: i64) -> Result<(Vec<(Account, Actor)>, bool)> {
    let mut rows = store::list(db, filter, page.clamp(0, 100_000) * PAGE, PAGE + 1)?;
    let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    Ok((rows, more))
}

/// How many accounts there are in each state.
pub fn count(db: &mut Db) -> Result<Vec<(AccountState, i64)>> {
    AccountState::ALL.iter().map(|state| Ok((*state, store::count(db, *state)?))).collect()
}

/// Whether there is an administrator who can sign in.
pub fn has_admin(db: &mut Db) -> Result<bool> {
    Ok(!store::list_admins(db)?.is_empty())
}

/// Refuses all but administrators.
pub fn may_administer(db: &mut Db, by: &Actor) -> Result<Account> {
    may(db, by, |role| role == Role::Admin, "Only administrators may do this.")
}

/// Refuses all but moderators and administrators.
pub fn may_moderate(db: &mut Db, by: &Actor) -> Result<Account> {
    may(db, by, |role| role != Role::Member, "Only moderators may do this.")
}

fn may(db: &mut Db, by: &Actor, role: fn(Role) -> bool, why: &str) -> Result<Account> {
    by.may_act()?;
    match find_by_actor(db, by.id)? {
        Some(account) if account.state == AccountState::Active && role(account.role) => Ok(account),
        _ => Err(Error::denied(why)),
    }
}

/// Whether it names a zone of the IANA database, or nothing.
pub fn is_zone(name: &str) -> bool {
    name.is_empty() || jiff::tz::TimeZone::get(name).is_ok()
}

fn handle_of(typed: &str) -> String {
    typed.trim().trim_start_matches('@').to_lowercase()
}

fn email_of(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// Without line breaks, control characters and spaces around.
fn one_line(typed: &str) -> String {
    typed.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
