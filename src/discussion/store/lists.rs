//! Which ids does a collection of posts hold?

use crate::clock::Time;
use crate::db::{Db, Run, schema::posts};
use crate::discussion::{Post, Which};
use crate::error::Result;
use diesel::dsl::{count_star, max};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};

/// Ids and public ids, oldest first; by the order of the indices, after the place of one of them.
pub(in crate::discussion) fn piece(
    db: &mut Db,
    which: Which<'_>,
    after: Option<&Post>,
    most: i64,
) -> Result<Vec<(String, String)>> {
    let (at, id) = after.map_or((Time(i64::MIN), crate::id::PostId(0)), |post| (post.published_at, post.id));
    let later = posts::published_at.gt(at).or(posts::published_at.eq(at).and(posts::id.gt(id)));
    let columns = (posts::uri, posts::public_id);
    let query = posts::table.filter(posts::deleted_at.is_null()).filter(later);
    let query = query.order((posts::published_at, posts::id)).limit(most).select(columns);
    Ok(match which {
        Which::AnswersTo(uri) => query.filter(posts::in_reply_to.eq(uri)).load(db)?,
        Which::Thread(root) => query.filter(posts::thread_id.eq(root)).load(db)?,
        Which::CommentsTo(assignment) => query.filter(posts::assignment_id.eq(assignment)).load(db)?,
    })
}

/// How many there are, and when one of them last changed.
pub(in crate::discussion) fn measure(db: &mut Db, which: Which<'_>) -> Result<(i64, Option<Time>)> {
    let count = || posts::table.filter(posts::deleted_at.is_null()).select(count_star());
    let last = || posts::table.select(max(posts::changed_at));
    Ok(match which {
        Which::AnswersTo(uri) => (
            count().filter(posts::in_reply_to.eq(uri)).first(db)?,
            last().filter(posts::in_reply_to.eq(uri)).first(db)?,
        ),
        Which::Thread(root) => {
            (count().filter(posts::thread_id.eq(root)).first(db)?, last().filter(posts::thread_id.eq(root)).first(db)?)
        }
        Which::CommentsTo(assignment) => (
            count().filter(posts::assignment_id.eq(assignment)).first(db)?,
            last().filter(posts::assignment_id.eq(assignment)).first(db)?,
        ),
    })
}
