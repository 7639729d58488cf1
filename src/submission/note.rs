//! What does handed-in work look like on the wire, and how is that of another server read?

use super::{MOST_FILES, Revision, Submission};
use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::error::{Error, Result};
use crate::federation::wire;
use crate::link::{Links, same_host};
use crate::media::Media;
use crate::text;
use serde_json::{Value, json};

/// Work that is sent from here to the home of a mirrored course.
pub(super) struct Sent<'a> {
    pub(super) submission: &'a Submission,
    pub(super) revision: &'a Revision,
    pub(super) files: &'a [Media],
    pub(super) author: &'a Actor,
    pub(super) assignment: &'a Assignment,
    pub(super) course: &'a Actor,
}

/// The Note of it, to the course alone (federation A6): never public, never to followers.
pub(super) fn note(sent: &Sent<'_>, links: &Links) -> Value {
    let attachment: Vec<Value> = sent
        .files
        .iter()
        .map(|file| {
            let kind = file.media_type.split(';').next().unwrap_or_default();
            json!({"type": "Document", "mediaType": kind, "url": links.media(&file.public_id), "name": file.name})
        })
        .collect();
    let mut note = json!({
        "@context": wire::context(), "id": sent.submission.uri, "type": "Note", "attributedTo": sent.author.uri,
        "inReplyTo": sent.assignment.uri, "to": [sent.course.uri], "cc": [],
        "content": sent.revision.body_html, "published": sent.submission.created_at.rfc3339(),
        "tag": [wire::mention(sent.course)], "attachment": attachment,
        "learning": {"type": "oer:Submission", "assessing": sent.assignment.uri, "revision": sent.revision.number,
            "digest": digest(&sent.revision.body_html, sent.files)},
    });
    if sent.revision.number > 1
        && let Some(fields) = note.as_object_mut()
    {
        fields.insert("updated".into(), sent.revision.received_at.rfc3339().into());
    }
    note
}

/// A hash over text and files, so that both sides can say which version they mean.
pub fn digest(html: &str, files: &[Media]) -> String {
    let mut all = html.to_owned();
    for file in files {
        all.push('\n');
        all.push_str(&file.sha256);
    }
    format!("sha-256={}", data_encoding::BASE64.encode(&crate::crypto::sha256(all.as_bytes())))
}

/// A Note of somebody elsewhere, read and cleaned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReadNote {
    pub(super) uri: String,
    pub(super) author: String,
    /// For which assignment.
    pub(super) assessing: String,
    pub(super) html: String,
    pub(super) private: bool,
    pub(super) files: Vec<ReadFile>,
    /// Whether it was written by software of our own kind.
    pub(super) own_kind: bool,
}

/// A file of such a Note.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReadFile {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) media_type: String,
}

/// Whether a document is work handed in by our own kind.
pub(super) fn is_submission(document: &Value) -> bool {
    document.get("learning").and_then(wire::kind) == Some("oer:Submission")
}

/// Reads a Note. Its author must be whose id it has; more files than are allowed are an error, because work must not
/// get shorter without a word.
pub(super) fn read(document: &Value) -> Result<ReadNote> {
    let refuse = |why: &str| Error::denied(format!("The work cannot be read: {why}."));
    let uri = wire::text(document, "id").ok_or_else(|| refuse("it has no id"))?;
    let author = wire::sole_id(document, "attributedTo").ok_or_else(|| refuse("it has no one author"))?;
    if !same_host(uri, author) {
        return Err(Error::denied("The work is not of its author's server."));
    }
    let own_kind = is_submission(document);
    let assessing = match document.get("learning").filter(|_| own_kind) {
        Some(learning) => wire::text(learning, "assessing"),
        None => wire::id(document, "inReplyTo"),
    };
    let html = text::clean_html(wire::text(document, "content").unwrap_or_default())
        .map_err(|e| Error::invalid("text", format!("This text cannot be used: {e}.")))?;
    let files: Vec<ReadFile> = wire::objects(document, "attachment").into_iter().filter_map(read_file).collect();
    if files.len() > MOST_FILES {
        return Err(Error::invalid("files", "Please hand in at most 10 files."));
    }
    let foreign = files.iter().find(|file| own_kind && !same_host(&file.url, author));
    if foreign.is_some() {
        return Err(Error::denied("A file of the work is on another server than its author."));
    }
    Ok(ReadNote {
        uri: uri.to_owned(),
        author: author.to_owned(),
        assessing: assessing.ok_or_else(|| refuse("it says not for which assignment it is"))?.to_owned(),
        html,
        private: !wire::is_public(document),
        files,
        own_kind,
    })
}

fn read_file(document: &Value) -> Option<ReadFile> {
    let url = wire::text(document, "url").or_else(|| wire::text(document, "href"))?;
    let last = url.rsplit('/').next().unwrap_or_default();
    Some(ReadFile {
        url: url.to_owned(),
        name: text::truncate(wire::text(document, "name").unwrap_or(last), 200).to_owned(),
        media_type: wire::text(document, "mediaType").unwrap_or_default().to_owned(),
    })
}

/// A Receipt or a Refusal, as the course's bot writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReadAnswer {
    /// The Note that it is about.
    pub(super) about: String,
    pub(super) answer: super::Answer,
}

/// Reads an answer of a course; nothing when it is none.
pub(super) fn read_answer(document: &Value) -> Option<ReadAnswer> {
    let learning = document.get("learning")?;
    let answer = match wire::kind(learning)? {
        "study:Receipt" => super::Answer::Received {
            late: learning.get("late").and_then(Value::as_bool).unwrap_or_default(),
            received_at: crate::clock::Time::parse_rfc3339(wire::text(learning, "receivedAt")?)?,
        },
        "study:Refusal" => {
            let reason = text::plain(wire::text(learning, "reason").unwrap_or_default()).unwrap_or_default();
            super::Answer::Refused(text::excerpt(&reason, 400))
        }
        _ => return None,
    };
    Some(ReadAnswer { about: wire::id(learning, "object")?.to_owned(), answer })
}
