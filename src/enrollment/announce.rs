//! What do other servers hear of who follows, asks, comes and goes?

use super::{Around, Enrollment, EnrollmentState, Role, around, store};
use crate::actor::{self, Actor, ActorKind};
use crate::course::{self, Course};
use crate::db::Tx;
use crate::error::Result;
use crate::federation::outbox::{self, Audience};
use crate::federation::wire;
use crate::id::{ActorId, EnrollmentId};
use crate::note::{self, Note};
use serde_json::{Value, json};

/// Follows from `Followed`: the course answers somebody elsewhere with an Accept (again for a repetition) and, once, a
/// welcome note; a person here asks the followed course elsewhere.
pub fn followed(tx: &mut Tx<'_>, followed: ActorId, follower: ActorId, uri: &str, again: bool) -> Result<()> {
    let (group, person) = (actor::get(tx, followed)?, actor::get(tx, follower)?);
    if group.here && !person.here {
        let follow = json!({"id": uri, "type": "Follow", "actor": person.uri, "object": group.uri});
        answer(tx, &group, &person, "Accept", follow, None)?;
        if group.kind == ActorKind::Course
            && !again
            && let Some(course) = course::find_by_actor(tx, group.id)?
        {
            welcome(tx, &course, &group, &person)?;
        }
    } else if !group.here && person.here {
        let mut follow = wire::activity("Follow", uri, &person.uri, &[], &[], group.uri.clone().into());
        if let Some(fields) = follow.as_object_mut() {
            // As Mastodon's: several servers know a Follow only without a list of more than one addressee.
            fields.insert("to".into(), json!([group.uri]));
        }
        outbox::send(tx, &person, &follow, &group.uri, &Audience::people([&group]))?;
    }
    Ok(())
}

/// Says, once to each follower elsewhere, how to take part without an account here.
fn welcome(tx: &mut Tx<'_>, course: &Course, group: &Actor, person: &Actor) -> Result<()> {
    let html = format!(
        "<p>Welcome! You now follow the course “{}”. Its assignments will reach you as posts.</p>\
         <p>To take part, answer this note with the word <strong>enroll</strong>; to stop, answer <strong>leave</strong>. \
         The course's page: <a href=\"{}\">{}</a></p>",
        escape(&group.name),
        escape(&group.url),
        escape(&group.url)
    );
    let once_key = Some(format!("welcome:{}:{}", course.id.0, person.id.0));
    let writer = course::writer(tx, course)?;
    note::write(tx, &writer, person, Note { about: "welcome", once_key, html, ..Note::default() })?;
    Ok(())
}

/// Follows from `Unfollowed`: a person here tells the course elsewhere.
pub fn unfollowed(tx: &mut Tx<'_>, followed: ActorId, follower: ActorId) -> Result<()> {
    let (group, person) = (actor::get(tx, followed)?, actor::get(tx, follower)?);
    if group.here || !person.here {
        return Ok(());
    }
    let mut follow: Value = match store::last_follow(tx, person.id, &group.uri)? {
        Some(follow) => serde_json::from_str(&follow)?,
        // Its home counts somebody of whom nothing is known here (FEP-8fcf).
        None => {
            let uri = tx.links().activity(&tx.new_id());
            json!({"id": uri, "type": "Follow", "actor": person.uri, "object": group.uri})
        }
    };
    if let Some(fields) = follow.as_object_mut() {
        fields.remove("@context");
    }
    let uri = tx.links().activity(&tx.new_id());
    let undo = wire::activity("Undo", &uri, &person.uri, std::slice::from_ref(&group.uri), &[], follow);
    outbox::send(tx, &person, &undo, &group.uri, &Audience::people([&group]))?;
    Ok(())
}

/// Follows from `EnrollmentAsked`: a person here asks the home of a mirrored course by a Join; a course here tells who
/// asked by a Join from elsewhere how their place stands until it is decided.
pub fn asked(tx: &mut Tx<'_>, id: EnrollmentId) -> Result<()> {
    let all = around(tx, id)?;
    let Some(uri) = all.place.join_uri.clone() else { return Ok(()) };
    if all.group.here && !all.person.here {
        return waits(tx, &all, &uri);
    }
    if all.place.state != EnrollmentState::Asked {
        return Ok(());
    }
    let mut join = wire::activity(
        "Join",
        &uri,
        &all.person.uri,
        std::slice::from_ref(&all.group.uri),
        &[],
        all.group.uri.clone().into(),
    );
    if let Some(fields) = join.as_object_mut() {
        let learning = json!({
            "type": "study:Enrollment", "role": "Learner", "cohort": all.cohort.public_id, "message": all.place.message,
        });
        fields.insert("learning".into(), learning);
    }
    outbox::send(tx, &all.person, &join, &all.group.uri, &Audience::people([&all.group]))?;
    Ok(())
}

/// A TentativeAccept of the Join, with the state in `learning`: it is neither agreed nor refused yet.
fn waits(tx: &mut Tx<'_>, all: &Around, join_uri: &str) -> Result<()> {
    if !all.place.waits() {
        return Ok(());
    }
    let learning = json!({
        "type": "study:Enrollment", "role": "Learner", "cohort": all.cohort.public_id,
        "state": all.place.state.as_str(),
    });
    let join = join_of(all, join_uri);
    answer(tx, &all.group, &all.person, "TentativeAccept", join, Some(("learning", learning)))
}

/// Follows from `Enrolled`: the course answers a Join from elsewhere, each time it is repeated.
pub fn enrolled(tx: &mut Tx<'_>, id: EnrollmentId) -> Result<()> {
    let all = around(tx, id)?;
    if !all.group.here || all.person.here {
        return Ok(());
    }
    let Some(uri) = &all.place.join_uri else { return Ok(()) };
    let join = join_of(&all, uri);
    answer(tx, &all.group, &all.person, "Accept", join, Some(("result", member(&all))))
}

fn join_of(all: &Around, uri: &str) -> Value {
    json!({"id": uri, "type": "Join", "actor": all.person.uri, "object": all.group.uri})
}

/// Without an id, because nobody could look it up: who takes part is told to nobody else.
fn member(all: &Around) -> Value {
    let role = if all.place.role == Role::Organizer { "administrator" } else { "member" };
    json!({
        "type": "Member", "actor": all.person.uri, "object": all.group.uri, "role": role,
    })
}

/// Follows from `PlaceCarried`: somebody elsewhere is offered the place that came along; where nobody understands that,
/// they are told in words.
pub fn carried(tx: &mut Tx<'_>, id: EnrollmentId, origin: ActorId) -> Result<()> {
    let all = around(tx, id)?;
    if !all.group.here || all.person.here {
        return Ok(());
    }
    let origin = actor::get(tx, origin)?;
    let uri = tx.links().activity(&tx.new_id());
    let to = std::slice::from_ref(&all.person.uri);
    let mut offer = wire::activity("Offer", &uri, &all.group.uri, to, &[], member(&all));
    if let Some(fields) = offer.as_object_mut() {
        let learning = json!({
            "type": "study:Enrollment", "role": "Learner", "cohort": all.cohort.public_id,
            "state": all.place.state.as_str(),
        });
        fields.insert("target".into(), all.person.uri.clone().into());
        fields.insert("origin".into(), origin.uri.clone().into());
        fields.insert("learning".into(), learning);
    }
    outbox::send(tx, &all.group, &offer, &all.person.uri, &Audience::people([&all.person]))?;
    if super::carry::is_own_kind(tx, &all.person)? {
        return Ok(());
    }
    let from = escape(&origin.acct());
    tell_elsewhere(tx, &all, &format!("your place came along from {from}. To get its posts, follow the course."))
}

/// Follows from `EnrollmentDeclined`: a Reject of the Join, with the reason.
pub fn declined(tx: &mut Tx<'_>, id: EnrollmentId) -> Result<()> {
    let all = around(tx, id)?;
    if !all.group.here || all.person.here {
        return Ok(());
    }
    end_watching(tx, &all, "The organizers declined.")?;
    match &all.place.join_uri {
        Some(uri) => refuse(tx, &all.group, &all.person, join_of(&all, uri), "The organizers declined."),
        None => tell_elsewhere(tx, &all, "Your application was declined by the organizers."),
    }
}

/// Follows from `EnrollmentRemoved`: a Remove and a note in words.
pub fn removed(tx: &mut Tx<'_>, id: EnrollmentId) -> Result<()> {
    let all = around(tx, id)?;
    end_watching(tx, &all, "The organizers took you off the roster.")?;
    if !all.group.here || all.person.here {
        return Ok(());
    }
    let uri = tx.links().activity(&tx.new_id());
    let to = [all.person.uri.clone()];
    let mut remove = wire::activity("Remove", &uri, &all.group.uri, &to, &[], all.person.uri.clone().into());
    if let Some(fields) = remove.as_object_mut() {
        fields.insert("target".into(), format!("{}/members", all.group.uri).into());
    }
    outbox::send(tx, &all.group, &remove, &all.person.uri, &Audience::people([&all.person]))?;
    tell_elsewhere(tx, &all, "The organizers took you off the roster.")
}

/// Follows from `Banned`, before the following ends: a Reject of the Follow of somebody elsewhere, which is what
/// microblogs understand of a ban (checklist 41).
pub fn shut_out(tx: &mut Tx<'_>, course: &Course, whom: ActorId, reason: &str) -> Result<()> {
    let (group, person) = (actor::get(tx, course.actor_id)?, actor::get(tx, whom)?);
    let known = actor::follow::find(tx, whom, group.id)?;
    let Some(known) = known.filter(|_| group.here && !person.here) else { return Ok(()) };
    let follow = json!({"id": known.uri, "type": "Follow", "actor": person.uri, "object": group.uri});
    refuse(tx, &group, &person, follow, reason)
}

/// A private course is not watched from outside: whoever is in it no more does not follow it either.
fn end_watching(tx: &mut Tx<'_>, all: &Around, reason: &str) -> Result<()> {
    if !all.group.here || !all.course.private {
        return Ok(());
    }
    shut_out(tx, &all.course, all.person.id, reason)?;
    actor::follow::remove(tx, all.person.id, all.group.id)?;
    Ok(())
}

/// Follows from `EnrollmentLeft`: a person here tells the home of a mirrored course.
pub fn left(tx: &mut Tx<'_>, id: EnrollmentId) -> Result<()> {
    let all = around(tx, id)?;
    end_watching(tx, &all, "You left the course.")?;
    if all.group.here || !all.person.here {
        return Ok(());
    }
    let uri = tx.links().activity(&tx.new_id());
    let to = [all.group.uri.clone()];
    let leave = wire::activity("Leave", &uri, &all.person.uri, &to, &[], all.group.uri.clone().into());
    outbox::send(tx, &all.person, &leave, &all.group.uri, &Audience::people([&all.group]))?;
    Ok(())
}

/// A direct note to the person of this place, when they live elsewhere and not on our own kind, which shows states.
pub fn tell_elsewhere(tx: &mut Tx<'_>, all: &Around, sentence: &str) -> Result<()> {
    if all.person.here || all.place.join_uri.is_some() || all.course.bot_id.is_none() {
        return Ok(());
    }
    let writer = course::writer(tx, &all.course)?;
    let html = format!("<p>“{}” ({}): {sentence}</p>", escape(&all.group.name), escape(&all.cohort.name));
    note::write(tx, &writer, &all.person, Note { about: "other", html, ..Note::default() })?;
    Ok(())
}

/// The Group refuses a Join or Follow, with the reason as `summary`.
pub fn refuse(tx: &mut Tx<'_>, group: &Actor, person: &Actor, asked: Value, reason: &str) -> Result<()> {
    answer(tx, group, person, "Reject", asked, Some(("summary", reason.into())))
}

/// The Group answers by embedding what was asked, with its own id (checklist 35).
#[expect(clippy::too_many_arguments, reason = "the parts of one answer")]
fn answer(
    tx: &mut Tx<'_>,
    group: &Actor,
    person: &Actor,
    kind: &str,
    asked: Value,
    more: Option<(&str, Value)>,
) -> Result<()> {
    let uri = tx.links().activity(&tx.new_id());
    let about = wire::id_of(&asked).unwrap_or_default().to_owned();
    let mut answer = wire::activity(kind, &uri, &group.uri, std::slice::from_ref(&person.uri), &[], asked);
    if let (Some(fields), Some((key, value))) = (answer.as_object_mut(), more) {
        fields.insert(key.into(), value);
    }
    outbox::send(tx, group, &answer, &about, &Audience::people([person]))?;
    Ok(())
}

/// Text for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How a place stands, in one sentence for a note.
pub(super) fn standing(place: &Enrollment) -> &'static str {
    match place.state {
        EnrollmentState::Active => "you have a place. Assignments reach you as posts; answer them to hand in.",
        EnrollmentState::Applied => "your application is with the organizers; you will hear from us.",
        EnrollmentState::Waitlisted => "all seats are taken; you are on the waiting list and will hear from us.",
        EnrollmentState::Left => "you have left. You are welcome back at any time: answer “enroll”.",
        _ => "nothing has changed.",
    }
}
