//! Which rows hold syllabi?

use super::Syllabus;
use crate::db::{Columns, Db, Run, Tx, schema::syllabi};
use crate::error::Result;
use crate::id::{ActorId, CourseId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};

pub(super) struct NewSyllabus<'a> {
    pub(super) course: CourseId,
    pub(super) version: i64,
    pub(super) author: Option<ActorId>,
    pub(super) note: &'a str,
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &NewSyllabus<'_>, document: &str) -> Result<Syllabus> {
    let row = (
        syllabi::course_id.eq(new.course),
        syllabi::version.eq(new.version),
        syllabi::author_id.eq(new.author),
        syllabi::note.eq(new.note),
        syllabi::document.eq(document),
        syllabi::created_at.eq(tx.now()),
    );
    diesel::insert_into(syllabi::table).values(row).execute(tx)?;
    find(tx, new.course, new.version)?.ok_or(crate::error::Error::NotFound)
}

pub(super) fn delete_version(tx: &mut Tx<'_>, course: CourseId, version: i64) -> Result<()> {
    let row = syllabi::table.filter(syllabi::course_id.eq(course)).filter(syllabi::version.eq(version));
    diesel::delete(row).execute(tx)?;
    Ok(())
}

pub(super) fn find(db: &mut Db, course: CourseId, version: i64) -> Result<Option<Syllabus>> {
    let query = syllabi::table.filter(syllabi::course_id.eq(course)).filter(syllabi::version.eq(version));
    Ok(query.select(Syllabus::as_select()).first(db).optional()?)
}

pub(super) fn list(db: &mut Db, course: CourseId, most: i64) -> Result<Vec<Syllabus>> {
    let query = syllabi::table.filter(syllabi::course_id.eq(course)).order(syllabi::version.desc()).limit(most);
    Ok(query.select(Syllabus::as_select()).load(db)?)
}
