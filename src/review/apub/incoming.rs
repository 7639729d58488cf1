//! What do other servers say about reviews, and is it theirs to say?

use super::super::task::{self, NewFeedback, NewTask, Said};
use super::super::{
    Answer, Feedback, Part, ResultState, StoredResult, answer, find_by_uri, give, give_part, open_of, place,
    place_of_work, score, votes,
};
use super::outgoing::{Refusal, place_for, refuse};
use crate::actor::{self, Actor};
use crate::assignment::{self, rubric::Levels};
use crate::clock::Time;
use crate::course;
use crate::db::{Db, Tx};
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::{Context, Received, wire};
use crate::id::{AllocationId, SubmissionId};
use crate::link::same_host;
use crate::note;
use crate::text;
use serde_json::Value;

/// Takes whatever of reviews comes as a Note, and says whether it was that.
pub async fn receive(context: &Context, got: &Received) -> Result<bool> {
    let note = got.object();
    if !matches!(wire::kind(&got.activity), Some("Create" | "Update")) || wire::kind(note) != Some("Note") {
        return Ok(false);
    }
    match wire::text(learning(note), "type") {
        Some("schema:Review") => create(context, got).await?,
        Some("study:ReviewTask") => task(context, got).await?,
        Some("study:Feedback" | "study:Result") => feedback(context, got).await?,
        Some("study:Receipt" | "study:Refusal") => {
            let about = wire::id(learning(note), "object").unwrap_or_default().to_owned();
            if !context.app_data().look_up(move |db| task::was_sent_from_here(db, &about)).await? {
                return Ok(false);
            }
            answered(context, got).await?;
        }
        _ if concerns(context, got).await? => reply(context, got).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Takes a review of our own kind: `Create{Note}` with `learning.type` `schema:Review`.
pub async fn create(context: &Context, got: &Received) -> Result<()> {
    let note = own_note(got)?;
    let learning = learning(&note);
    let task = wire::id(learning, "task").or_else(|| wire::id(&note, "inReplyTo")).unwrap_or_default().to_owned();
    let app = context.app_data();
    let allocation = app.look_up(move |db| find_by_uri(db, &task)).await?.ok_or(Error::NotFound)?.id;
    let comment_html = clean(wire::text(&note, "content").unwrap_or_default());
    let read = ratings(learning).and_then(|levels| Ok(Piece::Whole(levels, comment_html?)));
    take(context, got, allocation, move |_| read).await
}

/// Takes a review from a microblog: an answer to a task note, or to the bot while exactly one task is open. Also for
/// `Update`, because a refused review may be mended that way; one that was taken does not change (CRS-16).
pub async fn reply(context: &Context, got: &Received) -> Result<()> {
    let note = own_note(got)?;
    let (signer, asked) = (got.signer.clone(), note.clone());
    let found = context.app_data().look_up(move |db| allocation_for(db, &signer, &asked)).await?;
    let allocation = found.ok_or(Error::NotFound)?;
    take(context, got, allocation, move |tx| read_reply(tx, allocation, &note)).await
}

/// What an answer in words or a vote comes to. Words without a level go with the votes that came before.
fn read_reply(tx: &mut Tx<'_>, allocation: AllocationId, note: &Value) -> Result<Piece> {
    let asked = question(tx, wire::id(note, "inReplyTo").unwrap_or_default())?;
    if let (Some((_, criterion)), None, Some(option)) = (asked, wire::text(note, "content"), wire::text(note, "name")) {
        return Ok(Piece::Part(Part::Vote(criterion, option.to_owned())));
    }
    let words = text::plain(said(note));
    let words = words.map_err(|problem| Error::invalid("comment", problem.to_string()))?;
    let rubric = place_for(tx, allocation)?.assignment.rubric()?;
    let read = answer::read(&rubric, &words);
    let comment = super::super::desk::paragraphs(&read.comment);
    let mut levels = votes::begun(tx, allocation)?.0;
    if read.levels()?.is_empty() && !levels.is_empty() {
        return Ok(Piece::Part(Part::Words(comment)));
    }
    levels.extend(read.levels);
    Ok(Piece::Whole(levels, comment))
}

/// Which task, and which criterion of it, one of our questions is about.
fn question(db: &mut Db, uri: &str) -> Result<Option<(AllocationId, String)>> {
    let Some((document, _)) = note::find_document(db, uri)? else { return Ok(None) };
    let learning = learning(&document);
    let (task, criterion) = (wire::id(learning, "task"), wire::text(learning, "criterion"));
    let (Some(task), Some(criterion)) = (task, criterion.filter(|_| wire::kind(&document) == Some("Question"))) else {
        return Ok(None);
    };
    Ok(find_by_uri(db, task)?.map(|allocation| (allocation.id, criterion.to_owned())))
}

/// Whether a note is an answer to a review task: for the dispatcher, which asks before it tries other doors.
pub async fn concerns(context: &Context, got: &Received) -> Result<bool> {
    let (signer, note) = (got.signer.clone(), got.object().clone());
    Ok(context.app_data().look_up(move |db| allocation_for(db, &signer, &note)).await?.is_some())
}

fn allocation_for(db: &mut Db, signer: &Actor, note: &Value) -> Result<Option<AllocationId>> {
    let parent = wire::id(note, "inReplyTo").unwrap_or_default();
    match object::find(db, parent)? {
        Some(task) if task.kind == ObjectKind::ReviewTask && task.here => {
            return Ok(Some(AllocationId(task.local_id)));
        }
        None => {}
        Some(said) if said.kind == ObjectKind::Note => {
            if let Some((allocation, _)) = question(db, parent)? {
                return Ok(Some(allocation));
            }
        }
        // An answer to something else of ours, such as an assignment or a post.
        Some(_) => return Ok(None),
    }
    if wire::is_public(note) {
        return Ok(None);
    }
    let addressed: Vec<String> = wire::ids(note, "to").into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    for allocation in open_of(db, signer.id)? {
        let (_, place) = place_of_work(db, allocation.submission_id)?;
        let bot = course::writer(db, &place.course)?.bot;
        let words = text::plain(said(note)).unwrap_or_default();
        let reads = answer::read(&place.assignment.rubric()?, &words);
        let names_levels = !reads.levels.is_empty() || !reads.unclear.is_empty();
        if addressed.contains(&bot.uri) && names_levels {
            found.push(allocation.id);
        }
    }
    Ok(if found.len() == 1 { found.first().copied() } else { None })
}

/// The note, when its author is who signed and its id is of their server (ORI-01).
fn own_note(got: &Received) -> Result<Value> {
    let note = got.object();
    let id = wire::id_of(note).unwrap_or_default();
    let is_theirs = wire::id(note, "attributedTo") == Some(got.signer.uri.as_str()) && same_host(id, &got.signer.uri);
    if is_theirs { Ok(note.clone()) } else { Err(Error::denied("The note is not the sender's own.")) }
}

/// The text of an answer; of a vote, which has none, the name of what was chosen (checklist 58).
fn said(note: &Value) -> &str {
    wire::text(note, "content").or_else(|| wire::text(note, "name")).unwrap_or_default()
}

fn learning(note: &Value) -> &Value {
    note.get("learning").unwrap_or(&Value::Null)
}

fn clean(html: &str) -> Result<String> {
    text::clean_html(html).map_err(|problem| Error::invalid("comment", problem.to_string()))
}

/// Most ratings that are looked at.
const MOST_RATINGS: usize = 100;

/// Whole ordinals only, each criterion once (CRS-14).
fn ratings(learning: &Value) -> Result<Levels> {
    let unreadable = |why: &str| Error::invalid("levels", format!("The ratings cannot be read: {why}."));
    let list = learning.get("ratings").and_then(Value::as_array).ok_or_else(|| unreadable("there are none"))?;
    if list.len() > MOST_RATINGS {
        return Err(unreadable("there are too many"));
    }
    let mut levels = Levels::new();
    for rating in list {
        let criterion = rating.get("criterion").and_then(Value::as_str).ok_or_else(|| unreadable("no criterion"))?;
        let ordinal = rating.get("levelOrdinal").and_then(Value::as_i64);
        let ordinal = ordinal.ok_or_else(|| unreadable("a level is a whole number"))?;
        if levels.insert(criterion.to_owned(), ordinal).is_some() {
            return Err(unreadable("a criterion is there twice"));
        }
    }
    Ok(levels)
}

/// What came of a review.
enum Piece {
    Whole(Levels, String),
    Part(Part),
}

/// Gives the review; when it is refused, its writer is told why, and the activity is marked as refused.
async fn take(
    context: &Context,
    got: &Received,
    allocation: AllocationId,
    read: impl FnOnce(&mut Tx<'_>) -> Result<Piece> + Send + 'static,
) -> Result<()> {
    let note_uri = wire::id_of(got.object()).unwrap_or_default().to_owned();
    let (by, received_at, uri) = (got.signer.clone(), got.received_at, note_uri.clone());
    let result = got
        .settle(context, move |tx| {
            let came = Answer { uri: Some(uri), received_at: Some(received_at), ..Answer::default() };
            match read(tx)? {
                Piece::Whole(levels, comment_html) => {
                    give(tx, &by, allocation, &Answer { levels, comment_html, ..came }).map(Some)
                }
                Piece::Part(part) => give_part(tx, &by, allocation, part, came),
            }
        })
        .await;
    let Err(error) = result else { return Ok(()) };
    if matches!(error, Error::Denied(_) | Error::Invalid(_)) {
        let (reason, by) = (sentence(&error), got.signer.clone());
        let write = move |tx: &mut Tx<'_>| tell_refused(tx, &by, allocation, &note_uri, &reason);
        context.app_data().write(write).await?;
    }
    Err(error)
}

fn sentence(error: &Error) -> String {
    match error {
        Error::Invalid(problems) => problems.iter().map(|(_, text)| text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Only people of the course are answered, so that nobody makes us write to strangers (CRS-11).
fn tell_refused(tx: &mut Tx<'_>, by: &Actor, id: AllocationId, note_uri: &str, reason: &str) -> Result<()> {
    let place = place_for(tx, id)?;
    if enrollment::find(tx, place.assignment.cohort_id, by.id)?.is_none() {
        return Ok(());
    }
    refuse(tx, &Refusal { to: by, place: &place, object: note_uri, reason })
}

/// Takes a review task for somebody here, from the bot of a mirrored course; also that one is no longer needed.
pub async fn task(context: &Context, got: &Received) -> Result<()> {
    let note = own_note(got)?;
    let (from, now) = (got.signer.clone(), got.received_at);
    got.settle(context, move |tx| {
        let learning = learning(&note);
        if wire::text(learning, "state") == Some("voided") {
            return task::task_voided(tx, &from, wire::id(learning, "task").unwrap_or_default());
        }
        let assessing = wire::id(learning, "assessing").unwrap_or_default();
        let assignment = assignment::find_by_uri(tx, assessing)?.ok_or(Error::NotFound)?;
        let due = wire::text(learning, "due").and_then(Time::parse_rfc3339);
        let new = NewTask {
            uri: wire::id_of(&note).unwrap_or_default().to_owned(),
            assignment: assignment.id,
            copy_html: copy(learning, &from)?,
            due_at: due.unwrap_or(if assignment.review_due_at > now { assignment.review_due_at } else { now }),
        };
        let reviewer = recipient(tx, &note)?;
        task::task_received(tx, &from, &reviewer, &new).map(|_| ())
    })
    .await
}

/// The one person here to whom the note is addressed.
fn recipient(tx: &mut Tx<'_>, note: &Value) -> Result<Actor> {
    for uri in wire::ids(note, "to") {
        if let Some(actor) = actor::find_by_uri(tx, uri)?.filter(|actor| actor.here) {
            return Ok(actor);
        }
    }
    Err(Error::NotFound)
}

/// Most files of a work.
const MOST_FILES: usize = 20;

fn copy(learning: &Value, from: &Actor) -> Result<String> {
    let mut html = clean(wire::text(learning, "copy").unwrap_or_default())?;
    let files: Vec<&str> = wire::ids(learning, "files").into_iter().filter(|url| same_host(url, &from.uri)).collect();
    let plain = |url: &&str| !url.contains(['"', '<', '>', '\'', ' ']);
    let links: String = files
        .into_iter()
        .take(MOST_FILES)
        .filter(plain)
        .enumerate()
        .map(|(at, url)| format!("<li><a href=\"{url}\">File {}</a></li>", at + 1))
        .collect();
    if !links.is_empty() {
        html.push_str(&format!("<ul>{links}</ul>"));
    }
    Ok(text::clean_again(&html))
}

/// Takes what the home said to a review from here: `study:Receipt` or `study:Refusal`.
pub async fn answered(context: &Context, got: &Received) -> Result<()> {
    let note = own_note(got)?;
    let from = got.signer.clone();
    got.settle(context, move |tx| {
        let learning = learning(&note);
        let said = match wire::text(learning, "type") {
            Some("study:Receipt") => Said::Received,
            Some("study:Refusal") => {
                Said::Refused(text::excerpt(wire::text(learning, "reason").unwrap_or_default(), 500))
            }
            _ => return Err(Error::denied("This is neither a receipt nor a refusal.")),
        };
        task::answered(tx, &from, wire::id(learning, "object").unwrap_or_default(), &said)
    })
    .await
}

/// Takes released reviews and results for work from here: `study:Feedback` or `study:Result`.
pub async fn feedback(context: &Context, got: &Received) -> Result<()> {
    let note = own_note(got)?;
    let from = got.signer.clone();
    got.settle(context, move |tx| {
        let new = read_feedback(tx, &note)?;
        task::feedback_received(tx, &from, &new)
    })
    .await
}

/// Most reviews of one work.
const MOST_REVIEWS: usize = 50;

fn read_feedback(tx: &mut Tx<'_>, note: &Value) -> Result<NewFeedback> {
    let learning = learning(note);
    let uri = wire::id(learning, "submission").unwrap_or_default();
    let known = object::find(tx, uri)?.filter(|known| known.kind == ObjectKind::Submission).ok_or(Error::NotFound)?;
    let submission = SubmissionId(known.local_id);
    let (work, _) = place_of_work(tx, submission)?;
    let author = actor::get(tx, work.author_id)?;
    if !wire::ids(note, "to").contains(&author.uri.as_str()) {
        return Err(Error::denied("The reviews are addressed to somebody else."));
    }
    let mut reviews = Vec::new();
    for (at, review) in wire::objects(learning, "reviews").into_iter().take(MOST_REVIEWS).enumerate() {
        reviews.push(Feedback {
            label: super::super::release::label(at),
            levels: serde_json::to_string(&ratings(review)?)?,
            comment_html: clean(wire::text(review, "comment").unwrap_or_default())?,
        });
    }
    let result = read_result(tx, submission, learning.get("result").unwrap_or(&Value::Null))?;
    Ok(NewFeedback { submission, note_uri: wire::id_of(note).unwrap_or_default().to_owned(), reviews, result })
}

/// The home's figures, checked only for being figures: the home alone decides.
fn read_result(tx: &mut Tx<'_>, submission: SubmissionId, result: &Value) -> Result<StoredResult> {
    let figure = |value: &Value, key: &str| value.get(key).and_then(Value::as_f64).filter(|f| f.is_finite());
    let (work, _) = place_of_work(tx, submission)?;
    let rubric = place(tx, work.assignment_id)?.assignment.rubric()?;
    let criteria = wire::objects(result, "criteria");
    let mut scored = Vec::new();
    for criterion in &rubric.criteria {
        let Some(found) = criteria.iter().find(|one| wire::text(one, "id") == Some(&criterion.id)) else { continue };
        scored.push(score::CriterionScore {
            id: criterion.id.clone(),
            median: figure(found, "median").unwrap_or(0.0),
            mean: figure(found, "mean").unwrap_or(0.0),
            reviews: found.get("reviews").and_then(Value::as_i64).unwrap_or(0).clamp(0, 1000),
            spread: 0.0,
        });
    }
    let state = wire::text(result, "state").and_then(|word| word.parse().ok()).unwrap_or(ResultState::Provisional);
    let (points, max_points) = (figure(result, "points").unwrap_or(0.0), figure(result, "maxPoints").unwrap_or(0.0));
    let document = score::Score { criteria: scored, points, max_points, state };
    Ok(StoredResult {
        submission_id: submission,
        document: serde_json::to_string(&document)?,
        points,
        max_points,
        state,
        override_points: figure(result, "overridePoints"),
        override_reason: text::excerpt(wire::text(result, "reason").unwrap_or_default(), 2000),
        decided_by: None,
        computed_at: tx.now(),
    })
}
