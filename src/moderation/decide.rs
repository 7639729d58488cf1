//! What becomes of a report?

use super::{Case, Decision, Report, ReportState, TEXT, case, get, may_handle, store};
use crate::account::{self, AccountState};
use crate::actor::{self, Actor, ActorState};
use crate::course::{
    self,
    ban::{self, Term},
};
use crate::db::Tx;
use crate::discussion::{self, Post};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::ReportId;
use crate::note::{self, Note};
use crate::notice;
use crate::review::desk::paragraphs;
use crate::text;

fn handled(tx: &mut Tx<'_>, by: &Actor, id: ReportId) -> Result<Case> {
    let report = get(tx, id)?;
    may_handle(tx, by, &report)?;
    case(tx, report)
}

/// Takes a report on, or gives it back when one has it already. Those who [`may_handle`] may.
pub fn assign(tx: &mut Tx<'_>, by: &Actor, id: ReportId) -> Result<()> {
    let report = handled(tx, by, id)?.report;
    let whom = (report.assignee_id != Some(by.id)).then_some(by.id);
    store::assign(tx, id, whom)
}

/// Writes a remark that only those see who may look after the report.
pub fn add_note(tx: &mut Tx<'_>, by: &Actor, id: ReportId, text: &str) -> Result<()> {
    handled(tx, by, id)?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT {
        return Err(Error::invalid("note", "Please write something, at most 5000 characters."));
    }
    store::insert_remark(tx, id, by.id, text)
}

/// Decides an open report and does what was decided. Those who [`may_handle`] may; suspending is for moderators of the
/// instance. `reason` is what the accused is told, `answer` what the reporter is told.
pub fn decide(tx: &mut Tx<'_>, by: &Actor, id: ReportId, what: Decision, words: (&str, &str)) -> Result<()> {
    let case = handled(tx, by, id)?;
    let (reason, answer) = words;
    if !case.report.is_open() {
        return Err(Error::Conflict("This report was decided in the meantime.".into()));
    }
    if what != Decision::Dismiss && reason.trim().is_empty() {
        return Err(Error::invalid("reason", "Please say why: whom it concerns is told."));
    }
    match what {
        Decision::Dismiss => {}
        Decision::Remove => {
            for post in posts(tx, &case.report)? {
                discussion::delete(tx, by, post.id, reason)?;
            }
        }
        Decision::Ban => {
            let (course, _) = case.course.as_ref().ok_or_else(|| Error::denied("It happened in no course."))?;
            let term = Term { reason: reason.to_owned(), removes: true, ..Term::default() };
            ban::ban(tx, by, course, &case.accused, &term).map(drop)?;
        }
        Decision::Suspend => stop(tx, by, &case.accused, true)?,
    }
    let answer = if case.is_answered() { answer } else { "" };
    let state = if what == Decision::Dismiss { ReportState::Dismissed } else { ReportState::Resolved };
    store::decide(tx, id, state, Some(what), &text::excerpt(answer, 1000))?;
    tx.record(Some(by.id), Happened::ReportDecided(id))
}

/// Takes a decision back, with all that was done by it, and opens the report again.
pub fn undo(tx: &mut Tx<'_>, by: &Actor, id: ReportId) -> Result<()> {
    let case = handled(tx, by, id)?;
    match case.report.decision {
        None => return Err(Error::Conflict("This report is open.".into())),
        Some(Decision::Dismiss) => {}
        Some(Decision::Remove) => restore(tx, by, &case.report)?,
        Some(Decision::Ban) => {
            if let Some((course, _)) = &case.course {
                ban::unban(tx, by, course, case.accused.id)?;
            }
        }
        Some(Decision::Suspend) => stop(tx, by, &case.accused, false)?,
    }
    store::decide(tx, id, ReportState::Open, None, "")?;
    tx.record(Some(by.id), Happened::ReportDecided(id))
}

fn restore(tx: &mut Tx<'_>, by: &Actor, report: &Report) -> Result<()> {
    for post in posts(tx, report)? {
        discussion::restore(tx, by, post.id)?;
    }
    Ok(())
}

/// The reported posts that are known here.
fn posts(tx: &mut Tx<'_>, report: &Report) -> Result<Vec<Post>> {
    let mut found = Vec::new();
    for piece in store::evidence(tx, report.id)? {
        found.extend(discussion::find_by_uri(tx, &piece.uri)?);
    }
    if found.is_empty() {
        return Err(Error::denied("No reported post is known here."));
    }
    Ok(found)
}

/// Stops an account here, or somebody elsewhere: nothing of them is accepted any more.
fn stop(tx: &mut Tx<'_>, by: &Actor, whom: &Actor, stopped: bool) -> Result<()> {
    account::may_moderate(tx, by)?;
    if whom.here {
        let account = account::find_by_actor(tx, whom.id)?;
        let account = account.ok_or_else(|| Error::denied("Only people can be suspended."))?;
        return match (stopped, account.state) {
            (true, _) => account::suspend(tx, by, account.id),
            (false, AccountState::Suspended) => account::restore(tx, by, account.id),
            (false, _) => Ok(()),
        };
    }
    if matches!(whom.state, ActorState::Gone | ActorState::Blocked) {
        return Ok(());
    }
    let state = if stopped { ActorState::Suspended } else { ActorState::Active };
    actor::move_to(tx, whom.id, state)?;
    tx.record(Some(by.id), Happened::ActorStopped { whom: whom.id, stopped })
}

/// Passes a report on to the server of the accused, in the words of who decides about it and without any about who
/// complained. Once. Those who [`may_handle`] may.
pub fn forward(tx: &mut Tx<'_>, by: &Actor, id: ReportId, words: &str) -> Result<()> {
    let case = handled(tx, by, id)?;
    if case.accused.here {
        return Err(Error::denied("The accused is at home here."));
    }
    if case.report.forwarded_at.is_some() {
        return Err(Error::Conflict("It was passed on already.".into()));
    }
    let words = words.trim();
    if words.is_empty() || words.chars().count() > TEXT {
        return Err(Error::invalid("words", "Please say what the other moderators should know."));
    }
    store::mark_forwarded(tx, id, words)?;
    tx.record(Some(by.id), Happened::ReportForwarded(id))
}

/// Tells the reporter what became of it: in a notice, or by a note of the course's bot to somebody elsewhere.
pub fn tell_decided(tx: &mut Tx<'_>, id: ReportId) -> Result<()> {
    let case = {
        let report = get(tx, id)?;
        case(tx, report)?
    };
    let text = match case.report.state {
        ReportState::Open => return Ok(()),
        ReportState::Dismissed => "We looked at your report and left things as they are.",
        ReportState::Resolved => "We looked at your report and did something about it. Thank you.",
    };
    let text = format!("{text} {}", case.report.answer);
    match &case.course {
        Some((course, _)) if !case.reporter.here && case.is_answered() => {
            let writer = course::writer(tx, course)?;
            let html = paragraphs(text.trim());
            let note = Note { about: "other", html, in_reply_to: case.report.uri.as_deref(), ..Note::default() };
            note::write(tx, &writer, &case.reporter, note).map(drop)
        }
        _ => notice::tell(tx, &[case.reporter.id], "report", text.trim(), "/rules"),
    }
}
