//! Where are reports looked at and decided?

use super::Asked;
use crate::actor::Actor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect_with, render};
use crate::moderation::log::Line;
use crate::moderation::{self, Case, Decision, Evidence, PAGE, Reach, Remark, Report};
use crate::text;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "moderation/index.html", config = ".askama.toml")]
struct Index {
    page: Page,
    cases: Vec<Case>,
    open: bool,
    tab: &'static str,
    everything: bool,
    pages: Pages,
}

pub(super) async fn index(State(app): State<App>, page: Page, me: SignedIn, Query(asked): Query<Asked>) -> Answer {
    let (number, open) = (asked.page(), asked.state.as_deref() != Some("decided"));
    let by = me.actor.clone();
    let (mut cases, everything) = app
        .read(move |db| {
            let everything = moderation::reach(db, &by)? == Reach::Everything;
            Ok((moderation::list(db, &by, open, number)?, everything))
        })
        .await?;
    let path = if open { "/mod" } else { "/mod?state=decided" };
    let pages = Pages::cut(path, number, &mut cases, PAGE);
    Ok(render(&Index { page, cases, open, tab: if open { "reports" } else { "decided" }, everything, pages })?
        .into_response())
}

#[derive(Template)]
#[template(path = "moderation/log.html", config = ".askama.toml")]
struct LogPage {
    page: Page,
    tab: &'static str,
    lines: Vec<Line>,
    pages: Pages,
}

pub(super) async fn log(State(app): State<App>, page: Page, me: SignedIn, Query(asked): Query<Asked>) -> Answer {
    let (number, by) = (asked.page(), me.actor.clone());
    let mut lines = app.read(move |db| moderation::list_rulings(db, &by, number)).await?;
    let pages = Pages::cut("/mod/log", number, &mut lines, PAGE);
    Ok(render(&LogPage { page, tab: "log", lines, pages })?.into_response())
}

#[derive(Template)]
#[template(path = "moderation/show.html", config = ".askama.toml")]
struct Show {
    page: Page,
    case: Case,
    evidence: Vec<Evidence>,
    remarks: Vec<(Remark, Actor)>,
    earlier: Vec<Report>,
    decisions: Vec<(&'static str, &'static str, &'static str)>,
    is_mine: bool,
    form: Form,
}

impl Show {
    /// What kind of complaint, in words.
    fn category(&self) -> &'static str {
        super::category(&self.case.report.category)
    }
}

/// What can be decided here.
fn decisions(case: &Case, evidence: &[Evidence], everything: bool) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = vec![("dismiss", "Leave things as they are", "")];
    if evidence.iter().any(|piece| piece.published_at.is_some()) {
        all.push(("remove", "Remove the post", "Its author is told why. It can be brought back."));
    }
    let at_home = case.course.as_ref().is_some_and(|(_, group)| group.here && group.id != case.accused.id);
    if at_home {
        let hint = "Their place, their following and their posts in it go. They can be let in again.";
        all.push(("ban", "Ban the person from the course", hint));
    }
    if everything && case.accused.kind != crate::actor::ActorKind::Course {
        let hint = "Nothing that they send is accepted on this server any more. They can be let in again.";
        all.push(("suspend", "Suspend the person", hint));
    }
    all
}

async fn load(app: &App, page: Page, me: &SignedIn, (id, form): (String, Form)) -> Result<Show> {
    let by = me.actor.clone();
    let is_moderator = me.is_moderator;
    let me = me.actor.id;
    app.read(move |db| {
        let case = moderation::open_case(db, &by, &id)?;
        let mut evidence = moderation::evidence(db, case.report.id)?;
        evidence.iter_mut().for_each(|piece| piece.body_html = text::clean_again(&piece.body_html));
        let remarks = moderation::remarks(db, case.report.id)?;
        let earlier = moderation::earlier(db, &by, &case.report)?;
        let decisions = decisions(&case, &evidence, is_moderator);
        let is_mine = case.report.assignee_id == Some(me);
        Ok(Show { page, case, evidence, remarks, earlier, decisions, is_mine, form })
    })
    .await
}

pub(super) async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let form = Form::of([("decision", "dismiss".to_owned())]);
    Ok(render(&load(&app, page, &me, (id, form)).await?)?.into_response())
}

pub(super) async fn assign(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let path = app
        .write(move |tx| {
            let case = moderation::open_case(tx, &me.actor, &id)?;
            moderation::assign(tx, &me.actor, case.report.id)?;
            Ok(case.report.path())
        })
        .await?;
    Ok(redirect_with(&path, "Kept."))
}

pub(super) async fn undo(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let path = app
        .write(move |tx| {
            let case = moderation::open_case(tx, &me.actor, &id)?;
            moderation::undo(tx, &me.actor, case.report.id)?;
            Ok(case.report.path())
        })
        .await?;
    Ok(redirect_with(&path, "The decision is taken back; the report is open again."))
}

/// Runs a form of the page; when something is wrong with it, the page comes back with it.
async fn submit(
    app: &App,
    page: Page,
    me: SignedIn,
    (id, form): (String, Form),
    verb: impl FnOnce(&mut crate::db::Tx<'_>, &Actor, &Report, &Form) -> Result<&'static str> + Send + 'static,
) -> Answer {
    let (by, wanted, asked) = (me.actor.clone(), id.clone(), form.clone());
    let result = app
        .write(move |tx| {
            let case = moderation::open_case(tx, &by, &wanted)?;
            let said = verb(tx, &by, &case.report, &asked)?;
            Ok((case.report.path(), said))
        })
        .await;
    match form.or_problems(result)? {
        Ok((path, said)) => Ok(redirect_with(&path, said)),
        Err(form) => {
            let shown = load(app, page, &me, (id, *form)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

pub(super) async fn remark(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    submit(&app, page, me, (id, form), |tx, by, report, form| {
        moderation::add_note(tx, by, report.id, form.value("note"))?;
        Ok("The note is kept.")
    })
    .await
}

pub(super) async fn decide(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    submit(&app, page, me, (id, form), |tx, by, report, form| {
        let wanted: Result<Decision> =
            form.value("decision").parse().map_err(|_| Error::invalid("decision", "Please choose one of these."));
        moderation::decide(tx, by, report.id, wanted?, (form.text("reason"), form.text("answer")))?;
        Ok("Decided. You can take it back here.")
    })
    .await
}

pub(super) async fn forward(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    submit(&app, page, me, (id, form), |tx, by, report, form| {
        moderation::forward(tx, by, report.id, form.text("words"))?;
        Ok("Passed on to their server, in your words and without the reporter's name.")
    })
    .await
}
