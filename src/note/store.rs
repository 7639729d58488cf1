//! Which rows hold direct notes?

use super::{Note, Writer};
use crate::db::{Db, Run, Tx, schema::notes};
use crate::error::Result;
use crate::id::{ActorId, NoteId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use serde_json::Value;

pub(super) struct NewNote<'a> {
    pub(super) public_id: &'a str,
    pub(super) uri: &'a str,
    pub(super) document: &'a Value,
    pub(super) note: &'a Note<'a>,
}

/// Writes it down, unless its like was written before.
pub(super) fn insert(tx: &mut Tx<'_>, writer: &Writer, to: ActorId, new: &NewNote<'_>) -> Result<Option<NoteId>> {
    let row = (
        notes::public_id.eq(new.public_id),
        notes::uri.eq(new.uri),
        notes::course_id.eq(writer.course_id),
        notes::recipient_id.eq(to),
        notes::about.eq(new.note.about),
        notes::once_key.eq(new.note.once_key.as_deref()),
        notes::document.eq(new.document.to_string()),
        notes::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(notes::table)
        .values(row)
        .on_conflict(notes::once_key)
        .do_nothing()
        .returning(notes::id)
        .get_result(tx)
        .optional()?)
}

pub(super) fn find_document(db: &mut Db, uri: &str) -> Result<Option<(Value, ActorId)>> {
    let found = notes::table.filter(notes::uri.eq(uri)).select((notes::document, notes::recipient_id));
    match found.first::<(String, ActorId)>(db).optional()? {
        Some((document, recipient)) => Ok(Some((serde_json::from_str(&document)?, recipient))),
        None => Ok(None),
    }
}
