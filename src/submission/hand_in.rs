//! What may be handed in, by whom, and when is it too late?

use super::{HomeAnswer, Revision, Submission, SubmissionState, get, store};
use crate::actor::Actor;
use crate::assignment::{self, Assignment, AssignmentState};
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::enrollment::{self, Enrollment};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::id::{AssignmentId, MediaId, RevisionId, SubmissionId};
use crate::media;
use crate::text;

/// The most files of one version.
pub const MOST_FILES: usize = 10;

/// What somebody hands in.
#[derive(Clone, Debug)]
pub struct Work {
    /// Markdown; empty when it came as HTML.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// Whether only the course and reviewers may see it.
    pub private: bool,
    /// Files that the author brought.
    pub media: Vec<MediaId>,
    /// The id of its Note, when it was written elsewhere.
    pub uri: Option<String>,
    /// When it arrived here: what the deadline goes by, whatever its author says (CRS-10).
    pub received_at: Time,
}

impl Work {
    /// Work written here, in Markdown.
    pub fn written(body_md: &str, private: bool, media: Vec<MediaId>, now: Time) -> Result<Self> {
        let refused = |e| Error::invalid("text", format!("This text cannot be used: {e}."));
        let body_html = text::render(body_md).map_err(refused)?;
        Ok(Self { body_md: body_md.to_owned(), body_html, private, media, uri: None, received_at: now })
    }

    fn check(&self) -> Result<()> {
        let mut problems = Problems::default();
        let has_text = text::has_words(&self.body_html);
        problems.add_if(self.body_md.len() > text::MAX_TEXT_BYTES, "text", "The text has at most 64 KiB.");
        problems.add_if(!has_text && self.media.is_empty(), "text", "Please write something or choose a file.");
        problems.add_if(self.media.len() > MOST_FILES, "files", "Please hand in at most 10 files.");
        problems.check()
    }
}

/// Hands in work at the course's home: the first time as submitted or late, later as a further version. Only learners
/// who take part now; every version is kept. Refused with the reason once the reviewing of it has begun (CRS-08).
/// When it arrived decides, not when it was written (CRS-10): at the deadline itself is in time.
pub fn hand_in(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId, work: Work) -> Result<(SubmissionId, RevisionId)> {
    let assignment = assignment::get(tx, id)?;
    check_may(tx, by, &assignment)?;
    take_in(tx, by, &assignment, work)
}

/// The same when whoever calls has made sure that this person may.
pub(super) fn take_in(
    tx: &mut Tx<'_>,
    by: &Actor,
    assignment: &Assignment,
    work: Work,
) -> Result<(SubmissionId, RevisionId)> {
    if object::is_locked(tx, &assignment.uri)? {
        return Err(Error::denied(CLOSED));
    }
    work.check()?;
    let late = work.received_at > assignment.due_at;
    let old = store::find_of(tx, assignment.id, by.id)?;
    if let Some(old) = &old {
        check_open(old, assignment)?;
    }
    let state = match &old {
        Some(old) if old.state == SubmissionState::Submitted => SubmissionState::Submitted,
        _ if late => SubmissionState::Late,
        _ => SubmissionState::Submitted,
    };
    let (submission, revision) = put(tx, (by, assignment), old, &work, (state, HomeAnswer::Home))?;
    tx.record(Some(by.id), Happened::SubmissionReceived { submission, revision })?;
    Ok((submission, revision))
}

/// Sends work to the home of a mirrored course, which decides; until then it is shown as sent.
pub fn send_in(tx: &mut Tx<'_>, by: &Actor, id: AssignmentId, work: Work) -> Result<(SubmissionId, RevisionId)> {
    let assignment = assignment::get(tx, id)?;
    check_may(tx, by, &assignment)?;
    work.check()?;
    let old = store::find_of(tx, id, by.id)?;
    if let Some(old) = &old {
        check_open(old, &assignment)?;
    }
    let late = work.received_at > assignment.due_at;
    let state = if late { SubmissionState::Late } else { SubmissionState::Submitted };
    let (submission, revision) = put(tx, (by, &assignment), old, &work, (state, HomeAnswer::Sent))?;
    tx.record(Some(by.id), Happened::SubmissionSent { submission, revision })?;
    Ok((submission, revision))
}

const CLOSED: &str = "This assignment is closed for now: it takes no work.";

/// Refuses whoever cannot hand in for this assignment now, with the reason.
pub(super) fn check_may(db: &mut Db, by: &Actor, assignment: &Assignment) -> Result<()> {
    if object::is_locked(db, &assignment.uri)? {
        return Err(Error::denied(CLOSED));
    }
    let place = enrollment::find(db, assignment.cohort_id, by.id)?;
    check_place(by, assignment, place.as_ref())
}

/// The same with this person's place at hand.
pub(super) fn check_place(by: &Actor, assignment: &Assignment, place: Option<&Enrollment>) -> Result<()> {
    by.may_act()?;
    check_takes_work(assignment)?;
    let learns =
        place.is_some_and(|p| p.state == enrollment::EnrollmentState::Active && p.role == enrollment::Role::Learner);
    if learns { Ok(()) } else { Err(Error::denied("Only learners who take part in this run can hand in work.")) }
}

/// Refuses when the assignment takes no work at all.
pub(super) fn check_takes_work(assignment: &Assignment) -> Result<()> {
    match assignment.state {
        AssignmentState::Draft => Err(Error::NotFound),
        AssignmentState::Open | AssignmentState::Review => Ok(()),
        AssignmentState::Released | AssignmentState::Closed => {
            Err(Error::invalid("text", "Nothing more can be handed in: this assignment is over."))
        }
    }
}

fn check_open(old: &Submission, assignment: &Assignment) -> Result<()> {
    let begun = matches!(old.state, SubmissionState::UnderReview | SubmissionState::Released);
    let in_time_under_review = old.state == SubmissionState::Submitted
        && matches!(old.answer, HomeAnswer::Home | HomeAnswer::Received)
        && assignment.state == AssignmentState::Review;
    if begun || in_time_under_review {
        return Err(Error::invalid("text", "Your work is being reviewed, so it can no longer be changed."));
    }
    if old.state == SubmissionState::Voided {
        return Err(Error::denied("The organizers do not count this work any more."));
    }
    Ok(())
}

/// Writes the submission, its new version, its files and its id.
fn put(
    tx: &mut Tx<'_>,
    (by, assignment): (&Actor, &Assignment),
    old: Option<Submission>,
    work: &Work,
    answered: (SubmissionState, HomeAnswer),
) -> Result<(SubmissionId, RevisionId)> {
    let withdrawn = old.as_ref().is_some_and(|old| old.state == SubmissionState::Withdrawn);
    let kept = old.as_ref().filter(|_| !withdrawn).map(|old| old.uri.clone());
    let uri = match work.uri.clone().or(kept) {
        Some(uri) => uri,
        None => tx.links().object(&tx.new_id()),
    };
    let row = store::Row { uri: &uri, private: work.private, state: answered.0, answer: answered.1 };
    let id = match &old {
        Some(old) => store::update(tx, old.id, &row)?,
        None => store::insert(tx, assignment.id, by.id, &row)?,
    };
    know(tx, &uri, id, (by, !work.private))?;
    let number = store::last_number(tx, id)? + 1;
    let late = work.received_at > assignment.due_at;
    let revision = store::insert_revision(tx, id, (number, late), work)?;
    for file in &work.media {
        check_file(tx, *file, (by, id))?;
        media::attach(tx, revision, *file)?;
    }
    Ok((id, revision))
}

/// Refuses files of others, and files that are part of something else already.
fn check_file(tx: &mut Tx<'_>, file: MediaId, (by, id): (&Actor, SubmissionId)) -> Result<()> {
    let mut mine = media::get(tx, file)?.owner_id == by.id;
    for revision in media::revisions_of(tx, file)? {
        mine &= super::revision(tx, revision)?.submission_id == id;
    }
    if mine { Ok(()) } else { Err(Error::denied("A file belongs to something else.")) }
}

/// Makes the id of the Note known; refuses one that stands for something else, or was deleted.
fn know(tx: &mut Tx<'_>, uri: &str, id: SubmissionId, (by, public): (&Actor, bool)) -> Result<()> {
    let new = NewObject { uri, kind: ObjectKind::Submission, local_id: id.0, owner: by.id, public };
    if object::register_new(tx, &new)? {
        return Ok(());
    }
    match object::find(tx, uri)? {
        Some(known) if known.kind == ObjectKind::Submission && known.local_id == id.0 && known.deleted_at.is_none() => {
            Ok(())
        }
        _ => Err(Error::denied("This id stands for something else, or was deleted.")),
    }
}

/// Takes work back. Only its author, and only until its reviewing begins (CRS-08). Its text and files are deleted; that
/// it was there stays known. Gives the names of the files whose bytes are to be removed after the commit.
pub fn withdraw(tx: &mut Tx<'_>, by: &Actor, id: SubmissionId) -> Result<Vec<String>> {
    let old = get(tx, id)?;
    if old.author_id != by.id {
        return Err(Error::NotFound);
    }
    by.may_act()?;
    if old.state == SubmissionState::Withdrawn {
        return Ok(Vec::new());
    }
    let assignment = assignment::get(tx, old.assignment_id)?;
    check_open(&old, &assignment)?;
    let mut files = Vec::new();
    for revision in store::revisions(tx, id)? {
        files.extend(media::list_of(tx, revision.id)?);
    }
    media::forget(tx, &files.iter().map(|file| file.id).collect::<Vec<_>>())?;
    store::withdraw(tx, id)?;
    for uri in store::uris_of(tx, id)? {
        object::bury(tx, &uri)?;
    }
    tx.record(Some(by.id), Happened::SubmissionWithdrawn(id))?;
    Ok(files.into_iter().map(|file| file.public_id).collect())
}

/// What the home of a mirrored course said to work from here.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It has this version.
    Received {
        /// Whether it came after the deadline.
        late: bool,
        /// When it came there.
        received_at: Time,
    },
    /// It refused it, for this reason.
    Refused(String),
}

/// Takes over what the home said. Only the bot of that very course may say it; of versions that wait, the last is meant.
pub fn answered(tx: &mut Tx<'_>, by: &Actor, id: SubmissionId, answer: &Answer) -> Result<()> {
    let submission = get(tx, id)?;
    if !super::is_bot_of(tx, by, &submission)? {
        return Err(Error::denied("Only the course to which the work was sent can answer for it."));
    }
    if submission.answer == HomeAnswer::Home || submission.state == SubmissionState::Withdrawn {
        return Err(Error::denied("Nothing waits for an answer here."));
    }
    let last: Revision = store::last_revision(tx, id)?.ok_or(Error::NotFound)?;
    match answer {
        Answer::Received { late, received_at } => {
            store::set_receipt(tx, last.id, *late, *received_at)?;
            let in_time = store::revisions(tx, id)?.iter().any(|revision| !revision.late);
            let state = match assignment::get(tx, submission.assignment_id)?.state {
                AssignmentState::Open if in_time => SubmissionState::Submitted,
                AssignmentState::Open => SubmissionState::Late,
                // The home takes what it gets now into reviewing at once, late or not.
                _ => SubmissionState::UnderReview,
            };
            store::set_answer(tx, id, (HomeAnswer::Received, ""))?;
            store::set_state(tx, id, state)?;
        }
        Answer::Refused(reason) => {
            store::set_answer(tx, id, (HomeAnswer::Refused, text::truncate(reason, 500)))?;
        }
    }
    tx.record(Some(by.id), Happened::SubmissionAnswered(id))
}
