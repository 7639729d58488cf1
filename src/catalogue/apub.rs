//! What does a course say of itself to other servers, and how is a course of another instance brought here?

use super::read;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment::{self, AssignmentState};
use crate::cohort::{self, Cohort};
use crate::course::{self, Course, CourseState};
use crate::db::{Db, Tx};
use crate::discussion;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::announce::{self, Said};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::Family;
use crate::federation::{self, Context, Received, document, fetch, wire};
use crate::id::CourseId;
use crate::syllabus;
use serde_json::{Value, json};

/// The Group document of a course here (federation page A2), with what our own kind shows as `learning`; of a private one
/// what whoever has its address may know.
pub fn to_wire(db: &mut Db, course: &Course) -> Result<Value> {
    document_for(db, course, course.is_public())
}

/// The same for those who may see what is in it, or not.
pub fn document_for(db: &mut Db, course: &Course, inside: bool) -> Result<Value> {
    let group = actor::get(db, course.actor_id)?;
    let keys = document::Keys::of(db, &group)?;
    let cohort = cohort::current(db, course.id)?;
    let is_listed = course.state == CourseState::Listed && !course.private;
    let uri = &group.uri;
    let license = course::license_url(&course.license);
    let openness = match &cohort {
        // The same with and without a run: outside, nobody knows of runs.
        _ if course.private => "moderated",
        Some(cohort) if cohort.enrolling == cohort::Enrolling::Moderated => "moderated",
        Some(_) => "open",
        None => "invite_only",
    };
    let mut document = json!({
        "@context": wire::actor_context(), "id": uri, "type": "Group",
        "preferredUsername": group.handle, "name": group.name, "url": group.url, "summary": group.summary,
        "source": {"content": course.description_md, "mediaType": "text/markdown"},
        "published": course.created_at.rfc3339(), "updated": group.updated_at.rfc3339(),
        "inbox": group.inbox, "outbox": group.outbox, "followers": group.followers,
        "following": format!("{uri}/following"),
        "endpoints": {"sharedInbox": group.shared_inbox},
        "publicKey": keys.public_key, "assertionMethod": keys.assertion_method,
        "attributedTo": format!("{uri}/moderators"), "featured": format!("{uri}/featured"),
        "postingRestrictedToMods": false, "manuallyApprovesFollowers": course.private,
        "discoverable": is_listed, "indexable": is_listed,
        "sensitive": false,
        "language": [{"identifier": course.language, "name": course::language_name(&course.language)}],
        "capabilities": {"acceptsJoins": true}, "openness": openness, "members": format!("{uri}/members"),
        "attachment": attachments(course, cohort.as_ref().filter(|_| inside), &license),
        "webfinger": format!("{}@{}", group.handle, group.host),
        "learning": if inside { learning(db, course, cohort.as_ref())? } else { outside(db, course)? },
    });
    document::add_moves(db, &group, &mut document)?;
    Ok(document)
}

fn attachments(course: &Course, cohort: Option<&Cohort>, license: &str) -> Vec<Value> {
    let row = |name: &str, value: &str| json!({"type": "PropertyValue", "name": name, "value": value});
    let mut rows = Vec::new();
    if let Some(cohort) = cohort {
        rows.push(row("Starts", &cohort.starts_on));
        rows.push(row("Ends", &cohort.ends_on));
    }
    let how = match course.private {
        true => "Follow, and wait until an organizer lets you in",
        false => "Follow, then answer the welcome note with “enroll”",
    };
    rows.push(row(if course.private { "How to take part" } else { "How to enroll" }, how));
    rows.push(row("Licence", license));
    rows
}

/// What our own kind shows of a private course to those who are not in it.
fn outside(db: &mut Db, course: &Course) -> Result<Value> {
    let bot = match course.bot_id {
        Some(bot) => Some(actor::get(db, bot)?.uri),
        None => None,
    };
    Ok(json!({
        "type": ["oer:CourseSection", "schema:CourseInstance"],
        "tagline": course.tagline, "description": course.description_html,
        "license": course.license, "state": course.state, "bot": bot,
    }))
}

/// What our own kind shows of a course; everyone else ignores it.
fn learning(db: &mut Db, course: &Course, cohort: Option<&Cohort>) -> Result<Value> {
    let bot = match course.bot_id {
        Some(bot) => Some(actor::get(db, bot)?.uri),
        None => None,
    };
    let cohort = cohort.map(run);
    Ok(json!({
        "type": ["oer:CourseSection", "schema:CourseInstance"],
        "tagline": course.tagline, "description": course.description_html,
        "license": course.license, "state": course.state, "bot": bot,
        "cohort": cohort, "cohorts": runs(db, course.id)?, "syllabus": plan(db, course.id)?,
        "changes": format!("{}/changes", actor::get(db, course.actor_id)?.uri),
    }))
}

fn run(cohort: &Cohort) -> Value {
    json!({
        "id": cohort.public_id, "name": cohort.name, "startDate": cohort.starts_on, "endDate": cohort.ends_on,
        "zone": cohort.zone, "capacity": cohort.seats, "enrolling": cohort.enrolling, "state": cohort.state,
    })
}

/// The newest runs, over or not, so that a mirror sees them end.
fn runs(db: &mut Db, course: CourseId) -> Result<Vec<Value>> {
    Ok(cohort::list_of(db, course)?.iter().take(read::MOST_RUNS).map(run).collect())
}

fn plan(db: &mut Db, course: CourseId) -> Result<Value> {
    let Some(current) = syllabus::current(db, course)? else { return Ok(Value::Null) };
    let units: Vec<Value> = current
        .outline()?
        .units
        .into_iter()
        .map(|unit| {
            let task = |task: syllabus::Task| json!({"title": task.title, "body": task.body});
            json!({
                "title": unit.title, "summary": unit.summary,
                "tasks": unit.tasks.into_iter().map(task).collect::<Vec<_>>(),
                "resources": unit.resources,
            })
        })
        .collect();
    let version = current.version;
    // The extension may have 64 KiB (contract): a longer syllabus is read at its home.
    let whole = json!({"version": version, "units": units});
    Ok(if whole.to_string().len() <= 48 * 1024 { whole } else { Value::Null })
}

/// Featured posts at most; more would hide what is due next.
const MOST_FEATURED: usize = 20;

/// The collection to which `attributedTo` leads: who moderates the course (FEP-1b12).
pub fn moderators(db: &mut Db, course: &Course) -> Result<Value> {
    let group = actor::get(db, course.actor_id)?;
    let items: Vec<String> = course::organizers(db, course.id)?.into_iter().map(|actor| actor.uri).collect();
    Ok(collection(&format!("{}/moderators", group.uri), items.into_iter().map(Value::from).collect()))
}

/// How many take part: never who, because a roster is for those on it.
pub fn members(db: &mut Db, course: &Course) -> Result<Value> {
    let group = actor::get(db, course.actor_id)?;
    let mut count = 0;
    for cohort in cohort::list_of(db, course.id)? {
        count += enrollment::count_active(db, cohort.id)?;
    }
    Ok(federation::collection::counted(&format!("{}/members", group.uri), count))
}

/// What whoever comes new should see first: what is pinned, then the open assignments by deadline, as whole
/// objects (Lemmy reads no bare ids there).
pub fn featured(db: &mut Db, course: &Course) -> Result<Value> {
    let group = actor::get(db, course.actor_id)?;
    let all = assignment::list_of_course(db, course.id, false)?;
    let mut items = Vec::new();
    for uri in course::pins(db, course.id)? {
        if let Some(post) = discussion::find_by_uri(db, &uri)?.filter(|post| !post.is_deleted()) {
            items.push(discussion::apub::document(db, post.id)?);
        }
    }
    let open = all.iter().filter(|assignment| assignment.state == AssignmentState::Open).take(MOST_FEATURED);
    for assignment in open {
        items.push(assignment::apub::document(db, assignment)?);
    }
    Ok(collection(&format!("{}/featured", group.uri), items))
}

fn collection(id: &str, items: Vec<Value>) -> Value {
    json!({
        "@context": wire::context(), "id": id, "type": "OrderedCollection",
        "totalItems": items.len(), "orderedItems": items,
    })
}

/// Follows from every change of a course, its syllabus or its cohorts: `Update{Group}` to everyone who takes part or
/// follows. Nothing for a mirrored course, and nothing before it is listed.
pub fn announce_change(tx: &mut Tx<'_>, id: CourseId) -> Result<()> {
    let course = course::get(tx, id)?;
    let group = actor::get(tx, course.actor_id)?;
    if !group.here || !course.is_shown() {
        return Ok(());
    }
    let audience = enrollment::audience(tx, &course)?;
    let document = document_for(tx, &course, true)?;
    let uri = tx.links().activity(&tx.new_id());
    let cc: Vec<String> = group.followers.iter().cloned().collect();
    let mut update = wire::activity("Update", &uri, &group.uri, &[wire::PUBLIC.to_owned()], &cc, document);
    if let Some(fields) = update.as_object_mut() {
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    outbox::send(tx, &group, &update, &group.uri, &audience)?;
    tell_forums(tx, (&course, &group), update, audience)
}

/// The same for forums, which want somebody of those who moderate as its actor and the Group to pass it on.
fn tell_forums(
    tx: &mut Tx<'_>,
    (course, group): (&Course, &Actor),
    mut update: Value,
    audience: Audience,
) -> Result<()> {
    if !announce::reaches(tx, Family::Threadiverse, &audience)? {
        return Ok(());
    }
    let Some(by) = course::organizers(tx, course.id)?.into_iter().find(|one| one.here) else { return Ok(()) };
    let uri = tx.links().activity(&tx.new_id());
    if let Some(fields) = update.as_object_mut() {
        fields.insert("id".into(), uri.into());
        fields.insert("actor".into(), by.uri.clone().into());
        fields.insert("cc".into(), json!([group.uri]));
        fields.insert("audience".into(), group.uri.clone().into());
    }
    outbox::send(tx, &by, &update, &group.uri, &Audience::nobody())?;
    let said = Said { author: group, activity: &update, raw: None, about: &group.uri };
    announce::announce_to(tx, Family::Threadiverse, group, &said, audience)
}

/// `Update` of a Group by itself: refreshes the mirror; a course that nobody here asked for is not stored.
pub async fn update(context: &Context, got: &Received) -> Result<()> {
    if wire::id(&got.activity, "object") != Some(got.signer.uri.as_str()) {
        return Err(Error::denied("A course is changed by itself only."));
    }
    let said = read::group(got.object())?;
    let refresh = move |tx: &mut Tx<'_>, group: &Actor| match course::find_by_actor(tx, group.id)? {
        Some(_) if !group.here => super::store(tx, group, None, &said).map(drop),
        _ => Ok(()),
    };
    fetch::updated(context, got, refresh).await
}

/// Brings the course with this id here, or refreshes it: fetched from its own server, cleaned and bounded. A course
/// of this instance is given as it is.
pub async fn mirror(context: &Context, uri: &str) -> Result<Course> {
    let app: &App = context.app_data();
    if app.links().is_ours(uri) {
        let uri = uri.to_owned();
        return app.read(move |db| local(db, &uri)).await;
    }
    let document = fetch::document(context, uri).await?;
    refresh(context, uri, &document).await
}

/// Takes over what the home of a course says of it; `document` was fetched from `uri`.
pub async fn refresh(context: &Context, uri: &str, document: &Value) -> Result<Course> {
    let app: &App = context.app_data();
    let said = read::group(document)?;
    if said.uri != uri && !crate::link::same_host(&said.uri, uri) {
        return Err(Error::denied("The course names another server as its own."));
    }
    let group = fetch::actor(context, &said.uri).await?;
    // Without its bot a course can still be shown; the next refresh tries again.
    let bot: Option<Actor> = match &said.bot {
        Some(bot) => fetch::actor(context, bot).await.ok(),
        None => None,
    };
    app.write(move |tx| super::store(tx, &group, bot.map(|bot| bot.id), &said)).await
}

fn local(db: &mut Db, uri: &str) -> Result<Course> {
    let group = actor::find_by_uri(db, uri)?.ok_or(Error::NotFound)?;
    course::find_by_actor(db, group.id)?.filter(Course::is_shown).ok_or(Error::NotFound)
}
