//! How is a post written, edited and deleted, and who is told?

use super::{Parent, Post, TITLE, find_by_uri, get, may_write, store};
use crate::actor::{self, Actor};
use crate::assignment;
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::id::{ActorId, CourseId, PostId};
use crate::notice;
use crate::text;

/// What somebody wrote.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// In which course.
    pub course_id: CourseId,
    /// Its id, when it comes from elsewhere.
    pub uri: Option<String>,
    /// The id of the post or assignment that it answers.
    pub in_reply_to: Option<String>,
    /// The nearest post or assignment above it that is known here, when that is not what it answers.
    pub anchor: Option<String>,
    /// Plain text; needed for a thread that begins here, made from the text for one from elsewhere.
    pub title: String,
    /// Markdown; empty when it comes from elsewhere.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// When it was written; later than now becomes now.
    pub published_at: Time,
}

/// How a post is changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Plain text; ignored for answers.
    pub title: String,
    /// Markdown; empty when it comes from elsewhere.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// When its author changed it; later than now becomes now. What is older than the last change is ignored.
    pub at: Time,
}

/// Where a new post stands.
pub(super) struct Place {
    pub(super) course: CourseId,
    pub(super) thread: Option<PostId>,
    pub(super) assignment: Option<crate::id::AssignmentId>,
}

/// Writes a post into the discussion of a course. Those who [`may_write`] may. One that is known already by its id stays
/// as it is.
pub fn write(tx: &mut Tx<'_>, by: &Actor, new: NewPost) -> Result<Post> {
    let course = course::get(tx, new.course_id)?;
    may_write(tx, by, &course)?;
    if let Some(known) = known(tx, by, new.uri.as_deref())? {
        return Ok(known);
    }
    put_in(tx, by, &course, &new)
}

/// Writes a post of somebody whom an organizer let in; whether they [`may_write`] is not asked.
pub(super) fn write_as_let_in(tx: &mut Tx<'_>, by: &Actor, new: &NewPost) -> Result<Post> {
    let course = course::get(tx, new.course_id)?;
    super::is_open(by, &course)?;
    course::ban::may_come_in(tx, by, course.id)?;
    match known(tx, by, new.uri.as_deref())? {
        Some(known) => Ok(known),
        None => put_in(tx, by, &course, new),
    }
}

fn put_in(tx: &mut Tx<'_>, by: &Actor, course: &Course, new: &NewPost) -> Result<Post> {
    let place = place_of(tx, new)?.ok_or_else(|| Error::denied("What it answers is not in this course."))?;
    super::govern::may_answer(tx, by, course, &place)?;
    let at_home = actor::get(tx, course.actor_id)?.here;
    put(tx, by, (new, &place), at_home)
}

/// Where a new post belongs; nothing when that is not in its course.
pub(super) fn place_of(db: &mut Db, new: &NewPost) -> Result<Option<Place>> {
    match place(db, new.course_id, new.in_reply_to.as_deref())? {
        None if new.anchor.is_some() => place(db, new.course_id, new.anchor.as_deref()),
        found => Ok(found),
    }
}

/// Takes in a post that the home of a mirrored course passed on. Only that course's own Group may; whether the author
/// may write was its home's to decide. One that is known already stays as it is: see [`edit`].
pub fn take_in(tx: &mut Tx<'_>, group: &Actor, author: &Actor, new: NewPost) -> Result<Post> {
    let course = course::find_by_actor(tx, group.id)?.filter(|_| !group.here);
    let course = course.ok_or_else(|| Error::denied("This course is not mirrored here."))?;
    author.may_act()?;
    if let Some(known) = known(tx, author, new.uri.as_deref())? {
        store::mark_announced(tx, known.id)?;
        return Ok(known);
    }
    // An answer to something that never arrived here begins a thread of its own, so that nothing is lost.
    let place = place_of(tx, &new)?;
    let place = place.unwrap_or(Place { course: course.id, thread: None, assignment: None });
    put(tx, author, (&new, &place), true)
}

/// Notes that the home of a mirrored course passed a post from here on.
pub fn confirm(tx: &mut Tx<'_>, group: &Actor, uri: &str) -> Result<()> {
    let post = find_by_uri(tx, uri)?.ok_or(Error::NotFound)?;
    if course::get(tx, post.course_id)?.actor_id != group.id {
        return Err(Error::denied("This post belongs to another course."));
    }
    store::mark_announced(tx, post.id)
}

/// The post with this id, if it is there; an id that means something else or is somebody else's is refused.
fn known(db: &mut Db, by: &Actor, uri: Option<&str>) -> Result<Option<Post>> {
    let Some(uri) = uri else { return Ok(None) };
    match object::find(db, uri)? {
        None => Ok(None),
        Some(known) if known.kind != ObjectKind::Post || known.owner_id != by.id => {
            Err(Error::denied("This id belongs to something else."))
        }
        Some(known) => Ok(Some(get(db, PostId(known.local_id))?)),
    }
}

/// Where an answer to this belongs; nothing when it is not in the course.
fn place(db: &mut Db, course: CourseId, in_reply_to: Option<&str>) -> Result<Option<Place>> {
    let Some(uri) = in_reply_to else { return Ok(Some(Place { course, thread: None, assignment: None })) };
    let Some(parent) = Parent::find(db, uri)? else { return Ok(None) };
    if parent.course(db)? != course {
        return Ok(None);
    }
    Ok(Some(match parent {
        Parent::Post(post) => Place { course, thread: Some(post.root()), assignment: post.assignment_id },
        Parent::Assignment(assignment) => Place { course, thread: None, assignment: Some(assignment.id) },
    }))
}

fn put(tx: &mut Tx<'_>, by: &Actor, (new, place): (&NewPost, &Place), announced: bool) -> Result<Post> {
    let top_level = place.thread.is_none() && place.assignment.is_none();
    let title = title_of(&new.title, &new.body_html, top_level, new.uri.is_none())?;
    let public_id = tx.new_id();
    let uri = new.uri.clone().unwrap_or_else(|| tx.links().object(&public_id));
    let row = store::NewRow {
        public_id: &public_id,
        uri: &uri,
        title: &title,
        published_at: new.published_at.min(tx.now()),
        announced_at: announced.then_some(tx.now()),
        active_at: top_level.then_some(tx.now()),
    };
    let post = store::insert(tx, by.id, (new, place), row)?;
    let public = !course::get(tx, place.course)?.private;
    let object = NewObject { uri: &uri, kind: ObjectKind::Post, local_id: post.id.0, owner: by.id, public };
    object::register(tx, &object)?;
    if let Some(thread) = place.thread {
        store::touch(tx, thread)?;
    }
    store::adopt(tx, &post)?;
    tx.record(Some(by.id), Happened::PostWritten(post.id))?;
    Ok(post)
}

/// The title that a post gets. People here must give one to a thread; others do not know that field.
pub(super) fn title_of(title: &str, html: &str, top_level: bool, from_here: bool) -> Result<String> {
    let plain = text::plain(html).map_err(|error| Error::invalid("body", error.to_string()))?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut problems = Problems::default();
    let without = top_level && title.is_empty();
    problems.add_if(from_here && without, "title", "Please give it a title.");
    problems.add_if(from_here && title.chars().count() > TITLE, "title", "Please use at most 200 characters.");
    problems.add_if(plain.is_empty() && (from_here || title.is_empty()), "body", "Please write something.");
    problems.add_if(html.len() > text::MAX_TEXT_BYTES, "body", "The text is too long.");
    problems.check()?;
    Ok(match (top_level, without) {
        (false, _) => String::new(),
        (true, true) => text::excerpt(&plain, 80),
        (true, false) => title.chars().take(TITLE).collect(),
    })
}

/// Changes a post. Only its author may. Nothing happens when nothing differs or a later change is known.
pub fn edit(tx: &mut Tx<'_>, by: &Actor, id: PostId, change: Change) -> Result<Post> {
    by.may_act()?;
    let post = get(tx, id)?;
    if post.author_id != by.id {
        return Err(Error::denied("Only its author may edit a post."));
    }
    if post.is_deleted() {
        return Err(Error::NotFound);
    }
    let title = title_of(&change.title, &change.body_html, post.is_top_level(), by.here)?;
    let same = title == post.title && change.body_html == post.body_html && change.body_md == post.body_md;
    let last = post.edited_at.unwrap_or(post.published_at);
    if same && !by.here && change.at > last {
        // Nothing to tell anybody, but what is older than this must not come after it (checklist 51).
        return store::update(tx, id, &title, &change);
    }
    if same || change.at < last {
        return Ok(post);
    }
    let post = store::update(tx, id, &title, &change)?;
    tx.record(Some(by.id), Happened::PostEdited(id))?;
    Ok(post)
}

/// Deletes a post: its author may, for good; organizers of the course and moderators with a reason, and so may the Group
/// of a mirrored course. What was taken away so is kept until its author deletes it, and can be brought back by
/// [`restore`]. A second time nothing happens.
pub fn delete(tx: &mut Tx<'_>, by: &Actor, id: PostId, reason: &str) -> Result<()> {
    by.may_act()?;
    let post = get(tx, id)?;
    let by_author = post.author_id == by.id;
    if post.is_deleted() && (!by_author || post.removal.is_empty()) {
        return Ok(());
    }
    if by_author {
        object::bury(tx, &post.uri)?;
        store::erase(tx, id)?;
    } else {
        let course = course::get(tx, post.course_id)?;
        if course.actor_id != by.id {
            course::may_govern(tx, by, &course)?;
        }
        let reason = text::excerpt(reason, 500);
        let reason = match (reason.is_empty(), by.here) {
            (true, true) => return Err(Error::invalid("reason", "Please say why, for the author and the others.")),
            (true, false) => "no reason was given".to_owned(),
            (false, _) => reason,
        };
        object::hide(tx, &post.uri, true)?;
        store::hide(tx, id, &reason)?;
    }
    store::unlist_when_empty(tx, post.root())?;
    tx.record(Some(by.id), Happened::PostDeleted(id))
}

/// Brings back a post that was taken away. Those who may take it away may. What its author deleted stays deleted.
pub fn restore(tx: &mut Tx<'_>, by: &Actor, id: PostId) -> Result<()> {
    let post = get(tx, id)?;
    let course = course::get(tx, post.course_id)?;
    if course.actor_id != by.id {
        course::may_govern(tx, by, &course)?;
    }
    if !post.is_deleted() || post.removal.is_empty() {
        return Ok(());
    }
    bring_back(tx, by.id, &post)
}

fn bring_back(tx: &mut Tx<'_>, by: ActorId, post: &Post) -> Result<()> {
    object::hide(tx, &post.uri, false)?;
    store::unhide(tx, post)?;
    tx.record(Some(by), Happened::PostRestored(post.id))
}

/// Takes away all that somebody wrote in a course, because they are banned from it; nothing of theirs elsewhere, and
/// nothing of others (MOD-07).
pub fn remove_all_of(tx: &mut Tx<'_>, by: &Actor, course: CourseId, whom: ActorId, reason: &str) -> Result<()> {
    for id in store::list_of_author(tx, course, whom)? {
        delete(tx, by, id, reason)?;
        store::mark_by_ban(tx, id)?;
    }
    Ok(())
}

/// Brings back all that went with a ban, which is over: for that ban's end alone, in the name of who ended it or had made
/// it. What was taken away by itself stays away.
pub fn restore_all_of(tx: &mut Tx<'_>, by: ActorId, course: CourseId, whom: ActorId) -> Result<()> {
    for post in store::list_by_ban(tx, course, whom)? {
        bring_back(tx, by, &post)?;
    }
    Ok(())
}

/// Most batches of posts that are erased when somebody goes.
const MOST_ERASED: usize = 50;

/// Erases all posts of somebody who is gone; their places in threads stay. Their server's word, or ours, says so to
/// others once for all, so there is no activity for each.
pub fn erase_all_of(tx: &mut Tx<'_>, whom: ActorId) -> Result<()> {
    // In batches, each of which makes the next one smaller.
    for _ in 0..MOST_ERASED {
        let some = store::list_all_of_author(tx, whom)?;
        if some.is_empty() {
            break;
        }
        for post in some {
            object::bury(tx, &post.uri)?;
            store::erase(tx, post.id)?;
            store::unlist_when_empty(tx, post.root())?;
        }
    }
    Ok(())
}

/// Tells people here of a new post: whom it answers, then everyone else in the thread, each once.
pub fn tell_written(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let post = get(tx, id)?;
    let author = actor::get(tx, post.author_id)?;
    let parent = match &post.in_reply_to {
        Some(uri) => Parent::find(tx, uri)?,
        None => None,
    };
    let about = subject(tx, &post)?;
    let link = post.path();
    let mut told = vec![author.id];
    if let Some(whom) = parent.map(|parent| parent.author()).filter(|whom| *whom != author.id) {
        notice::tell(tx, &[whom], "discussion", &format!("{} answered you in {about}.", author.name), &link)?;
        told.push(whom);
    }
    if post.thread_id.is_some() {
        let others: Vec<ActorId> =
            store::participants(tx, post.root())?.into_iter().filter(|whom| !told.contains(whom)).collect();
        notice::tell(tx, &others, "discussion", &format!("{} wrote in {about}.", author.name), &link)?;
    }
    Ok(())
}

/// Tells an author here that somebody else took their post away.
pub fn tell_deleted(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let post = get(tx, id)?;
    if post.removal.is_empty() {
        return Ok(());
    }
    let group = course::get(tx, post.course_id)?.actor_id;
    let group = actor::get(tx, group)?;
    let text = format!("A post of yours in {} was removed: {}", group.name, post.removal);
    notice::tell(tx, &[post.author_id], "discussion", &text, &format!("{}/discussion", group.path()))
}

/// What a thread is called in a sentence.
fn subject(db: &mut Db, post: &Post) -> Result<String> {
    if let Some(assignment) = post.assignment_id {
        return Ok(format!("the comments to “{}”", assignment::get(db, assignment)?.title));
    }
    let title = get(db, post.root())?.title;
    Ok(if title.is_empty() { "a thread".into() } else { format!("“{}”", text::excerpt(&title, 80)) })
}
