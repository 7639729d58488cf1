//! Which pages are there for reviewers, authors and organizers?

mod copies;
mod feedback;
mod results;

use super::desk::{self, CopiedFile, Item};
use super::{Place, TaskState};
use crate::actor::Actor;
use crate::app::App;
use crate::assignment::rubric::{Levels, Rubric};
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Problems, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::id::{AllocationId, ReviewTaskId};
use crate::text;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

/// Pages of reviews and results.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/reviews", get(index))
        .route("/reviews/{id}", get(show).post(create))
        .route("/reviews/{id}/declining", get(ask_declining).post(decline))
        .route("/copies/{id}", get(copies::show))
        .route("/copies/{id}/{n}", get(copies::file))
        .route("/submissions/{id}/feedback", get(feedback::show))
        .route("/submissions/{id}/override", post(results::overrule))
        .route("/assignments/{id}/results", get(results::show))
        .route("/assignments/{id}/release", get(results::ask_release).post(results::release))
}

/// A page that no cache keeps and no search engine lists.
fn private(page: impl IntoResponse) -> Response {
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}

#[derive(Template)]
#[template(path = "review/index.html", config = ".askama.toml")]
struct IndexPage {
    page: Page,
    open: Vec<Item>,
    done: Vec<Item>,
}

async fn index(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    let items = app.read(move |db| desk::items(db, &me.actor)).await?;
    let (open, done) = items.into_iter().partition(|item| item.is_open);
    Ok(private(render(&IndexPage { page, open, done })?))
}

/// Which kind of task it is, and where.
#[derive(Clone, Copy)]
enum Key {
    Here(AllocationId),
    Elsewhere(ReviewTaskId),
}

/// All that the page of one task shows.
struct Desk {
    key: Key,
    public_id: String,
    place: Place,
    rubric: Rubric,
    due_at: Time,
    work_html: String,
    files: Vec<CopiedFile>,
    /// Why no review can be sent now; empty when one can.
    barred: &'static str,
    /// What the home of a mirrored course said to the last try.
    refused: String,
    /// What was sent.
    sent: Option<(Levels, String)>,
    state: &'static str,
}

impl Desk {
    /// For who was asked; for everyone else there is nothing.
    fn find(db: &mut Db, by: &Actor, public_id: &str) -> Result<Self> {
        if let Some(task) = super::task::find_own(db, by, public_id)? {
            return Self::elsewhere(db, &task);
        }
        let allocation = super::find_public(db, public_id)?.filter(|found| found.reviewer_id == by.id);
        let allocation = allocation.ok_or(Error::NotFound)?;
        let (_, place) = super::place_of_work(db, allocation.submission_id)?;
        let review = super::review_of(db, allocation.id)?;
        let copy = desk::copy_of(db, &allocation)?;
        let (state, barred) = desk::standing(&allocation, &place);
        Ok(Self {
            key: Key::Here(allocation.id),
            public_id: allocation.public_id.clone(),
            rubric: place.assignment.rubric()?,
            due_at: allocation.due_at,
            work_html: copy.html,
            files: copy.files,
            barred,
            refused: String::new(),
            sent: review.map(|review| Ok::<_, Error>((review.levels()?, review.comment_html))).transpose()?,
            state,
            place,
        })
    }

    fn elsewhere(db: &mut Db, task: &super::Task) -> Result<Self> {
        let place = super::place(db, task.assignment_id)?;
        let was_sent = matches!(task.state, TaskState::Sent | TaskState::Received);
        let levels: Levels = serde_json::from_str(&task.levels)?;
        Ok(Self {
            key: Key::Elsewhere(task.id),
            public_id: task.public_id.clone(),
            rubric: place.assignment.rubric()?,
            due_at: task.due_at,
            work_html: text::clean_again(&task.copy_html),
            files: Vec::new(),
            barred: if task.state == TaskState::Voided { "This review is no longer needed." } else { "" },
            refused: if task.state == TaskState::Refused { task.answer_reason.clone() } else { String::new() },
            sent: was_sent.then(|| (levels, task.comment_html.clone())),
            state: task.state.as_str(),
            place,
        })
    }

    fn path(&self) -> String {
        format!("/reviews/{}", self.public_id)
    }

    fn is_here(&self) -> bool {
        matches!(self.key, Key::Here(_))
    }

    fn waits(&self) -> bool {
        !self.is_here() && self.state == TaskState::Sent.as_str()
    }

    /// What was sent, in words.
    fn chosen(&self, levels: &Levels) -> Vec<(String, String)> {
        let name = |(id, ordinal): (&String, &i64)| {
            let criterion = self.rubric.find(id)?;
            Some((criterion.name.clone(), criterion.level(*ordinal)?.name.clone()))
        };
        levels.iter().filter_map(name).collect()
    }
}

/// The fields of the criteria; a rubric has at most as many.
const FIELDS: [&str; 12] = [
    "level-0", "level-1", "level-2", "level-3", "level-4", "level-5", "level-6", "level-7", "level-8", "level-9",
    "level-10", "level-11",
];

#[derive(Template)]
#[template(path = "review/show.html", config = ".askama.toml")]
struct ShowPage {
    page: Page,
    form: Form,
    desk: Desk,
}

impl ShowPage {
    fn field(&self, at: &usize) -> &'static str {
        FIELDS.get(*at).copied().unwrap_or("level-0")
    }

    fn points(&self, points: &f64) -> String {
        super::score::show(*points)
    }

    fn is_chosen(&self, at: &usize, ordinal: &usize) -> bool {
        self.form.value(self.field(at)) == ordinal.to_string()
    }
}

async fn find(app: &App, me: &SignedIn, id: String) -> Result<Desk> {
    let by = me.actor.clone();
    app.read(move |db| Desk::find(db, &by, &id)).await
}

async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let desk = find(&app, &me, id).await?;
    Ok(private(render(&ShowPage { page, form: Form::default(), desk })?))
}

async fn create(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let desk = find(&app, &me, id).await?;
    let (key, by) = (desk.key, me.actor.clone());
    let done = match read(&desk.rubric, &form) {
        Err(problem) => Err(problem),
        Ok(answer) => {
            let give = move |tx: &mut crate::db::Tx<'_>| match key {
                Key::Here(id) => super::give(tx, &by, id, &answer).map(|_| ()),
                Key::Elsewhere(id) => super::give_task(tx, &by, id, &answer),
            };
            app.write(give).await
        }
    };
    match form.or_problems(done)? {
        Ok(()) if desk.is_here() => Ok(redirect_with(&desk.path(), "Your review is in. Thank you.")),
        Ok(()) => Ok(redirect_with(&desk.path(), "Your review is on its way to the course.")),
        Err(form) => {
            let again = render(&ShowPage { page, form: *form, desk })?;
            Ok(private((StatusCode::UNPROCESSABLE_ENTITY, again)))
        }
    }
}

/// The levels and the comment of the form; each criterion's problem stands at its own field.
fn read(rubric: &Rubric, form: &Form) -> Result<super::Answer> {
    let (mut levels, mut problems) = (Levels::new(), Problems::default());
    for (criterion, field) in rubric.criteria.iter().zip(FIELDS) {
        match form.text(field).parse::<i64>().ok().filter(|ordinal| criterion.level(*ordinal).is_some()) {
            Some(ordinal) => {
                levels.insert(criterion.id.clone(), ordinal);
            }
            None => problems.add(field, format!("Please choose a level for “{}”.", criterion.name)),
        }
    }
    let comment = text::render(form.value("comment"));
    if let Err(problem) = &comment {
        problems.add("comment", format!("Please write less: {problem}."));
    }
    problems.check()?;
    let comment_html = comment.unwrap_or_default();
    Ok(super::Answer { levels, comment_html, ..super::Answer::default() })
}

#[derive(Template)]
#[template(path = "review/decline.html", config = ".askama.toml")]
struct DeclinePage {
    page: Page,
    desk: Desk,
}

async fn ask_declining(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let desk = find(&app, &me, id).await?;
    if !desk.is_here() {
        return Err(Error::NotFound);
    }
    Ok(private(render(&DeclinePage { page, desk })?))
}

async fn decline(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let Key::Here(id) = find(&app, &me, id).await?.key else { return Err(Error::NotFound) };
    app.write(move |tx| super::decline(tx, &me.actor, id)).await?;
    Ok(redirect_with("/reviews", "Somebody else will review this work."))
}
