//! How is a mirrored course brought up to date?

use super::standing;
use super::walk::Trip;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment;
use crate::catalogue;
use crate::clock::Time;
use crate::course::{self, Course};
use crate::discussion;
use crate::error::{Error, Result};
use crate::federation::{fetch, wire};
use crate::history;
use crate::id::CourseId;
use crate::link::same_host;
use activitypub_federation::config::FederationConfig;
use serde_json::Value;
use std::time::Duration;

/// Threads of a course of other software that are looked into in one pull.
const THREADS: usize = 20;
/// What could not be fetched because its server is down is tried again with each pull, for so long.
const HOPE: Duration = Duration::from_secs(3 * 24 * 3600);

/// Pulls a course from its home: the Group with syllabus and runs, assignments, posts that are new, changed or gone. Says
/// after how long it is to be done again: not at all when nobody here wants it.
pub async fn pull(config: &FederationConfig<App>, id: CourseId) -> Result<Option<Duration>> {
    let mut trip = Trip::begin(config);
    let app = trip.app();
    let (course, group, mark) = app
        .read(move |db| {
            let course = course::get(db, id)?;
            let group = actor::get(db, course.actor_id)?;
            Ok((course, group, history::mark(db, id)?))
        })
        .await?;
    if group.here {
        return Ok(None);
    }
    let document = match fetch::document(&trip.context(), &group.uri).await {
        Ok(document) => document,
        Err(Error::Denied(_) | Error::NotFound) => {
            fetch::refresh(&trip.context(), &group.uri).await?;
            app.write(move |tx| history::pulled(tx, id, mark.change)).await?;
            return again(&app, course, history::EVERY).await;
        }
        Err(other) => return Err(other),
    };
    catalogue::apub::refresh(&trip.context(), &group.uri, &document).await?;
    let changes = document.get("learning").and_then(|l| wire::text(l, "changes")).filter(|c| same_host(c, &group.uri));
    let (reached, done) = match changes {
        Some(uri) => by_changes(&mut trip, (&course, &group), uri, mark.change).await?,
        None => (mark.change, by_outbox(&mut trip, (&course, &group), &document).await?),
    };
    standing::reconcile(&mut trip, (&course, &group), &document).await?;
    metrics::counter!("hedgeschool_pulls_total", "of" => "course").increment(1);
    app.write(move |tx| history::pulled(tx, id, reached)).await?;
    again(&app, course, if done { history::EVERY } else { history::PAUSE }).await
}

async fn again(app: &App, course: Course, span: Duration) -> Result<Option<Duration>> {
    let wanted = app.read(move |db| history::is_wanted(db, &course)).await?;
    Ok(wanted.then_some(span))
}

type Place<'a> = (&'a Course, &'a Actor);

/// What the home says of one thing.
struct Entry {
    id: String,
    kind: String,
    reason: String,
    updated: Option<Time>,
    /// When its row changed at home; nothing for assignments, of which the state is told instead.
    changed: Option<Time>,
    state: Option<String>,
    /// Whether it takes no answers any more.
    locked: bool,
}

impl Entry {
    fn read(item: &Value) -> Option<Self> {
        let learning = item.get("learning")?;
        Some(Self {
            id: wire::text(item, "id")?.to_owned(),
            kind: wire::kind(item)?.to_owned(),
            reason: wire::text(item, "summary").unwrap_or_default().to_owned(),
            updated: wire::text(item, "updated").and_then(Time::parse_rfc3339),
            changed: learning.get("changed").and_then(Value::as_i64).map(Time),
            state: wire::text(learning, "state").map(str::to_owned),
            locked: learning.get("locked").and_then(Value::as_bool).unwrap_or_default(),
        })
    }
}

/// Our own kind lists all that changed, newest first. Taken over from the oldest on, so that what had to be left is what
/// comes next time. Says how far it came and whether that is all.
async fn by_changes(trip: &mut Trip, place: Place<'_>, uri: &str, since: Option<Time>) -> Result<(Option<Time>, bool)> {
    let is_new = |item: &Value| {
        let changed = item.get("learning").and_then(|l| l.get("changed")).and_then(Value::as_i64);
        changed.is_none_or(|changed| since.is_none_or(|since| changed > since.0))
    };
    let walked = trip.walk(uri, is_new).await?;
    let mut reached = since;
    let mut missed: Option<Time> = None;
    for entry in walked.items.iter().rev().filter_map(Entry::read) {
        if !trip.may_go_on() {
            return Ok((missed.or(reached), false));
        }
        match take(trip, place, &entry).await {
            Ok(()) => {}
            Err(error) if error.is_transient() => {
                trip.note_failure();
                let hopeful = |at: &Time| trip.app().now().since(*at) < HOPE;
                missed = missed.or(entry.changed.filter(hopeful).map(|at| Time(at.0.saturating_sub(1))));
            }
            Err(error) => tracing::info!(uri = entry.id, %error, "not taken over"),
        }
        reached = reached.max(entry.changed);
    }
    Ok((missed.or(reached), missed.is_none()))
}

async fn take(trip: &Trip, place: Place<'_>, entry: &Entry) -> Result<()> {
    take_text(trip, place, entry).await?;
    if entry.kind == "Page" { standing::close(trip, place, &entry.id, entry.locked).await } else { Ok(()) }
}

async fn take_text(trip: &Trip, (course, group): Place<'_>, entry: &Entry) -> Result<()> {
    if entry.state.is_some() {
        return take_assignment(trip, group, entry).await;
    }
    let app = trip.app();
    let uri = entry.id.clone();
    let known = app.read(move |db| discussion::find_by_uri(db, &uri)).await?;
    let known = known.filter(|post| post.course_id == course.id);
    if entry.kind == "Tombstone" {
        let Some(post) = known.filter(|post| !post.is_deleted()) else { return Ok(()) };
        let (group, reason) = (group.clone(), entry.reason.clone());
        return app
            .write(move |tx| {
                let by = if reason.is_empty() { actor::get(tx, post.author_id)? } else { group };
                discussion::delete(tx, &by, post.id, &reason)
            })
            .await;
    }
    if app.links().is_ours(&entry.id) {
        let (group, uri) = (group.clone(), entry.id.clone());
        return app.write(move |tx| discussion::confirm(tx, &group, &uri)).await;
    }
    let seconds = |time: Time| time.0.div_euclid(1000);
    if let Some(post) = &known
        && entry.updated.is_some_and(|at| seconds(at) <= seconds(post.edited_at.unwrap_or(post.published_at)))
    {
        return Ok(());
    }
    discussion::apub::bring(&trip.context(), group, course, &entry.id).await
}

async fn take_assignment(trip: &Trip, group: &Actor, entry: &Entry) -> Result<()> {
    let app = trip.app();
    let uri = entry.id.clone();
    let known = app.read(move |db| assignment::find_by_uri(db, &uri)).await?;
    let seconds = |time: Time| time.0.div_euclid(1000);
    let same = known.is_some_and(|known| {
        Some(known.state.as_str()) == entry.state.as_deref()
            && entry.updated.is_some_and(|at| seconds(at) <= seconds(known.updated_at))
    });
    if same {
        return Ok(());
    }
    assignment::apub::bring(&trip.context(), group, &entry.id).await
}

/// Other software has an outbox, and threads with their collections. Says whether that was all.
async fn by_outbox(trip: &mut Trip, (course, group): Place<'_>, document: &Value) -> Result<bool> {
    let mut roots: Vec<String> = Vec::new();
    for key in ["featured", "outbox"] {
        let Some(uri) = wire::id(document, key).filter(|uri| same_host(uri, &group.uri)) else { continue };
        let walked = trip.walk(uri, |_| true).await?;
        roots.extend(walked.items.iter().filter_map(subject).map(str::to_owned));
    }
    roots.dedup();
    for uri in roots.iter().rev() {
        if !bring(trip, (course, group), uri).await? {
            return Ok(false);
        }
    }
    for uri in roots.iter().take(THREADS) {
        let Ok(root) = fetch::document(&trip.context(), uri).await else { continue };
        for key in ["context", "replies"] {
            // Only the course's own server says what is in the course.
            let Some(list) = wire::id(&root, key).filter(|list| same_host(list, &group.uri)) else { continue };
            for item in trip.walk(list, |_| true).await?.items {
                let id = wire::id_of(&item).unwrap_or_default();
                if !bring(trip, (course, group), id).await? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// The id of the post that an item of an outbox is about.
fn subject(item: &Value) -> Option<&str> {
    match wire::kind(item) {
        Some("Announce" | "Create" | "Update") => subject(item.get("object")?),
        _ => wire::id_of(item),
    }
}

/// Says whether the trip may go on.
async fn bring(trip: &mut Trip, (course, group): Place<'_>, uri: &str) -> Result<bool> {
    let app = trip.app();
    let asked = uri.to_owned();
    if app.links().is_ours(uri) || app.read(move |db| discussion::find_by_uri(db, &asked)).await?.is_some() {
        return Ok(true);
    }
    if !trip.may_go_on() {
        return Ok(false);
    }
    match discussion::apub::bring(&trip.context(), group, course, uri).await {
        Err(Error::Internal(error)) => return Err(Error::Internal(error)),
        Err(error) if error.is_transient() => trip.note_failure(),
        Err(error) => tracing::debug!(uri, %error, "not taken over"),
        Ok(()) => {}
    }
    Ok(true)
}
