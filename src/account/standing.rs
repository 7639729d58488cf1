//! Who lets accounts in, stops them, and says what they may do?

use super::{Account, AccountState, Role, get, may_administer, may_moderate, once, session, store};
use crate::actor::{self, Actor, ActorState};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::AccountId;
use crate::{mail, setting};
use std::time::Duration;

/// Accounts that nobody approved are deleted after this (ACC-11).
pub const PENDING: Duration = Duration::from_secs(7 * 24 * 3600);

/// Lets a pending account in, and writes to its owner. For moderators.
pub fn approve(tx: &mut Tx<'_>, by: &Actor, id: AccountId) -> Result<()> {
    may_moderate(tx, by)?;
    let account = pending(tx, id)?;
    store::update_state(tx, id, AccountState::Active)?;
    actor::move_to(tx, account.actor_id, ActorState::Active)?;
    let (school, link) = (setting::load(tx)?.name, tx.links().absolute("/sign-in"));
    let body = format!("Welcome to {school}.\n\nYour account was approved. You can sign in now:\n{link}\n");
    mail::post(tx, &account.email, &format!("Your account at {school}"), &body)?;
    tx.record(Some(by.id), Happened::AccountApproved(id))
}

/// Refuses a pending account; nothing of it stays, and its handle is free again. For moderators.
pub fn decline(tx: &mut Tx<'_>, by: &Actor, id: AccountId) -> Result<()> {
    may_moderate(tx, by)?;
    let account = pending(tx, id)?;
    let school = setting::load(tx)?.name;
    let body = format!("Your wish for an account at {school} was declined. What you wrote has been deleted.\n");
    mail::post(tx, &account.email, &format!("Your account at {school}"), &body)?;
    store::delete(tx, &account)?;
    tx.record(Some(by.id), Happened::AccountDeclined(id))
}

/// Deletes accounts that waited longer than [`PENDING`]; says how many. For the clock.
pub fn purge(tx: &mut Tx<'_>) -> Result<usize> {
    let then = tx.now().minus(PENDING);
    let old = store::list_pending_before(tx, then)?;
    for account in &old {
        store::delete(tx, account)?;
        tx.record(None, Happened::AccountDeclined(account.id))?;
    }
    session::purge(tx)?;
    once::purge(tx)?;
    Ok(old.len())
}

fn pending(tx: &mut Tx<'_>, id: AccountId) -> Result<Account> {
    let account = get(tx, id)?;
    if account.state == AccountState::Pending {
        Ok(account)
    } else {
        Err(Error::Conflict("This account does not wait any more.".into()))
    }
}

/// Stops an account: its sessions end and nothing of it is accepted. For moderators, not for oneself, and not for
/// those who may more than oneself.
pub fn suspend(tx: &mut Tx<'_>, by: &Actor, id: AccountId) -> Result<()> {
    let account = may_stop(tx, by, id)?;
    if account.state != AccountState::Active {
        return Err(Error::Conflict("This account is not active.".into()));
    }
    store::update_state(tx, id, AccountState::Suspended)?;
    actor::move_to(tx, account.actor_id, ActorState::Suspended)?;
    session::end_all(tx, id, None)?;
    tx.record(Some(by.id), Happened::AccountSuspended(id))
}

/// Lets a suspended account act again. For moderators, as [`suspend`].
pub fn restore(tx: &mut Tx<'_>, by: &Actor, id: AccountId) -> Result<()> {
    let account = may_stop(tx, by, id)?;
    if account.state != AccountState::Suspended {
        return Err(Error::Conflict("This account is not suspended.".into()));
    }
    store::update_state(tx, id, AccountState::Active)?;
    actor::move_to(tx, account.actor_id, ActorState::Active)?;
    tx.record(Some(by.id), Happened::AccountRestored(id))
}

/// Sets what an account may do. For admins; the last one stays one.
pub fn set_role(tx: &mut Tx<'_>, by: &Actor, id: AccountId, role: Role) -> Result<()> {
    may_administer(tx, by)?;
    let account = get(tx, id)?;
    if account.role == role {
        return Ok(());
    }
    if account.role == Role::Admin && store::list_admins(tx)?.len() < 2 {
        return Err(Error::denied("This is the only administrator. Make somebody else one first."));
    }
    store::update_role(tx, id, role)?;
    tx.record(Some(by.id), Happened::RoleChanged(id))
}

/// Refuses the only administrator, who cannot go.
pub fn may_close(db: &mut Db, by: &Actor) -> Result<()> {
    let account = super::find_by_actor(db, by.id)?.ok_or(Error::NotFound)?;
    if account.role == Role::Admin && store::list_admins(db)?.len() < 2 {
        return Err(Error::denied("You are the only administrator. Make somebody else one first."));
    }
    Ok(())
}

/// Ends one's own account for good: mail address, password and sessions go. Its handle is never free again. What else
/// goes with it says who calls this.
pub fn close(tx: &mut Tx<'_>, by: &Actor) -> Result<()> {
    may_close(tx, by)?;
    let account = super::find_by_actor(tx, by.id)?.ok_or(Error::NotFound)?;
    session::end_all(tx, account.id, None)?;
    once::void(tx, account.id)?;
    store::clear(tx, account.id)?;
    tx.record(Some(by.id), Happened::ProfileChanged(by.id))
}

fn may_stop(tx: &mut Tx<'_>, by: &Actor, id: AccountId) -> Result<Account> {
    let mine = may_moderate(tx, by)?;
    let account = get(tx, id)?;
    if account.id == mine.id {
        return Err(Error::denied("Nobody can do this to themselves."));
    }
    if account.role != Role::Member && mine.role != Role::Admin {
        return Err(Error::denied("Only administrators may do this to moderators."));
    }
    Ok(account)
}
