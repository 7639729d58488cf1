//! How does somebody complain?

use super::{Category, OBJECTS, Report, TEXT, get, store};
use crate::actor::{self, Actor, ActorKind};
use crate::assignment::{self, AssignmentState};
use crate::clock::Time;
use crate::course;
use crate::db::{Db, Tx};
use crate::discussion;
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::federation::object;
use crate::id::{ActorId, AssignmentId, CourseId, ReportId, SubmissionId};
use crate::notice;
use crate::submission;
use std::time::Duration;

/// What a complaint is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A post in a discussion.
    Post(crate::id::PostId),
    /// An assignment.
    Assignment(AssignmentId),
    /// Work that was handed in.
    Submission(SubmissionId),
    /// A person, or a course by its Group.
    Actor(ActorId),
}

/// A complaint to be made.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// About what; the first decides who is accused.
    pub about: Vec<About>,
    /// What kind.
    pub category: Category,
    /// What the reporter says.
    pub text: String,
    /// The id of the Flag, when it came from elsewhere.
    pub uri: Option<String>,
    /// How many reports the same reporter may make in an hour, and all of one other server together.
    pub hourly: (u32, u32),
}

const HOUR: Duration = Duration::from_secs(3600);

/// Makes a report: whoever may act may, about what they can see. What is complained of is kept as it is now. The same
/// complaint of the same reporter is not made twice while the first is open: that one is given back.
pub fn report(tx: &mut Tx<'_>, by: &Actor, new: &NewReport) -> Result<Report> {
    by.may_act()?;
    if let Some(known) = new.uri.as_deref().map(|uri| store::find_by_uri(tx, uri)).transpose()?.flatten() {
        return Ok(known);
    }
    let text = check_text(by, new)?;
    let subject = subject(tx, by, &new.about)?;
    if let Some(known) = store::find_open(tx, by.id, &subject.uri, by.here, &text)? {
        return Ok(known);
    }
    check_number(tx, by, new.hourly)?;
    let row = store::NewRow { reporter: by.id, subject: &subject, category: new.category, text: &text };
    let report = store::insert(tx, row, new.uri.as_deref())?;
    for piece in &subject.pieces {
        store::insert_evidence(tx, report.id, piece)?;
    }
    metrics::counter!("hedgeschool_reports_total").increment(1);
    tx.record(Some(by.id), Happened::ReportMade(report.id))?;
    Ok(report)
}

fn check_number(tx: &mut Tx<'_>, by: &Actor, (of_one, of_host): (u32, u32)) -> Result<()> {
    let since = tx.now().minus(HOUR);
    let refused = if store::count_by(tx, by.id, since)? >= i64::from(of_one) {
        "person"
    } else if !by.here && store::count_of_host(tx, &by.host, since)? >= i64::from(of_host) {
        "host"
    } else {
        return Ok(());
    };
    metrics::counter!("hedgeschool_reports_refused_total", "of" => refused).increment(1);
    Err(Error::TooMany(HOUR))
}

fn check_text(by: &Actor, new: &NewReport) -> Result<String> {
    let text = new.text.trim();
    let mut problems = Problems::default();
    let long = text.chars().count() > TEXT;
    problems.add_if(by.here && text.is_empty(), "text", "Please say in a few words what is wrong.");
    problems.add_if(by.here && long, "text", "Please use at most 5000 characters.");
    problems.check()?;
    Ok(text.chars().take(TEXT).collect())
}

/// Who is accused, of what, and where it happened.
pub(super) struct Subject {
    pub(super) accused: ActorId,
    pub(super) uri: String,
    pub(super) course: Option<CourseId>,
    pub(super) pieces: Vec<Piece>,
}

/// What was complained of, as it is now.
pub(super) struct Piece {
    pub(super) uri: String,
    pub(super) title: String,
    pub(super) html: String,
    pub(super) published_at: Option<Time>,
}

fn subject(db: &mut Db, by: &Actor, about: &[About]) -> Result<Subject> {
    let mut found: Option<Subject> = None;
    for one in about.iter().take(OBJECTS) {
        let next = match one {
            About::Post(id) => of_post(db, *id)?,
            About::Assignment(id) => of_assignment(db, *id)?,
            About::Submission(id) => of_submission(db, by, *id)?,
            About::Actor(id) => of_actor(db, *id)?,
        };
        match &mut found {
            // A post says more than its author alone.
            Some(first) if first.accused == next.accused => {
                if first.course.is_none() {
                    (first.course, first.uri) = (next.course, next.uri);
                }
                first.pieces.extend(next.pieces);
            }
            Some(_) => {}
            None => found = Some(next),
        }
    }
    let found = found.ok_or_else(|| Error::denied("The report is about nothing that is known here."))?;
    if found.accused == by.id {
        return Err(Error::denied("Nobody can report themselves. You can delete your own posts."));
    }
    Ok(found)
}

fn of_post(db: &mut Db, id: crate::id::PostId) -> Result<Subject> {
    let post = discussion::get(db, id)?;
    if post.is_deleted() {
        return Err(Error::NotFound);
    }
    let piece =
        Piece { uri: post.uri.clone(), title: post.title, html: post.body_html, published_at: Some(post.published_at) };
    Ok(Subject { accused: post.author_id, uri: post.uri, course: Some(post.course_id), pieces: vec![piece] })
}

fn of_assignment(db: &mut Db, id: AssignmentId) -> Result<Subject> {
    let asked = assignment::get(db, id)?;
    if asked.state == AssignmentState::Draft {
        return Err(Error::NotFound);
    }
    let (_, course) = assignment::place(db, &asked)?;
    let piece =
        Piece { uri: asked.uri.clone(), title: asked.title, html: asked.body_html, published_at: asked.opened_at };
    Ok(Subject { accused: asked.author_id, uri: asked.uri, course: Some(course.id), pieces: vec![piece] })
}

fn of_submission(db: &mut Db, by: &Actor, id: SubmissionId) -> Result<Subject> {
    let work = submission::get(db, id)?;
    if !object::find(db, &work.uri)?.is_some_and(|known| known.public) {
        submission::may_see(db, by, &work)?;
    }
    let (asked, course) = submission::place(db, &work)?;
    let version = submission::last_revision(db, id)?.ok_or(Error::NotFound)?;
    let (html, at) = (version.body_html, Some(version.received_at));
    let piece = Piece { uri: work.uri.clone(), title: asked.title, html, published_at: at };
    Ok(Subject { accused: work.author_id, uri: work.uri, course: Some(course.id), pieces: vec![piece] })
}

fn of_actor(db: &mut Db, id: ActorId) -> Result<Subject> {
    let who = actor::get(db, id)?;
    let course = match who.kind {
        ActorKind::Course => course::find_by_actor(db, id)?.map(|course| course.id),
        _ => None,
    };
    let piece = Piece { uri: who.uri.clone(), title: who.name, html: who.summary, published_at: None };
    Ok(Subject { accused: who.id, uri: who.uri, course, pieces: vec![piece] })
}

/// Tells those who may look after a new report. Its text and the reporter stand on its page alone.
pub fn tell_made(tx: &mut Tx<'_>, id: ReportId) -> Result<()> {
    let report = get(tx, id)?;
    let mut whom = course::moderators(tx)?;
    if let Some(course) = report.course_id {
        for organizer in course::organizers(tx, course)? {
            if super::may_handle(tx, &organizer, &report).is_ok() && !whom.contains(&organizer.id) {
                whom.push(organizer.id);
            }
        }
    }
    whom.retain(|id| *id != report.accused_id && *id != report.reporter_id);
    let accused = actor::get(tx, report.accused_id)?;
    notice::tell(tx, &whom, "report", &format!("A report about {} waits for you.", accused.name), &report.path())
}
