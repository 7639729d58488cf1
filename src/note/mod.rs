//! What does a course write to one person alone? Welcome, receipt, review task, result: direct notes of its bot.
//!
//! For people elsewhere. People here see the same in their pages and notices.

mod store;

use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::wire;
use crate::id::{CourseId, NoteId};
use serde_json::{Value, json};

/// In whose name a note is written.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The course.
    pub course_id: CourseId,
    /// The course's actor.
    pub course: Actor,
    /// Who writes: a Group must not author posts (federation rule 1).
    pub bot: Actor,
}

/// A note to one person.
#[derive(Clone, Debug, Default)]
pub struct Note<'a> {
    /// welcome, receipt, refusal, task, review, result or other.
    pub about: &'a str,
    /// When set, a second note with the same key is not written.
    pub once_key: Option<String>,
    /// Cleaned HTML.
    pub html: String,
    /// What it answers.
    pub in_reply_to: Option<&'a str>,
    /// For our own kind: what it means.
    pub learning: Option<Value>,
    /// The id to give it, where something else refers to it already.
    pub uri: Option<String>,
    /// Makes it a question: what one of can be chosen, until when.
    pub choice: Option<(Vec<String>, Time)>,
    /// When it says that it was written; now, unless the exact time would tell too much.
    pub published: Option<Time>,
}

/// Writes and sends a note to somebody elsewhere. Nothing happens for people here, or when it was written before.
pub fn write(tx: &mut Tx<'_>, writer: &Writer, to: &Actor, note: Note<'_>) -> Result<Option<NoteId>> {
    if to.here || to.may_act().is_err() {
        return Ok(None);
    }
    let public_id = tx.new_id();
    let published = note.published.unwrap_or_else(|| tx.now()).rfc3339();
    let uri = note.uri.clone().unwrap_or_else(|| tx.links().object(&public_id));
    let mut document = json!({
        "@context": wire::context(), "id": uri, "type": "Note", "attributedTo": writer.bot.uri,
        "to": [to.uri], "cc": [], "content": note.html, "published": published,
        "tag": [wire::mention(to)],
    });
    if let Some(fields) = document.as_object_mut() {
        if let Some((options, ends_at)) = &note.choice {
            let count = json!({"type": "Collection", "totalItems": 0});
            let option = |name: &String| json!({"type": "Note", "name": name, "replies": count});
            fields.insert("type".into(), "Question".into());
            fields.insert("oneOf".into(), options.iter().map(option).collect());
            fields.insert("endTime".into(), ends_at.rfc3339().into());
        }
        if let Some(parent) = note.in_reply_to {
            fields.insert("inReplyTo".into(), parent.into());
        }
        if let Some(learning) = &note.learning {
            fields.insert("learning".into(), learning.clone());
        }
    }
    let new = store::NewNote { public_id: &public_id, uri: &uri, document: &document, note: &note };
    let Some(id) = store::insert(tx, writer, to.id, &new)? else { return Ok(None) };
    // An id that was given stands for what refers to it.
    let new = NewObject { uri: &uri, kind: ObjectKind::Note, local_id: id.0, owner: writer.bot.id, public: false };
    object::register_new(tx, &new)?;
    let activity_uri = tx.links().activity(&tx.new_id());
    let to_only = [to.uri.clone()];
    let mut create = wire::activity("Create", &activity_uri, &writer.bot.uri, &to_only, &[], document);
    if let Some(fields) = create.as_object_mut() {
        fields.insert("published".into(), published.into());
    }
    outbox::send(tx, &writer.bot, &create, &uri, &Audience::people([to]))?;
    Ok(Some(id))
}

/// The wire form of a note, for its recipient.
pub fn find_document(db: &mut Db, uri: &str) -> Result<Option<(Value, crate::id::ActorId)>> {
    store::find_document(db, uri)
}
