//! Which rows hold files?

use super::{Kept, Media};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, media, revision_media},
};
use crate::error::Result;
use crate::id::{ActorId, MediaId, RevisionId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, dsl::exists, dsl::not};

/// Holds the owner's row until the end of the transaction, so that uploads of one person count one after the other.
pub(super) fn hold_owner(tx: &mut Tx<'_>, owner: ActorId) -> Result<()> {
    diesel::update(actors::table.find(owner)).set(actors::id.eq(owner)).execute(tx)?;
    Ok(())
}

pub(super) fn used(db: &mut Db, owner: ActorId) -> Result<i64> {
    let sizes: Vec<i64> = media::table.filter(media::owner_id.eq(owner)).select(media::size).load(db)?;
    Ok(sizes.iter().sum())
}

pub(super) fn insert(tx: &mut Tx<'_>, owner: ActorId, kept: &Kept) -> Result<MediaId> {
    let row = (
        media::public_id.eq(&kept.public_id),
        media::owner_id.eq(owner),
        media::name.eq(&kept.name),
        media::media_type.eq(kept.media_type),
        media::size.eq(kept.size),
        media::sha256.eq(&kept.sha256),
        media::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(media::table).values(row).returning(media::id).get_result(tx)?)
}

pub(super) fn attach(tx: &mut Tx<'_>, revision: RevisionId, id: MediaId) -> Result<()> {
    let row = (revision_media::revision_id.eq(revision), revision_media::media_id.eq(id));
    diesel::insert_into(revision_media::table).values(row).execute(tx)?;
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, all: &[MediaId]) -> Result<()> {
    diesel::delete(media::table.filter(media::id.eq_any(all.to_vec()))).execute(tx)?;
    Ok(())
}

pub(super) fn delete_orphans(tx: &mut Tx<'_>, before: Time) -> Result<usize> {
    let used = revision_media::table.filter(revision_media::media_id.eq(media::id));
    let lonely = media::table.filter(media::created_at.lt(before)).filter(not(exists(used)));
    Ok(diesel::delete(lonely).execute(tx)?)
}

pub(super) fn find(db: &mut Db, id: MediaId) -> Result<Option<Media>> {
    Ok(media::table.find(id).select(Media::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Media>> {
    Ok(media::table.filter(media::public_id.eq(public_id)).select(Media::as_select()).first(db).optional()?)
}

pub(super) fn list_of(db: &mut Db, revision: RevisionId) -> Result<Vec<Media>> {
    let query = media::table
        .inner_join(revision_media::table.on(revision_media::media_id.eq(media::id)))
        .filter(revision_media::revision_id.eq(revision));
    Ok(query.order(media::id).select(Media::as_select()).load(db)?)
}

pub(super) fn revisions_of(db: &mut Db, id: MediaId) -> Result<Vec<RevisionId>> {
    let query = revision_media::table.filter(revision_media::media_id.eq(id));
    Ok(query.select(revision_media::revision_id).load(db)?)
}

/// Which of these names have a row.
pub(super) fn known(db: &mut Db, names: &[String]) -> Result<Vec<String>> {
    Ok(media::table.filter(media::public_id.eq_any(names.to_vec())).select(media::public_id).load(db)?)
}
