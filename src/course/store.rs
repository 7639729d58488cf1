//! Which rows hold courses?

use super::ban::Ban;
use super::{Course, CourseState, Draft, Mirrored, PAGE, Place, Row};
use crate::actor::{Actor, ActorState};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{accounts, actors, course_bans, course_organizers, courses, pins},
};
use crate::error::Result;
use crate::id::{ActorId, BanId, CourseId};
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, TextExpressionMethods};

pub(super) fn find(db: &mut Db, id: CourseId) -> Result<Option<Course>> {
    Ok(courses::table.find(id).select(Course::as_select()).first(db).optional()?)
}

pub(super) fn find_by_actor(db: &mut Db, actor: ActorId) -> Result<Option<Course>> {
    Ok(courses::table.filter(courses::actor_id.eq(actor)).select(Course::as_select()).first(db).optional()?)
}

pub(super) fn find_by_bot(db: &mut Db, bot: ActorId) -> Result<Option<Course>> {
    Ok(courses::table.filter(courses::bot_id.eq(bot)).select(Course::as_select()).first(db).optional()?)
}

pub(super) fn is_organizer(db: &mut Db, course: CourseId, actor: ActorId) -> Result<bool> {
    // Of a mirrored course it is known who organizes it, and nobody may change anything by that.
    let query = course_organizers::table
        .inner_join(courses::table.on(courses::id.eq(course_organizers::course_id)))
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(course_organizers::course_id.eq(course))
        .filter(course_organizers::actor_id.eq(actor))
        .filter(actors::here);
    Ok(query.select(course_organizers::actor_id).first::<ActorId>(db).optional()?.is_some())
}

pub(super) fn organizers(db: &mut Db, course: CourseId) -> Result<Vec<Actor>> {
    let query = course_organizers::table
        .inner_join(actors::table.on(actors::id.eq(course_organizers::actor_id)))
        .filter(course_organizers::course_id.eq(course))
        .order((course_organizers::created_at, actors::id));
    Ok(query.select(Actor::as_select()).load(db)?)
}

pub(super) fn moderators(db: &mut Db) -> Result<Vec<ActorId>> {
    let query = accounts::table
        .filter(accounts::role.eq_any(["moderator", "admin"]))
        .filter(accounts::state.eq("active"))
        .select(accounts::actor_id);
    Ok(query.load(db)?)
}

/// The states that everyone may see in lists.
const SHOWN: CourseState = CourseState::Listed;

pub(super) fn list(db: &mut Db, place: Place, page: i64) -> Result<Vec<Row>> {
    // Two bounds instead of a list: statements with one are compiled each time.
    let (here, there) = (place != Place::Elsewhere, place != Place::Here);
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(courses::state.eq(SHOWN))
        .filter(courses::private.eq(false))
        .filter(actors::here.or(courses::listed_at.is_not_null()))
        .filter(actors::here.eq(here).or(actors::here.ne(there)))
        .filter(actors::state.eq(ActorState::Active))
        .order((courses::listed_at.desc(), courses::id.desc()))
        .offset(page.max(0).saturating_mul(PAGE))
        .limit(PAGE + 1);
    Ok(query.select((Course::as_select(), Actor::as_select())).load(db)?)
}

pub(super) fn search(db: &mut Db, words: &str) -> Result<Vec<Row>> {
    let mut query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(courses::state.eq(SHOWN))
        .filter(courses::private.eq(false))
        .filter(actors::here.or(courses::listed_at.is_not_null()))
        .filter(actors::state.eq(ActorState::Active))
        .order((courses::listed_at.desc(), courses::id.desc()))
        .limit(PAGE)
        .into_boxed();
    for word in words.split_whitespace().take(6) {
        let bare: String = word.chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(40).collect();
        // LIKE minds the case on PostgreSQL and not on SQLite: the usual spellings are tried.
        let mut first = bare.chars();
        let upper: String = first.next().map(|c| c.to_uppercase().chain(first).collect()).unwrap_or_default();
        let (low, high) = (format!("%{}%", bare.to_lowercase()), format!("%{upper}%"));
        query = query.filter(
            actors::name
                .like(low.clone())
                .or(actors::name.like(high.clone()))
                .or(courses::tagline.like(low.clone()))
                .or(courses::tagline.like(high))
                .or(actors::handle.like(low)),
        );
    }
    // A query of changing shape is of one kind of connection: of the kind that may be either.
    Ok(diesel::RunQueryDsl::load(query.select((Course::as_select(), Actor::as_select())), db)?)
}

pub(super) fn list_in(db: &mut Db, states: &[CourseState]) -> Result<Vec<Row>> {
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(courses::state.eq_any(states.to_vec()))
        .filter(actors::here)
        .order(courses::id);
    Ok(query.select((Course::as_select(), Actor::as_select())).load(db)?)
}

pub(super) fn organized_by(db: &mut Db, actor: ActorId) -> Result<Vec<Row>> {
    let mine = course_organizers::table.filter(course_organizers::actor_id.eq(actor));
    let ids: Vec<CourseId> = mine.select(course_organizers::course_id).load(db)?;
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(courses::id.eq_any(ids))
        .order(courses::id.desc());
    Ok(query.select((Course::as_select(), Actor::as_select())).load(db)?)
}

pub(super) struct NewCourse<'a> {
    pub(super) group: ActorId,
    pub(super) bot: ActorId,
    pub(super) owner: ActorId,
    pub(super) draft: &'a Draft,
    pub(super) html: &'a str,
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &NewCourse<'_>) -> Result<Course> {
    let row = (
        courses::actor_id.eq(new.group),
        courses::bot_id.eq(Some(new.bot)),
        courses::owner_id.eq(Some(new.owner)),
        courses::state.eq(CourseState::Proposed),
        courses::tagline.eq(&new.draft.tagline),
        courses::description_md.eq(&new.draft.description),
        courses::description_html.eq(new.html),
        courses::language.eq(&new.draft.language),
        courses::license.eq(&new.draft.license),
        courses::answer.eq(""),
        courses::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(courses::table).values(row).returning(courses::all_columns).get_result(tx)?)
}

pub(super) fn update(tx: &mut Tx<'_>, id: CourseId, draft: &Draft, html: &str) -> Result<Course> {
    let row = (
        courses::tagline.eq(&draft.tagline),
        courses::description_md.eq(&draft.description),
        courses::description_html.eq(html),
        courses::language.eq(&draft.language),
        courses::license.eq(&draft.license),
    );
    Ok(diesel::update(courses::table.find(id)).set(row).returning(courses::all_columns).get_result(tx)?)
}

pub(super) fn set_private(tx: &mut Tx<'_>, id: CourseId, private: bool) -> Result<()> {
    diesel::update(courses::table.find(id)).set(courses::private.eq(private)).execute(tx)?;
    Ok(())
}

pub(super) fn move_to(tx: &mut Tx<'_>, id: CourseId, state: CourseState, answer: &str) -> Result<Course> {
    if state == CourseState::Listed {
        let now: Time = tx.now();
        diesel::update(courses::table.find(id)).set(courses::listed_at.eq(Some(now))).execute(tx)?;
    }
    let row = (courses::state.eq(state), courses::answer.eq(answer));
    Ok(diesel::update(courses::table.find(id)).set(row).returning(courses::all_columns).get_result(tx)?)
}

pub(super) fn put_organizer(tx: &mut Tx<'_>, course: CourseId, actor: ActorId) -> Result<()> {
    let row = (
        course_organizers::course_id.eq(course),
        course_organizers::actor_id.eq(actor),
        course_organizers::created_at.eq(tx.now()),
    );
    diesel::insert_into(course_organizers::table).values(row).on_conflict_do_nothing().execute(tx)?;
    Ok(())
}

pub(super) fn set_owner(tx: &mut Tx<'_>, id: CourseId, owner: ActorId) -> Result<()> {
    diesel::update(courses::table.find(id)).set(courses::owner_id.eq(Some(owner))).execute(tx)?;
    Ok(())
}

pub(super) fn remove_organizer(tx: &mut Tx<'_>, course: CourseId, actor: ActorId) -> Result<()> {
    diesel::delete(course_organizers::table.find((course, actor))).execute(tx)?;
    Ok(())
}

pub(super) fn insert_mirrored(
    tx: &mut Tx<'_>,
    group: ActorId,
    bot: Option<ActorId>,
    said: &Mirrored,
) -> Result<Course> {
    let now = tx.now();
    let row = (
        courses::actor_id.eq(group),
        courses::bot_id.eq(bot),
        courses::state.eq(said.state),
        courses::tagline.eq(&said.tagline),
        courses::description_md.eq(""),
        courses::description_html.eq(&said.description),
        courses::language.eq(&said.language),
        courses::license.eq(&said.license),
        courses::answer.eq(""),
        courses::created_at.eq(now),
        courses::listed_at.eq(said.indexable.then_some(now)),
        courses::private.eq(said.private),
    );
    Ok(diesel::insert_into(courses::table).values(row).returning(courses::all_columns).get_result(tx)?)
}

pub(super) fn refresh(tx: &mut Tx<'_>, id: CourseId, bot: Option<ActorId>, said: &Mirrored) -> Result<Course> {
    let now = tx.now();
    let course = courses::table.find(id);
    if said.indexable {
        let unlisted = course.filter(courses::listed_at.is_null());
        diesel::update(unlisted).set(courses::listed_at.eq(Some(now))).execute(tx)?;
    } else {
        diesel::update(course).set(courses::listed_at.eq(None::<crate::clock::Time>)).execute(tx)?;
    }
    if let Some(bot) = bot {
        diesel::update(courses::table.find(id)).set(courses::bot_id.eq(Some(bot))).execute(tx)?;
    }
    let row = (
        courses::private.eq(said.private),
        courses::state.eq(said.state),
        courses::tagline.eq(&said.tagline),
        courses::description_html.eq(&said.description),
        courses::language.eq(&said.language),
        courses::license.eq(&said.license),
    );
    Ok(diesel::update(courses::table.find(id)).set(row).returning(courses::all_columns).get_result(tx)?)
}

pub(super) fn insert_ban(
    tx: &mut Tx<'_>,
    (course, whom, by): (CourseId, ActorId, ActorId),
    (uri, reason): (&str, &str),
    ends_at: Option<Time>,
) -> Result<Ban> {
    let row = (
        course_bans::course_id.eq(course),
        course_bans::actor_id.eq(whom),
        course_bans::by_id.eq(by),
        course_bans::uri.eq(uri),
        course_bans::reason.eq(reason),
        course_bans::ends_at.eq(ends_at),
        course_bans::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(course_bans::table).values(row).returning(course_bans::all_columns).get_result(tx)?)
}

pub(super) fn remove_ban(tx: &mut Tx<'_>, course: CourseId, whom: ActorId) -> Result<()> {
    let row = course_bans::table.filter(course_bans::course_id.eq(course)).filter(course_bans::actor_id.eq(whom));
    diesel::delete(row).execute(tx)?;
    Ok(())
}

pub(super) fn find_ban(db: &mut Db, course: CourseId, whom: ActorId) -> Result<Option<Ban>> {
    let row = course_bans::table.filter(course_bans::course_id.eq(course)).filter(course_bans::actor_id.eq(whom));
    Ok(row.select(Ban::as_select()).first(db).optional()?)
}

pub(super) fn find_ban_by_id(db: &mut Db, id: BanId) -> Result<Option<Ban>> {
    Ok(course_bans::table.find(id).select(Ban::as_select()).first(db).optional()?)
}

pub(super) fn list_bans(db: &mut Db, course: CourseId) -> Result<Vec<Ban>> {
    let query = course_bans::table.filter(course_bans::course_id.eq(course)).order(course_bans::id.desc()).limit(500);
    Ok(query.select(Ban::as_select()).load(db)?)
}

/// Whether it was not pinned already.
pub(super) fn insert_pin(tx: &mut Tx<'_>, course: CourseId, uri: &str) -> Result<bool> {
    let row = (pins::course_id.eq(course), pins::uri.eq(uri), pins::created_at.eq(tx.now()));
    Ok(diesel::insert_into(pins::table).values(row).on_conflict_do_nothing().execute(tx)? > 0)
}

/// Whether it was pinned.
pub(super) fn remove_pin(tx: &mut Tx<'_>, course: CourseId, uri: &str) -> Result<bool> {
    Ok(diesel::delete(pins::table.find((course, uri))).execute(tx)? > 0)
}

pub(super) fn pins(db: &mut Db, course: CourseId, most: i64) -> Result<Vec<String>> {
    let query = pins::table.filter(pins::course_id.eq(course)).order((pins::created_at.desc(), pins::uri));
    Ok(query.limit(most).select(pins::uri).load(db)?)
}
