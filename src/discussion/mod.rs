//! What do people of a course say to each other, in public?

pub mod apub;
mod govern;
mod hold;
mod store;
pub mod web;
mod wire;
mod write;

pub use govern::{lock, pin, standing};
use hold::take_held;
pub use hold::{
    HELD, Held, count_held, find_held, forget_held, held, hold, is_to_be_held, let_in, may_decide, refuse_held,
    revise_held,
};
pub use write::{
    Change, NewPost, confirm, delete, edit, erase_all_of, remove_all_of, restore, restore_all_of, take_in,
    tell_deleted, tell_written, write,
};

use crate::actor::{self, Actor, follow};
use crate::assignment::{self, Assignment};
use crate::clock::Time;
use crate::cohort;
use crate::course::{self, Course, CourseState};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{ActorId, AssignmentId, CourseId, PostId};
use diesel::{Queryable, Selectable};

/// Longest title, in characters.
pub const TITLE: usize = 200;
/// Threads on one page.
pub const THREADS: i64 = 25;
/// Posts of a thread on one page.
pub const POSTS: i64 = 50;

/// One post: the beginning of a thread, an answer in one, or a comment to an assignment.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::posts)]
pub struct Post {
    /// Key inside.
    pub id: PostId,
    /// In URLs.
    pub public_id: String,
    /// The id of its Page or Note.
    pub uri: String,
    /// In which course.
    pub course_id: CourseId,
    /// Who wrote it.
    pub author_id: ActorId,
    /// The first post of its thread; nothing for that post itself.
    pub thread_id: Option<PostId>,
    /// The assignment that its thread is about.
    pub assignment_id: Option<AssignmentId>,
    /// The id of what it answers.
    pub in_reply_to: Option<String>,
    /// Plain text; empty for answers and comments.
    pub title: String,
    /// Markdown; empty when it came as HTML.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// When it was written.
    pub published_at: Time,
    /// When it was last edited.
    pub edited_at: Option<Time>,
    /// When it was deleted or removed; deleted by its author, its text is gone.
    pub deleted_at: Option<Time>,
    /// Why an organizer took it away; empty when its author deleted it.
    pub removal: String,
    /// Whether it went with a ban from the course, and comes back with its end.
    pub by_ban: bool,
    /// When the course passed it on; nothing while its home has not.
    pub announced_at: Option<Time>,
    /// When somebody last wrote in the thread; nothing for answers and for threads that are not listed any more.
    pub active_at: Option<Time>,
    /// When its row last changed.
    pub changed_at: Time,
    /// When missed answers were last looked for; of first posts.
    pub pulled_at: Option<Time>,
}

impl Post {
    /// Its page on this instance; for an answer a path that leads to its thread.
    pub fn path(&self) -> String {
        format!("/posts/{}", self.public_id)
    }

    /// The first post of its thread, perhaps itself.
    pub fn root(&self) -> PostId {
        self.thread_id.unwrap_or(self.id)
    }

    /// Whether it begins a thread of the open discussion.
    pub fn is_top_level(&self) -> bool {
        self.thread_id.is_none() && self.assignment_id.is_none()
    }

    /// Whether it was deleted or removed.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Whether a moderator took it away, so that it can be brought back.
    pub fn is_removed(&self) -> bool {
        self.is_deleted() && !self.removal.is_empty()
    }
}

/// A thread as lists show it.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its first post.
    pub post: Post,
    /// Who began it.
    pub author: Actor,
    /// How many answers there are, deleted ones not counted.
    pub replies: i64,
}

/// A post as threads show it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The post.
    pub post: Post,
    /// Who wrote it.
    pub author: Actor,
    /// Whether it must stay visible when it is deleted, because somebody answered.
    pub answered: bool,
}

/// By key.
pub fn get(db: &mut Db, id: PostId) -> Result<Post> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Post> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// By the id in URLs, when this person may see what is in its course; otherwise there is nothing.
pub fn seen(db: &mut Db, public_id: &str, by: &Actor) -> Result<Post> {
    let post = get_public(db, public_id)?;
    let course = course::get(db, post.course_id)?;
    if course::may_see(db, &course, Some(by))? { Ok(post) } else { Err(Error::NotFound) }
}

/// By ActivityPub id, deleted or not.
pub fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Post>> {
    store::find_by_uri(db, uri)
}

/// A page of the threads of a course, the one with the newest answer first; pages count from 1. One row more than
/// [`THREADS`] when there is a next page.
pub fn threads(db: &mut Db, course: CourseId, page: i64) -> Result<Vec<Thread>> {
    let rows = store::threads(db, course, (THREADS + 1, (page.max(1) - 1) * THREADS))?;
    let ids: Vec<PostId> = rows.iter().map(|(post, _)| post.id).collect();
    let counts = store::count_replies(db, &ids)?;
    let count = |id| counts.iter().find(|(thread, _)| *thread == Some(id)).map_or(0, |(_, count)| *count);
    Ok(rows.into_iter().map(|(post, author)| Thread { replies: count(post.id), post, author }).collect())
}

/// A page of a thread, oldest first, its first post included. One row more than [`POSTS`] when there is a next page.
pub fn thread(db: &mut Db, root: PostId, page: i64) -> Result<Vec<Entry>> {
    let rows = store::thread(db, root, (POSTS + 1, (page.max(1) - 1) * POSTS))?;
    entries(db, rows)
}

/// A page of what was said about an assignment, oldest first. One row more than [`POSTS`] when there is a next page.
pub fn comments(db: &mut Db, assignment: AssignmentId, page: i64) -> Result<Vec<Entry>> {
    let rows = store::comments(db, assignment, (POSTS + 1, (page.max(1) - 1) * POSTS))?;
    entries(db, rows)
}

fn entries(db: &mut Db, rows: Vec<(Post, Actor)>) -> Result<Vec<Entry>> {
    let deleted: Vec<String> = rows.iter().filter(|(p, _)| p.is_deleted()).map(|(p, _)| p.uri.clone()).collect();
    let answered = store::answered(db, &deleted)?;
    Ok(rows
        .into_iter()
        .map(|(post, author)| Entry { answered: answered.contains(&post.uri), post, author })
        .filter(|entry| !entry.post.is_deleted() || entry.answered)
        .collect())
}

/// On which page of its thread a post stands.
pub fn page_of(db: &mut Db, post: &Post) -> Result<i64> {
    Ok(store::count_before(db, post)? / POSTS + 1)
}

/// A piece of a list of posts: their ids in order, and after which one it goes on, by public id.
pub type Piece = (Vec<String>, Option<String>);

/// Which list of posts.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The direct answers to this id.
    AnswersTo(&'a str),
    /// What stands below the first post of a thread.
    Thread(PostId),
    /// What was said about an assignment.
    CommentsTo(AssignmentId),
}

/// A piece of a list, oldest first, at most `most`, after a post of it. What is deleted is left out. Pieces do not shift
/// when something is added or deleted.
pub fn piece(db: &mut Db, which: Which<'_>, after: Option<&Post>, most: i64) -> Result<Piece> {
    let mut rows = store::piece(db, which, after, most + 1)?;
    let many = usize::try_from(most).unwrap_or(usize::MAX);
    let more = rows.len() > many;
    rows.truncate(many);
    let next = rows.last().filter(|_| more).map(|(_, public_id)| public_id.clone());
    Ok((rows.into_iter().map(|(uri, _)| uri).collect(), next))
}

/// How many posts of a list are there, and when one of them last changed, the deleted ones included.
pub fn measure(db: &mut Db, which: Which<'_>) -> Result<(i64, Option<Time>)> {
    store::measure(db, which)
}

/// Those elsewhere who wrote in a thread and are not gone, at most a hundred.
fn participants(db: &mut Db, post: &Post) -> Result<Vec<Actor>> {
    let ids = store::participants(db, post.root())?;
    let ids: Vec<ActorId> = ids.into_iter().filter(|id| *id != post.author_id).take(100).collect();
    Ok(actor::list(db, &ids)?.into_iter().filter(|actor| !actor.here && actor.may_act().is_ok()).collect())
}

/// Refuses anyone who may not write in the discussion: organizers, everyone who takes part in a cohort and accepted
/// followers may, wherever they live, while the course is listed.
pub fn may_write(db: &mut Db, by: &Actor, course: &Course) -> Result<()> {
    is_open(by, course)?;
    course::ban::may_come_in(db, by, course.id)?;
    if belongs(db, by, course)? {
        return Ok(());
    }
    Err(Error::denied("Only people who take part in the course or follow it may write in its discussion."))
}

/// Refuses those who may do nothing, and everyone when the discussion is closed.
fn is_open(by: &Actor, course: &Course) -> Result<()> {
    by.may_act()?;
    if course.state == CourseState::Listed {
        Ok(())
    } else {
        Err(Error::denied("The discussion of this course is closed."))
    }
}

/// Whether somebody organizes the course, takes part in it or follows it.
fn belongs(db: &mut Db, who: &Actor, course: &Course) -> Result<bool> {
    let follows = follow::find(db, who.id, course.actor_id)?;
    Ok(follows.is_some_and(|follow| follow.state == follow::FollowState::Accepted)
        || course::organizes(db, who, course)?
        || store::takes_part(db, course.id, who.id)?)
}

/// What a post may answer.
pub enum Parent {
    /// Another post.
    Post(Box<Post>),
    /// An assignment.
    Assignment(Box<Assignment>),
}

impl Parent {
    /// What stands behind an id, when it can be answered in public: not a draft.
    pub fn find(db: &mut Db, uri: &str) -> Result<Option<Self>> {
        if let Some(post) = find_by_uri(db, uri)? {
            return Ok(Some(Self::Post(Box::new(post))));
        }
        let found = assignment::find_by_uri(db, uri)?;
        let shown = found.filter(|found| found.state != assignment::AssignmentState::Draft);
        Ok(shown.map(|found| Self::Assignment(Box::new(found))))
    }

    /// In which course it is.
    pub fn course(&self, db: &mut Db) -> Result<CourseId> {
        match self {
            Self::Post(post) => Ok(post.course_id),
            Self::Assignment(assignment) => Ok(cohort::get(db, assignment.cohort_id)?.course_id),
        }
    }

    /// Who wrote it.
    pub fn author(&self) -> ActorId {
        match self {
            Self::Post(post) => post.author_id,
            Self::Assignment(assignment) => assignment.author_id,
        }
    }
}

#[cfg(test)]
mod tests;
