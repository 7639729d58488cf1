//! As whom else is an actor here known, and who moved where?

use super::Actor;
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actor_aliases, actors, moves},
};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable};

/// The last move of an actor, here or elsewhere.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = moves)]
pub struct Move {
    /// Who moved.
    pub actor_id: ActorId,
    /// To which account.
    pub target_id: ActorId,
    /// When.
    pub moved_at: Time,
    /// When somebody here called it off; what had gone along stays where it is.
    pub ended_at: Option<Time>,
}

/// The ids of other accounts that may move to this one here: its `alsoKnownAs`, in the order in which they were named.
pub fn aliases_of(db: &mut Db, actor: ActorId) -> Result<Vec<String>> {
    let query = actor_aliases::table.filter(actor_aliases::actor_id.eq(actor));
    Ok(query.order((actor_aliases::created_at, actor_aliases::uri)).select(actor_aliases::uri).load(db)?)
}

/// Names another account. Says whether that is new.
pub fn put_alias(tx: &mut Tx<'_>, actor: ActorId, uri: &str) -> Result<bool> {
    let row = (actor_aliases::actor_id.eq(actor), actor_aliases::uri.eq(uri), actor_aliases::created_at.eq(tx.now()));
    Ok(diesel::insert_into(actor_aliases::table).values(row).on_conflict_do_nothing().execute(tx)? > 0)
}

/// Names it no more. Says whether it was named.
pub fn remove_alias(tx: &mut Tx<'_>, actor: ActorId, uri: &str) -> Result<bool> {
    let row = actor_aliases::table.filter(actor_aliases::actor_id.eq(actor)).filter(actor_aliases::uri.eq(uri));
    Ok(diesel::delete(row).execute(tx)? > 0)
}

/// The last move of this actor, also one that was called off.
pub fn last_move(db: &mut Db, actor: ActorId) -> Result<Option<Move>> {
    Ok(moves::table.find(actor).select(Move::as_select()).first(db).optional()?)
}

/// Where this actor lives now, when it moved.
pub fn moved_to(db: &mut Db, actor: ActorId) -> Result<Option<Actor>> {
    let query = moves::table
        .inner_join(actors::table.on(actors::id.eq(moves::target_id)))
        .filter(moves::actor_id.eq(actor))
        .filter(moves::ended_at.is_null());
    Ok(query.select(Actor::as_select()).first(db).optional()?)
}

/// Who of these moved here from where: the newest former account of each.
pub fn came_from(db: &mut Db, whom: &[ActorId]) -> Result<Vec<(ActorId, Actor)>> {
    let mut found = Vec::new();
    for some in whom.chunks(500) {
        let query = moves::table
            .inner_join(actors::table.on(actors::id.eq(moves::actor_id)))
            .filter(moves::target_id.eq_any(some.to_vec()))
            .filter(moves::ended_at.is_null())
            .order(moves::moved_at.desc());
        found.extend(query.select((moves::target_id, Actor::as_select())).load::<(ActorId, Actor)>(db)?);
    }
    Ok(found)
}

/// Writes down a move; of an earlier one of the same actor nothing is kept.
pub fn put_move(tx: &mut Tx<'_>, from: ActorId, to: ActorId) -> Result<()> {
    let changing = (moves::target_id.eq(to), moves::moved_at.eq(tx.now()), moves::ended_at.eq(None::<Time>));
    diesel::insert_into(moves::table)
        .values((moves::actor_id.eq(from), changing))
        .on_conflict(moves::actor_id)
        .do_update()
        .set(changing)
        .execute(tx)?;
    Ok(())
}

/// Calls a move off. Says whether there was one.
pub fn end_move(tx: &mut Tx<'_>, from: ActorId) -> Result<bool> {
    let row = moves::table.find(from).filter(moves::ended_at.is_null());
    let now = tx.now();
    Ok(diesel::update(row).set(moves::ended_at.eq(Some(now))).execute(tx)? > 0)
}
