//! What do people elsewhere hear of reviews? Direct notes of the course's bot, and reviews that go to a home.

use super::super::score::{Score, show};
use super::super::{
    Allocation, AllocationState, Given, Place, StoredResult, Task, desk, find_result, get, labelled, place, review,
    store, task, votes,
};
use crate::actor::{self, Actor};
use crate::assignment::rubric::{Levels, Rubric};
use crate::clock::Time;
use crate::course;
use crate::db::Tx;
use crate::error::Result;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::{self, Family};
use crate::federation::wire;
use crate::id::{AllocationId, AssignmentId, ReviewId, ReviewTaskId, SubmissionId};
use crate::note::{self, Note, Writer};
use crate::submission;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Longest copy that is sent along; longer work is read at its address.
const LONGEST_COPY: usize = 24 * 1024;

/// Sends a task to a reviewer elsewhere: the anonymised work, the rubric in words, and how to answer.
pub fn announce_allocation(tx: &mut Tx<'_>, id: AllocationId) -> Result<()> {
    let allocation = get(tx, id)?;
    let reviewer = actor::get(tx, allocation.reviewer_id)?;
    if reviewer.here {
        return Ok(());
    }
    let place = place_of(tx, &allocation)?;
    let writer = course::writer(tx, &place.course)?;
    let copy = desk::copy_of(tx, &allocation)?;
    let address = tx.links().absolute(&format!("/copies/{}", allocation.public_id));
    let html = if copy.html.len() > LONGEST_COPY {
        format!("<p>The work is too long for a message: <a href=\"{address}\">{address}</a></p>")
    } else {
        copy.html
    };
    let files: Vec<String> = copy.files.iter().map(|file| format!("{address}/{}", file.number)).collect();
    let learning = json!({
        "type": "study:ReviewTask", "assessing": place.assignment.uri, "due": allocation.due_at.rfc3339(),
        "copy": html, "files": files, "submissionDigest": digest(&html),
    });
    if object::find(tx, &allocation.uri)?.is_none() {
        let new = NewObject {
            uri: &allocation.uri,
            kind: ObjectKind::ReviewTask,
            local_id: id.0,
            owner: writer.bot.id,
            public: false,
        };
        object::register(tx, &new)?;
    }
    let note = Note {
        about: "task",
        once_key: Some(format!("task:{}", allocation.public_id)),
        html: task_html(&place, &allocation, &html, &files)?,
        learning: Some(learning),
        uri: Some(allocation.uri.clone()),
        ..Note::default()
    };
    note::write(tx, &writer, &reviewer, note)?;
    ask_each(tx, &writer, &reviewer, (&place, &allocation))
}

/// For microblogs, where people vote more easily than they write lines: one question for each criterion (federation B3).
fn ask_each(
    tx: &mut Tx<'_>,
    writer: &Writer,
    reviewer: &Actor,
    (place, allocation): (&Place, &Allocation),
) -> Result<()> {
    let families = peer::families(tx, &BTreeSet::from([reviewer.host.clone()]))?;
    let family = families.get(&reviewer.host).copied().unwrap_or(Family::Unknown);
    if !matches!(family, Family::Microblog | Family::Unknown) {
        return Ok(());
    }
    for criterion in &place.assignment.rubric()?.criteria {
        let question = Note {
            about: "task",
            once_key: Some(format!("question:{}:{}", allocation.public_id, criterion.id)),
            html: format!(
                "<p><strong>{}</strong> {}</p><p>Vote, instead of writing lines; a comment, if any, before your last vote.</p>",
                escape(&criterion.name),
                escape(&criterion.prompt)
            ),
            in_reply_to: Some(&allocation.uri),
            learning: Some(json!({
                "type": "study:ReviewQuestion", "task": allocation.uri, "criterion": criterion.id,
            })),
            choice: Some((votes::options(criterion), allocation.due_at)),
            ..Note::default()
        };
        note::write(tx, writer, reviewer, question)?;
    }
    Ok(())
}

fn place_of(tx: &mut Tx<'_>, allocation: &Allocation) -> Result<Place> {
    let work = submission::get(tx, allocation.submission_id)?;
    place(tx, work.assignment_id)
}

fn digest(html: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, html.as_bytes());
    format!("sha-256={}", data_encoding::BASE64.encode(digest.as_ref()))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn task_html(place: &Place, allocation: &Allocation, copy: &str, files: &[String]) -> Result<String> {
    let rubric = place.assignment.rubric()?;
    let due = allocation.due_at.timestamp().strftime("%a %-d %b %Y, %H:%M UTC");
    let mut html = format!(
        "<p>Please review this work for “{}” in {} until {due}. Its author does not learn your name.</p>\
         <blockquote>{copy}</blockquote>",
        escape(&place.assignment.title),
        escape(&place.group.name),
    );
    if !files.is_empty() {
        let links = files.iter().enumerate().map(|(at, url)| format!("<li><a href=\"{url}\">File {}</a></li>", at + 1));
        html.push_str(&format!("<p>Its files:</p><ul>{}</ul>", links.collect::<String>()));
    }
    html.push_str("<p>What to look at:</p><ul>");
    for criterion in &rubric.criteria {
        let levels = criterion.levels.iter().enumerate().map(|(at, level)| format!("{at} = {}", escape(&level.name)));
        let levels = levels.collect::<Vec<_>>().join(", ");
        let prompt = if criterion.prompt.is_empty() { &criterion.name } else { &criterion.prompt };
        html.push_str(&format!("<li><strong>{}</strong>: {} ({levels})</li>", escape(&criterion.id), escape(prompt)));
    }
    let example = rubric.criteria.iter().map(|criterion| format!("{} 1", escape(&criterion.id)));
    html.push_str(&format!(
        "</ul><p>Answer this message with one line for each, such as:</p><p>{}</p><p>All else that you write is your \
         comment for the author.</p>",
        example.collect::<Vec<_>>().join("<br>")
    ));
    Ok(html)
}

/// Tells a reviewer elsewhere that a review is no longer needed. Nothing for who declined or let time go by.
pub fn announce_end(tx: &mut Tx<'_>, id: AllocationId) -> Result<()> {
    let allocation = get(tx, id)?;
    let reviewer = actor::get(tx, allocation.reviewer_id)?;
    if allocation.state != AllocationState::Voided || reviewer.here {
        return Ok(());
    }
    let place = place_of(tx, &allocation)?;
    let writer = course::writer(tx, &place.course)?;
    let title = escape(&place.assignment.title);
    let note = Note {
        about: "other",
        once_key: Some(format!("void:{}", allocation.public_id)),
        html: format!("<p>The review of a work for “{title}” is no longer needed. Thank you all the same.</p>"),
        in_reply_to: Some(&allocation.uri),
        learning: Some(json!({"type": "study:ReviewTask", "task": allocation.uri, "state": "voided"})),
        ..Note::default()
    };
    note::write(tx, &writer, &reviewer, note)?;
    Ok(())
}

/// Confirms a review to a reviewer elsewhere, with what was understood.
pub fn announce_given(tx: &mut Tx<'_>, id: ReviewId) -> Result<()> {
    let review = review(tx, id)?;
    let allocation = get(tx, review.allocation_id)?;
    let reviewer = actor::get(tx, allocation.reviewer_id)?;
    if reviewer.here {
        return Ok(());
    }
    let place = place_of(tx, &allocation)?;
    let writer = course::writer(tx, &place.course)?;
    let levels = in_words(&place.assignment.rubric()?, &review.levels()?);
    let title = escape(&place.assignment.title);
    let learning = json!({"type": "study:Receipt", "object": review.uri, "receivedAt": review.given_at.rfc3339()});
    let note = Note {
        about: "receipt",
        once_key: Some(format!("receipt:{}", review.public_id)),
        html: format!("<p>Thank you, your review for “{title}” is in: {levels}.</p>"),
        in_reply_to: Some(&review.uri),
        learning: Some(learning),
        ..Note::default()
    };
    note::write(tx, &writer, &reviewer, note)?;
    Ok(())
}

fn in_words(rubric: &Rubric, levels: &Levels) -> String {
    let name = |id: &String, ordinal: &i64| {
        let criterion = rubric.find(id)?;
        Some(format!("{}: {}", escape(&criterion.name), escape(&criterion.level(*ordinal)?.name)))
    };
    levels.iter().filter_map(|(id, ordinal)| name(id, ordinal)).collect::<Vec<_>>().join(", ")
}

/// Sends the released reviews to all authors elsewhere, each their own.
pub fn announce_feedback(tx: &mut Tx<'_>, id: AssignmentId) -> Result<()> {
    for work in submission::list_of(tx, id)? {
        tell_author(tx, work.id, "study:Feedback")?;
    }
    Ok(())
}

/// Sends a result that an organizer decided to its author elsewhere.
pub fn announce_override(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    tell_author(tx, id, "study:Result")
}

fn tell_author(tx: &mut Tx<'_>, id: SubmissionId, kind: &str) -> Result<()> {
    let work = submission::get(tx, id)?;
    let author = actor::get(tx, work.author_id)?;
    let Some(result) = find_result(tx, id)? else { return Ok(()) };
    if author.here {
        return Ok(());
    }
    let place = place(tx, work.assignment_id)?;
    let writer = course::writer(tx, &place.course)?;
    let reviews = labelled(tx, id)?;
    let rubric = place.assignment.rubric()?;
    let learning = json!({
        "type": kind, "submission": work.uri, "reviews": reviews.iter().map(review_json).collect::<Vec<_>>(),
        "result": result_json(&result)?,
    });
    let note = Note {
        about: "result",
        html: feedback_html(&place, &rubric, &reviews, &result)?,
        in_reply_to: Some(&work.uri),
        learning: Some(learning),
        // The whole hour, so that it tells nothing of who reviewed last.
        published: Some(whole_hour(tx.now())),
        ..Note::default()
    };
    note::write(tx, &writer, &author, note)?;
    Ok(())
}

fn whole_hour(time: Time) -> Time {
    Time(time.0 - time.0.rem_euclid(3_600_000))
}

fn ratings(levels: &Levels) -> Value {
    levels.iter().map(|(id, ordinal)| json!({"criterion": id, "levelOrdinal": ordinal})).collect()
}

fn review_json(review: &Given) -> Value {
    json!({"label": review.label, "ratings": ratings(&review.levels), "comment": review.comment_html})
}

fn result_json(result: &StoredResult) -> Result<Value> {
    let score: Score = result.score()?;
    let criteria = score.criteria.iter();
    let criteria = criteria.map(|c| json!({"id": c.id, "median": c.median, "mean": c.mean, "reviews": c.reviews}));
    let mut out = json!({
        "criteria": criteria.collect::<Vec<_>>(), "points": result.points, "maxPoints": result.max_points,
        "state": result.state, "reason": result.override_reason,
    });
    if let (Some(points), Some(fields)) = (result.override_points, out.as_object_mut()) {
        fields.insert("overridePoints".into(), json!(points));
    }
    Ok(out)
}

fn feedback_html(place: &Place, rubric: &Rubric, reviews: &[Given], result: &StoredResult) -> Result<String> {
    let title = escape(&place.assignment.title);
    let points = show(result.override_points.unwrap_or(result.points));
    let mut html = match reviews.len() {
        0 => format!("<p>Nobody reviewed your work for “{title}”.</p>"),
        1 => format!("<p>One review of your work for “{title}” is there.</p>"),
        n => format!("<p>{n} reviews of your work for “{title}” are there.</p>"),
    };
    if result.override_points.is_some() {
        let reason = desk::paragraphs(&result.override_reason);
        html.push_str(&format!("<p>An organizer decided: {points} of {} points.</p>{reason}", show(result.max_points)));
    } else if !reviews.is_empty() {
        html.push_str(&format!(
            "<p>Result: {points} of {} points, the sum of the medians.</p>",
            show(result.max_points)
        ));
    }
    let score = result.score()?;
    if !reviews.is_empty() {
        let name = |id: &str| rubric.find(id).map_or_else(|| escape(id), |criterion| escape(&criterion.name));
        let line = |c: &super::super::score::CriterionScore| {
            format!("<li>{}: median {}, mean {}</li>", name(&c.id), show(c.median), show(c.mean))
        };
        html.push_str(&format!("<ul>{}</ul>", score.criteria.iter().map(line).collect::<String>()));
    }
    for review in reviews {
        let levels = in_words(rubric, &review.levels);
        html.push_str(&format!(
            "<p><strong>Reviewer {}</strong>: {levels}</p><blockquote>{}</blockquote>",
            review.label, review.comment_html
        ));
    }
    Ok(html)
}

/// Sends a review of somebody here to the home of a mirrored course.
pub fn send_review(tx: &mut Tx<'_>, id: ReviewTaskId) -> Result<()> {
    let task: Task = task(tx, id)?;
    let (Some(uri), place) = (task.review_uri.clone(), place(tx, task.assignment_id)?) else { return Ok(()) };
    let by: Actor = actor::get(tx, task.reviewer_id)?;
    let levels: Levels = serde_json::from_str(&task.levels)?;
    let to = [place.group.uri.clone()];
    let note = json!({
        "@context": wire::context(), "id": uri, "type": "Note", "attributedTo": by.uri, "to": to, "cc": [],
        "inReplyTo": task.uri, "content": task.comment_html, "published": tx.now().rfc3339(),
        "learning": {"type": "schema:Review", "task": task.uri, "ratings": ratings(&levels)},
    });
    let activity = tx.links().activity(&tx.new_id());
    let create = wire::activity("Create", &activity, &by.uri, &to, &[], note);
    outbox::send(tx, &by, &create, &uri, &Audience::people([&place.group]))?;
    Ok(())
}

/// What a refused review is answered with.
pub(super) struct Refusal<'a> {
    pub(super) to: &'a Actor,
    pub(super) place: &'a Place,
    /// The id of the review's note.
    pub(super) object: &'a str,
    /// One sentence.
    pub(super) reason: &'a str,
}

/// Tells somebody elsewhere why their review was not taken. Once for each note and reason.
pub(super) fn refuse(tx: &mut Tx<'_>, refusal: &Refusal<'_>) -> Result<()> {
    let writer = course::writer(tx, &refusal.place.course)?;
    let key = format!("refusal:{}:{}", refusal.object, digest(refusal.reason));
    let title = escape(&refusal.place.assignment.title);
    let note = Note {
        about: "refusal",
        once_key: Some(key),
        html: format!("<p>Your review for “{title}” was not taken: {}</p>", escape(refusal.reason)),
        in_reply_to: Some(refusal.object),
        learning: Some(json!({"type": "study:Refusal", "object": refusal.object, "reason": refusal.reason})),
        ..Note::default()
    };
    note::write(tx, &writer, refusal.to, note)?;
    Ok(())
}

/// The place of an allocation that a note answers, for a refusal.
pub(super) fn place_for(tx: &mut Tx<'_>, id: AllocationId) -> Result<Place> {
    let allocation = store::find(tx, id)?.ok_or(crate::error::Error::NotFound)?;
    place_of(tx, &allocation)
}
