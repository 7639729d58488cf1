//! Which rows hold courses?

use super::Course;
use crate::db::{
    Db,
    schema::{course_organizers, courses},
};
use crate::error::Result;
use crate::id::{ActorId, CourseId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper};

pub(super) fn find(db: &mut Db, id: CourseId) -> Result<Option<Course>> {
    Ok(courses::table.find(id).select(Course::as_select()).first(db).optional()?)
}

pub(super) fn find_by_actor(db: &mut Db, actor: ActorId) -> Result<Option<Course>> {
    Ok(courses::table.filter(courses::actor_id.eq(actor)).select(Course::as_select()).first(db).optional()?)
}

pub(super) fn is_organizer(db: &mut Db, course: CourseId, actor: ActorId) -> Result<bool> {
    let row = course_organizers::table.find((course, actor)).select(course_organizers::actor_id);
    Ok(row.first::<ActorId>(db).optional()?.is_some())
}

pub(super) fn organizers(db: &mut Db, course: CourseId) -> Result<Vec<crate::actor::Actor>> {
    use crate::db::schema::actors;
    use diesel::JoinOnDsl;
    let query = course_organizers::table
        .inner_join(actors::table.on(actors::id.eq(course_organizers::actor_id)))
        .filter(course_organizers::course_id.eq(course));
    Ok(query.select(crate::actor::Actor::as_select()).load(db)?)
}
