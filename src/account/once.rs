//! What does a link that works once allow? Setting the instance up, or choosing a new password.

use super::{Account, AccountState, NewAccount, Role, change_password, create_by_admin, get, has_admin, store};
use crate::crypto::Token;
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::id::AccountId;
use crate::setting::{self, Settings, SignUp};
use crate::{clock::Time, mail};
use std::time::Duration;

/// How long a link for a new password works.
const RESET: Duration = Duration::from_secs(3600);
/// How long the link for setting up works; each start prints another.
const SET_UP: Duration = Duration::from_secs(7 * 24 * 3600);

/// A new link for setting up, while there is no administrator; earlier ones stop working. The path is
/// `/set-up/{token}`. For the start of the program.
pub fn start_set_up(tx: &mut Tx<'_>) -> Result<Option<Token>> {
    store::links::delete_purpose(tx, "set_up")?;
    if has_admin(tx)? {
        return Ok(None);
    }
    let token = tx.chance().with(|rng| Token::new(rng));
    store::links::insert(tx, "set_up", None, &token.hash().to_hex(), tx.now().plus(SET_UP))?;
    Ok(Some(token))
}

/// Whether the link for setting up still works.
pub fn may_set_up(db: &mut Db, token: &str, now: Time) -> Result<()> {
    find(db, "set_up", token, now).map(drop)
}

/// Makes the first administrator, names the school and says who may sign up. The link has then done its work.
pub fn set_up(tx: &mut Tx<'_>, token: &str, new: &NewAccount, name: &str, mode: SignUp) -> Result<Account> {
    let now = tx.now();
    let (link, _) = find(tx, "set_up", token, now)?;
    let settings = Settings { name: name.trim().to_owned(), sign_up: mode, ..setting::load(tx)? };
    let mut problems = Problems::default();
    problems.gather(setting::change(tx, None, &settings))?;
    let mut made = None;
    problems.gather(create_by_admin(tx, new, Role::Admin).map(|account| made = Some(account)))?;
    problems.check()?;
    store::links::use_up(tx, link)?;
    made.ok_or_else(|| Error::internal("an account was neither made nor refused"))
}

/// Mails a link for a new password to the account with this address, if there is one; the asker learns nothing.
pub fn ask_reset(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    let found = store::find_by_email(tx, &super::email_of(email))?;
    let Some(account) = found.filter(|account| account.state == AccountState::Active) else { return Ok(()) };
    let path = reset_link(tx, account.id)?;
    let (school, link) = (setting::load(tx)?.name, tx.links().absolute(&path));
    let body = format!(
        "Somebody, probably you, asked for a new password at {school}.\n\nChoose it here within one hour:\n{link}\n\n\
         If it was not you, there is nothing to do: your password stays as it is.\n"
    );
    mail::post(tx, &account.email, &format!("A new password at {school}"), &body)?;
    tx.record(None, Happened::ResetAsked(account.id))
}

/// A path where the account's owner can choose a new password within an hour: for administrators and the command line,
/// who hand it over themselves.
pub fn reset_link(tx: &mut Tx<'_>, id: AccountId) -> Result<String> {
    get(tx, id)?;
    let token = tx.chance().with(|rng| Token::new(rng));
    store::links::insert(tx, "reset", Some(id), &token.hash().to_hex(), tx.now().plus(RESET))?;
    Ok(format!("/reset/{}", token.reveal()))
}

/// Whose password the link sets, while it works.
pub fn may_reset(db: &mut Db, token: &str, now: Time) -> Result<Account> {
    let (_, account) = find(db, "reset", token, now)?;
    get(db, account.ok_or(Error::NotFound)?)
}

/// Sets the password by a link; all sessions end, and all links of the account.
pub fn reset(tx: &mut Tx<'_>, token: &str, hash: &str) -> Result<Account> {
    let now = tx.now();
    let account = may_reset(tx, token, now)?;
    change_password(tx, account.id, hash, None)?;
    Ok(account)
}

/// Makes all links of an account worthless.
pub(super) fn void(tx: &mut Tx<'_>, id: AccountId) -> Result<()> {
    store::links::delete_of(tx, id)
}

pub(super) fn purge(tx: &mut Tx<'_>) -> Result<()> {
    let now = tx.now();
    store::links::delete_before(tx, now)
}

fn find(db: &mut Db, purpose: &str, token: &str, now: Time) -> Result<(i64, Option<AccountId>)> {
    let token = Token::shown(token).ok_or(Error::NotFound)?;
    store::links::find(db, purpose, &token.hash().to_hex(), now)?.ok_or(Error::NotFound)
}
