//! What becomes of posts by people who neither take part nor follow? They wait for an organizer (checklist 46).

use super::write::{place_of, title_of, write_as_let_in};
use super::{NewPost, Post, belongs, find_by_uri, is_open, store};
use crate::actor::{self, Actor};
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::{ActorId, CourseId};
use crate::notice;
use diesel::{Queryable, Selectable};

/// Posts of one stranger that wait in one course at most.
const OF_ONE: i64 = 5;
/// Held posts on one page; the oldest come first.
pub const HELD: i64 = 50;

/// A post that waits for an organizer.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::held_posts)]
pub struct Held {
    /// In URLs.
    pub public_id: String,
    /// In which course.
    pub course_id: CourseId,
    /// Who wrote it.
    pub author_id: ActorId,
    /// Its id.
    pub uri: String,
    /// The id of what it answers.
    pub in_reply_to: Option<String>,
    /// The nearest post or assignment above it that is known here.
    pub anchor: Option<String>,
    /// Plain text; empty for answers.
    pub title: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// When it was written.
    pub published_at: Time,
    /// The `Create` as it came.
    pub activity: String,
    /// The newest `Update` as it came.
    pub later_activity: Option<String>,
    /// When it came.
    pub received_at: Time,
}

/// Refuses anyone who does not organize the course: only they see and decide what is held.
pub fn may_decide(db: &mut Db, by: &Actor, course: &Course) -> Result<()> {
    let here = actor::get(db, course.actor_id)?.here;
    match course::may_organize(db, by, course) {
        Ok(()) if here => Ok(()),
        Ok(()) | Err(Error::Denied(_)) => Err(Error::NotFound),
        Err(other) => Err(other),
    }
}

/// Whether somebody's post is to be held rather than written: the discussion is open, and they do not belong to it.
pub fn is_to_be_held(db: &mut Db, by: &Actor, course: &Course) -> Result<bool> {
    is_open(by, course)?;
    course::ban::may_come_in(db, by, course.id)?;
    Ok(!belongs(db, by, course)?)
}

/// Keeps a post of a stranger for the organizers, with its `Create` as it came. Refused above five of one author and
/// the setting `federation.held_per_course`. A known one stays as it is.
pub fn hold(tx: &mut Tx<'_>, by: &Actor, new: &NewPost, activity: &str) -> Result<()> {
    let course = course::get(tx, new.course_id)?;
    is_open(by, &course)?;
    course::ban::may_come_in(tx, by, course.id)?;
    let uri = new.uri.clone().ok_or_else(|| Error::denied("Only posts from elsewhere are held."))?;
    if find_held(tx, &uri)?.is_some() || find_by_uri(tx, &uri)?.is_some() {
        return Ok(());
    }
    let place = place_of(tx, new)?.ok_or_else(|| Error::denied("What it answers is not in this course."))?;
    let top_level = place.thread.is_none() && place.assignment.is_none();
    let title = title_of(&new.title, &new.body_html, top_level, false)?;
    let waiting = store::count_held(tx, course.id)?;
    if waiting >= tx.limits().held_per_course.into() || store::count_held_of(tx, course.id, by.id)? >= OF_ONE {
        metrics::counter!("hedgeschool_held_posts_total", "result" => "refused").increment(1);
        return Err(Error::denied("Only people who take part in the course or follow it may write; too many wait."));
    }
    metrics::counter!("hedgeschool_held_posts_total", "result" => "held").increment(1);
    let public_id = tx.new_id();
    let row = Held {
        public_id,
        course_id: course.id,
        author_id: by.id,
        uri,
        in_reply_to: new.in_reply_to.clone(),
        anchor: new.anchor.clone(),
        title,
        body_html: new.body_html.clone(),
        published_at: new.published_at.min(tx.now()),
        activity: activity.to_owned(),
        later_activity: None,
        received_at: tx.now(),
    };
    store::insert_held(tx, &row)?;
    if waiting == 0 {
        tell(tx, &course)?;
    }
    tx.record(Some(by.id), Happened::PostHeld(course.id))
}

/// Tells organizers once, when the first one waits: a flood is one notice.
fn tell(tx: &mut Tx<'_>, course: &Course) -> Result<()> {
    let group = actor::get(tx, course.actor_id)?;
    let whom: Vec<ActorId> = course::organizers(tx, course.id)?.into_iter().map(|actor| actor.id).collect();
    let text = format!("Somebody who does not take part wrote to {}. It waits for your answer.", group.name);
    notice::tell(tx, &whom, "discussion", &text, &format!("{}/held", group.path()))
}

/// What waits in a course, oldest first, at most [`HELD`], with its authors.
pub fn held(db: &mut Db, course: CourseId) -> Result<Vec<(Held, Actor)>> {
    store::held(db, course, HELD)
}

/// How much waits in a course.
pub fn count_held(db: &mut Db, course: CourseId) -> Result<i64> {
    store::count_held(db, course)
}

/// A held post by its ActivityPub id.
pub fn find_held(db: &mut Db, uri: &str) -> Result<Option<Held>> {
    store::find_held(db, uri)
}

/// Takes in what its author changed while it waits; `activity` is the `Update` as it came. Only its author may.
pub fn revise_held(tx: &mut Tx<'_>, by: &Actor, change: &NewPost, activity: &str) -> Result<()> {
    let uri = change.uri.as_deref().unwrap_or_default();
    let held = find_held(tx, uri)?.filter(|held| held.author_id == by.id).ok_or(Error::NotFound)?;
    let title = title_of(&change.title, &change.body_html, !held.title.is_empty(), false)?;
    store::revise_held(tx, uri, (&title, &change.body_html, activity))
}

/// Its author deleted it while it waited. Says whether there was one.
pub fn forget_held(tx: &mut Tx<'_>, by: &Actor, uri: &str) -> Result<bool> {
    match find_held(tx, uri)?.filter(|held| held.author_id == by.id) {
        Some(held) => store::delete_held(tx, &held.public_id).map(|()| true),
        None => Ok(false),
    }
}

/// Lets a held post into the discussion. Organizers may. The course passes it on as it came.
pub fn let_in(tx: &mut Tx<'_>, by: &Actor, public_id: &str) -> Result<Post> {
    let held = decided(tx, by, public_id)?;
    let author = actor::get(tx, held.author_id)?;
    let new = NewPost {
        course_id: held.course_id,
        uri: Some(held.uri.clone()),
        in_reply_to: held.in_reply_to.clone(),
        anchor: held.anchor.clone(),
        title: held.title.clone(),
        body_md: String::new(),
        body_html: held.body_html.clone(),
        published_at: held.published_at,
    };
    let post = write_as_let_in(tx, &author, &new)?;
    tx.record(Some(by.id), Happened::PostLetIn(post.id))?;
    Ok(post)
}

/// Does away with a held post. Organizers may; nobody is told.
pub fn refuse_held(tx: &mut Tx<'_>, by: &Actor, public_id: &str) -> Result<()> {
    let held = decided(tx, by, public_id)?;
    store::delete_held(tx, public_id)?;
    tx.record(Some(by.id), Happened::HeldPostRefused(held.course_id))
}

fn decided(tx: &mut Tx<'_>, by: &Actor, public_id: &str) -> Result<Held> {
    let held = store::held_by_public_id(tx, public_id)?.ok_or(Error::NotFound)?;
    let course = course::get(tx, held.course_id)?;
    may_decide(tx, by, &course)?;
    Ok(held)
}

/// Ends the waiting of what was let in, and gives it with what came of it.
pub(super) fn take_held(tx: &mut Tx<'_>, uri: &str) -> Result<Option<Held>> {
    let held = find_held(tx, uri)?;
    if let Some(held) = &held {
        store::delete_held(tx, &held.public_id)?;
    }
    Ok(held)
}
