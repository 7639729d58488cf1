//! How do servers tell each other that somebody, or a course, moved?

use crate::actor::{self, Actor, ActorKind, moves};
use crate::catalogue;
use crate::cohort;
use crate::course;
use crate::db::{Db, Tx};
use crate::enrollment::{self, EnrollmentState};
use crate::error::{Error, Result};
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, document, fetch, rotation, wire};
use crate::id::ActorId;
use serde_json::{Value, json};

/// Follows from a change of what an actor here says of itself: its document to everyone who knows it. Nothing of a
/// course that nobody may see.
pub fn announce_changed(tx: &mut Tx<'_>, id: ActorId) -> Result<()> {
    let actor = actor::get(tx, id)?;
    let document = match course::find_by_actor(tx, id)? {
        Some(course) if !course.is_shown() => return Ok(()),
        Some(course) => catalogue::apub::to_wire(tx, &course)?,
        None => document::to_wire(tx, &actor)?,
    };
    rotation::announce(tx, &actor, document)
}

/// Follows from `Relocated` of somebody here: their document with `movedTo`, then `Move` (FEP-7628) to every server that
/// knows them. The new home of a course of our own kind gets an `Offer` of a place for each who took part.
pub fn announce_moved(tx: &mut Tx<'_>, from: ActorId, to: ActorId) -> Result<()> {
    let (from, to) = actor::pair(tx, from, to)?;
    if !from.here {
        return Ok(());
    }
    announce_changed(tx, from.id)?;
    let followers: Vec<String> = from.followers.iter().cloned().collect();
    let id = tx.links().activity(&tx.new_id());
    let mut moving = wire::activity("Move", &id, &from.uri, &followers, &[], from.uri.clone().into());
    if let Some(fields) = moving.as_object_mut() {
        fields.insert("target".into(), to.uri.clone().into());
    }
    let known = Audience::who_knows(tx, from.id)?.and(Audience::followers_of(tx, from.id)?);
    let audience = known.and(homes(tx, &from)?).and(Audience::servers([&to])).once_for_each_host();
    outbox::send(tx, &from, &moving, &from.uri, &audience)?;
    match course::find_by_actor(tx, from.id)? {
        Some(course) if !to.here => offer_places(tx, (&from, &to), &course),
        _ => Ok(()),
    }
}

/// The homes of the courses elsewhere that somebody here follows or takes part in.
fn homes(tx: &mut Tx<'_>, from: &Actor) -> Result<Audience> {
    let mut groups: Vec<ActorId> =
        actor::follow::followed_by(tx, from.id)?.into_iter().map(|known| known.followed_id).collect();
    for (_, cohort) in enrollment::of_person(tx, from.id)? {
        groups.push(course::get(tx, cohort.course_id)?.actor_id);
    }
    Ok(Audience::servers(&actor::list(tx, &groups)?))
}

fn offer_places(tx: &mut Tx<'_>, (from, to): (&Actor, &Actor), course: &course::Course) -> Result<()> {
    for person in enrollment::to_be_carried(tx, course)? {
        let id = tx.links().activity(&tx.new_id());
        let member = json!({"type": "Member", "actor": person.uri, "object": to.uri, "role": "member"});
        let mut offer = wire::activity("Offer", &id, &from.uri, std::slice::from_ref(&to.uri), &[], member);
        if let Some(fields) = offer.as_object_mut() {
            fields.insert("target".into(), to.uri.clone().into());
            fields.insert("origin".into(), from.uri.clone().into());
        }
        outbox::send(tx, from, &offer, &to.uri, &Audience::people([to]))?;
    }
    Ok(())
}

/// `Move` of the sender: who follows and takes part here goes along, once the account that they name says that it was
/// theirs before (ORI-17).
pub async fn moved(context: &Context, got: &Received) -> Result<()> {
    let (from, activity) = (got.signer.clone(), &got.activity);
    if wire::sole_id(activity, "object") != Some(from.uri.as_str()) {
        return Err(Error::denied("Everyone moves only themselves."));
    }
    let target = wire::sole_id(activity, "target").ok_or_else(|| Error::denied("The Move leads nowhere."))?;
    let (app, id) = (context.app_data(), from.id);
    if !app.read(move |db| matters(db, id)).await? {
        return got.settle(context, |_| Ok::<(), Error>(())).await;
    }
    let to = who_names(context, target, &from.uri).await?;
    if from.kind == ActorKind::Course && !to.here {
        catalogue::apub::mirror(context, &to.uri).await?;
    }
    got.settle(context, move |tx| super::moved_elsewhere(tx, &from, &to)).await
}

/// Whether anybody or anything here has to do with them; for others nobody else is asked.
fn matters(db: &mut Db, who: ActorId) -> Result<bool> {
    Ok(course::find_by_actor(db, who)?.is_some()
        || !actor::follow::followed_by(db, who)?.is_empty()
        || !enrollment::of_person(db, who)?.is_empty())
}

/// The actor with this id, when it says now that `other` is an account of the same owner; asked of its own server.
pub async fn who_names(context: &Context, uri: &str, other: &str) -> Result<Actor> {
    let app = context.app_data();
    let silent = || Error::denied("The other account does not name this one as one of its own.");
    if app.links().is_ours(uri) {
        let (uri, other) = (uri.to_owned(), other.to_owned());
        let found = app.read(move |db| {
            let Some(found) = actor::find_by_uri(db, &uri)? else { return Ok(None) };
            Ok(moves::aliases_of(db, found.id)?.contains(&other).then_some(found))
        });
        return found.await?.ok_or_else(silent);
    }
    let said = fetch::document(context, uri).await?;
    if !wire::ids(&said, "alsoKnownAs").into_iter().take(100).any(|known| known == other) {
        return Err(silent());
    }
    let remote = document::read(&said)?;
    if remote.uri != uri {
        return Err(Error::denied("The account is not the one that was asked for."));
    }
    fetch::store(app, remote).await
}

/// `Offer` of a place by the home of a course. To a course here: of somebody who took part in a course that moved here.
/// To a person here: because they, or the course, moved. Without such a move it has no effect (LIF-01).
pub async fn offered(context: &Context, got: &Received) -> Result<()> {
    let (member, group) = (got.object(), got.signer.clone());
    let (Some(person), Some(course)) = (wire::sole_id(member, "actor"), wire::sole_id(member, "object")) else {
        return Err(Error::denied("The Offer names nobody, or no course."));
    };
    if group.kind != ActorKind::Course {
        return Err(Error::denied("Only courses give places."));
    }
    if context.app_data().links().is_ours(course) {
        return taken_over(context, got, (person.to_owned(), course.to_owned())).await;
    }
    if course != group.uri {
        return Err(Error::denied("A course gives places in itself only."));
    }
    let origin = wire::sole_id(&got.activity, "origin").unwrap_or_default().to_owned();
    let (uri, by, from) = (person.to_owned(), group.clone(), origin.clone());
    let app = context.app_data();
    let consent = match app.read(move |db| consent(db, &by, &uri, &from)).await? {
        Consent::Named if leads_to(context, &origin, person).await? => Consent::Given,
        Consent::Named => Consent::None,
        known => known,
    };
    match consent {
        Consent::None | Consent::Named => return got.settle(context, |_| Ok::<(), Error>(())).await,
        Consent::NotYet => return Err(Error::Unavailable("the course has not said yet that it moved".into())),
        Consent::Given => {}
    }
    catalogue::apub::mirror(context, &group.uri).await?;
    let (got_, uri) = (got.clone(), person.to_owned());
    got.settle(context, move |tx| take_place(tx, &got_, &uri)).await
}

/// Whether somebody here wants what is offered.
#[derive(Debug, PartialEq, Eq)]
enum Consent {
    /// They said so, by taking part in the course that moved, or by moving here.
    Given,
    /// They named the account as theirs, as anyone may read; whether it moved here, its own server must say (CRS-02).
    Named,
    /// They take part in a course that has not said yet that it moved.
    NotYet,
    /// No.
    None,
}

/// Whether this account says now that it moved to that one; asked of its own server.
async fn leads_to(context: &Context, from: &str, to: &str) -> Result<bool> {
    match fetch::document(context, from).await {
        Ok(said) => Ok(wire::id(&said, "movedTo") == Some(to)),
        Err(error) if error.is_transient() => Err(error),
        Err(_) => Ok(false),
    }
}

fn consent(db: &mut Db, group: &Actor, person: &str, origin: &str) -> Result<Consent> {
    let Some(person) = actor::find_by_uri(db, person)?.filter(|person| person.here) else { return Ok(Consent::None) };
    if moves::aliases_of(db, person.id)?.iter().any(|known| known == origin) {
        return Ok(Consent::Named);
    }
    let Some(origin) = actor::find_by_uri(db, origin)?.filter(|origin| origin.kind == ActorKind::Course) else {
        return Ok(Consent::None);
    };
    let Some(old) = course::find_by_actor(db, origin.id)? else { return Ok(Consent::None) };
    let takes_part = enrollment::find_in_course(db, old.id, person.id)?.is_some_and(|(place, _)| place.is_current());
    if !takes_part {
        return Ok(Consent::None);
    }
    let led_here = moves::moved_to(db, origin.id)?.is_some_and(|to| to.id == group.id);
    Ok(if led_here { Consent::Given } else { Consent::NotYet })
}

fn take_place(tx: &mut Tx<'_>, got: &Received, person: &str) -> Result<()> {
    let group = &got.signer;
    let person = actor::find_by_uri(tx, person)?.ok_or(Error::NotFound)?;
    let course = course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
    let learning = got.activity.get("learning").unwrap_or(&Value::Null);
    let named = match wire::text(learning, "cohort") {
        Some(id) => cohort::get_public(tx, id).ok().filter(|cohort| cohort.course_id == course.id),
        None => cohort::current(tx, course.id)?,
    };
    let cohort = named.ok_or_else(|| Error::denied("The course has no such run."))?;
    let state = match wire::text(learning, "state") {
        Some("waitlisted") => EnrollmentState::Waitlisted,
        Some("applied") => EnrollmentState::Applied,
        _ => EnrollmentState::Active,
    };
    enrollment::granted(tx, group, &person, (cohort.id, state))
}

/// A course that moved here hands somebody over who took part in it.
async fn taken_over(context: &Context, got: &Received, (person, course): (String, String)) -> Result<()> {
    let (origin, app) = (got.signer.clone(), context.app_data());
    let (uri, from) = (course.clone(), origin.clone());
    let (named, led_here) = app
        .read(move |db| {
            let group = actor::find_by_uri(db, &uri)?.ok_or(Error::NotFound)?;
            let led_here = moves::moved_to(db, from.id)?.is_some_and(|to| to.id == group.id);
            Ok((moves::aliases_of(db, group.id)?.contains(&from.uri), led_here))
        })
        .await?;
    if !named {
        return Err(Error::denied("The course here does not name that one as its former home."));
    }
    if !led_here {
        return Err(Error::Unavailable("the course has not said yet that it moved".into()));
    }
    let person = fetch::actor(context, &person).await?;
    got.settle(context, move |tx| {
        let group = actor::find_by_uri(tx, &course)?.ok_or(Error::NotFound)?;
        let found = course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
        super::receive(tx, &origin, &found, &person)
    })
    .await
}
