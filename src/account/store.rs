//! Which rows hold accounts, links that work once, and invitations?

use super::{Account, AccountState, Filter, NewAccount, Role, Theme};
use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{accounts, actors},
};
use crate::error::Result;
use crate::id::{AccountId, ActorId};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl,
    TextExpressionMethods,
};

pub(super) struct Fixed<'a> {
    pub(super) email: &'a str,
    pub(super) role: Role,
    pub(super) state: AccountState,
    pub(super) zone: &'a str,
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, new: &NewAccount, fixed: &Fixed<'_>) -> Result<Account> {
    let row = (
        accounts::actor_id.eq(actor.id),
        accounts::email.eq(fixed.email),
        accounts::password_hash.eq(&new.password_hash),
        accounts::role.eq(fixed.role),
        accounts::state.eq(fixed.state),
        accounts::zone.eq(fixed.zone),
        accounts::theme.eq(Theme::Auto),
        accounts::application.eq(new.application.trim()),
        accounts::bio_md.eq(""),
        accounts::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(accounts::table).values(row).returning(accounts::all_columns).get_result(tx)?)
}

pub(super) fn find(db: &mut Db, id: AccountId) -> Result<Option<Account>> {
    Ok(accounts::table.find(id).select(Account::as_select()).first(db).optional()?)
}

pub(super) fn find_by_actor(db: &mut Db, actor: ActorId) -> Result<Option<Account>> {
    let query = accounts::table.filter(accounts::actor_id.eq(actor));
    Ok(query.select(Account::as_select()).first(db).optional()?)
}

pub(super) fn find_by_email(db: &mut Db, email: &str) -> Result<Option<Account>> {
    let query = accounts::table.filter(accounts::email.eq(email));
    Ok(query.select(Account::as_select()).first(db).optional()?)
}

pub(super) fn list(db: &mut Db, filter: &Filter, skip: i64, take: i64) -> Result<Vec<(Account, Actor)>> {
    let like = format!("%{}%", escape(&filter.text.trim().to_lowercase()));
    // A list of states either way, because a boxed query does not compile over both databases.
    let states = match filter.state {
        Some(state) => vec![state],
        None => vec![AccountState::Pending, AccountState::Active, AccountState::Suspended],
    };
    let query = accounts::table
        .inner_join(actors::table)
        .filter(accounts::state.eq_any(states))
        .filter(
            accounts::email
                .like(&like)
                .escape('!')
                .or(actors::handle.like(&like).escape('!'))
                .or(lower(actors::name).like(&like).escape('!')),
        )
        .order(accounts::id.desc())
        .offset(skip)
        .limit(take);
    Ok(query.select((Account::as_select(), Actor::as_select())).load(db)?)
}

diesel::define_sql_function! {
    /// Small letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// So that what somebody typed is looked for as it is (WEB-11).
fn escape(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

pub(super) fn list_admins(db: &mut Db) -> Result<Vec<ActorId>> {
    let query = accounts::table
        .filter(accounts::role.eq(Role::Admin))
        .filter(accounts::state.eq(AccountState::Active))
        .select(accounts::actor_id);
    Ok(query.load(db)?)
}

pub(super) fn list_pending_before(db: &mut Db, time: Time) -> Result<Vec<Account>> {
    let query = accounts::table
        .filter(accounts::state.eq(AccountState::Pending))
        .filter(accounts::created_at.lt(time))
        .limit(1000);
    Ok(query.select(Account::as_select()).load(db)?)
}

pub(super) fn count(db: &mut Db, state: AccountState) -> Result<i64> {
    Ok(accounts::table.filter(accounts::state.eq(state)).count().get_result(db)?)
}

pub(super) fn count_since(db: &mut Db, time: Time) -> Result<i64> {
    Ok(accounts::table.filter(accounts::created_at.gt(time)).count().get_result(db)?)
}

pub(super) fn update_state(tx: &mut Tx<'_>, id: AccountId, state: AccountState) -> Result<()> {
    diesel::update(accounts::table.find(id)).set(accounts::state.eq(state)).execute(tx)?;
    Ok(())
}

pub(super) fn update_role(tx: &mut Tx<'_>, id: AccountId, role: Role) -> Result<()> {
    diesel::update(accounts::table.find(id)).set(accounts::role.eq(role)).execute(tx)?;
    Ok(())
}

pub(super) fn update_bio(tx: &mut Tx<'_>, id: AccountId, bio: &str) -> Result<()> {
    diesel::update(accounts::table.find(id)).set(accounts::bio_md.eq(bio)).execute(tx)?;
    Ok(())
}

pub(super) fn update_preferences(tx: &mut Tx<'_>, id: AccountId, zone: &str, theme: Theme) -> Result<()> {
    let row = (accounts::zone.eq(zone), accounts::theme.eq(theme));
    diesel::update(accounts::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn update_password(tx: &mut Tx<'_>, id: AccountId, hash: &str) -> Result<()> {
    diesel::update(accounts::table.find(id)).set(accounts::password_hash.eq(hash)).execute(tx)?;
    Ok(())
}

/// Keeps of an account nothing but that it was there.
pub(super) fn clear(tx: &mut Tx<'_>, id: AccountId) -> Result<()> {
    let row = (
        accounts::email.eq(format!("deleted-{}", id.0)),
        accounts::password_hash.eq(""),
        accounts::role.eq(Role::Member),
        accounts::state.eq(AccountState::Deleted),
        accounts::application.eq(""),
        accounts::bio_md.eq(""),
    );
    diesel::update(accounts::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

/// The account and its person, who has done nothing yet.
pub(super) fn delete(tx: &mut Tx<'_>, account: &Account) -> Result<()> {
    diesel::delete(accounts::table.find(account.id)).execute(tx)?;
    diesel::delete(actors::table.find(account.actor_id)).execute(tx)?;
    Ok(())
}

/// Links that work once: for setting up and for a new password.
pub(super) mod links {
    use super::*;
    use crate::db::schema::one_time_links::{self as rows};

    pub(crate) fn insert(
        tx: &mut Tx<'_>,
        purpose: &str,
        account: Option<AccountId>,
        token_hash: &str,
        expires_at: Time,
    ) -> Result<()> {
        let row = (
            rows::purpose.eq(purpose),
            rows::account_id.eq(account),
            rows::token_hash.eq(token_hash),
            rows::created_at.eq(tx.now()),
            rows::expires_at.eq(expires_at),
        );
        diesel::insert_into(rows::table).values(row).execute(tx)?;
        Ok(())
    }

    /// Key and account of a link that still works.
    pub(crate) fn find(
        db: &mut Db,
        purpose: &str,
        token_hash: &str,
        now: Time,
    ) -> Result<Option<(i64, Option<AccountId>)>> {
        let query = rows::table
            .filter(rows::purpose.eq(purpose))
            .filter(rows::token_hash.eq(token_hash))
            .filter(rows::used_at.is_null())
            .filter(rows::expires_at.gt(now));
        Ok(query.select((rows::id, rows::account_id)).first(db).optional()?)
    }

    pub(crate) fn use_up(tx: &mut Tx<'_>, id: i64) -> Result<()> {
        let now = tx.now();
        diesel::update(rows::table.find(id)).set(rows::used_at.eq(Some(now))).execute(tx)?;
        Ok(())
    }

    pub(crate) fn delete_of(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
        diesel::delete(rows::table.filter(rows::account_id.eq(account))).execute(tx)?;
        Ok(())
    }

    pub(crate) fn delete_purpose(tx: &mut Tx<'_>, purpose: &str) -> Result<()> {
        diesel::delete(rows::table.filter(rows::purpose.eq(purpose))).execute(tx)?;
        Ok(())
    }

    pub(crate) fn delete_before(tx: &mut Tx<'_>, time: Time) -> Result<()> {
        diesel::delete(rows::table.filter(rows::expires_at.lt(time))).execute(tx)?;
        Ok(())
    }
}

/// Codes that let people sign up.
pub(super) mod invitations {
    use super::super::{Account, Invitation};
    use super::*;
    use crate::db::schema::invitations::{self as rows};
    use crate::id::InvitationId;

    pub(crate) fn insert(tx: &mut Tx<'_>, by: &Account, new: &Invitation) -> Result<Invitation> {
        let row = (
            rows::code.eq(&new.code),
            rows::created_by.eq(by.id),
            rows::note.eq(&new.note),
            rows::max_uses.eq(new.max_uses),
            rows::uses.eq(0i64),
            rows::created_at.eq(tx.now()),
            rows::expires_at.eq(new.expires_at),
        );
        let query = diesel::insert_into(rows::table).values(row).returning(rows::all_columns);
        Ok(query.get_result(tx)?)
    }

    pub(crate) fn list(db: &mut Db) -> Result<Vec<Invitation>> {
        Ok(rows::table.order(rows::id.desc()).limit(200).select(Invitation::as_select()).load(db)?)
    }

    pub(crate) fn find(db: &mut Db, id: InvitationId) -> Result<Option<Invitation>> {
        Ok(rows::table.find(id).select(Invitation::as_select()).first(db).optional()?)
    }

    pub(crate) fn find_by_code(db: &mut Db, code: &str) -> Result<Option<Invitation>> {
        Ok(rows::table.filter(rows::code.eq(code)).select(Invitation::as_select()).first(db).optional()?)
    }

    /// Counts one more use; false when the last place was taken meanwhile.
    pub(crate) fn spend(tx: &mut Tx<'_>, id: InvitationId) -> Result<bool> {
        let free = rows::table.filter(rows::id.eq(id)).filter(rows::uses.lt(rows::max_uses));
        Ok(diesel::update(free).set(rows::uses.eq(rows::uses + 1i64)).execute(tx)? == 1)
    }

    pub(crate) fn revoke(tx: &mut Tx<'_>, id: InvitationId) -> Result<()> {
        let now = tx.now();
        diesel::update(rows::table.find(id)).set(rows::revoked_at.eq(Some(now))).execute(tx)?;
        Ok(())
    }
}

/// Signed-in browsers.
pub(super) mod sessions {
    use super::super::session::{LASTS, Session};
    use super::*;
    use crate::crypto::TokenHash;
    use crate::db::schema::sessions::{self as rows};
    use crate::id::SessionId;

    /// `from` is what the browser calls itself, and its address.
    pub(crate) fn insert(tx: &mut Tx<'_>, account: AccountId, token: &TokenHash, from: (&str, &str)) -> Result<()> {
        let now = tx.now();
        let row = (
            rows::account_id.eq(account),
            rows::token_hash.eq(token.to_hex()),
            rows::user_agent.eq(from.0),
            rows::address.eq(from.1),
            rows::created_at.eq(now),
            rows::seen_at.eq(now),
            rows::expires_at.eq(now.plus(LASTS)),
        );
        diesel::insert_into(rows::table).values(row).execute(tx)?;
        Ok(())
    }

    pub(crate) fn find(db: &mut Db, token: &TokenHash, now: Time) -> Result<Option<(Session, Account, Actor)>> {
        let query = rows::table
            .inner_join(accounts::table.inner_join(actors::table))
            .filter(rows::token_hash.eq(token.to_hex()))
            .filter(rows::expires_at.gt(now))
            .filter(accounts::state.eq(AccountState::Active));
        let columns = (Session::as_select(), Account::as_select(), Actor::as_select());
        Ok(query.select(columns).first(db).optional()?)
    }

    pub(crate) fn note(tx: &mut Tx<'_>, id: SessionId) -> Result<()> {
        let now = tx.now();
        let row = (rows::seen_at.eq(now), rows::expires_at.eq(now.plus(LASTS)));
        diesel::update(rows::table.find(id)).set(row).execute(tx)?;
        Ok(())
    }

    pub(crate) fn list(db: &mut Db, account: AccountId, now: Time) -> Result<Vec<Session>> {
        let query = rows::table
            .filter(rows::account_id.eq(account))
            .filter(rows::expires_at.gt(now))
            .order((rows::seen_at.desc(), rows::id.desc()));
        Ok(query.select(Session::as_select()).load(db)?)
    }

    pub(crate) fn delete(tx: &mut Tx<'_>, account: AccountId, id: SessionId) -> Result<()> {
        let mine = rows::table.filter(rows::id.eq(id)).filter(rows::account_id.eq(account));
        diesel::delete(mine).execute(tx)?;
        Ok(())
    }

    pub(crate) fn delete_all(tx: &mut Tx<'_>, account: AccountId, but: SessionId) -> Result<()> {
        let others = rows::table.filter(rows::account_id.eq(account)).filter(rows::id.ne(but));
        diesel::delete(others).execute(tx)?;
        Ok(())
    }

    pub(crate) fn delete_ended(tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now();
        diesel::delete(rows::table.filter(rows::expires_at.le(now))).execute(tx)?;
        Ok(())
    }
}
