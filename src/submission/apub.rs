//! How does work come in from other servers, how is it answered, and how is ours sent to the home of a course?

mod files;

use super::note::{self as own, ReadNote, Sent};
use super::{Arrival, HomeAnswer, Submission, Work, get, hand_in, place, revision};
use crate::actor::{self, Actor};
use crate::assignment::{self, Assignment, due};
use crate::cohort::{Cohort, Enrolling};
use crate::course;
use crate::db::{Db, Tx};
use crate::enrollment::{self, Ask, Enrollment, EnrollmentState};
use crate::error::{Error, Result};
use crate::federation::object::{self, Known, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, wire};
use crate::id::{RevisionId, SubmissionId};
use crate::link::Links;
use crate::media::{self, Kept};
use crate::note::{self, Note};
use serde_json::{Value, json};

/// Whether a document is work handed in by our own kind.
pub fn is_submission(document: &Value) -> bool {
    own::is_submission(document)
}

/// Whether a document is the answer of a course to work, or to a review, that was sent to it; `about` gives which.
pub fn is_answer(document: &Value) -> bool {
    own::read_answer(document).is_some()
}

/// The id of what an answer is about.
pub fn about(document: &Value) -> Option<String> {
    own::read_answer(document).map(|answer| answer.about)
}

/// Sends a version of somebody's work to the course's home, to the course alone.
pub fn send(tx: &mut Tx<'_>, id: SubmissionId, version: RevisionId) -> Result<()> {
    let (submission, revision) = (get(tx, id)?, revision(tx, version)?);
    let (assignment, course) = place(tx, &submission)?;
    let (author, course) = (actor::get(tx, submission.author_id)?, actor::get(tx, course.actor_id)?);
    let files = media::list_of(tx, revision.id)?;
    let sent = Sent {
        submission: &submission,
        revision: &revision,
        files: &files,
        author: &author,
        assignment: &assignment,
        course: &course,
    };
    let document = own::note(&sent, tx.links());
    let kind = if revision.number == 1 { "Create" } else { "Update" };
    let uri = tx.links().activity(&tx.new_id());
    let mut activity = wire::activity(kind, &uri, &author.uri, std::slice::from_ref(&course.uri), &[], document);
    if let Some(fields) = activity.as_object_mut() {
        fields.insert("published".into(), tx.now().rfc3339().into());
    }
    outbox::send(tx, &author, &activity, &submission.uri, &Audience::people([&course]))?;
    Ok(())
}

/// The document of work that was sent from here, for the course that it was sent to: for `/o/{id}`. Work whose home is
/// here has none: it is not ours to show by its id.
pub fn object(db: &mut Db, known: &Known) -> Result<Option<Value>> {
    if known.kind != ObjectKind::Submission {
        return Ok(None);
    }
    let submission = get(db, SubmissionId(known.local_id))?;
    let last = super::last_revision(db, submission.id)?;
    let (Some(revision), Ok(base)) = (last, url::Url::parse(&submission.uri)) else { return Ok(None) };
    if submission.answer == HomeAnswer::Home {
        return Ok(None);
    }
    let (assignment, course) = place(db, &submission)?;
    let sent = Sent {
        files: &media::list_of(db, revision.id)?,
        author: &actor::get(db, submission.author_id)?,
        course: &actor::get(db, course.actor_id)?,
        submission: &submission,
        revision: &revision,
        assignment: &assignment,
    };
    Ok(Some(own::note(&sent, &Links::new(&base))))
}

/// Takes work back at the course's home, when it was sent there (AP 6.4).
pub fn send_withdrawal(tx: &mut Tx<'_>, id: SubmissionId) -> Result<()> {
    let submission = get(tx, id)?;
    let (author, (_, course)) = (actor::get(tx, submission.author_id)?, place(tx, &submission)?);
    let course = actor::get(tx, course.actor_id)?;
    if course.here || !author.here {
        return Ok(());
    }
    let tombstone = json!({"id": submission.uri, "type": "Tombstone", "formerType": "Note",
        "deleted": tx.now().rfc3339()});
    let uri = tx.links().activity(&tx.new_id());
    let activity = wire::activity("Delete", &uri, &author.uri, std::slice::from_ref(&course.uri), &[], tombstone);
    outbox::send(tx, &author, &activity, &submission.uri, &Audience::people([&course]))?;
    Ok(())
}

/// Answers to who handed in from elsewhere: a Like, which every software shows, and a note that says what was received.
/// Both once for each version.
pub fn answer(tx: &mut Tx<'_>, arrival: &Arrival) -> Result<()> {
    let Arrival { submission, revision, author, assignment, course } = arrival;
    if author.here {
        return Ok(());
    }
    let writer = course::writer(tx, course)?;
    let to = [author.uri.clone()];
    let like = tx.links().activity(&tx.new_id());
    let like = wire::activity("Like", &like, &writer.bot.uri, &to, &[], submission.uri.clone().into());
    outbox::send(tx, &writer.bot, &like, &submission.uri, &Audience::people([author]))?;
    let late = if revision.late { ", after the deadline" } else { "" };
    let html = format!(
        "<p>Received: version {} of your work for “{}”, {}{late}.</p><p>Until {} you can edit it, or delete it to take \
         it back.</p>",
        revision.number,
        escape(&assignment.title),
        due::in_utc(revision.received_at),
        due::in_utc(assignment.due_at),
    );
    let receipt = Note {
        about: "receipt",
        once_key: Some(format!("receipt:{}", revision.id.0)),
        html,
        in_reply_to: Some(&submission.uri),
        learning: Some(json!({"type": "study:Receipt", "object": submission.uri, "revision": revision.number,
            "late": revision.late, "receivedAt": revision.received_at.rfc3339()})),
        ..Note::default()
    };
    note::write(tx, &writer, author, receipt)?;
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Says to who tried to hand in why it was not taken. `once` is the activity, so that it is said once.
fn refuse(tx: &mut Tx<'_>, to: &Actor, assignment: &Assignment, (uri, once, reason): (&str, &str, &str)) -> Result<()> {
    let (_, course) = assignment::place(tx, assignment)?;
    let writer = course::writer(tx, &course)?;
    let html = format!("<p>Your work for “{}” was not taken. {}</p>", escape(&assignment.title), escape(reason));
    let refusal = Note {
        about: "refusal",
        once_key: Some(format!("refusal:{once}")),
        html,
        in_reply_to: Some(uri),
        learning: Some(json!({"type": "study:Refusal", "object": uri, "reason": reason})),
        ..Note::default()
    };
    note::write(tx, &writer, to, refusal)?;
    Ok(())
}

/// `Create{Note}` with `learning` of type `oer:Submission`: somebody on an instance of our own kind hands in. What is
/// known by its id is not handed in a second time: its Update was faster.
pub async fn create(context: &Context, got: &Received) -> Result<()> {
    let note = own::read(got.object())?;
    if find(context, &note.uri).await?.is_some_and(|(known, _)| known.owner_id == got.signer.id) {
        return got.settle(context, |_| Ok(())).await;
    }
    receive(context, got, note).await
}

/// `Create{Note}` in reply to an assignment, from any other software: that is how one hands in there.
pub async fn reply(context: &Context, got: &Received) -> Result<()> {
    create(context, got).await
}

/// `Update{Note}`: a further version. Work that is not known yet, because its Create was refused or is still under way,
/// is handed in by it. Only the author's own (CRS-07).
pub async fn update(context: &Context, got: &Received) -> Result<()> {
    let note = own::read(got.object())?;
    if let Some((known, submission)) = find(context, &note.uri).await? {
        if known.owner_id != got.signer.id || submission.author_id != got.signer.id {
            return Err(Error::denied("The work is somebody else's."));
        }
        let (html, id) = (note.html.clone(), submission.id);
        let app = context.app_data();
        let same =
            app.look_up(move |db| Ok(super::last_revision(db, id)?.is_some_and(|r| r.body_html == html))).await?;
        if same && note.files.is_empty() {
            // Microblogs send an Update for much that is no edit.
            return got.settle(context, |_| Ok(())).await;
        }
    }
    receive(context, got, note).await
}

/// `Delete` of a Note that is work handed in: its author takes it back.
pub async fn delete(context: &Context, got: &Received) -> Result<()> {
    let uri = wire::id(&got.activity, "object").unwrap_or_default();
    let (known, submission) = find(context, uri).await?.ok_or(Error::NotFound)?;
    if known.owner_id != got.signer.id {
        return Err(Error::denied("The work is somebody else's."));
    }
    let (by, id) = (got.signer.clone(), submission.id);
    let result = got.settle(context, move |tx| super::withdraw(tx, &by, id)).await;
    match result {
        Ok(files) => {
            media::remove(&context.app_data().config().server.data, &files);
            Ok(())
        }
        Err(error) => {
            let id = submission.assignment_id;
            let assignment = context.app_data().look_up(move |db| assignment::get(db, id)).await?;
            Err(say(context, got, (&assignment.uri, uri), error).await?)
        }
    }
}

/// A Receipt or a Refusal of the home of a mirrored course, about work from here.
pub async fn answered(context: &Context, got: &Received) -> Result<()> {
    let answer = own::read_answer(got.object()).ok_or_else(|| Error::denied("This is no answer to work."))?;
    if wire::id(got.object(), "attributedTo") != Some(got.signer.uri.as_str()) {
        return Err(Error::denied("An answer is written by who sends it."));
    }
    let (_, submission) = find(context, &answer.about).await?.ok_or(Error::NotFound)?;
    let by = got.signer.clone();
    got.settle(context, move |tx| super::answered(tx, &by, submission.id, &answer.answer)).await
}

async fn find(context: &Context, uri: &str) -> Result<Option<(Known, Submission)>> {
    let uri = uri.to_owned();
    let app = context.app_data();
    app.look_up(move |db| {
        let known = object::find(db, &uri)?.filter(|known| known.kind == ObjectKind::Submission);
        let Some(known) = known else { return Ok(None) };
        let submission = get(db, SubmissionId(known.local_id))?;
        Ok(Some((known, submission)))
    })
    .await
}

async fn receive(context: &Context, got: &Received, note: ReadNote) -> Result<()> {
    if note.author != got.signer.uri {
        return Err(Error::denied("Work is handed in by its author."));
    }
    let result = match files_of(context, got, &note).await {
        Ok(files) => {
            let names: Vec<String> = files.iter().map(|file| file.public_id.clone()).collect();
            let result = settle(context, got, &note, files).await;
            if result.is_err() {
                files::discard(context.app_data(), names).await;
            }
            result
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(say(context, got, (&note.assessing, &note.uri), error).await?),
    }
}

/// The assignment of this id with its run, when its course is here.
fn asked_here(db: &mut Db, uri: &str, links: &Links) -> Result<(Assignment, Cohort)> {
    if !links.is_ours(uri) {
        return Err(Error::NotFound);
    }
    let assignment = assignment::find_by_uri(db, uri)?.ok_or(Error::NotFound)?;
    let (cohort, _) = assignment::place(db, &assignment)?;
    Ok((assignment, cohort))
}

/// Fetches what is attached; nothing for who cannot hand in anyway.
async fn files_of(context: &Context, got: &Received, note: &ReadNote) -> Result<Vec<Kept>> {
    if note.files.is_empty() {
        return Ok(Vec::new());
    }
    let app = context.app_data();
    let (uri, by, links) = (note.assessing.clone(), got.signer.clone(), app.links().clone());
    let room = app.look_up(move |db| {
        let (assignment, cohort) = asked_here(db, &uri, &links)?;
        may_bring(db, &by, &assignment, &cohort)?;
        media::room(db, &by)
    });
    files::download(context, &note.files, room.await?).await
}

/// Whether it makes sense to fetch files for this person: nothing is fetched for strangers.
fn may_bring(db: &mut Db, by: &Actor, assignment: &Assignment, cohort: &Cohort) -> Result<()> {
    let place = enrollment::find(db, cohort.id, by.id)?;
    if is_admissible(cohort, place.as_ref()) {
        by.may_act()?;
        return hand_in::check_takes_work(assignment);
    }
    hand_in::check_place(by, assignment, place.as_ref())
}

/// Whether handing in gives this person a place: a run that takes everyone, and nobody who was removed or declined.
fn is_admissible(cohort: &Cohort, place: Option<&Enrollment>) -> bool {
    let open = cohort.enrolling == Enrolling::Open && cohort.takes_people();
    open && place.is_none_or(|place| place.state == EnrollmentState::Left)
}

async fn settle(context: &Context, got: &Received, note: &ReadNote, files: Vec<Kept>) -> Result<()> {
    let (by, note, received_at) = (got.signer.clone(), note.clone(), got.received_at);
    got.settle(context, move |tx| {
        let links = tx.links();
        let (assignment, cohort) = asked_here(tx, &note.assessing, links)?;
        let mut place = enrollment::find(tx, cohort.id, by.id)?;
        if is_admissible(&cohort, place.as_ref()) {
            let new = enrollment::enroll(tx, &by, cohort.id, &Ask::default())?;
            if new.state != EnrollmentState::Active {
                return Err(Error::denied("No seat is free in this run, so work cannot be handed in."));
            }
            place = Some(new);
        }
        hand_in::check_place(&by, &assignment, place.as_ref())?;
        let mut kept = Vec::new();
        for file in &files {
            kept.push(media::keep(tx, &by, file)?);
        }
        let work = Work {
            body_md: String::new(),
            body_html: note.html,
            private: note.private,
            media: kept,
            uri: Some(note.uri),
            received_at,
        };
        hand_in::take_in(tx, &by, &assignment, work).map(|_| ())
    })
    .await
}

/// Says a refusal to who tried, and gives the error back so that the inbox keeps the reason. What may succeed later is
/// not said.
async fn say(context: &Context, got: &Received, (assessing, uri): (&str, &str), error: Error) -> Result<Error> {
    let reason = match &error {
        Error::Denied(refused) => refused.to_string(),
        Error::Invalid(problems) => problems.iter().map(|(_, text)| text).collect::<Vec<_>>().join(" "),
        _ => return Ok(error),
    };
    let once = wire::text(&got.activity, "id").unwrap_or_default().to_owned();
    let (to, assessing, uri) = (got.signer.clone(), assessing.to_owned(), uri.to_owned());
    let app = context.app_data();
    app.write(move |tx| {
        let assignment = assignment::find_by_uri(tx, &assessing)?.ok_or(Error::NotFound)?;
        refuse(tx, &to, &assignment, (&uri, &once, &reason))
    })
    .await?;
    Ok(error)
}
