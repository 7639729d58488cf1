//! How does a report come in from another server, and how is one passed on?

use crate::actor::{self, Actor, ActorKind};
use crate::assignment;
use crate::course;
use crate::db::{Db, Tx};
use crate::discussion;
use crate::domain;
use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::{self, Family};
use crate::federation::{Context, Received, wire};
use crate::id::{ActorId, AssignmentId, CourseId, PostId, ReportId, SubmissionId};
use crate::moderation::{self, About, Category, NewReport, OBJECTS, TEXT};
use crate::submission;
use crate::text;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `Flag`, in every shape that is out there: Mastodon's list of the accused and posts, Lemmy's and PieFed's one id, the
/// reason in `content` or `summary`. A report for those who moderate here, when what it is about lives here or is in a
/// course here; otherwise without effect.
pub async fn flag(context: &Context, got: &Received) -> Result<()> {
    let ids: Vec<String> = wire::ids(&got.activity, "object").into_iter().take(OBJECTS).map(str::to_owned).collect();
    let said = ["content", "summary"].iter().find_map(|key| wire::text(&got.activity, key)).unwrap_or_default();
    let words = text::plain(text::truncate(said, 4 * TEXT)).unwrap_or_default();
    let uri = wire::text(&got.activity, "id").map(str::to_owned);
    let hourly = context.app_data().config().moderation.hourly();
    let signer = got.signer.clone();
    got.settle(context, move |tx| {
        // A rule of its domain may say that nothing is heard of it; it is not told.
        let about = known(tx, &ids)?;
        if about.is_empty() || domain::standing(tx, &signer.host)?.reject_reports {
            return Ok(());
        }
        let new = NewReport { about, category: Category::Other, text: words, uri, hourly };
        match moderation::report(tx, &signer, &new) {
            // Nothing was written yet: what is too much, or not for their eyes, is dropped, and its sender need not send
            // it again.
            Err(Error::TooMany(_) | Error::NotFound) => Ok(()),
            other => other.map(drop),
        }
    })
    .await
}

/// What of it concerns this instance: people and courses here, and posts, assignments and work in courses here or by
/// people here.
fn known(db: &mut Db, ids: &[String]) -> Result<Vec<About>> {
    let (mut posts, mut actors, mut ours) = (Vec::new(), Vec::new(), false);
    for id in ids {
        if let Some((about, course, author)) = thing(db, id)? {
            let group = course::get(db, course)?.actor_id;
            ours |= actor::get(db, group)?.here || actor::get(db, author)?.here;
            posts.push(about);
        } else if let Some(actor) = actor::find_by_uri(db, id)? {
            ours |= actor.here && actor.kind != ActorKind::Instance;
            actors.push(About::Actor(actor.id));
        }
    }
    posts.extend(actors);
    Ok(if ours { posts } else { Vec::new() })
}

/// What somebody made in a course: with the course, and by whom.
fn thing(db: &mut Db, uri: &str) -> Result<Option<(About, CourseId, ActorId)>> {
    let Some(known) = object::find(db, uri)?.filter(|known| known.deleted_at.is_none()) else { return Ok(None) };
    Ok(match known.kind {
        ObjectKind::Post => {
            let post = discussion::get(db, PostId(known.local_id))?;
            (!post.is_deleted()).then_some((About::Post(post.id), post.course_id, post.author_id))
        }
        ObjectKind::Assignment => {
            let asked = assignment::get(db, AssignmentId(known.local_id))?;
            let (_, course) = assignment::place(db, &asked)?;
            Some((About::Assignment(asked.id), course.id, asked.author_id))
        }
        ObjectKind::Submission => {
            let work = submission::get(db, SubmissionId(known.local_id))?;
            let (_, course) = submission::place(db, &work)?;
            Some((About::Submission(work.id), course.id, work.author_id))
        }
        _ => None,
    })
}

/// Follows from `ReportForwarded`: a Flag to the server of the accused in the shape that its software takes, with the
/// words of who moderates. Who complained is in none of it (checklist 68).
pub fn forward(tx: &mut Tx<'_>, id: ReportId) -> Result<()> {
    let report = moderation::get(tx, id)?;
    let accused = actor::get(tx, report.accused_id)?;
    let families = peer::families(tx, &BTreeSet::from([accused.host.clone()]))?;
    let is_forum = families.get(&accused.host) == Some(&Family::Threadiverse);
    let pieces: Vec<String> = moderation::evidence(tx, id)?.into_iter().map(|piece| piece.uri).collect();
    let sender = sender(tx, &report, is_forum)?;
    let activity_id = tx.links().activity(&tx.new_id());
    let words = report.forwarded_text.as_str();
    let (to, object) = if is_forum {
        let place = place(tx, &report, &accused)?;
        (place, report.subject_uri.clone().into())
    } else {
        let posts = pieces.into_iter().filter(|uri| *uri != accused.uri);
        let all: Vec<Value> = [accused.uri.clone()].into_iter().chain(posts).take(OBJECTS).map(Value::from).collect();
        (accused.uri.clone(), all.into())
    };
    let mut flag = wire::activity("Flag", &activity_id, &sender.uri, &[to], &[], object);
    if let Some(fields) = flag.as_object_mut() {
        fields.insert("content".into(), words.into());
        fields.insert("summary".into(), json!(words));
    }
    // One's own inbox, because what is not public goes to no shared one; both reach the moderators there.
    outbox::send(tx, &sender, &flag, &format!("{}#report", accused.uri), &Audience::people([&accused]))?;
    Ok(())
}

/// In whose name: the instance; for forums, which take a Flag from somebody alone, who writes for the course.
fn sender(tx: &mut Tx<'_>, report: &moderation::Report, is_forum: bool) -> Result<Actor> {
    if let Some(course) = report.course_id.filter(|_| is_forum)
        && let Some(bot) = course::get(tx, course)?.bot_id
    {
        let bot = actor::get(tx, bot)?;
        if bot.here {
            return Ok(bot);
        }
    }
    actor::instance(tx)
}

/// The one addressee that forums want: the community when it is theirs, otherwise their site.
fn place(tx: &mut Tx<'_>, report: &moderation::Report, accused: &Actor) -> Result<String> {
    if let Some(course) = report.course_id {
        let group = course::get(tx, course)?.actor_id;
        let group = actor::get(tx, group)?;
        if group.host == accused.host {
            return Ok(group.uri);
        }
    }
    let scheme = if accused.uri.starts_with("http://") { "http" } else { "https" };
    Ok(format!("{scheme}://{}/", accused.host))
}
