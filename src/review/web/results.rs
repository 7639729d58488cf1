//! What does an organizer see and decide about the reviews of an assignment?

use super::super::score::show as points;
use super::super::{AllocationState, Outcome, Place, outcomes};
use super::feedback::Figures;
use super::private;
use crate::app::App;
use crate::assignment::rubric::Rubric;
use crate::assignment::{self, AssignmentState};
use crate::course;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::submission;
use crate::text;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;

#[derive(Template)]
#[template(path = "review/results.html", config = ".askama.toml")]
struct ResultsPage {
    page: Page,
    place: Place,
    rubric: Rubric,
    outcomes: Vec<Outcome>,
    form: Form,
    /// Whose form it is that came back with problems.
    about: String,
}

impl ResultsPage {
    fn is_out(&self) -> bool {
        matches!(self.place.assignment.state, AssignmentState::Released | AssignmentState::Closed)
    }

    fn can_release(&self) -> bool {
        self.place.assignment.state == AssignmentState::Review
    }

    fn figures(&self, outcome: &Outcome) -> Vec<Figures> {
        let score = |id: &str| outcome.score.criteria.iter().find(|one| one.id == id);
        self.rubric.criteria.iter().map(|criterion| Figures::of(criterion, score(&criterion.id))).collect()
    }

    fn given(&self, outcome: &Outcome) -> usize {
        outcome.reviews.iter().filter(|(_, _, review)| review.is_some()).count()
    }

    fn asked(&self, outcome: &Outcome) -> usize {
        let counts = |state| !matches!(state, AllocationState::Declined | AllocationState::Voided);
        outcome.reviews.iter().filter(|(allocation, _, _)| counts(allocation.state)).count()
    }

    fn missing(&self) -> usize {
        let open = |outcome: &Outcome| outcome.reviews.iter().filter(|(allocation, _, _)| allocation.is_open()).count();
        self.outcomes.iter().map(open).sum()
    }

    fn points(&self, outcome: &Outcome) -> String {
        let decided = outcome.result.as_ref().and_then(|result| result.override_points);
        points(decided.unwrap_or(outcome.score.points))
    }

    fn peers(&self, outcome: &Outcome) -> String {
        points(outcome.score.points)
    }

    fn max(&self) -> String {
        points(self.rubric.max_points())
    }

    fn state(&self, outcome: &Outcome) -> &'static str {
        outcome.result.as_ref().map_or(outcome.score.state, |result| result.state).as_str()
    }

    fn levels(&self, review: &super::super::Review) -> String {
        let levels = review.levels().unwrap_or_default();
        let name = |criterion: &assignment::rubric::Criterion| {
            let level = criterion.level(*levels.get(&criterion.id)?)?;
            Some(format!("{}: {}", criterion.name, level.name))
        };
        self.rubric.criteria.iter().filter_map(name).collect::<Vec<_>>().join(", ")
    }

    fn comment(&self, review: &super::super::Review) -> String {
        text::clean_again(&review.comment_html)
    }

    fn reason(&self, outcome: &Outcome) -> String {
        outcome.result.as_ref().map(|result| result.override_reason.clone()).unwrap_or_default()
    }

    /// The form of a work: what was typed where it came back, otherwise empty.
    fn form_of(&self, outcome: &Outcome) -> Form {
        if self.about == outcome.work.public_id { self.form.clone() } else { Form::default() }
    }
}

async fn page_of(app: &App, page: Page, me: &SignedIn, id: String, form: (Form, String)) -> Result<ResultsPage> {
    let by = me.actor.clone();
    let found = app.read(move |db| {
        let assignment = assignment::get_public(db, &id)?;
        let (_, course) = assignment::place(db, &assignment)?;
        if !course::may_see(db, &course, Some(&by))? {
            return Err(Error::NotFound);
        }
        outcomes(db, &by, assignment.id)
    });
    let (place, outcomes) = found.await?;
    let (form, about) = form;
    Ok(ResultsPage { page, rubric: place.assignment.rubric()?, place, outcomes, form, about })
}

pub(super) async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = page_of(&app, page, &me, id, (Form::default(), String::new())).await?;
    Ok(private(render(&shown)?))
}

#[derive(Template)]
#[template(path = "review/release.html", config = ".askama.toml")]
struct ReleasePage {
    page: Page,
    place: Place,
    missing: usize,
}

pub(super) async fn ask_release(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = page_of(&app, page, &me, id, (Form::default(), String::new())).await?;
    if !shown.can_release() {
        return Err(Error::denied("Reviews can be released once work is out for review, and only once."));
    }
    let missing = shown.missing();
    Ok(private(render(&ReleasePage { page: shown.page, place: shown.place, missing })?))
}

pub(super) async fn release(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let path = format!("/assignments/{id}/results");
    app.write(move |tx| {
        let assignment = assignment::get_public(tx, &id)?;
        super::super::release(tx, Some(&me.actor), assignment.id)
    })
    .await?;
    Ok(redirect_with(&path, "The reviews are out. Every author has been told."))
}

pub(super) async fn overrule(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let work = id.clone();
    let assignment = app
        .read(move |db| {
            let work = submission::get_public(db, &work)?;
            assignment::get(db, work.assignment_id)
        })
        .await?;
    // What cannot be read as a number is no possible number of points either, and refused with the same words.
    let number = form.text("points").replace(',', ".").parse::<f64>().unwrap_or(f64::NAN);
    let (by, reason, work) = (me.actor.clone(), form.value("reason").to_owned(), id.clone());
    let verb = move |tx: &mut Tx<'_>| {
        let work = submission::get_public(tx, &work)?;
        super::super::override_result(tx, &by, work.id, number, &reason)
    };
    let done = app.write(verb).await;
    match form.or_problems(done)? {
        Ok(()) => {
            let path = format!("/assignments/{}/results", assignment.public_id);
            Ok(redirect_with(&path, "The result is changed, and its author has been told why."))
        }
        Err(form) => {
            let shown = page_of(&app, page, &me, assignment.public_id, (*form, id)).await?;
            Ok(private((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?)))
        }
    }
}
