//! Who follows whom?

use super::{Actor, ActorState};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, follows},
};
use crate::error::Result;
use crate::id::ActorId;
use crate::words;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable};

words! {
    /// Whether the followed one agreed.
    pub enum FollowState {
        /// Asked.
        Pending = "pending",
        /// Agreed.
        Accepted = "accepted",
    }
}

/// One following.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = follows)]
pub struct Follow {
    /// Key inside, for planning.
    pub id: i64,
    /// Who follows.
    pub follower_id: ActorId,
    /// Who is followed.
    pub followed_id: ActorId,
    /// The id of the Follow activity.
    pub uri: String,
    /// Whether it was agreed to.
    pub state: FollowState,
    /// Since when.
    pub created_at: Time,
}

/// Writes down that `follower` follows `followed`; the newest Follow's id is kept. Says whether it is new.
pub fn put(tx: &mut Tx<'_>, follower: ActorId, followed: ActorId, uri: &str, state: FollowState) -> Result<bool> {
    let known = find(tx, follower, followed)?;
    let now = tx.now();
    let row = (
        follows::follower_id.eq(follower),
        follows::followed_id.eq(followed),
        follows::uri.eq(uri),
        follows::state.eq(state),
        follows::created_at.eq(now),
    );
    diesel::insert_into(follows::table)
        .values(row)
        .on_conflict((follows::follower_id, follows::followed_id))
        .do_update()
        .set((follows::uri.eq(uri), follows::state.eq(state)))
        .execute(tx)?;
    Ok(known.is_none())
}

/// Marks a following as agreed to. Says whether there was one.
pub fn accept(tx: &mut Tx<'_>, follower: ActorId, followed: ActorId) -> Result<bool> {
    let row = follows::table.filter(follows::follower_id.eq(follower)).filter(follows::followed_id.eq(followed));
    Ok(diesel::update(row).set(follows::state.eq(FollowState::Accepted)).execute(tx)? > 0)
}

/// Ends a following. Says whether there was one.
pub fn remove(tx: &mut Tx<'_>, follower: ActorId, followed: ActorId) -> Result<bool> {
    let row = follows::table.filter(follows::follower_id.eq(follower)).filter(follows::followed_id.eq(followed));
    Ok(diesel::delete(row).execute(tx)? > 0)
}

/// Ends all following of somebody who is gone, and all following of them.
pub fn remove_all(tx: &mut Tx<'_>, whom: ActorId) -> Result<()> {
    diesel::delete(follows::table.filter(follows::follower_id.eq(whom))).execute(tx)?;
    diesel::delete(follows::table.filter(follows::followed_id.eq(whom))).execute(tx)?;
    Ok(())
}

/// Whether and how `follower` follows `followed`.
pub fn find(db: &mut Db, follower: ActorId, followed: ActorId) -> Result<Option<Follow>> {
    let query = follows::table.filter(follows::follower_id.eq(follower)).filter(follows::followed_id.eq(followed));
    Ok(query.select(Follow::as_select()).first(db).optional()?)
}

/// The following with this key.
pub fn find_by_key(db: &mut Db, id: i64) -> Result<Option<Follow>> {
    Ok(follows::table.find(id).select(Follow::as_select()).first(db).optional()?)
}

/// The following that a Follow activity of this actor began.
pub fn find_by_uri(db: &mut Db, follower: ActorId, uri: &str) -> Result<Option<Follow>> {
    let query = follows::table.filter(follows::follower_id.eq(follower)).filter(follows::uri.eq(uri));
    Ok(query.select(Follow::as_select()).first(db).optional()?)
}

/// In one of the states of [`super::MAY_ACT`]. Not a list: statements with one are compiled each time.
#[diesel::dsl::auto_type(no_type_alias)]
fn may_act() -> _ {
    let active: ActorState = super::MAY_ACT[0];
    let limited: ActorState = super::MAY_ACT[1];
    actors::state.eq(active).or(actors::state.eq(limited))
}

/// Everyone who follows, agreed to, and may act.
pub fn followers_of(db: &mut Db, followed: ActorId) -> Result<Vec<Actor>> {
    let query = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(followed))
        .filter(follows::state.eq(FollowState::Accepted))
        .filter(may_act());
    Ok(query.order(follows::id).select(Actor::as_select()).load(db)?)
}

/// The same of one server, by its host; ours is one too.
pub fn followers_at(db: &mut Db, followed: ActorId, host: &str) -> Result<Vec<Actor>> {
    let query = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(followed))
        .filter(follows::state.eq(FollowState::Accepted))
        .filter(actors::host.eq(host))
        .filter(actors::state.eq_any(super::MAY_ACT));
    Ok(query.order(follows::id).select(Actor::as_select()).load(db)?)
}

/// How many follow, agreed to, and may act.
pub fn count_followers(db: &mut Db, followed: ActorId) -> Result<i64> {
    let query = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(followed))
        .filter(follows::state.eq(FollowState::Accepted))
        .filter(may_act());
    Ok(query.count().get_result(db)?)
}

/// What somebody elsewhere who may act freely asked of somebody here and was not agreed to yet.
pub fn waiting(db: &mut Db) -> Result<Vec<Follow>> {
    let query = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::state.eq(FollowState::Pending))
        .filter(actors::here.eq(false))
        .filter(actors::state.eq(super::ActorState::Active));
    Ok(query.order(follows::id).select(Follow::as_select()).load(db)?)
}

/// Everyone whom the follower asked to follow, agreed to or not.
pub fn followed_by(db: &mut Db, follower: ActorId) -> Result<Vec<Follow>> {
    let query = follows::table.filter(follows::follower_id.eq(follower)).order(follows::id);
    Ok(query.select(Follow::as_select()).load(db)?)
}
