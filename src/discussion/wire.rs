//! How does a post look on the wire, and what is read of the posts of others?

use super::{NewPost, Parent, Post, get};
use crate::actor::{self, Actor};
use crate::assignment;
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::{object, wire};
use crate::id::CourseId;
use crate::link::same_host;
use crate::text;
use serde_json::{Map, Value, json};
use url::Url;

/// A post with all that its document names.
pub(super) struct Whole {
    pub(super) post: Post,
    pub(super) author: Actor,
    pub(super) course: Course,
    pub(super) group: Actor,
    /// Who wrote what it answers.
    pub(super) parent: Option<Actor>,
    context: Option<String>,
    /// Whether its thread takes no answers any more.
    locked: bool,
}

impl Whole {
    pub(super) fn of(db: &mut Db, post: Post) -> Result<Self> {
        let course = course::get(db, post.course_id)?;
        let group = actor::get(db, course.actor_id)?;
        let parent = match &post.in_reply_to {
            Some(uri) => Parent::find(db, uri)?,
            None => None,
        };
        let parent = match parent {
            Some(parent) => Some(actor::get(db, parent.author())?).filter(|parent| parent.id != post.author_id),
            None => None,
        };
        let author = actor::get(db, post.author_id)?;
        let context = context_of(db, &post, &group)?;
        let root = get(db, post.root())?.uri;
        let locked = object::is_locked(db, &root)?;
        Ok(Self { post, author, course, group, parent, context, locked })
    }

    /// To everyone, unless the course is private, to the course, and who is answered; the same on activity and object
    /// (federation rule 7).
    pub(super) fn to(&self) -> Vec<String> {
        let everyone = (!self.course.private).then(|| wire::PUBLIC.to_owned());
        let mut to: Vec<String> = everyone.into_iter().chain([self.group.uri.clone()]).collect();
        to.extend(self.parent.iter().map(|parent| parent.uri.clone()));
        to
    }

    pub(super) fn cc(&self) -> Vec<String> {
        // In a private course the followers of its author are others.
        let others = self.author.followers.as_ref().filter(|_| !self.course.private);
        self.group.followers.iter().chain(others).cloned().collect()
    }

    /// An activity of the author about this post.
    pub(super) fn activity(&self, kind: &str, id: &str, at: Time, object: Value) -> Value {
        let mut activity = wire::activity(kind, id, &self.author.uri, &self.to(), &self.cc(), object);
        if let Some(fields) = activity.as_object_mut() {
            fields.insert("audience".into(), self.group.uri.clone().into());
            fields.insert("published".into(), at.rfc3339().into());
        }
        activity
    }

    /// A `Page` for the beginning of a thread, a `Note` without a name for an answer (federation rules 2 and 3), a
    /// `Tombstone` when it was deleted (AP 6.4).
    pub(super) fn document(&self) -> Result<Value> {
        // What was deleted says so; what was taken away is as if it had never been (checklist 9, FEP-4f05).
        if self.post.is_removed() {
            return Err(Error::NotFound);
        }
        if self.post.is_deleted() {
            return Ok(self.tombstone());
        }
        let post = &self.post;
        let mut document = json!({
            "@context": wire::context(), "id": post.uri, "type": self.kind(), "attributedTo": self.author.uri,
            "audience": self.group.uri, "to": self.to(), "cc": self.cc(),
        });
        let fields = document.as_object_mut().ok_or_else(|| Error::internal("a document is an object"))?;
        let mut put = |key: &str, value: Value| drop(fields.insert(key.into(), value));
        if post.is_top_level() {
            let plain = text::plain(&post.body_html).map_err(|e| Error::Internal(Box::new(e)))?;
            put("name", post.title.clone().into());
            put("summary", text::excerpt(&plain, 300).into());
        }
        put("content", post.body_html.clone().into());
        put("mediaType", "text/html".into());
        put("contentMap", Map::from_iter([(self.course.language.clone(), post.body_html.clone().into())]).into());
        if !post.body_md.is_empty() {
            put("source", json!({"content": post.body_md, "mediaType": "text/markdown"}));
        }
        put("url", page_url(post).into());
        put("published", post.published_at.rfc3339().into());
        if let Some(at) = post.edited_at {
            put("updated", at.rfc3339().into());
        }
        put("sensitive", false.into());
        put("inReplyTo", post.in_reply_to.clone().into());
        let mentioned = [Some(&self.group), self.parent.as_ref()];
        put("tag", mentioned.into_iter().flatten().map(wire::mention).collect());
        put("attachment", json!([]));
        if let Some(context) = &self.context {
            put("context", context.clone().into());
        }
        put("replies", format!("{}/replies", post.uri).into());
        put("interactionPolicy", wire::policy(self.locked || self.course.private));
        Ok(document)
    }

    pub(super) fn tombstone(&self) -> Value {
        let deleted = self.post.deleted_at.map(Time::rfc3339);
        json!({
            "@context": wire::context(), "id": self.post.uri, "type": "Tombstone", "formerType": self.kind(),
            "deleted": deleted,
        })
    }

    fn kind(&self) -> &'static str {
        if self.post.is_top_level() { "Page" } else { "Note" }
    }
}

/// The page of a post on the server where it was written: microblogs refuse an address on another host.
fn page_url(post: &Post) -> String {
    let page = Url::parse(&post.uri).and_then(|uri| uri.join(&post.path()));
    page.map_or_else(|_| post.uri.clone(), |url| url.to_string())
}

/// The collection of the whole thread, which the home of the course keeps. For a mirrored course it is known only when
/// the thread began on that very server.
fn context_of(db: &mut Db, post: &Post, group: &Actor) -> Result<Option<String>> {
    let (uri, public_id) = match post.assignment_id {
        Some(assignment) => {
            let assignment = assignment::get(db, assignment)?;
            (assignment.uri, assignment.public_id)
        }
        None => {
            let root = get(db, post.root())?;
            (root.uri, root.public_id)
        }
    };
    if group.here {
        let ours = Url::parse(&group.uri).and_then(|uri| uri.join(&format!("/o/{public_id}/context")));
        return Ok(ours.ok().map(|url| url.to_string()));
    }
    Ok(same_host(&uri, &group.uri).then(|| format!("{uri}/context")))
}

/// A post of somebody elsewhere, checked and cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) uri: String,
    pub(super) author: String,
    pub(super) in_reply_to: Option<String>,
    pub(super) title: String,
    pub(super) html: String,
    pub(super) published_at: Option<Time>,
    pub(super) updated_at: Option<Time>,
    /// The ids of everyone it is addressed to or mentions.
    pub(super) addressed: Vec<String>,
    /// Whether everyone may read it.
    pub(super) public: bool,
}

impl Incoming {
    /// Refuses what was not said to a whole course: to everyone, or in a private course to all who follow it.
    pub(super) fn may_be_in(&self, course: &Course, group: &Actor) -> Result<()> {
        let among = || group.followers.as_ref().is_some_and(|followers| self.addressed.contains(followers));
        if self.public || (course.private && among()) {
            return Ok(());
        }
        Err(Error::denied("The discussion of a course is public; a private post has no place in it."))
    }

    pub(super) fn new_post(&self, course: CourseId, now: Time) -> NewPost {
        NewPost {
            course_id: course,
            uri: Some(self.uri.clone()),
            in_reply_to: self.in_reply_to.clone(),
            anchor: None,
            title: self.title.clone(),
            body_md: String::new(),
            body_html: self.html.clone(),
            published_at: self.published_at.unwrap_or(now),
        }
    }

    pub(super) fn change(&self, now: Time) -> super::Change {
        super::Change {
            title: self.title.clone(),
            body_md: String::new(),
            body_html: self.html.clone(),
            at: self.updated_at.unwrap_or(now),
        }
    }
}

/// Whether a document can be a post: not an activity, a person or an assignment.
pub(super) fn is_post(document: &Value) -> bool {
    matches!(wire::kind(document), Some("Page" | "Note" | "Article")) && !is_course_work(document)
}

/// What the course extension marks belongs to other doors.
fn is_course_work(document: &Value) -> bool {
    let kind = document.get("learning").and_then(|learning| learning.get("type")?.as_str()).unwrap_or_default();
    // What is in it and means nothing to us makes a post no less a post (checklist 59).
    ["oer:", "study:", "schema:"].iter().any(|vocabulary| kind.starts_with(vocabulary))
}

/// Reads a post that everyone may read.
pub(super) fn read(document: &Value) -> Result<Incoming> {
    let incoming = read_any(document)?;
    if incoming.public {
        return Ok(incoming);
    }
    Err(Error::denied("The discussion of a course is public; a private post has no place in it."))
}

/// Reads a post; the caller asks whether it [`Incoming::may_be_in`] its course. Its author is one id on the post's own
/// host (ORI-01 to ORI-03).
pub(super) fn read_any(document: &Value) -> Result<Incoming> {
    let wrong = |what: &str| Error::denied(format!("The post has no usable {what}."));
    if !is_post(document) {
        return Err(wrong("type"));
    }
    let uri = wire::text(document, "id").filter(|id| id.len() <= 2048).ok_or_else(|| wrong("id"))?;
    let author = wire::sole_id(document, "attributedTo").ok_or_else(|| wrong("author"))?;
    if !same_host(uri, author) {
        return Err(Error::denied("A post and its author live on different servers."));
    }
    let content = wire::text(document, "content").unwrap_or_default();
    let html = text::clean_html(content).map_err(|error| Error::denied(format!("The post was refused: {error}.")))?;
    let in_reply_to = wire::id(document, "inReplyTo").map(str::to_owned);
    let title = wire::text(document, "name").filter(|_| in_reply_to.is_none()).unwrap_or_default();
    let title = text::plain(title).map_err(|error| Error::denied(format!("The title was refused: {error}.")))?;
    let time = |key| wire::text(document, key).and_then(Time::parse_rfc3339);
    let mut addressed: Vec<String> = Vec::new();
    for key in ["audience", "to", "cc"] {
        addressed.extend(wire::ids(document, key).into_iter().map(str::to_owned));
    }
    addressed.extend(wire::mentions(document).into_iter().map(str::to_owned));
    addressed.retain(|id| !wire::means_public(id));
    addressed.truncate(50);
    Ok(Incoming {
        uri: uri.to_owned(),
        author: author.to_owned(),
        in_reply_to,
        title,
        html,
        published_at: time("published"),
        updated_at: time("updated"),
        addressed,
        public: wire::is_public(document),
    })
}
