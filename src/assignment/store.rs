//! Which rows hold assignments?

use super::Assignment;
use crate::db::{Db, schema::assignments};
use crate::error::Result;
use crate::id::AssignmentId;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper};

pub(super) fn find(db: &mut Db, id: AssignmentId) -> Result<Option<Assignment>> {
    Ok(assignments::table.find(id).select(Assignment::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Assignment>> {
    let query = assignments::table.filter(assignments::public_id.eq(public_id));
    Ok(query.select(Assignment::as_select()).first(db).optional()?)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Assignment>> {
    let query = assignments::table.filter(assignments::uri.eq(uri));
    Ok(query.select(Assignment::as_select()).first(db).optional()?)
}
