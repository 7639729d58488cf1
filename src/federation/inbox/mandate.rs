//! Does an activity claim the right of those who moderate a course here, and does its signer have it?

use super::shape::Shape;
use crate::db::{
    Db, Run,
    schema::{actors, assignments, cohorts, course_organizers, courses, posts},
};
use crate::error::Result;
use crate::federation::wire;
use crate::id::{ActorId, CourseId};
use crate::link::Links;
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};
use serde_json::Value;

/// Whether the signer moderates the course here upon which this acts; nothing when it acts upon none (CRS-21, MOD-05).
pub(super) fn moderates(
    db: &mut Db,
    shape: &Shape,
    signer: Option<ActorId>,
    owner: Option<ActorId>,
    links: &Links,
) -> Result<Option<bool>> {
    let act = match shape.kind.as_str() {
        "Undo" => shape.activity.get("object").unwrap_or(&Value::Null),
        _ => &shape.activity,
    };
    let object = wire::id(act, "object").unwrap_or_default();
    let course = match wire::kind(act) {
        Some("Block" | "Add" | "Remove") => match wire::id(act, "target").filter(|target| links.is_ours(target)) {
            Some(target) => of_target(db, target)?,
            None => return Ok(None),
        },
        Some("Lock") => of_object(db, object)?,
        // One's own is deleted by no such right.
        Some("Delete") if owner.is_none() || owner != signer => of_object(db, object)?,
        _ => return Ok(None),
    };
    let (Some(course), Some(signer)) = (course, signer) else { return Ok(Some(false)) };
    let row = course_organizers::table.find((course, signer)).select(course_organizers::actor_id);
    Ok(Some(row.first::<ActorId>(db).optional()?.is_some()))
}

/// The course here that is a target itself, or whose collection is.
fn of_target(db: &mut Db, target: &str) -> Result<Option<CourseId>> {
    let bare = ["/featured", "/moderators", "/members"].iter().find_map(|end| target.strip_suffix(end));
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(actors::uri.eq(bare.unwrap_or(target)))
        .filter(actors::here);
    Ok(query.select(courses::id).first(db).optional()?)
}

/// The course here in which a post or assignment is.
fn of_object(db: &mut Db, uri: &str) -> Result<Option<CourseId>> {
    let post = posts::table.filter(posts::uri.eq(uri)).select(posts::course_id).first::<CourseId>(db).optional()?;
    let course = match post {
        Some(course) => Some(course),
        None => assignments::table
            .inner_join(cohorts::table.on(cohorts::id.eq(assignments::cohort_id)))
            .filter(assignments::uri.eq(uri))
            .select(cohorts::course_id)
            .first(db)
            .optional()?,
    };
    let Some(course) = course else { return Ok(None) };
    let query = courses::table
        .inner_join(actors::table.on(actors::id.eq(courses::actor_id)))
        .filter(courses::id.eq(course))
        .filter(actors::here);
    Ok(query.select(courses::id).first(db).optional()?)
}
