//! Which course is private, and who may read what is said in it?
//!
//! A private course says nothing to everyone: what goes out of it names no public address, and what is in it is served to
//! those alone who follow it or take part, and to their servers, which ask in the name of their instance.

use super::wire;
use crate::actor::follow::FollowState;
use crate::actor::{self, Actor, ActorKind, MAY_ACT};
use crate::db::{
    Db, Run,
    schema::{actors, cohorts, courses, enrollments, follows},
};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};
use serde_json::Value;

/// Whether the course of this Group is private.
pub fn is_private(db: &mut Db, group: ActorId) -> Result<bool> {
    let row = courses::table.filter(courses::actor_id.eq(group)).filter(courses::private.eq(true));
    Ok(row.select(courses::actor_id).first::<ActorId>(db).optional()?.is_some())
}

/// States of a course in which everyone may know that it is there.
const SHOWN: [&str; 2] = ["listed", "archived"];

/// Whether this is the Group, or the bot, of a course that nobody else shall know of yet, or any more.
pub fn is_hidden(db: &mut Db, who: &Actor) -> Result<bool> {
    if !matches!(who.kind, ActorKind::Course | ActorKind::Bot) {
        return Ok(false);
    }
    let of = courses::table.filter(courses::actor_id.eq(who.id).or(courses::bot_id.eq(who.id)));
    let row = of.filter(courses::state.ne_all(SHOWN)).select(courses::actor_id);
    Ok(row.first::<ActorId>(db).optional()?.is_some())
}

/// Places that let somebody read.
const INSIDE: [&str; 3] = ["active", "dormant", "completed"];

/// Whether this actor follows the course of this Group, agreed to, or takes part in it; an instance elsewhere, whether
/// anybody of its server does.
pub fn is_member(db: &mut Db, group: ActorId, who: &Actor) -> Result<bool> {
    if who.may_act().is_err() {
        return Ok(false);
    }
    let server = (who.kind == ActorKind::Instance && !who.here).then_some(&who.host);
    let following = follows::table
        .inner_join(actors::table.on(actors::id.eq(follows::follower_id)))
        .filter(follows::followed_id.eq(group))
        .filter(follows::state.eq(FollowState::Accepted))
        .filter(actors::state.eq_any(MAY_ACT))
        .select(follows::id);
    let found = match server {
        Some(host) => following.filter(actors::host.eq(host)).first::<i64>(db).optional()?,
        None => following.filter(actors::id.eq(who.id)).first::<i64>(db).optional()?,
    };
    if found.is_some() {
        return Ok(true);
    }
    let places = enrollments::table
        .inner_join(cohorts::table.on(cohorts::id.eq(enrollments::cohort_id)))
        .inner_join(courses::table.on(courses::id.eq(cohorts::course_id)))
        .inner_join(actors::table.on(actors::id.eq(enrollments::actor_id)))
        .filter(courses::actor_id.eq(group))
        .filter(enrollments::state.eq_any(INSIDE))
        .filter(actors::state.eq_any(MAY_ACT))
        .select(enrollments::actor_id);
    let found = match server {
        Some(host) => places.filter(actors::host.eq(host)).first::<ActorId>(db).optional()?,
        None => places.filter(actors::id.eq(who.id)).first::<ActorId>(db).optional()?,
    };
    Ok(found.is_some())
}

/// The Group of a private course that this is said in or by, whoever says it.
fn group_of(db: &mut Db, document: &Value) -> Result<Option<ActorId>> {
    for key in ["audience", "actor", "attributedTo"] {
        let Some(uri) = wire::id(document, key) else { continue };
        let Some(group) = actor::find_by_uri(db, uri)?.filter(|found| found.kind == ActorKind::Course) else {
            continue;
        };
        if is_private(db, group.id)? {
            return Ok(Some(group.id));
        }
    }
    Ok(None)
}

/// Whether something that this actor sends is said in a private course.
pub fn concerns(db: &mut Db, by: &Actor, document: &Value) -> Result<bool> {
    if by.kind != ActorKind::Course && document.get("audience").is_none() {
        return Ok(false);
    }
    Ok(group_of(db, document)?.is_some())
}

/// Whether this is said in a private course that `who` may read.
pub fn may_read(db: &mut Db, document: &Value, who: &Actor) -> Result<bool> {
    match group_of(db, document)? {
        Some(group) => is_member(db, group, who),
        None => Ok(false),
    }
}
