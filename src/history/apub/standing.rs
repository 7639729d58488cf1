//! Who organizes a mirrored course, what does it show first, and what is closed in it?

use super::walk::Trip;
use crate::actor::{self, Actor, ActorKind};
use crate::course::{self, Course};
use crate::db::Tx;
use crate::discussion;
use crate::error::{Error, Result};
use crate::federation::{fetch, object, wire};
use crate::link::same_host;
use serde_json::Value;

/// Organizers that are read of one course.
const MOST_ORGANIZERS: usize = 30;

/// Brings organizers and pins in line with what the home's own lists say. What a list lacks is taken away when all of it
/// was read.
pub(super) async fn reconcile(trip: &mut Trip, (course, group): (&Course, &Actor), document: &Value) -> Result<()> {
    if let Some((ids, whole)) = list(trip, group, document, &["attributedTo", "moderators"]).await? {
        let mut people = Vec::new();
        for id in ids.iter().take(MOST_ORGANIZERS) {
            people.extend(person(trip, group, id).await?);
        }
        let (group, id) = (group.clone(), course.id);
        let whole = whole && ids.len() <= MOST_ORGANIZERS;
        trip.app().write(move |tx| appoint(tx, &group, id, (&people, &ids, whole))).await?;
    }
    if let Some((ids, whole)) = list(trip, group, document, &["featured"]).await? {
        let (group, course) = (group.clone(), course.clone());
        trip.app().write(move |tx| pin(tx, &group, &course, (&ids, whole))).await?;
    }
    Ok(())
}

/// The ids in a list of the course's own server, and whether that is all; nothing when it cannot be read.
async fn list(trip: &mut Trip, group: &Actor, document: &Value, keys: &[&str]) -> Result<Option<(Vec<String>, bool)>> {
    let mut found = keys.iter().filter_map(|key| wire::id(document, key));
    let Some(uri) = found.find(|uri| same_host(uri, &group.uri) && *uri != group.uri) else { return Ok(None) };
    match trip.walk(uri, |_| true).await {
        Ok(walked) => {
            let ids = walked.items.iter().filter_map(wire::id_of).map(str::to_owned).collect();
            Ok(Some((ids, walked.whole)))
        }
        Err(error) if error.is_transient() => Ok(None),
        Err(other) => Err(other),
    }
}

/// Whom an id stands for: of other servers only who is known already, because a list may name anybody.
async fn person(trip: &mut Trip, group: &Actor, uri: &str) -> Result<Option<Actor>> {
    let asked = uri.to_owned();
    let known = trip.app().read(move |db| actor::find_by_uri(db, &asked)).await?;
    let found = match known {
        None if same_host(uri, &group.uri) && trip.may_go_on() => fetch::actor(&trip.context(), uri).await.ok(),
        known => known,
    };
    Ok(found.filter(|one| one.kind == ActorKind::Person))
}

fn appoint(
    tx: &mut Tx<'_>,
    group: &Actor,
    id: crate::id::CourseId,
    (people, ids, whole): (&[Actor], &[String], bool),
) -> Result<()> {
    for whom in people {
        passing(course::appoint(tx, group, id, whom, true))?;
    }
    for one in course::organizers(tx, id)? {
        if whole && !ids.contains(&one.uri) {
            passing(course::appoint(tx, group, id, &one, false))?;
        }
    }
    Ok(())
}

fn pin(tx: &mut Tx<'_>, group: &Actor, course: &Course, (ids, whole): (&[String], bool)) -> Result<()> {
    let pinned = course::pins(tx, course.id)?;
    for uri in pinned.iter().filter(|uri| whole && !ids.contains(uri)) {
        passing(discussion::pin(tx, group, uri, false))?;
    }
    // The newest pin is listed first, and made last.
    for uri in ids.iter().take(course::MOST_PINS * 3).rev().filter(|uri| !pinned.contains(uri)) {
        let here = discussion::find_by_uri(tx, uri)?.is_some_and(|post| post.course_id == course.id);
        if here {
            passing(discussion::pin(tx, group, uri, true))?;
        }
    }
    Ok(())
}

/// Closes what its home says is closed, and opens it again.
pub(super) async fn close(trip: &Trip, (course, group): (&Course, &Actor), uri: &str, closed: bool) -> Result<()> {
    let (app, asked, id) = (trip.app(), uri.to_owned(), course.id);
    let differs = app
        .read(move |db| {
            let Some(parent) = discussion::Parent::find(db, &asked)? else { return Ok(false) };
            Ok(parent.course(db)? == id && object::is_locked(db, &asked)? != closed)
        })
        .await?;
    if !differs {
        return Ok(());
    }
    let (group, uri) = (group.clone(), uri.to_owned());
    app.write(move |tx| passing(discussion::lock(tx, &group, &uri, closed))).await
}

/// What may not be, or is not known here, is passed over; it was refused before anything changed.
fn passing(done: Result<()>) -> Result<()> {
    match done {
        Err(Error::Denied(_) | Error::Invalid(_) | Error::NotFound) => Ok(()),
        other => other,
    }
}
