//! How is the school kept safe? Reports and what becomes of them, and the log of every act of moderation.

pub mod apub;
mod decide;
pub mod farewell;
mod log;
mod report;
mod store;
pub mod web;

pub use decide::{add_note, assign, decide, forward, tell_decided, undo};
pub use log::{keep_log, list_rulings};
pub use report::{About, NewReport, report, tell_made};

use crate::actor::{self, Actor, ActorKind};
use crate::clock::Time;
use crate::course::{self, Course};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{ActorId, CourseId, ReportId, RulingId};
use crate::words;
use diesel::{Queryable, Selectable};

/// Longest text of a report, in characters.
pub const TEXT: usize = 5000;
/// Most things that one report may be about.
pub const OBJECTS: usize = 50;
/// Reports and log lines on one page.
pub const PAGE: i64 = 30;

words! {
    /// What kind of complaint it is.
    pub enum Category {
        /// Advertising, or the same again and again.
        Spam = "spam",
        /// Insults, threats, hate.
        Harassment = "harassment",
        /// What the law forbids.
        Illegal = "illegal",
        /// Against the rules of the school or the course.
        Rules = "rules",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// How far a report is.
    pub enum ReportState {
        /// Waits for a decision.
        Open = "open",
        /// Decided: nothing had to be done.
        Dismissed = "dismissed",
        /// Decided, and something was done.
        Resolved = "resolved",
    }
}

words! {
    /// What is decided about a report.
    pub enum Decision {
        /// Nothing is done.
        Dismiss = "dismiss",
        /// The post is taken away.
        Remove = "remove",
        /// The person is kept out of the course.
        Ban = "ban",
        /// The person may not act here any more.
        Suspend = "suspend",
    }
}

words! {
    /// What a line of the log says was done.
    pub enum Act {
        /// A post was taken away.
        Removed = "removed",
        /// A post was brought back.
        Restored = "restored",
        /// Somebody was kept out of a course.
        Banned = "banned",
        /// Somebody was let in again.
        Unbanned = "unbanned",
        /// An account or somebody elsewhere was stopped.
        Suspended = "suspended",
        /// They may act again.
        Reinstated = "reinstated",
        /// A thread or assignment was closed for answers.
        Locked = "locked",
        /// It was opened again.
        Unlocked = "unlocked",
        /// A post is shown first.
        Pinned = "pinned",
        /// It is shown first no more.
        Unpinned = "unpinned",
        /// Somebody became an organizer.
        Appointed = "appointed",
        /// Somebody is an organizer no more.
        Relieved = "relieved",
        /// A report was decided.
        Decided = "decided",
        /// A report was opened again.
        Reopened = "reopened",
        /// A report was passed on to another server.
        Forwarded = "forwarded",
    }
}

/// A complaint.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::reports)]
pub struct Report {
    /// Key inside.
    pub id: ReportId,
    /// In URLs.
    pub public_id: String,
    /// The id of the Flag, when it came from elsewhere.
    pub uri: Option<String>,
    /// Who reported; of some software only its server is known. Never told to anybody but who looks after the report.
    pub reporter_id: ActorId,
    /// A person, or the Group of a course.
    pub accused_id: ActorId,
    /// The id of what is complained of.
    pub subject_uri: String,
    /// In which course it happened.
    pub course_id: Option<CourseId>,
    /// What kind of complaint.
    pub category: Category,
    /// What the reporter wrote; plain text.
    pub text: String,
    /// How far it is.
    pub state: ReportState,
    /// What was done.
    pub decision: Option<Decision>,
    /// What the reporter was told.
    pub answer: String,
    /// Who looks after it.
    pub assignee_id: Option<ActorId>,
    /// When it was passed on to the server of the accused.
    pub forwarded_at: Option<Time>,
    /// The words that went with it.
    pub forwarded_text: String,
    /// When it came.
    pub created_at: Time,
    /// When anything about it last changed.
    pub changed_at: Time,
}

impl Report {
    /// Its page.
    pub fn path(&self) -> String {
        format!("/mod/r/{}", self.public_id)
    }

    /// Whether it waits for a decision.
    pub fn is_open(&self) -> bool {
        self.state == ReportState::Open
    }
}

/// What was complained of, as it was then.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::report_evidence)]
pub struct Evidence {
    /// Its ActivityPub id.
    pub uri: String,
    /// Plain text; may be empty.
    pub title: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// When it was written; nothing for a person or course.
    pub published_at: Option<Time>,
}

/// What those who look after a report tell each other.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::report_notes)]
pub struct Remark {
    /// Who wrote it.
    pub author_id: ActorId,
    /// Plain text.
    pub text: String,
    /// When.
    pub created_at: Time,
}

/// A line of the log.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::rulings)]
pub struct Ruling {
    /// Key inside; later ones are higher.
    pub id: RulingId,
    /// When.
    pub at: Time,
    /// Who; nobody when time did it.
    pub by_id: Option<ActorId>,
    /// What was done.
    pub act: Act,
    /// In which course.
    pub course_id: Option<CourseId>,
    /// To whom.
    pub subject_id: Option<ActorId>,
    /// A path on this instance that shows it; may be empty.
    pub link: String,
    /// Why.
    pub reason: String,
}

/// A report with all that its page shows.
#[derive(Clone, Debug)]
pub struct Case {
    /// The report.
    pub report: Report,
    /// Who complained.
    pub reporter: Actor,
    /// Of whom.
    pub accused: Actor,
    /// In which course.
    pub course: Option<(Course, Actor)>,
    /// Who looks after it.
    pub assignee: Option<Actor>,
}

impl Case {
    /// Whether the reporter hears what became of it. Of software whose server reports in its own name nobody can, and for
    /// people elsewhere somebody must write: the bot of a course here.
    pub fn is_answered(&self) -> bool {
        let has_bot = self.course.as_ref().is_some_and(|(course, group)| group.here && course.bot_id.is_some());
        self.reporter.here || (self.reporter.kind == ActorKind::Person && has_bot)
    }
}

fn case(db: &mut Db, report: Report) -> Result<Case> {
    let course = match report.course_id {
        Some(id) => {
            let course = course::get(db, id)?;
            let group = actor::get(db, course.actor_id)?;
            Some((course, group))
        }
        None => None,
    };
    let assignee = report.assignee_id.map(|id| actor::get(db, id)).transpose()?;
    let (reporter, accused) = (actor::get(db, report.reporter_id)?, actor::get(db, report.accused_id)?);
    Ok(Case { report, reporter, accused, course, assignee })
}

/// Whose reports and log somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All: a moderator of the instance.
    Everything,
    /// Those of the courses that they organize.
    Courses(Vec<CourseId>),
}

/// How far this person's eyes go; refused when they moderate nothing.
pub fn reach(db: &mut Db, by: &Actor) -> Result<Reach> {
    by.may_act()?;
    if course::is_moderator(db, by)? {
        return Ok(Reach::Everything);
    }
    let mine: Vec<CourseId> = course::organized_by(db, by.id)?.into_iter().map(|(course, _)| course.id).collect();
    if mine.is_empty() {
        return Err(Error::denied("Only moderators and organizers of courses may see this."));
    }
    Ok(Reach::Courses(mine))
}

/// Refuses everyone who may not look after a report: moderators of the instance may, and organizers of the course in
/// which it happened, unless it is about an organizer or the course itself. For others it does not exist.
pub fn may_handle(db: &mut Db, by: &Actor, report: &Report) -> Result<()> {
    by.may_act()?;
    if by.id == report.accused_id {
        return Err(Error::NotFound);
    }
    if course::is_moderator(db, by)? {
        return Ok(());
    }
    let Some(id) = report.course_id else { return Err(Error::NotFound) };
    let course = course::get(db, id)?;
    let accused = actor::get(db, report.accused_id)?;
    let impartial = accused.id != course.actor_id && !course::organizes(db, &accused, &course)?;
    if impartial && course::organizes(db, by, &course)? { Ok(()) } else { Err(Error::NotFound) }
}

/// By the id in URLs, for those who may look after it.
pub fn open_case(db: &mut Db, by: &Actor, public_id: &str) -> Result<Case> {
    let report = store::find_public(db, public_id)?.ok_or(Error::NotFound)?;
    may_handle(db, by, &report)?;
    case(db, report)
}

/// By key.
pub fn get(db: &mut Db, id: ReportId) -> Result<Report> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// A page of the reports that this person may look after, in the order in which they came for open ones, latest first
/// otherwise; pages count from 1. One row more than [`PAGE`] when there is a next page.
pub fn list(db: &mut Db, by: &Actor, open: bool, page: i64) -> Result<Vec<Case>> {
    let reach = reach(db, by)?;
    let mut cases = Vec::new();
    for report in store::list(db, &reach, open, (PAGE + 1, (page.max(1) - 1) * PAGE))? {
        // A report about an organizer is not for organizers; such gaps in a page are rare and say nothing.
        if may_handle(db, by, &report).is_ok() {
            cases.push(case(db, report)?);
        }
    }
    Ok(cases)
}

/// How many open reports there are for moderators of the instance.
pub fn count_open(db: &mut Db) -> Result<i64> {
    store::count_open(db)
}

/// Other reports about the same person, latest first; at most ten.
pub fn earlier(db: &mut Db, by: &Actor, report: &Report) -> Result<Vec<Report>> {
    let mut all = store::list_about(db, report.accused_id, report.id)?;
    all.retain(|other| may_handle(db, by, other).is_ok());
    Ok(all)
}

/// What was complained of.
pub fn evidence(db: &mut Db, report: ReportId) -> Result<Vec<Evidence>> {
    store::evidence(db, report)
}

/// What was remarked, oldest first, and by whom.
pub fn remarks(db: &mut Db, report: ReportId) -> Result<Vec<(Remark, Actor)>> {
    let rows = store::remarks(db, report)?;
    rows.into_iter().map(|remark| Ok((remark.clone(), actor::get(db, remark.author_id)?))).collect()
}

#[cfg(test)]
mod tests;
