//! Who may sign up where sign-up is by invitation? Whoever has a code that still has places.

use super::{may_administer, store::invitations as store};
use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::id::{AccountId, InvitationId};
use diesel::{Queryable, Selectable};
use std::time::Duration;

/// A code for signing up.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::invitations)]
pub struct Invitation {
    /// Key inside.
    pub id: InvitationId,
    /// What is given to people.
    pub code: String,
    /// Who made it.
    pub created_by: AccountId,
    /// For whom or what it is; only administrators see it.
    pub note: String,
    /// How many may use it.
    pub max_uses: i64,
    /// How many did.
    pub uses: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

impl Invitation {
    /// Whether one more may use it.
    pub fn is_open(&self, now: Time) -> bool {
        self.revoked_at.is_none() && self.expires_at > now && self.uses < self.max_uses
    }
}

/// Makes a code that `uses` people may sign up with in the next `days`. For admins.
pub fn invite(tx: &mut Tx<'_>, by: &Actor, note: &str, uses: i64, days: i64) -> Result<Invitation> {
    let account = may_administer(tx, by)?;
    let mut problems = Problems::default();
    problems.add_if(note.chars().count() > 200, "note", "Please use at most 200 letters.");
    problems.add_if(!(1..=1000).contains(&uses), "uses", "Please enter a number from 1 to 1000.");
    problems.add_if(!(1..=365).contains(&days), "days", "Please enter a number of days from 1 to 365.");
    problems.check()?;
    let span = Duration::from_secs(u64::try_from(days).unwrap_or(1) * 24 * 3600);
    let code: String = tx.new_id().chars().take(16).collect();
    let new = Invitation {
        id: InvitationId(0),
        code,
        created_by: account.id,
        note: note.trim().to_owned(),
        max_uses: uses,
        uses: 0,
        created_at: tx.now(),
        expires_at: tx.now().plus(span),
        revoked_at: None,
    };
    let made = store::insert(tx, &account, &new)?;
    tx.record(Some(by.id), Happened::InvitationChanged(made.id))?;
    Ok(made)
}

/// Takes a code back; who signed up with it stays. For admins.
pub fn revoke_invitation(tx: &mut Tx<'_>, by: &Actor, id: InvitationId) -> Result<()> {
    may_administer(tx, by)?;
    store::find(tx, id)?.ok_or(Error::NotFound)?;
    store::revoke(tx, id)?;
    tx.record(Some(by.id), Happened::InvitationChanged(id))
}

/// The newest codes. For admins.
pub fn list_invitations(db: &mut Db, by: &Actor) -> Result<Vec<Invitation>> {
    may_administer(db, by)?;
    store::list(db)
}

pub(super) fn find_open(db: &mut Db, code: &str, now: Time) -> Result<Option<Invitation>> {
    Ok(store::find_by_code(db, code.trim())?.filter(|invitation| invitation.is_open(now)))
}

pub(super) fn spend(tx: &mut Tx<'_>, code: &str) -> Result<()> {
    let used_up = || Error::invalid("code", "This invitation is used up. Please ask for a new one.");
    let now = tx.now();
    let invitation = find_open(tx, code, now)?.ok_or_else(used_up)?;
    if store::spend(tx, invitation.id)? { Ok(()) } else { Err(used_up()) }
}
