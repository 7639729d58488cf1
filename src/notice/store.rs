//! Which rows hold notices?

use super::Notice;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, notices},
};
use crate::error::Result;
use crate::id::{ActorId, NoticeId};
use diesel::{ExpressionMethods, QueryDsl};

pub(super) fn list_here(db: &mut Db, whom: &[ActorId]) -> Result<Vec<ActorId>> {
    let here = actors::table.filter(actors::id.eq_any(whom.to_vec())).filter(actors::here).select(actors::id);
    Ok(here.load(db)?)
}

/// `what` is kind, text and link.
pub(super) fn insert(tx: &mut Tx<'_>, actor: ActorId, what: (&str, &str, &str)) -> Result<()> {
    let row = (
        notices::actor_id.eq(actor),
        notices::kind.eq(what.0),
        notices::text.eq(what.1),
        notices::link.eq(what.2),
        notices::created_at.eq(tx.now()),
    );
    diesel::insert_into(notices::table).values(row).execute(tx)?;
    Ok(())
}

pub(super) fn list(db: &mut Db, of: ActorId, before: NoticeId, take: i64) -> Result<Vec<Notice>> {
    let query = notices::table
        .filter(notices::actor_id.eq(of))
        .filter(notices::id.lt(before))
        .order(notices::id.desc())
        .limit(take);
    Ok(query.select(Notice::as_select()).load(db)?)
}

pub(super) fn count_unseen(db: &mut Db, of: ActorId, most: i64) -> Result<usize> {
    let unseen = notices::table.filter(notices::actor_id.eq(of)).filter(notices::seen_at.is_null());
    Ok(unseen.select(notices::id).limit(most).load::<NoticeId>(db)?.len())
}

pub(super) fn see_all(tx: &mut Tx<'_>, of: ActorId, up_to: NoticeId) -> Result<()> {
    let unseen = notices::table
        .filter(notices::actor_id.eq(of))
        .filter(notices::id.le(up_to))
        .filter(notices::seen_at.is_null());
    let now = tx.now();
    diesel::update(unseen).set(notices::seen_at.eq(Some(now))).execute(tx)?;
    Ok(())
}
