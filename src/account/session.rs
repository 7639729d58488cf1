//! In which browsers is somebody signed in? Sessions, of which the database knows only the hash of the cookie.

use super::{Account, AccountState, store::sessions as store};
use crate::actor::Actor;
use crate::clock::Time;
use crate::crypto::{Token, TokenHash};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{AccountId, SessionId};
use diesel::{Queryable, Selectable};
use std::time::Duration;

/// How long a browser stays signed in without being used.
pub const LASTS: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often it is noted that a session was used.
pub const NOTED: Duration = Duration::from_secs(3600);

/// A signed-in browser.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::sessions)]
pub struct Session {
    /// Key inside.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What the browser called itself, cut to 200 letters.
    pub user_agent: String,
    /// Where it signed in from.
    pub address: String,
    /// When it signed in.
    pub created_at: Time,
    /// When it was last used, exact to [`NOTED`].
    pub seen_at: Time,
    /// When it ends unless it is used.
    pub expires_at: Time,
}

/// Opens a session for who proved to be the owner; the token goes into the browser's cookie. Pending and suspended
/// accounts are refused in words that only their owner gets to see.
pub fn open(tx: &mut Tx<'_>, account: &Account, user_agent: &str, address: &str) -> Result<Token> {
    let refused = |why: &str| Err(Error::invalid("", why));
    match super::get(tx, account.id)?.state {
        AccountState::Active => {}
        AccountState::Pending => return refused("Your account still waits for approval. You will get a letter."),
        AccountState::Suspended => return refused("Your account is suspended."),
        AccountState::Deleted => return Err(Error::NotFound),
    }
    let token = tx.chance().with(|rng| Token::new(rng));
    let user_agent: String = user_agent.chars().take(200).collect();
    store::insert(tx, account.id, &token.hash(), (&user_agent, address))?;
    tx.record(Some(account.actor_id), Happened::SignedIn(account.id))?;
    Ok(token)
}

/// Who shows this cookie, when the session lasts and the account is active.
pub fn find(db: &mut Db, token: &TokenHash, now: Time) -> Result<Option<(Session, Account, Actor)>> {
    store::find(db, token, now)
}

/// Notes that the session is used, which makes it last again.
pub fn note(tx: &mut Tx<'_>, id: SessionId) -> Result<()> {
    store::note(tx, id)
}

/// All of an account, latest used first.
pub fn list(db: &mut Db, account: AccountId, now: Time) -> Result<Vec<Session>> {
    store::list(db, account, now)
}

/// Ends one of the account's own sessions; ending what has ended is no error.
pub fn end(tx: &mut Tx<'_>, account: AccountId, id: SessionId) -> Result<()> {
    store::delete(tx, account, id)
}

/// Ends all sessions of an account, but for one.
pub fn end_all(tx: &mut Tx<'_>, account: AccountId, but: Option<SessionId>) -> Result<()> {
    store::delete_all(tx, account, but.unwrap_or(SessionId(0)))
}

/// Forgets sessions that ended by themselves.
pub(super) fn purge(tx: &mut Tx<'_>) -> Result<()> {
    store::delete_ended(tx)
}
