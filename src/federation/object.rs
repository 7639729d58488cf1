//! Which ActivityPub id is what, and whose?

use crate::clock::Time;
use crate::db::{Columns, Db, Run, Tx, schema::objects};
use crate::error::{Error, Result};
use crate::id::ActorId;
use crate::words;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable};
use std::collections::BTreeSet;

words! {
    /// What an id stands for.
    pub enum ObjectKind {
        /// Table `assignments`.
        Assignment = "assignment",
        /// Table `submissions`.
        Submission = "submission",
        /// Table `allocations` at the course's home, `review_tasks` elsewhere.
        ReviewTask = "review_task",
        /// Table `reviews`.
        Review = "review",
        /// Table `posts`.
        Post = "post",
        /// Table `notes`.
        Note = "note",
    }
}

/// An id that is known here.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = objects)]
pub struct Known {
    /// The id.
    pub uri: String,
    /// What it stands for.
    pub kind: ObjectKind,
    /// Key in that kind's table.
    pub local_id: i64,
    /// Who may change it.
    pub owner_id: ActorId,
    /// Whether this instance is its home.
    pub here: bool,
    /// Whether everyone may read it.
    pub public: bool,
    /// When it was deleted.
    pub deleted_at: Option<Time>,
    /// When a moderator took it away.
    pub hidden_at: Option<Time>,
    /// When it was closed for answers.
    pub locked_at: Option<Time>,
}

/// An id to be known.
#[derive(Clone, Debug)]
pub struct NewObject<'a> {
    /// The id.
    pub uri: &'a str,
    /// What it stands for.
    pub kind: ObjectKind,
    /// Key in that kind's table.
    pub local_id: i64,
    /// Who may change it.
    pub owner: ActorId,
    /// Whether everyone may read it.
    pub public: bool,
}

/// Makes an id known. One that is known already is a conflict.
pub fn register(tx: &mut Tx<'_>, new: &NewObject<'_>) -> Result<()> {
    if register_new(tx, new)? { Ok(()) } else { Err(Error::Conflict("This id is known already.".into())) }
}

/// Makes an id known unless it is known already, in which case nothing changes. Says whether it was new.
pub fn register_new(tx: &mut Tx<'_>, new: &NewObject<'_>) -> Result<bool> {
    let row = (
        objects::uri.eq(new.uri),
        objects::kind.eq(new.kind),
        objects::local_id.eq(new.local_id),
        objects::owner_id.eq(new.owner),
        objects::here.eq(tx.links().is_ours(new.uri)),
        objects::public.eq(new.public),
        objects::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(objects::table).values(row).on_conflict(objects::uri).do_nothing().execute(tx)? > 0)
}

/// Marks it as deleted; it is answered 410 from now on (AP 6.4).
pub fn bury(tx: &mut Tx<'_>, uri: &str) -> Result<()> {
    let now = tx.now();
    diesel::update(objects::table.find(uri)).set(objects::deleted_at.eq(Some(now))).execute(tx)?;
    Ok(())
}

/// Takes it away from everyone, as if it were not there, or brings it back.
pub fn hide(tx: &mut Tx<'_>, uri: &str, hidden: bool) -> Result<()> {
    let at = hidden.then(|| tx.now());
    diesel::update(objects::table.find(uri)).set(objects::hidden_at.eq(at)).execute(tx)?;
    Ok(())
}

/// Closes it for answers, or opens it again. Says whether that changed anything.
pub fn lock(tx: &mut Tx<'_>, uri: &str, locked: bool) -> Result<bool> {
    let at = locked.then(|| tx.now());
    if is_locked(tx, uri)? == locked {
        return Ok(false);
    }
    Ok(diesel::update(objects::table.find(uri)).set(objects::locked_at.eq(at)).execute(tx)? > 0)
}

/// Whether it is closed for answers.
pub fn is_locked(db: &mut Db, uri: &str) -> Result<bool> {
    let locked = objects::table.find(uri).select(objects::locked_at).first::<Option<Time>>(db).optional()?;
    Ok(locked.flatten().is_some())
}

/// Which of these are closed for answers.
pub fn locked_among(db: &mut Db, uris: &[&str]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for some in uris.chunks(500) {
        let query = objects::table.filter(objects::uri.eq_any(some.to_vec())).filter(objects::locked_at.is_not_null());
        found.extend(query.select(objects::uri).load::<String>(db)?);
    }
    Ok(found)
}

/// What this id stands for, deleted or not.
pub fn find(db: &mut Db, uri: &str) -> Result<Option<Known>> {
    Ok(objects::table.find(uri).select(Known::as_select()).first(db).optional()?)
}
