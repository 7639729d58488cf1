//! Which rows say how far a mirror is, and what changed?

use super::Mark;
use crate::clock::Time;
use crate::course::Course;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, cohorts, courses, enrollments, follows, mirrors, posts},
};
use crate::discussion::Post;
use crate::error::Result;
use crate::id::{CourseId, PostId};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
};

pub(super) fn mark(db: &mut Db, id: CourseId) -> Result<Mark> {
    let row = mirrors::table.find(id).select((mirrors::pulled_at, mirrors::change));
    let found: Option<(Time, Option<Time>)> = row.first(db).optional()?;
    Ok(found.map_or_else(Mark::default, |(at, change)| Mark { pulled_at: Some(at), change }))
}

pub(super) fn set_mark(tx: &mut Tx<'_>, id: CourseId, change: Option<Time>) -> Result<()> {
    let now = tx.now();
    let row = (mirrors::course_id.eq(id), mirrors::pulled_at.eq(now), mirrors::change.eq(change));
    diesel::insert_into(mirrors::table)
        .values(row)
        .on_conflict(mirrors::course_id)
        .do_update()
        .set((mirrors::pulled_at.eq(now), mirrors::change.eq(change)))
        .execute(tx)?;
    Ok(())
}

pub(super) fn is_wanted(db: &mut Db, course: &Course) -> Result<bool> {
    let following = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(course.actor_id))
        .filter(actors::here);
    if following.select(follows::id).first::<i64>(db).optional()?.is_some() {
        return Ok(true);
    }
    let places = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(cohorts::course_id.eq(course.id))
        .filter(actors::here);
    Ok(places.select(enrollments::actor_id).first::<crate::id::ActorId>(db).optional()?.is_some())
}

pub(super) fn list_stale(db: &mut Db, before: Time) -> Result<Vec<CourseId>> {
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .left_join(mirrors::table.on(mirrors::course_id.eq(courses::id)))
        .filter(actors::here.eq(false))
        .filter(mirrors::pulled_at.nullable().is_null().or(mirrors::pulled_at.nullable().lt(Some(before))));
    Ok(query.order(courses::id).select(courses::id).load(db)?)
}

pub(super) fn is_written_elsewhere(db: &mut Db, root: PostId) -> Result<bool> {
    Ok(!posts_elsewhere(db, root, 1)?.is_empty())
}

pub(super) fn posts_elsewhere(db: &mut Db, root: PostId, most: i64) -> Result<Vec<Post>> {
    let query = posts::table
        .inner_join(actors::table.on(actors::id.eq(posts::author_id)))
        .filter(posts::id.eq(root).or(posts::thread_id.eq(root)))
        .filter(posts::deleted_at.is_null())
        .filter(actors::here.eq(false));
    Ok(query.order((posts::published_at.desc(), posts::id.desc())).limit(most).select(Post::as_select()).load(db)?)
}

pub(super) fn set_thread_pulled(tx: &mut Tx<'_>, root: PostId) -> Result<()> {
    let now = tx.now();
    diesel::update(posts::table.find(root)).set(posts::pulled_at.eq(Some(now))).execute(tx)?;
    Ok(())
}

pub(super) fn changes(db: &mut Db, course: CourseId, after: Option<&Post>, most: i64) -> Result<Vec<Post>> {
    let (at, id) = after.map_or((Time(i64::MAX), PostId(i64::MAX)), |post| (post.changed_at, post.id));
    let earlier = posts::changed_at.lt(at).or(posts::changed_at.eq(at).and(posts::id.lt(id)));
    let query = posts::table.filter(posts::course_id.eq(course)).filter(earlier);
    Ok(query.order((posts::changed_at.desc(), posts::id.desc())).limit(most).select(Post::as_select()).load(db)?)
}
