//! Which rows hold reports and the log?

use super::log::NewLine;
use super::report::{Piece, Subject};
use super::{Act, Category, Decision, Evidence, Reach, Remark, Report, ReportState, Ruling};
use crate::clock::Time;
use crate::db::{
    Columns, Db, Run, Tx,
    schema::{actors, report_evidence, report_notes, reports, rulings},
};
use crate::error::Result;
use crate::id::{ActorId, CourseId, ReportId};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl};

pub(super) fn find(db: &mut Db, id: ReportId) -> Result<Option<Report>> {
    Ok(reports::table.find(id).select(Report::as_select()).first(db).optional()?)
}

pub(super) fn find_public(db: &mut Db, public_id: &str) -> Result<Option<Report>> {
    Ok(reports::table.filter(reports::public_id.eq(public_id)).select(Report::as_select()).first(db).optional()?)
}

pub(super) fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Report>> {
    Ok(reports::table.filter(reports::uri.eq(uri)).select(Report::as_select()).first(db).optional()?)
}

/// An open report of this reporter about this thing; of others, whose server may speak for many, only in the same words.
pub(super) fn find_open(db: &mut Db, by: ActorId, subject: &str, alike: bool, text: &str) -> Result<Option<Report>> {
    let query = reports::table
        .filter(reports::reporter_id.eq(by))
        .filter(reports::subject_uri.eq(subject))
        .filter(reports::state.eq(ReportState::Open));
    let rows: Vec<Report> = query.order(reports::id.desc()).limit(50).select(Report::as_select()).load(db)?;
    Ok(rows.into_iter().find(|report| alike || report.text == text))
}

pub(super) fn count_by(db: &mut Db, by: ActorId, since: Time) -> Result<i64> {
    let query = reports::table.filter(reports::reporter_id.eq(by)).filter(reports::created_at.gt(since));
    Ok(query.count().get_result(db)?)
}

/// All that came from one server.
pub(super) fn count_of_host(db: &mut Db, host: &str, since: Time) -> Result<i64> {
    let query = reports::table.inner_join(actors::table.on(actors::id.eq(reports::reporter_id)));
    let query = query.filter(actors::host.eq(host)).filter(reports::created_at.gt(since));
    Ok(query.count().get_result(db)?)
}

pub(super) fn count_open(db: &mut Db) -> Result<i64> {
    Ok(reports::table.filter(reports::state.eq(ReportState::Open)).count().get_result(db)?)
}

pub(super) fn list(db: &mut Db, reach: &Reach, open: bool, (most, after): (i64, i64)) -> Result<Vec<Report>> {
    let mut query = reports::table.into_boxed();
    if let Reach::Courses(mine) = reach {
        let mine: Vec<Option<CourseId>> = mine.iter().copied().map(Some).collect();
        query = query.filter(reports::course_id.eq_any(mine));
    }
    query = match open {
        true => query.filter(reports::state.eq(ReportState::Open)).order(reports::id),
        false => query
            .filter(reports::state.eq_any([ReportState::Dismissed, ReportState::Resolved]))
            .order(reports::id.desc()),
    };
    Ok(diesel::RunQueryDsl::load(query.limit(most).offset(after).select(Report::as_select()), db)?)
}

pub(super) fn list_about(db: &mut Db, accused: ActorId, but: ReportId) -> Result<Vec<Report>> {
    let query = reports::table.filter(reports::accused_id.eq(accused)).filter(reports::id.ne(but));
    Ok(query.order(reports::id.desc()).limit(10).select(Report::as_select()).load(db)?)
}

pub(super) struct NewRow<'a> {
    pub(super) reporter: ActorId,
    pub(super) subject: &'a Subject,
    pub(super) category: Category,
    pub(super) text: &'a str,
}

pub(super) fn insert(tx: &mut Tx<'_>, new: NewRow<'_>, uri: Option<&str>) -> Result<Report> {
    let (now, public_id) = (tx.now(), tx.new_id());
    let row = (
        reports::public_id.eq(public_id),
        reports::uri.eq(uri),
        reports::reporter_id.eq(new.reporter),
        reports::accused_id.eq(new.subject.accused),
        reports::subject_uri.eq(&new.subject.uri),
        reports::course_id.eq(new.subject.course),
        reports::category.eq(new.category),
        reports::text.eq(new.text),
        reports::state.eq(ReportState::Open),
        reports::answer.eq(""),
        reports::forwarded_text.eq(""),
        reports::created_at.eq(now),
        reports::changed_at.eq(now),
    );
    Ok(diesel::insert_into(reports::table).values(row).returning(reports::all_columns).get_result(tx)?)
}

pub(super) fn insert_evidence(tx: &mut Tx<'_>, report: ReportId, piece: &Piece) -> Result<()> {
    let row = (
        report_evidence::report_id.eq(report),
        report_evidence::uri.eq(&piece.uri),
        report_evidence::title.eq(&piece.title),
        report_evidence::body_html.eq(&piece.html),
        report_evidence::published_at.eq(piece.published_at),
    );
    diesel::insert_into(report_evidence::table).values(row).execute(tx)?;
    Ok(())
}

pub(super) fn evidence(db: &mut Db, report: ReportId) -> Result<Vec<Evidence>> {
    let query = report_evidence::table.filter(report_evidence::report_id.eq(report)).order(report_evidence::id);
    Ok(query.select(Evidence::as_select()).load(db)?)
}

pub(super) fn insert_remark(tx: &mut Tx<'_>, report: ReportId, author: ActorId, text: &str) -> Result<()> {
    let row = (
        report_notes::report_id.eq(report),
        report_notes::author_id.eq(author),
        report_notes::text.eq(text),
        report_notes::created_at.eq(tx.now()),
    );
    diesel::insert_into(report_notes::table).values(row).execute(tx)?;
    Ok(())
}

pub(super) fn remarks(db: &mut Db, report: ReportId) -> Result<Vec<Remark>> {
    let query = report_notes::table.filter(report_notes::report_id.eq(report)).order(report_notes::id).limit(200);
    Ok(query.select(Remark::as_select()).load(db)?)
}

pub(super) fn assign(tx: &mut Tx<'_>, id: ReportId, whom: Option<ActorId>) -> Result<()> {
    let row = (reports::assignee_id.eq(whom), reports::changed_at.eq(tx.now()));
    diesel::update(reports::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn decide(
    tx: &mut Tx<'_>,
    id: ReportId,
    state: ReportState,
    decision: Option<Decision>,
    answer: &str,
) -> Result<()> {
    let row = (
        reports::state.eq(state),
        reports::decision.eq(decision),
        reports::answer.eq(answer),
        reports::changed_at.eq(tx.now()),
    );
    diesel::update(reports::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn mark_forwarded(tx: &mut Tx<'_>, id: ReportId, words: &str) -> Result<()> {
    let now = tx.now();
    let row = (reports::forwarded_at.eq(Some(now)), reports::forwarded_text.eq(words), reports::changed_at.eq(now));
    diesel::update(reports::table.find(id)).set(row).execute(tx)?;
    Ok(())
}

pub(super) fn insert_ruling(tx: &mut Tx<'_>, by: Option<ActorId>, act: Act, line: &NewLine) -> Result<()> {
    let row = (
        rulings::at.eq(tx.now()),
        rulings::by_id.eq(by),
        rulings::act.eq(act),
        rulings::course_id.eq(line.course),
        rulings::subject_id.eq(line.subject),
        rulings::link.eq(&line.link),
        rulings::reason.eq(&line.reason),
    );
    diesel::insert_into(rulings::table).values(row).execute(tx)?;
    Ok(())
}

pub(super) fn rulings(db: &mut Db, reach: &Reach, (most, after): (i64, i64)) -> Result<Vec<Ruling>> {
    let mut query = rulings::table.order(rulings::id.desc()).into_boxed();
    if let Reach::Courses(mine) = reach {
        let mine: Vec<Option<CourseId>> = mine.iter().copied().map(Some).collect();
        query = query.filter(rulings::course_id.eq_any(mine));
    }
    Ok(diesel::RunQueryDsl::load(query.limit(most).offset(after).select(Ruling::as_select()), db)?)
}
