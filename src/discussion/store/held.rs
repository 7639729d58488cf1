//! Which rows hold posts that wait for an organizer?

use crate::actor::Actor;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, held_posts},
};
use crate::discussion::Held;
use crate::error::Result;
use crate::id::{ActorId, CourseId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

pub(in crate::discussion) fn insert_held(tx: &mut Tx<'_>, held: &Held) -> Result<()> {
    let row = (
        held_posts::public_id.eq(&held.public_id),
        held_posts::course_id.eq(held.course_id),
        held_posts::author_id.eq(held.author_id),
        held_posts::uri.eq(&held.uri),
        held_posts::in_reply_to.eq(&held.in_reply_to),
        held_posts::anchor.eq(&held.anchor),
        held_posts::title.eq(&held.title),
        held_posts::body_html.eq(&held.body_html),
        held_posts::published_at.eq(held.published_at),
        held_posts::activity.eq(&held.activity),
        held_posts::received_at.eq(held.received_at),
    );
    diesel::insert_into(held_posts::table).values(row).execute(tx)?;
    Ok(())
}

pub(in crate::discussion) fn held(db: &mut Db, course: CourseId, most: i64) -> Result<Vec<(Held, Actor)>> {
    let query = held_posts::table
        .inner_join(actors::table.on(actors::id.eq(held_posts::author_id)))
        .filter(held_posts::course_id.eq(course));
    let query = query.order(held_posts::id).limit(most);
    Ok(query.select((Held::as_select(), Actor::as_select())).load(db)?)
}

pub(in crate::discussion) fn count_held(db: &mut Db, course: CourseId) -> Result<i64> {
    Ok(held_posts::table.filter(held_posts::course_id.eq(course)).count().get_result(db)?)
}

pub(in crate::discussion) fn count_held_of(db: &mut Db, course: CourseId, author: ActorId) -> Result<i64> {
    let query = held_posts::table.filter(held_posts::author_id.eq(author)).filter(held_posts::course_id.eq(course));
    Ok(query.count().get_result(db)?)
}

pub(in crate::discussion) fn find_held(db: &mut Db, uri: &str) -> Result<Option<Held>> {
    Ok(held_posts::table.filter(held_posts::uri.eq(uri)).select(Held::as_select()).first(db).optional()?)
}

pub(in crate::discussion) fn held_by_public_id(db: &mut Db, public_id: &str) -> Result<Option<Held>> {
    Ok(held_posts::table.filter(held_posts::public_id.eq(public_id)).select(Held::as_select()).first(db).optional()?)
}

pub(in crate::discussion) fn revise_held(
    tx: &mut Tx<'_>,
    uri: &str,
    (title, html, activity): (&str, &str, &str),
) -> Result<()> {
    let row =
        (held_posts::title.eq(title), held_posts::body_html.eq(html), held_posts::later_activity.eq(Some(activity)));
    diesel::update(held_posts::table.filter(held_posts::uri.eq(uri))).set(row).execute(tx)?;
    Ok(())
}

pub(in crate::discussion) fn delete_held(tx: &mut Tx<'_>, public_id: &str) -> Result<()> {
    diesel::delete(held_posts::table.filter(held_posts::public_id.eq(public_id))).execute(tx)?;
    Ok(())
}
