//! Which rows hold posts?

mod held;
mod lists;

pub(super) use held::{
    count_held, count_held_of, delete_held, find_held, held, held_by_public_id, insert_held, revise_held,
};
pub(super) use lists::{measure, piece};

use super::write::Place;
use super::{Change, NewPost, Post};
use crate::actor::{Actor, ActorState};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, cohorts, enrollments, posts},
};
use crate::enrollment::EnrollmentState;
use crate::error::Result;
use crate::id::{ActorId, AssignmentId, CourseId, EnrollmentId, PostId};
use diesel::dsl::count_star;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};
use std::collections::HashSet;

pub(super) fn find(db: &mut Db, id: PostId) -> Result<Option<Post>> {
    Ok(posts::table.find(id).select(Post::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Post>> {
    Ok(posts::table.filter(posts::public_id.eq(public_id)).select(Post::as_select()).first(db).optional()?)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Post>> {
    Ok(posts::table.filter(posts::uri.eq(uri)).select(Post::as_select()).first(db).optional()?)
}

type Rows = Vec<(Post, Actor)>;

pub(super) fn threads(db: &mut Db, course: CourseId, (most, after): (i64, i64)) -> Result<Rows> {
    let query = posts::table
        .inner_join(actors::table.on(actors::id.eq(posts::author_id)))
        .filter(posts::course_id.eq(course))
        .filter(posts::active_at.is_not_null())
        .filter(actors::state.ne(ActorState::Blocked));
    let query = query.order((posts::active_at.desc(), posts::id.desc())).limit(most).offset(after);
    Ok(query.select((Post::as_select(), Actor::as_select())).load(db)?)
}

pub(super) fn count_replies(db: &mut Db, threads: &[PostId]) -> Result<Vec<(Option<PostId>, i64)>> {
    let threads: Vec<Option<PostId>> = threads.iter().copied().map(Some).collect();
    let query = posts::table.filter(posts::thread_id.eq_any(threads)).filter(posts::deleted_at.is_null());
    Ok(query.group_by(posts::thread_id).select((posts::thread_id, count_star())).load(db)?)
}

pub(super) fn thread(db: &mut Db, root: PostId, (most, after): (i64, i64)) -> Result<Rows> {
    let query = posts::table
        .inner_join(actors::table.on(actors::id.eq(posts::author_id)))
        .filter(posts::id.eq(root).or(posts::thread_id.eq(root)))
        .filter(posts::id.eq(root).or(actors::state.ne(ActorState::Blocked)));
    let query = query.order((posts::thread_id.is_not_null(), posts::published_at, posts::id));
    Ok(query.limit(most).offset(after).select((Post::as_select(), Actor::as_select())).load(db)?)
}

pub(super) fn comments(db: &mut Db, assignment: AssignmentId, (most, after): (i64, i64)) -> Result<Rows> {
    let query = posts::table
        .inner_join(actors::table.on(actors::id.eq(posts::author_id)))
        .filter(posts::assignment_id.eq(assignment))
        .filter(actors::state.ne(ActorState::Blocked));
    let query = query.order((posts::published_at, posts::id)).limit(most).offset(after);
    Ok(query.select((Post::as_select(), Actor::as_select())).load(db)?)
}

/// Which of these ids something answers that is still there.
pub(super) fn answered(db: &mut Db, uris: &[String]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for some in uris.chunks(500) {
        let query = posts::table
            .filter(posts::in_reply_to.eq_any(some.iter().map(String::as_str)))
            .filter(posts::deleted_at.is_null());
        let rows: Vec<Option<String>> = query.select(posts::in_reply_to).distinct().load(db)?;
        found.extend(rows.into_iter().flatten());
    }
    Ok(found)
}

pub(super) fn count_before(db: &mut Db, post: &Post) -> Result<i64> {
    let Some(root) = post.thread_id else { return Ok(0) };
    let earlier = posts::published_at
        .lt(post.published_at)
        .or(posts::published_at.eq(post.published_at).and(posts::id.lt(post.id)));
    let query = posts::table.filter(posts::thread_id.eq(root)).filter(earlier);
    // The first post stands before all of them.
    Ok(query.count().get_result::<i64>(db)? + 1)
}

pub(super) fn participants(db: &mut Db, root: PostId) -> Result<Vec<ActorId>> {
    let query =
        posts::table.filter(posts::id.eq(root).or(posts::thread_id.eq(root))).filter(posts::deleted_at.is_null());
    Ok(query.select(posts::author_id).distinct().load(db)?)
}

pub(super) fn takes_part(db: &mut Db, course: CourseId, actor: ActorId) -> Result<bool> {
    let query = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .filter(cohorts::course_id.eq(course))
        .filter(enrollments::actor_id.eq(actor))
        .filter(enrollments::state.eq_any([EnrollmentState::Active, EnrollmentState::Completed]));
    Ok(query.select(enrollments::id).first::<EnrollmentId>(db).optional()?.is_some())
}

pub(super) struct NewRow<'a> {
    pub(super) public_id: &'a str,
    pub(super) uri: &'a str,
    pub(super) title: &'a str,
    pub(super) published_at: Time,
    pub(super) announced_at: Option<Time>,
    pub(super) active_at: Option<Time>,
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    author: ActorId,
    (new, place): (&NewPost, &Place),
    row: NewRow<'_>,
) -> Result<Post> {
    let row = (
        posts::public_id.eq(row.public_id),
        posts::uri.eq(row.uri),
        posts::course_id.eq(place.course),
        posts::author_id.eq(author),
        posts::thread_id.eq(place.thread),
        posts::assignment_id.eq(place.assignment),
        posts::in_reply_to.eq(new.in_reply_to.as_deref()),
        posts::title.eq(row.title),
        posts::body_md.eq(&new.body_md),
        posts::body_html.eq(&new.body_html),
        posts::published_at.eq(row.published_at),
        posts::removal.eq(""),
        posts::announced_at.eq(row.announced_at),
        posts::active_at.eq(row.active_at),
        posts::changed_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(posts::table).values(row).returning(posts::all_columns).get_result(tx)?)
}

/// Somebody wrote in a thread; one that is not listed stays so.
pub(super) fn touch(tx: &mut Tx<'_>, root: PostId) -> Result<()> {
    let now = tx.now();
    diesel::update(posts::table.filter(posts::id.eq(root)).filter(posts::active_at.is_not_null()))
        .set(posts::active_at.eq(Some(now)))
        .execute(tx)?;
    Ok(())
}

/// Answers that came before what they answer stood alone; now they join its thread.
pub(super) fn adopt(tx: &mut Tx<'_>, parent: &Post) -> Result<()> {
    let alone = posts::table
        .filter(posts::in_reply_to.eq(&parent.uri))
        .filter(posts::course_id.eq(parent.course_id))
        .filter(posts::thread_id.is_null())
        .filter(posts::assignment_id.is_null());
    let alone: Vec<PostId> = alone.filter(posts::id.ne(parent.id)).select(posts::id).load(tx)?;
    if alone.is_empty() {
        return Ok(());
    }
    let (root, none): (Option<PostId>, Option<Time>) = (Some(parent.root()), None);
    let row = (
        posts::thread_id.eq(root),
        posts::assignment_id.eq(parent.assignment_id),
        posts::active_at.eq(none),
        posts::changed_at.eq(tx.now()),
    );
    diesel::update(posts::table.filter(posts::id.eq_any(&alone))).set((row, posts::title.eq(""))).execute(tx)?;
    let below: Vec<Option<PostId>> = alone.into_iter().map(Some).collect();
    diesel::update(posts::table.filter(posts::thread_id.eq_any(below))).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn mark_announced(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let now = tx.now();
    diesel::update(posts::table.filter(posts::id.eq(id)).filter(posts::announced_at.is_null()))
        .set(posts::announced_at.eq(Some(now)))
        .execute(tx)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, id: PostId, title: &str, change: &Change) -> Result<Post> {
    let at = change.at.min(tx.now());
    let row = (
        posts::title.eq(title),
        posts::body_md.eq(&change.body_md),
        posts::body_html.eq(&change.body_html),
        posts::edited_at.eq(Some(at)),
        posts::changed_at.eq(tx.now()),
    );
    Ok(diesel::update(posts::table.find(id)).set(row).returning(posts::all_columns).get_result(tx)?)
}

/// Something about it changed that stands elsewhere.
pub(super) fn mark_changed(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    diesel::update(posts::table.find(id)).set(posts::changed_at.eq(tx.now())).execute(tx)?;
    Ok(())
}

/// Takes the text away and keeps the place.
pub(super) fn erase(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let now = tx.now();
    let row = (
        posts::title.eq(""),
        posts::body_md.eq(""),
        posts::body_html.eq(""),
        posts::removal.eq(""),
        posts::deleted_at.eq(Some(now)),
        posts::changed_at.eq(now),
    );
    diesel::update(posts::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

/// Keeps the text, shown to nobody.
pub(super) fn hide(tx: &mut Tx<'_>, id: PostId, removal: &str) -> Result<()> {
    let now = tx.now();
    let row = (posts::removal.eq(removal), posts::deleted_at.eq(Some(now)), posts::changed_at.eq(now));
    diesel::update(posts::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

/// Shows it again, in the list of threads where it was.
pub(super) fn unhide(tx: &mut Tx<'_>, post: &Post) -> Result<()> {
    let none: Option<Time> = None;
    let row =
        (posts::removal.eq(""), posts::by_ban.eq(false), posts::deleted_at.eq(none), posts::changed_at.eq(tx.now()));
    diesel::update(posts::table.find(post.id)).set(row).execute(tx)?;
    let root = posts::table.filter(posts::id.eq(post.root())).filter(posts::active_at.is_null());
    let listed = root.filter(posts::thread_id.is_null()).filter(posts::assignment_id.is_null());
    diesel::update(listed).set(posts::active_at.eq(Some(post.published_at))).execute(tx)?;
    Ok(())
}

/// Posts that a ban takes away at once, at most.
const MOST_REMOVED: i64 = 1000;

pub(super) fn list_of_author(db: &mut Db, course: CourseId, author: ActorId) -> Result<Vec<PostId>> {
    let query = posts::table
        .filter(posts::author_id.eq(author))
        .filter(posts::course_id.eq(course))
        .filter(posts::deleted_at.is_null());
    Ok(query.order(posts::id.desc()).limit(MOST_REMOVED).select(posts::id).load(db)?)
}

pub(super) fn mark_by_ban(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    diesel::update(posts::table.find(id)).set(posts::by_ban.eq(true)).execute(tx)?;
    Ok(())
}

/// What went with a ban and still has its text, oldest first.
pub(super) fn list_by_ban(db: &mut Db, course: CourseId, author: ActorId) -> Result<Vec<Post>> {
    let query = posts::table
        .filter(posts::author_id.eq(author))
        .filter(posts::course_id.eq(course))
        .filter(posts::by_ban.eq(true))
        .filter(posts::removal.ne(""));
    Ok(query.order(posts::id).select(Post::as_select()).load(db)?)
}

/// Some posts of somebody that still have their text, removed ones included.
pub(super) fn list_all_of_author(db: &mut Db, author: ActorId) -> Result<Vec<Post>> {
    let query =
        posts::table.filter(posts::author_id.eq(author)).filter(posts::deleted_at.is_null().or(posts::removal.ne("")));
    Ok(query.order(posts::id).limit(MOST_REMOVED).select(Post::as_select()).load(db)?)
}

/// A thread in which nothing is left is not listed any more.
pub(super) fn unlist_when_empty(tx: &mut Tx<'_>, root: PostId) -> Result<()> {
    let left =
        posts::table.filter(posts::id.eq(root).or(posts::thread_id.eq(root))).filter(posts::deleted_at.is_null());
    if left.select(posts::id).first::<PostId>(tx).optional()?.is_none() {
        let none: Option<Time> = None;
        diesel::update(posts::table.find(root)).set(posts::active_at.eq(none)).execute(tx)?;
    }
    Ok(())
}
