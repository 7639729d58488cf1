//! Which pages write and edit assignments with their rubric?

use super::{Shown, find_course, led};
use crate::actor::Actor;
use crate::app::App;
use crate::assignment::form::{self, Fields};
use crate::assignment::{self, AssignmentState, Draft};
use crate::cohort::{self, Cohort};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

/// A run to write an assignment for: the one named, otherwise the present one.
fn find_run(db: &mut Db, name: &str, by: &Actor, wanted: &str) -> Result<(Actor, Cohort)> {
    let (group, course) = find_course(db, name)?;
    let all = cohort::list_of(db, course.id)?;
    let run = match all.iter().find(|cohort| cohort.public_id == wanted) {
        Some(run) => run.clone(),
        None => cohort::current(db, course.id)?
            .or_else(|| all.first().cloned())
            .ok_or_else(|| Error::Conflict("Please plan a run of the course first.".into()))?,
    };
    assignment::may_lead(db, by, &run)?;
    Ok((group, run))
}

#[derive(Template)]
#[template(path = "assignment/edit.html", config = ".askama.toml")]
struct EditPage {
    page: Page,
    form: Form,
    group: Actor,
    cohort: Cohort,
    /// Where it is sent to.
    action: String,
    /// Where nothing is changed.
    back: String,
    /// What the page is called.
    heading: &'static str,
    /// Whether how it is judged is frozen.
    frozen: bool,
}

/// A criterion's place in the form, with the names of its fields.
struct Row {
    c: usize,
    id: String,
    name: String,
    prompt: String,
    levels: Vec<LevelRow>,
}

/// A level's place in the form, with the names of its fields.
struct LevelRow {
    l: usize,
    name: String,
    points: String,
    descriptor: String,
}

impl Row {
    fn of(c: usize, levels: usize) -> Self {
        let field = |name: &str| format!("c{c}-{name}");
        let level = |l: usize| LevelRow {
            l,
            name: field(&format!("l{l}-name")),
            points: field(&format!("l{l}-points")),
            descriptor: field(&format!("l{l}-descriptor")),
        };
        Self {
            c,
            id: field("id"),
            name: field("name"),
            prompt: field("prompt"),
            levels: (0..levels).map(level).collect(),
        }
    }
}

impl EditPage {
    fn rows(&self) -> Vec<Row> {
        let fields = Fields::read(&self.form);
        fields.0.iter().enumerate().map(|(c, criterion)| Row::of(c, criterion.levels.len())).collect()
    }

    fn answer(self) -> Answer {
        let status = if self.form.has_problems() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        Ok((status, render(&self)?).into_response())
    }

    fn choices() -> [(&'static str, &'static str, &'static str); 2] {
        [
            ("private", "Private", "Only organizers and, without a name, the reviewers see it."),
            ("public", "Public if the author wants", "Posts from other servers may be visible to everyone."),
        ]
    }
}

#[derive(serde::Deserialize)]
/// Which run is meant.
pub(super) struct Wanted {
    #[serde(default)]
    cohort: String,
}

pub(super) async fn new(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (group, cohort) = app.read(move |db| find_run(db, &name, &me.actor, &wanted.cohort)).await?;
    new_page(page, form::blank(), group, cohort).answer()
}

fn new_page(page: Page, form: Form, group: Actor, cohort: Cohort) -> EditPage {
    let back = format!("{}/assignments", group.path());
    EditPage { page, form, action: back.clone(), back, group, cohort, heading: "A new assignment", frozen: false }
}

pub(super) async fn create(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(name): Path<String>,
    form: Form,
) -> Answer {
    let (by, wanted) = (me.actor.clone(), form.text("cohort").to_owned());
    let (group, run) = app.read(move |db| find_run(db, &name, &by, &wanted)).await?;
    if let Some(button) = form.find("do") {
        let form = form::pressed(&form, button);
        return new_page(page, form, group, run).answer();
    }
    let result = match form::read(&form, &run.zone, app.now()) {
        Ok(draft) => {
            let cohort = run.id;
            app.write(move |tx| {
                let id = assignment::draft(tx, &me.actor, cohort, &draft)?;
                assignment::get(tx, id)
            })
            .await
        }
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(made) => Ok(redirect_with(&made.path(), "The draft is saved. Nobody but organizers sees it yet.")),
        Err(form) => new_page(page, *form, group, run).answer(),
    }
}

fn edit_page(page: Page, form: Form, shown: Shown) -> EditPage {
    let back = shown.assignment.path();
    EditPage {
        page,
        form,
        action: format!("{back}/edit"),
        back,
        heading: "Edit the assignment",
        frozen: shown.assignment.state != AssignmentState::Draft,
        group: shown.group,
        cohort: shown.cohort,
    }
}

pub(super) async fn edit(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let shown = led(&app, &me, id).await?;
    edit_page(page, form::of(&shown.assignment, &shown.cohort.zone)?, shown).answer()
}

pub(super) async fn update(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    let shown = led(&app, &me, id).await?;
    let is_draft = shown.assignment.state == AssignmentState::Draft;
    if let Some(button) = form.find("do").filter(|_| is_draft) {
        let form = form::pressed(&form, button);
        return edit_page(page, form, shown).answer();
    }
    let draft = if is_draft { form::read(&form, &shown.cohort.zone, app.now()) } else { words_of(&form, &shown) };
    let id = shown.assignment.id;
    let result = match draft {
        Ok(draft) => app.write(move |tx| assignment::edit(tx, &me.actor, id, &draft)).await,
        Err(error) => Err(error),
    };
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with(&shown.assignment.path(), "The assignment is changed.")),
        Err(form) => edit_page(page, *form, shown).answer(),
    }
}

/// The words of the form, with the frozen rest of the open assignment.
fn words_of(form: &Form, shown: &Shown) -> Result<Draft> {
    Ok(Draft {
        title: form.text("title").to_owned(),
        summary: form.text("summary").to_owned(),
        body_md: form.value("body").to_owned(),
        rubric: shown.rubric.clone(),
        reviews_each: shown.assignment.reviews_each,
        visibility: shown.assignment.visibility,
        due_at: shown.assignment.due_at,
        review_due_at: shown.assignment.review_due_at,
    })
}
