//! What was done to keep the school safe, by whom and why? Written from what happened, and never changed.

use super::{Act, PAGE, ReportState, Ruling, get, reach, store};
use crate::actor::{self, Actor};
use crate::assignment;
use crate::course;
use crate::db::{Db, Tx};
use crate::discussion;
use crate::error::Result;
use crate::event::{Event, Happened};
use crate::federation::object::{self, ObjectKind};
use crate::id::{ActorId, AssignmentId, CourseId, PostId};

/// A line of the log, with the people and the course that it names.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line.
    pub ruling: Ruling,
    /// Who did it.
    pub by: Option<Actor>,
    /// To whom.
    pub subject: Option<Actor>,
    /// The Group of the course in which it was done.
    pub group: Option<Actor>,
}

/// A page of the log that this person may see, latest first; pages count from 1. One row more than [`PAGE`] when there
/// is a next page.
pub fn list_rulings(db: &mut Db, by: &Actor, page: i64) -> Result<Vec<Line>> {
    let reach = reach(db, by)?;
    let rows = store::rulings(db, &reach, (PAGE + 1, (page.max(1) - 1) * PAGE))?;
    rows.into_iter().map(|ruling| line(db, ruling)).collect()
}

fn line(db: &mut Db, ruling: Ruling) -> Result<Line> {
    let by = ruling.by_id.map(|id| actor::get(db, id)).transpose()?;
    let subject = ruling.subject_id.map(|id| actor::get(db, id)).transpose()?;
    let group = match ruling.course_id {
        Some(id) => {
            let group = course::get(db, id)?.actor_id;
            Some(actor::get(db, group)?)
        }
        None => None,
    };
    Ok(Line { ruling, by, subject, group })
}

/// A line to be written.
#[derive(Default)]
pub(super) struct NewLine {
    pub(super) course: Option<CourseId>,
    pub(super) subject: Option<ActorId>,
    pub(super) link: String,
    pub(super) reason: String,
}

/// Follows from every event: acts of moderation get their line. What a mirrored course's home decided stands in its own
/// log, and not in ours.
pub fn keep_log(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    let found = match &event.what {
        Happened::PostDeleted(id) => removed(tx, *id)?,
        Happened::PostRestored(id) => Some((Act::Restored, about_post(tx, *id)?)),
        Happened::Banned { course, whom, .. } => {
            let reason = course::ban::find_ban(tx, *course, *whom)?.map(|ban| ban.reason).unwrap_or_default();
            Some((Act::Banned, on_course(tx, *course, Some(*whom), reason)?))
        }
        Happened::Unbanned { course, whom, .. } => {
            Some((Act::Unbanned, on_course(tx, *course, Some(*whom), String::new())?))
        }
        Happened::Locked { uri, course, locked } => {
            let act = if *locked { Act::Locked } else { Act::Unlocked };
            let link = path_of(tx, uri)?;
            Some((act, NewLine { course: Some(*course), link, ..NewLine::default() }))
        }
        Happened::Pinned { uri, course, pinned } => {
            let act = if *pinned { Act::Pinned } else { Act::Unpinned };
            let link = path_of(tx, uri)?;
            Some((act, NewLine { course: Some(*course), link, ..NewLine::default() }))
        }
        Happened::OrganizersChanged { course, whom, added } => {
            let act = if *added { Act::Appointed } else { Act::Relieved };
            Some((act, on_course(tx, *course, Some(*whom), String::new())?))
        }
        other => of_instance(tx, other)?,
    };
    let Some((act, line)) = found else { return Ok(()) };
    let foreign = match line.course {
        Some(id) => {
            let group = course::get(tx, id)?.actor_id;
            !actor::get(tx, group)?.here
        }
        None => false,
    };
    if foreign { Ok(()) } else { store::insert_ruling(tx, event.by, act, &line) }
}

fn of_instance(tx: &mut Tx<'_>, what: &Happened) -> Result<Option<(Act, NewLine)>> {
    let person = |subject: ActorId, link: String| NewLine { subject: Some(subject), link, ..NewLine::default() };
    Ok(match what {
        Happened::AccountSuspended(id) | Happened::AccountRestored(id) => {
            let act = if matches!(what, Happened::AccountSuspended(_)) { Act::Suspended } else { Act::Reinstated };
            let whom = crate::account::get(tx, *id)?.actor_id;
            Some((act, person(whom, format!("/admin/accounts/{}", id.0))))
        }
        Happened::ActorStopped { whom, stopped } => {
            let act = if *stopped { Act::Suspended } else { Act::Reinstated };
            let path = actor::get(tx, *whom)?.path();
            Some((act, person(*whom, path)))
        }
        Happened::ReportDecided(id) => {
            let report = get(tx, *id)?;
            let act = if report.state == ReportState::Open { Act::Reopened } else { Act::Decided };
            let reason = report.decision.map(|decision| decision.to_string()).unwrap_or_default();
            let (course, link) = (report.course_id, report.path());
            Some((act, NewLine { course, subject: Some(report.accused_id), link, reason }))
        }
        Happened::ReportForwarded(id) => {
            let report = get(tx, *id)?;
            let (course, link) = (report.course_id, report.path());
            let (subject, reason) = (Some(report.accused_id), report.forwarded_text);
            Some((Act::Forwarded, NewLine { course, subject, link, reason }))
        }
        _ => None,
    })
}

/// A post was taken away; nothing when its author deleted it.
fn removed(tx: &mut Tx<'_>, id: PostId) -> Result<Option<(Act, NewLine)>> {
    let removed = discussion::get(tx, id)?.is_removed();
    Ok(if removed { Some((Act::Removed, about_post(tx, id)?)) } else { None })
}

fn about_post(tx: &mut Tx<'_>, id: PostId) -> Result<NewLine> {
    let post = discussion::get(tx, id)?;
    let link = if post.is_removed() { format!("{}/removed", post.path()) } else { post.path() };
    Ok(NewLine { course: Some(post.course_id), subject: Some(post.author_id), link, reason: post.removal })
}

fn on_course(tx: &mut Tx<'_>, id: CourseId, subject: Option<ActorId>, reason: String) -> Result<NewLine> {
    let group = course::get(tx, id)?.actor_id;
    let link = format!("{}/moderation", actor::get(tx, group)?.path());
    Ok(NewLine { course: Some(id), subject, link, reason })
}

/// The page of a post or assignment.
fn path_of(tx: &mut Tx<'_>, uri: &str) -> Result<String> {
    let Some(known) = object::find(tx, uri)? else { return Ok(String::new()) };
    Ok(match known.kind {
        ObjectKind::Post => discussion::get(tx, PostId(known.local_id))?.path(),
        ObjectKind::Assignment => assignment::get(tx, AssignmentId(known.local_id))?.path(),
        _ => String::new(),
    })
}
