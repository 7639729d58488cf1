//! Which rows hold what must be asked, and when it was asked last?

use crate::clock::Time;
use crate::db::{
    Db, Run, Tx,
    schema::{actors, cohorts, courses, enrollments, follower_checks, follows},
};
use crate::error::Result;
use crate::id::{ActorId, CourseId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

/// Remembers that the list is to be asked for, and where it is. Says when it was asked for last, the beginning of time
/// when never; nothing when it is to be asked for anyway.
pub(super) fn ask(tx: &mut Tx<'_>, followed: ActorId, url: &str) -> Result<Option<Time>> {
    let known = follower_checks::table.find(followed).select((follower_checks::waits, follower_checks::checked_at));
    let known: Option<(bool, Time)> = known.first(tx).optional()?;
    diesel::insert_into(follower_checks::table)
        .values((
            follower_checks::actor_id.eq(followed),
            follower_checks::url.eq(url),
            follower_checks::waits.eq(true),
            follower_checks::checked_at.eq(Time(0)),
        ))
        .on_conflict(follower_checks::actor_id)
        .do_update()
        .set((follower_checks::url.eq(url), follower_checks::waits.eq(true)))
        .execute(tx)?;
    Ok(match known {
        Some((true, _)) => None,
        Some((false, last)) => Some(last),
        None => Some(Time(0)),
    })
}

/// Whether somebody here follows them, or asked to, or has or had a place in their course.
pub(super) fn matters(db: &mut Db, who: ActorId) -> Result<bool> {
    let following = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(who))
        .filter(actors::here)
        .select(follows::id);
    if following.first::<i64>(db).optional()?.is_some() {
        return Ok(true);
    }
    let placed = courses::table
        .inner_join(cohorts::table.on(cohorts::course_id.eq(courses::id)))
        .inner_join(enrollments::table.on(enrollments::cohort_id.eq(cohorts::id)))
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(courses::actor_id.eq(who))
        .filter(actors::here)
        .select(courses::id);
    Ok(placed.first::<CourseId>(db).optional()?.is_some())
}

/// Where the list is.
pub(super) fn address(db: &mut Db, followed: ActorId) -> Result<Option<String>> {
    Ok(follower_checks::table.find(followed).select(follower_checks::url).first(db).optional()?)
}

/// Writes down that it is asked for now.
pub(super) fn note(tx: &mut Tx<'_>, followed: ActorId) -> Result<()> {
    let now = tx.now();
    let row = diesel::update(follower_checks::table.find(followed));
    row.set((follower_checks::checked_at.eq(now), follower_checks::waits.eq(false))).execute(tx)?;
    Ok(())
}
