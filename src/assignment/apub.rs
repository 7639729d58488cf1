//! How do other servers hear of an assignment, and how do we hear of theirs?

use super::wire::{self as own, Around};
use super::{Assignment, AssignmentState, ReadPage, get, read_page};
use crate::actor::{self, Actor, ActorKind};
use crate::app::App;
use crate::cohort::Cohort;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::announce::{self, Said};
use crate::federation::object::{self, Known, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::Family;
use crate::federation::{Context, Received, fetch, wire};
use crate::id::AssignmentId;
use crate::link::same_host;
use serde_json::Value;

/// The document that its id answers with.
pub fn document(db: &mut Db, assignment: &Assignment) -> Result<Value> {
    let (parts, _) = Parts::of(db, assignment)?;
    own::page(assignment, &parts.around())
}

/// The document of an id that stands for an assignment of ours: for `/o/{id}`.
pub fn object(db: &mut Db, known: &Known) -> Result<Option<Value>> {
    if known.kind != ObjectKind::Assignment {
        return Ok(None);
    }
    let assignment = get(db, AssignmentId(known.local_id))?;
    Ok(Some(document(db, &assignment)?))
}

/// Who and what stands around an assignment.
struct Parts {
    group: Actor,
    author: Actor,
    cohort: Cohort,
    locked: bool,
    private: bool,
}

impl Parts {
    fn of(db: &mut Db, assignment: &Assignment) -> Result<(Self, Course)> {
        let (cohort, course) = super::place(db, assignment)?;
        let group = actor::get(db, course.actor_id)?;
        let locked = object::is_locked(db, &assignment.uri)?;
        let (author, private) = (actor::get(db, assignment.author_id)?, course.private);
        Ok((Self { group, author, cohort, locked, private }, course))
    }

    fn around(&self) -> Around<'_> {
        let Self { group, author, cohort, locked, private } = self;
        Around { course: group, author, cohort, locked: *locked, private: *private }
    }
}

/// Says to everyone who follows the course or takes part in it that an assignment is open: the author's Create, passed
/// on by the course (federation A5). Nothing for mirrored ones and those that are not open.
pub fn announce_opened(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    let assignment = get(tx, id)?;
    let (parts, course) = Parts::of(tx, &assignment)?;
    if !parts.group.here || assignment.state != AssignmentState::Open {
        return Ok(());
    }
    let create = activity(tx, "Create", &assignment, &parts)?;
    let audience = enrollment::audience(tx, &course)?;
    outbox::send(tx, &parts.author, &create, &assignment.uri, &audience)?;
    announce::announce(tx, &parts.group, &parts.author, &create, &assignment.uri, audience)
}

/// Says what changed: to our own kind in the course's name; when the author edited it, to forums as well, and to all who
/// got it in the author's (federation A10).
pub fn announce_changed(tx: &mut Tx<'_>, id: AssignmentId, by_author: bool) -> Result<()> {
    let assignment = get(tx, id)?;
    let (parts, course) = Parts::of(tx, &assignment)?;
    if !parts.group.here || assignment.state == AssignmentState::Draft {
        return Ok(());
    }
    let update = activity(tx, "Update", &assignment, &parts)?;
    let audience = enrollment::audience(tx, &course)?;
    let direct = if by_author { Audience::who_got(tx, &assignment.uri)? } else { Audience::nobody() };
    outbox::send(tx, &parts.author, &update, &assignment.uri, &direct)?;
    if by_author {
        return announce::announce(tx, &parts.group, &parts.author, &update, &assignment.uri, audience);
    }
    let said = Said { author: &parts.group, activity: &update, raw: None, about: &assignment.uri };
    announce::announce_to(tx, Family::OwnKind, &parts.group, &said, audience)
}

fn activity(tx: &mut Tx<'_>, kind: &str, assignment: &Assignment, parts: &Parts) -> Result<Value> {
    let around = parts.around();
    let page = own::page(assignment, &around)?;
    let (to, cc) = own::addresses(&around);
    let id = tx.links().activity(&tx.new_id());
    let mut activity = wire::activity(kind, &id, &parts.author.uri, &to, &cc, page);
    if let Some(fields) = activity.as_object_mut() {
        fields.insert("audience".into(), parts.group.uri.clone().into());
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    Ok(activity)
}

/// Whether a document is an assignment of our own kind.
pub fn is_assignment(document: &Value) -> bool {
    wire::kind(document) == Some("Page")
        && document.get("learning").and_then(|l| wire::kind(l)) == Some("oer:Assessment")
}

/// `Announce{Create|Update{Page}}` by a mirrored course (checklist 47): only by that very Group, only about what lives on
/// its own server and names it as its audience.
pub async fn mirrored(context: &Context, got: &Received) -> Result<()> {
    let inner = got.object();
    let document = inner.get("object").unwrap_or(&Value::Null);
    let group = got.signer.clone();
    let (page, author) = believed(context, &group, document).await?;
    if wire::id(inner, "actor") != Some(page.author.as_str()) {
        return Err(Error::denied("The assignment is not of who sent it."));
    }
    got.settle(context, move |tx| {
        let course = course::find_by_actor(tx, group.id)?.ok_or(Error::NotFound)?;
        super::mirror(tx, &course, &author, &page)
    })
    .await
    .map(|_| ())
}

/// Brings an assignment of a mirrored course here, or what changed of it, because its home lists it: as it is at its id.
pub async fn bring(context: &Context, group: &Actor, uri: &str) -> Result<()> {
    if !same_host(uri, &group.uri) {
        return Err(Error::denied("An assignment lives on its course's server."));
    }
    let document = fetch::document(context, uri).await?;
    let (page, author) = believed(context, group, &document).await?;
    let (app, group): (&App, _) = (context.app_data(), group.id);
    app.write(move |tx| {
        let course = course::find_by_actor(tx, group)?.ok_or(Error::NotFound)?;
        super::mirror(tx, &course, &author, &page)
    })
    .await
    .map(|_| ())
}

/// What a course elsewhere says of an assignment on its own server, and who wrote it.
async fn believed(context: &Context, group: &Actor, document: &Value) -> Result<(ReadPage, Actor)> {
    let page = read_page(document)?;
    if group.kind != ActorKind::Course || group.here {
        return Err(Error::denied("Only courses elsewhere announce assignments."));
    }
    if !same_host(&page.uri, &group.uri) {
        return Err(Error::denied("The assignment is not of the course's server."));
    }
    let names_it = wire::id(document, "audience").is_none_or(|audience| audience == group.uri);
    if !names_it || !wire::ids(document, "to").contains(&group.uri.as_str()) {
        return Err(Error::denied("The assignment is of another course."));
    }
    let author = fetch::actor(context, &page.author).await?;
    Ok((page, author))
}
