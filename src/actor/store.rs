//! Which rows hold actors?

use super::{Actor, ActorKind, ActorState, NewActor, RemoteActor};
use crate::db::{Columns, Db, Run, Tx, schema::actors};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: ActorId) -> Result<Option<Actor>> {
    Ok(actors::table.find(id).select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn find_pair(db: &mut Db, one: ActorId, other: ActorId) -> Result<Vec<Actor>> {
    let query = actors::table.filter(actors::id.eq(one).or(actors::id.eq(other)));
    Ok(query.select(Actor::as_select()).load(db)?)
}

pub(super) fn list(db: &mut Db, ids: &[ActorId]) -> Result<Vec<Actor>> {
    let mut found = Vec::with_capacity(ids.len());
    // SQLite bounds the number of values in one statement.
    for some in ids.chunks(1000) {
        found.extend(actors::table.filter(actors::id.eq_any(some)).select(Actor::as_select()).load(db)?);
    }
    Ok(found)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Actor>> {
    Ok(actors::table.filter(actors::uri.eq(uri)).select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn find_here(db: &mut Db, handle: &str) -> Result<Option<Actor>> {
    let query = actors::table.filter(actors::handle.eq(handle)).filter(actors::here);
    Ok(query.select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn count_people(db: &mut Db) -> Result<i64> {
    let here = actors::table.filter(actors::here).filter(actors::kind.eq(ActorKind::Person));
    Ok(here.filter(actors::state.eq(ActorState::Active)).count().get_result(db)?)
}

pub(super) fn find_by_acct(db: &mut Db, handle: &str, host: &str) -> Result<Option<Actor>> {
    let query = actors::table.filter(actors::handle.eq(handle)).filter(actors::host.eq(host));
    Ok(query.order(actors::id.desc()).select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn newest_of(db: &mut Db, host: &str) -> Result<Option<Actor>> {
    let query = actors::table.filter(actors::host.eq(host)).filter(actors::here.eq(false));
    Ok(query.order(actors::id.desc()).select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn find_instance(db: &mut Db) -> Result<Option<Actor>> {
    let query = actors::table.filter(actors::kind.eq(ActorKind::Instance)).filter(actors::here);
    Ok(query.select(Actor::as_select()).first(db).optional()?)
}

pub(super) fn insert_here(tx: &mut Tx<'_>, new: &NewActor<'_>) -> Result<Actor> {
    let links = tx.links();
    let uri = match new.kind {
        ActorKind::Instance => links.instance(),
        ActorKind::Course => links.course(new.handle),
        ActorKind::Person | ActorKind::Bot => links.person(new.handle),
    };
    let url = if new.kind == ActorKind::Instance { links.absolute("/about") } else { uri.clone() };
    let now = tx.now();
    let row = (
        actors::kind.eq(new.kind),
        actors::here.eq(true),
        actors::url.eq(url),
        actors::handle.eq(new.handle),
        actors::host.eq(links.host()),
        actors::name.eq(new.name),
        actors::summary.eq(new.summary),
        actors::inbox.eq(format!("{uri}/inbox")),
        actors::shared_inbox.eq(Some(links.shared_inbox())),
        actors::outbox.eq(Some(format!("{uri}/outbox"))),
        actors::followers.eq(Some(format!("{uri}/followers"))),
        actors::uri.eq(uri),
        actors::state.eq(ActorState::Active),
        actors::created_at.eq(now),
        actors::updated_at.eq(now),
    );
    Ok(diesel::insert_into(actors::table).values(row).returning(actors::all_columns).get_result(tx)?)
}

pub(super) fn upsert_remote(tx: &mut Tx<'_>, remote: &RemoteActor) -> Result<Actor> {
    let now = tx.now();
    let changing = (
        actors::kind.eq(remote.kind),
        actors::url.eq(&remote.url),
        actors::handle.eq(&remote.handle),
        actors::host.eq(&remote.host),
        actors::name.eq(&remote.name),
        actors::summary.eq(&remote.summary),
        actors::inbox.eq(&remote.inbox),
        actors::shared_inbox.eq(&remote.shared_inbox),
        actors::outbox.eq(&remote.outbox),
        actors::followers.eq(&remote.followers),
        actors::updated_at.eq(now),
        actors::fetched_at.eq(Some(now)),
    );
    let fixed = (
        actors::uri.eq(&remote.uri),
        actors::here.eq(false),
        actors::state.eq(ActorState::Active),
        actors::created_at.eq(now),
    );
    Ok(diesel::insert_into(actors::table)
        .values((fixed, changing))
        .on_conflict(actors::uri)
        .do_update()
        .set(changing)
        .returning(actors::all_columns)
        .get_result(tx)?)
}

pub(super) fn update_profile(tx: &mut Tx<'_>, id: ActorId, name: &str, summary: &str) -> Result<Actor> {
    let now = tx.now();
    let row = (actors::name.eq(name), actors::summary.eq(summary), actors::updated_at.eq(now));
    Ok(diesel::update(actors::table.find(id)).set(row).returning(actors::all_columns).get_result(tx)?)
}

pub(super) fn update_state(tx: &mut Tx<'_>, id: ActorId, state: ActorState) -> Result<()> {
    let now = tx.now();
    diesel::update(actors::table.find(id)).set((actors::state.eq(state), actors::updated_at.eq(now))).execute(tx)?;
    Ok(())
}
