//! Which rows tell how many places and posts people of other servers have here?

use crate::db::{
    Db, Run,
    schema::{actors, enrollments, posts},
};
use crate::error::Result;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};

/// Values of one statement; SQLite bounds them.
const BATCH: usize = 500;

pub(super) fn count_places(db: &mut Db, hosts: &[String]) -> Result<i64> {
    let mut count = 0;
    for some in hosts.chunks(BATCH) {
        let query = enrollments::table
            .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
            .filter(actors::host.eq_any(some))
            .filter(actors::here.eq(false))
            .filter(enrollments::state.eq_any(["applied", "waitlisted", "active", "dormant"]));
        count += query.count().get_result::<i64>(db)?;
    }
    Ok(count)
}

pub(super) fn count_posts(db: &mut Db, hosts: &[String]) -> Result<i64> {
    let mut count = 0;
    for some in hosts.chunks(BATCH) {
        let query = posts::table
            .inner_join(actors::table.on(actors::id.eq(posts::author_id)))
            .filter(actors::host.eq_any(some))
            .filter(actors::here.eq(false))
            .filter(posts::deleted_at.is_null());
        count += query.count().get_result::<i64>(db)?;
    }
    Ok(count)
}
