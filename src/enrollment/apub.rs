//! How do people elsewhere ask for a place, and how does the home of a mirrored course answer people here?

use super::announce::{self, escape, standing};
use super::wish::{self, Wish};
use super::{Ask, Enrollment, EnrollmentState};
use crate::actor::{self, Actor, ActorKind};
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::{Context, Received, early, outbox, wire};
use crate::note::{self, Note};
use crate::text;
use serde_json::{Value, json};

/// `Follow` of a course here: answered with an Accept each time, and once with a welcome note. A course that is not
/// listed does not exist for strangers.
pub async fn follow(context: &Context, got: &Received) -> Result<()> {
    let (by, uri) = (got.signer.clone(), own_id(got)?);
    let object = object_id(got)?;
    got.settle(context, move |tx| {
        let group = actor::find_by_uri(tx, &object)?.ok_or(Error::NotFound)?;
        if let Some(course) = course::find_by_actor(tx, group.id)?.filter(|_| group.here)
            && let Some(ban) = course::ban::find_ban(tx, course.id, by.id)?
        {
            let follow = json!({"id": uri, "type": "Follow", "actor": by.uri, "object": group.uri});
            return announce::refuse(tx, &group, &by, follow, &ban.reason);
        }
        if let Err(Error::Denied(moved)) = super::carry::still_here(tx, group.id)
            && group.here
        {
            let follow = json!({"id": uri, "type": "Follow", "actor": by.uri, "object": group.uri});
            return announce::refuse(tx, &group, &by, follow, &moved.0);
        }
        super::accept_follower(tx, &by, &group, &uri)
    })
    .await
}

/// `Join` of a course here: `Accept` with a `Member`, `Reject` with the reason, or `TentativeAccept` while organizers
/// decide or the person waits for a seat. A repeated Join is answered again.
pub async fn join(context: &Context, got: &Received) -> Result<()> {
    let got_ = got.clone();
    got.settle(context, move |tx| answer_join(tx, &got_)).await
}

pub(super) fn answer_join(tx: &mut Tx<'_>, got: &Received) -> Result<()> {
    let (uri, object) = (own_id(got)?, object_id(got)?);
    let (course, group) = course_here(tx, &object)?;
    let learning = got.activity.get("learning").unwrap_or(&Value::Null);
    // Mobilizon has its own word for what is said along with a Join.
    let message = wire::text(learning, "message").or_else(|| wire::text(&got.activity, "participationMessage"));
    let message = message.unwrap_or_default();
    let plain = text::plain(message).unwrap_or_default();
    let ask = Ask { message: plain, join_uri: Some(uri.clone()) };
    let result = wanted(tx, &course, wire::text(learning, "cohort")).and_then(|cohort| {
        let waited = super::find(tx, cohort.id, got.signer.id)?.is_some_and(|place| place.waits());
        Ok((super::enroll(tx, &got.signer, cohort.id, &ask)?, waited))
    });
    match result {
        // Nothing happened, so nothing follows; the answer may have been lost.
        Ok((place, true)) => announce::asked(tx, place.id),
        Ok((_, false)) => Ok(()),
        // Refused before anything was changed: said to the asker, and done with.
        Err(Error::Denied(refused)) => {
            let join = json!({"id": uri, "type": "Join", "actor": got.signer.uri, "object": group.uri});
            announce::refuse(tx, &group, &got.signer, join, &refused.0)
        }
        Err(other) => Err(other),
    }
}

/// The named cohort of this course, or the one that people join now.
fn wanted(db: &mut Db, course: &Course, named: Option<&str>) -> Result<Cohort> {
    if let Some(public_id) = named {
        let cohort = cohort::get_public(db, public_id).ok().filter(|cohort| cohort.course_id == course.id);
        return cohort.ok_or_else(|| Error::denied("The course has no such run."));
    }
    cohort::current(db, course.id)?.ok_or_else(|| Error::denied("The course has no run that takes people now."))
}

/// `Leave` of a course here: gives up the sender's own places; without one it has no effect.
pub async fn leave(context: &Context, got: &Received) -> Result<()> {
    let (by, object) = (got.signer.clone(), object_id(got)?);
    got.settle(context, move |tx| {
        let (course, _) = course_here(tx, &object)?;
        super::leave_course(tx, &by, &course).map(drop)
    })
    .await
}

/// `Undo` of a Follow or Join, embedded or by id alike (checklist 37), or by the id of whom one follows. Only the sender's
/// own can be undone; what did not come yet is over before it begins. Unfollowing also ends a place that came by words, because such a person has no other way to say that they are gone.
pub async fn undo(context: &Context, got: &Received) -> Result<()> {
    let (by, object) = (got.signer.clone(), got.object().clone());
    got.settle(context, move |tx| undo_one(tx, &by, &object)).await
}

fn undo_one(tx: &mut Tx<'_>, by: &Actor, object: &Value) -> Result<()> {
    let uri = wire::id_of(object).unwrap_or_default().to_owned();
    if wire::id(object, "actor").is_some_and(|author| author != by.uri) {
        return Err(Error::denied("Only one's own Follow or Join can be undone."));
    }
    if let Some(place) = super::find_by_join(tx, &uri)? {
        return super::leave(tx, by, place.id).map(drop);
    }
    let known = actor::follow::find_by_uri(tx, by.id, &uri)?;
    if known.is_none() {
        early::remember(tx, &uri, by.id)?;
    }
    let followed = match (known, wire::id(object, "object")) {
        (Some(follow), _) => Some(actor::get(tx, follow.followed_id)?),
        (None, target) => actor::find_by_uri(tx, target.unwrap_or(&uri))?,
    };
    let Some(group) = followed.filter(|group| group.here) else { return Ok(()) };
    let Some(course) = course::find_by_actor(tx, group.id)? else { return Ok(()) };
    if wire::kind(object) == Some("Join") {
        return super::leave_course(tx, by, &course).map(drop);
    }
    super::unfollow(tx, by, &course)?;
    if let Some((place, _)) = super::find_in_course(tx, course.id, by.id)?
        && place.join_uri.is_none()
        && place.is_current()
    {
        super::leave(tx, by, place.id)?;
    }
    Ok(())
}

/// `TentativeAccept` of a Join from here: its home has it and did not decide yet. By the same rules as [`accept`].
pub async fn consider(context: &Context, got: &Received) -> Result<()> {
    let got_ = got.clone();
    got.settle(context, move |tx| considered(tx, &got_)).await
}

pub(super) fn considered(tx: &mut Tx<'_>, got: &Received) -> Result<()> {
    let Ok(uri) = object_id(got) else { return Ok(()) };
    let learning = got.activity.get("learning").unwrap_or(&Value::Null);
    let on_the_list = wire::text(learning, "state") == Some(EnrollmentState::Waitlisted.as_str());
    let state = if on_the_list { EnrollmentState::Waitlisted } else { EnrollmentState::Applied };
    super::answered(tx, &got.signer, &uri, state)
}

/// `Accept` of a Join or Follow from here. Without such an activity it has no effect (LIF-01); signed by another than
/// the one it was sent to, it is refused (LIF-02).
pub async fn accept(context: &Context, got: &Received) -> Result<()> {
    let got_ = got.clone();
    got.settle(context, move |tx| answered(tx, &got_, true)).await
}

/// `Reject` of a Join or Follow from here, by the same rules as [`accept`].
pub async fn reject(context: &Context, got: &Received) -> Result<()> {
    let got_ = got.clone();
    got.settle(context, move |tx| answered(tx, &got_, false)).await
}

pub(super) fn answered(tx: &mut Tx<'_>, got: &Received, agreed: bool) -> Result<()> {
    let Ok(uri) = object_id(got) else { return Ok(()) };
    let Some(sent) = outbox::find(tx, &uri)? else { return Ok(()) };
    if sent.object_uri != got.signer.uri {
        return Err(Error::denied("Only the one who was asked can answer."));
    }
    match sent.kind.as_str() {
        "Join" => {
            let state = if agreed { EnrollmentState::Active } else { EnrollmentState::Declined };
            super::answered(tx, &got.signer, &uri, state)
        }
        "Follow" => {
            let follower = actor::get(tx, sent.actor_id)?;
            super::follow_answered(tx, &got.signer, &uri, &follower, agreed)
        }
        _ => Ok(()),
    }
}

/// `Remove` of a person here from the members of a mirrored course, signed by that course.
pub async fn remove(context: &Context, got: &Received) -> Result<()> {
    let (group, object) = (got.signer.clone(), object_id(got)?);
    got.settle(context, move |tx| {
        let person = actor::find_by_uri(tx, &object)?.filter(|person| person.here);
        super::removed_by_home(tx, &group, &person.ok_or(Error::NotFound)?)
    })
    .await
}

/// The word door: a direct note to a course or its bot, or an answer to one of its notes, that says "enroll" or
/// "leave". Says whether it was one; then it is settled and answered by a note.
pub async fn answer_words(context: &Context, got: &Received) -> Result<bool> {
    let got_ = got.clone();
    let app = context.app_data();
    let wish = app.read(move |db| read_wish(db, &got_)).await?;
    let Some((course, wish)) = wish else { return Ok(false) };
    let got_ = got.clone();
    got.settle(context, move |tx| answer_wish(tx, &got_, &course, wish)).await?;
    Ok(true)
}

pub(super) fn read_wish(db: &mut Db, got: &Received) -> Result<Option<(Course, Wish)>> {
    let note = got.object();
    let whose = wire::id(note, "attributedTo") == Some(got.signer.uri.as_str());
    if wire::kind(note) != Some("Note") || !whose {
        return Ok(None);
    }
    // A vote is a Note that has a name and no content.
    let (content, name) = (wire::text(note, "content"), wire::text(note, "name"));
    if name.is_some() && content.is_some_and(|content| !content.is_empty()) {
        return Ok(None);
    }
    let html = content.or(name).unwrap_or_default();
    let Some(wish) = text::plain(html).ok().and_then(|plain| wish::read(&plain)) else { return Ok(None) };
    let parent = match wire::id(note, "inReplyTo") {
        Some(uri) => object::find(db, uri)?,
        None => None,
    };
    // An answer to a post, an assignment or a task is no wish, whatever words it has.
    if wire::id(note, "inReplyTo").is_some() && !parent.as_ref().is_some_and(|p| p.kind == ObjectKind::Note) {
        return Ok(None);
    }
    if parent.is_none() && wire::is_public(note) {
        return Ok(None);
    }
    let mut named: Vec<String> = Vec::new();
    for key in ["to", "cc"] {
        named.extend(wire::ids(note, key).into_iter().map(str::to_owned));
    }
    named.extend(wire::mentions(note).into_iter().map(str::to_owned));
    if let Some(parent) = parent {
        named.push(actor::get(db, parent.owner_id)?.uri);
    }
    for uri in named.iter().take(20) {
        if let Some(course) = find_addressed(db, uri)? {
            return Ok(Some((course, wish)));
        }
    }
    Ok(None)
}

/// The course here that this actor is, or writes for.
fn find_addressed(db: &mut Db, uri: &str) -> Result<Option<Course>> {
    let Some(actor) = actor::find_by_uri(db, uri)?.filter(|actor| actor.here) else { return Ok(None) };
    match actor.kind {
        ActorKind::Course => course::find_by_actor(db, actor.id),
        ActorKind::Bot => course::find_by_bot(db, actor.id),
        _ => Ok(None),
    }
}

pub(super) fn answer_wish(tx: &mut Tx<'_>, got: &Received, course: &Course, wish: Wish) -> Result<()> {
    let by = &got.signer;
    let result = match wish {
        Wish::Enroll => {
            wanted(tx, course, None).and_then(|cohort| super::enroll(tx, by, cohort.id, &Ask::default())).map(Some)
        }
        Wish::Leave => leave_by_words(tx, by, course),
    };
    let sentence = match result {
        Ok(Some(place)) => standing(&place).to_owned(),
        Ok(None) => "you have no place here, so there is nothing to leave.".to_owned(),
        Err(Error::Denied(refused)) => refused.0,
        Err(other) => return Err(other),
    };
    let writer = course::writer(tx, course)?;
    let html = format!("<p>“{}”: {}</p>", escape(&writer.course.name), escape(&sentence));
    let in_reply_to = wire::id(got.object(), "id");
    note::write(tx, &writer, by, Note { about: "other", html, in_reply_to, ..Note::default() })?;
    Ok(())
}

fn leave_by_words(tx: &mut Tx<'_>, by: &Actor, course: &Course) -> Result<Option<Enrollment>> {
    let place = super::find_in_course(tx, course.id, by.id)?.filter(|(place, _)| place.is_current());
    match place {
        Some((place, _)) => super::leave(tx, by, place.id).map(Some),
        None => Ok(None),
    }
}

fn own_id(got: &Received) -> Result<String> {
    let id = wire::text(&got.activity, "id").map(str::to_owned);
    id.ok_or_else(|| Error::denied("The activity has no id."))
}

fn object_id(got: &Received) -> Result<String> {
    let id = wire::id(&got.activity, "object").map(str::to_owned);
    id.ok_or_else(|| Error::denied("The activity has no object."))
}

fn course_here(db: &mut Db, uri: &str) -> Result<(Course, Actor)> {
    let group = actor::find_by_uri(db, uri)?.filter(|group| group.here).ok_or(Error::NotFound)?;
    let course = course::find_by_actor(db, group.id)?.filter(Course::is_shown).ok_or(Error::NotFound)?;
    Ok((course, group))
}
