//! How are courses listed, shown and found in a browser?

mod collections;
mod person;

use super::apub;
use crate::actor::follow::FollowState;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment::{self, Assignment, due};
use crate::cohort::{self, Cohort};
use crate::course::apub::Asking;
use crate::course::{self, Course, Place, Row};
use crate::db::Db;
use crate::enrollment::{self, Counts, Enrollment};
use crate::error::{Error, Result};
use crate::federation::{Context, fetch};
use crate::http::{Answer, Page, Pages, redirect, render, wants_wire, wire};
use crate::syllabus::{self, Outline};
use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;
use std::time::Duration;

/// Lists, the course page and its documents, people, and search.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/courses", get(index))
        .route("/c/{name}", get(show))
        .merge(collections::routes())
        .route("/search", get(search))
        .route("/u/{name}", get(person::show))
}

#[derive(Deserialize)]
struct Wanted {
    place: Option<String>,
    page: Option<i64>,
}

/// One course of a list, with the run that people join now.
struct Entry {
    course: Course,
    group: Actor,
    cohort: Option<Cohort>,
    taken: i64,
}

fn entries(db: &mut Db, rows: Vec<Row>) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(rows.len());
    for (course, group) in rows {
        let cohort = cohort::current(db, course.id)?;
        let taken = match &cohort {
            Some(cohort) => enrollment::seats_taken(db, cohort.id)?,
            None => 0,
        };
        entries.push(Entry { course, group, cohort, taken });
    }
    Ok(entries)
}

#[derive(Template)]
#[template(path = "catalogue/index.html", config = ".askama.toml")]
struct Index {
    page: Page,
    entries: Vec<Entry>,
    place: &'static str,
    pages: Pages,
}

async fn index(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Answer {
    let (which, place) = match wanted.place.as_deref() {
        Some("here") => (Place::Here, "here"),
        Some("elsewhere") => (Place::Elsewhere, "elsewhere"),
        _ => (Place::Everywhere, ""),
    };
    let number = Pages::number(wanted.page);
    let mut entries = app
        .read(move |db| {
            let rows = course::list(db, which, number - 1)?;
            entries(db, rows)
        })
        .await?;
    let path = if place.is_empty() { "/courses".to_owned() } else { format!("/courses?place={place}") };
    let pages = Pages::cut(&path, number, &mut entries, course::PAGE);
    Ok(render(&Index { page, entries, place, pages })?.into_response())
}

#[derive(Template)]
#[template(path = "catalogue/show.html", config = ".askama.toml")]
struct Show {
    page: Page,
    course: Course,
    group: Actor,
    base: String,
    tab: &'static str,
    organizers: Vec<Actor>,
    outline: Outline,
    cohort: Option<Cohort>,
    taken: i64,
    people: i64,
    followers: i64,
    place: Option<Enrollment>,
    following: Option<FollowState>,
    is_organizer: bool,
    is_moderator: bool,
    /// Whether the visitor may see what is in it.
    inside: bool,
    /// Where the course is now, when it moved.
    moved: Option<Actor>,
    assignments: Vec<Assignment>,
    license_url: String,
    language: String,
}

impl Show {
    /// Whether this visitor may press the button that enrolls.
    fn may_enroll(&self) -> bool {
        !self.takes_part()
            && self.moved.is_none()
            && self.course.is_shown()
            && self.cohort.as_ref().is_some_and(Cohort::takes_people)
    }

    /// Whether this visitor may ask for a place, once signed in: by the button that enrolls, or in a private course
    /// elsewhere, of whose runs nothing is known outside, by a follow.
    fn may_ask(&self) -> bool {
        let by_following = self.course.private && !self.group.here && self.following.is_none();
        self.may_enroll() || (by_following && !self.takes_part() && self.moved.is_none() && self.course.is_shown())
    }

    /// Whether this visitor asked for a place and waits for an answer.
    fn has_asked(&self) -> bool {
        let follows = self.course.private && !self.inside && self.following == Some(FollowState::Pending);
        self.place.as_ref().is_some_and(Enrollment::is_asked) || (follows && !self.takes_part())
    }

    /// What stands beside the course, on phones below it: what the button there is called that leads to it.
    fn below(&self) -> Option<&'static str> {
        match (self.inside, self.has_asked()) {
            (true, _) if self.course.private => self.cohort.as_ref().map(|_| "Dates and seats"),
            (true, _) => self.cohort.as_ref().map(|_| "Dates, seats and enrolling"),
            (false, true) => Some("What you asked for"),
            (false, false) => self.may_ask().then_some("Ask for a place"),
        }
    }

    /// Whether this visitor has a place, or has asked for one.
    fn takes_part(&self) -> bool {
        self.place.as_ref().is_some_and(Enrollment::is_current)
    }

    /// Whether this visitor is an organizer of a course that lives elsewhere, where nothing of theirs as such can be done
    /// from here.
    fn organizes_elsewhere(&self) -> bool {
        let who = self.page.visitor.actor().map(|actor| actor.id);
        !self.group.here && self.organizers.iter().any(|one| Some(one.id) == who)
    }

    /// How many seats are left; nothing is known of mirrored courses.
    fn seats_left(&self, cohort: &Cohort) -> i64 {
        (cohort.seats - self.taken).max(0)
    }

    /// Until when work is handed in, in the reader's zone.
    fn until(&self, assignment: &Assignment) -> String {
        match self.page.person() {
            Some(person) => format!("{} ({})", due::in_zone(assignment.due_at, &person.zone), person.zone),
            None => due::in_utc(assignment.due_at),
        }
    }
}

async fn show(
    State(app): State<App>,
    asking: Asking,
    headers: HeaderMap,
    page: Page,
    Path(name): Path<String>,
) -> Answer {
    if wants_wire(&headers) {
        let (course, _) = app.read(move |db| here(db, &name)).await?;
        let inside = course::apub::is_inside(&app, &asking, &course).await?;
        return Ok(wire(&app.read(move |db| apub::document_for(db, &course, inside)).await?));
    }
    let shown = app.read(move |db| load(db, page, &name)).await?;
    Ok(render(&shown)?.into_response())
}

fn load(db: &mut Db, page: Page, name: &str) -> Result<Show> {
    let visitor = page.visitor.actor().cloned();
    let (course, group) = course::front(db, name, visitor.as_ref())?;
    let inside = course::may_see(db, &course, visitor.as_ref())?;
    let mut place = None;
    let mut cohort = cohort::current(db, course.id)?;
    let (mut following, mut is_organizer, mut is_moderator) = (None, false, false);
    if let Some(by) = &visitor {
        if let Some((mine, run)) = enrollment::find_in_course(db, course.id, by.id)?
            && (mine.is_current() || cohort.as_ref().is_some_and(|c| c.id == run.id))
        {
            cohort = Some(run);
            place = Some(mine);
        }
        following = actor::follow::find(db, by.id, group.id)?.map(|follow| follow.state);
        is_organizer = group.here && course::organizes(db, by, &course)?;
        is_moderator = course::is_moderator(db, by)?;
    }
    let counts = match &cohort {
        Some(cohort) => enrollment::counts(db, cohort.id)?,
        None => Counts::default(),
    };
    let assignments = if inside { assignment::list_of_course(db, course.id, is_organizer)? } else { Vec::new() };
    let current = if inside { syllabus::current(db, course.id)? } else { None };
    let outline = current.map(|s| s.outline()).transpose()?.unwrap_or_default();
    let (license_url, language) = (course::license_url(&course.license), course::language_name(&course.language));
    Ok(Show {
        base: group.path(),
        tab: "overview",
        organizers: course::organizers(db, course.id)?,
        followers: actor::follow::count_followers(db, group.id)?,
        moved: actor::moves::moved_to(db, group.id)?,
        page,
        course,
        group,
        outline,
        cohort,
        taken: counts.seats,
        people: counts.active,
        place,
        following,
        is_organizer,
        is_moderator,
        inside,
        assignments,
        license_url,
        language,
    })
}

/// A course of this instance of which everyone who has its address may know.
fn here(db: &mut Db, name: &str) -> Result<Row> {
    let (course, group) = course::front(db, name, None)?;
    if group.here { Ok((course, group)) } else { Err(Error::NotFound) }
}

#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
}

#[derive(Template)]
#[template(path = "catalogue/search.html", config = ".askama.toml")]
struct Found {
    page: Page,
    q: String,
    entries: Vec<Entry>,
    /// Why something elsewhere was not found.
    problem: Option<String>,
}

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// `@handle@host`.
    Handle(String, String),
    /// The address of a course.
    Address(String),
    /// Anything else.
    Words(String),
}

/// Reads a search: a handle with host, an address, or words.
pub(super) fn read_query(typed: &str) -> Typed {
    let typed = typed.trim();
    if typed.starts_with("https://") || typed.starts_with("http://") {
        return Typed::Address(typed.to_owned());
    }
    let bare = typed.strip_prefix("acct:").unwrap_or(typed);
    let bare = bare.strip_prefix(['@', '!']).unwrap_or(bare);
    match bare.split_once('@') {
        Some((handle, host)) if !handle.is_empty() && !host.is_empty() && !bare.contains(char::is_whitespace) => {
            Typed::Handle(handle.to_ascii_lowercase(), host.to_ascii_lowercase())
        }
        _ => Typed::Words(typed.to_owned()),
    }
}

async fn search(State(app): State<App>, page: Page, Query(asked): Query<Asked>, request: Request) -> Answer {
    let q: String = asked.q.unwrap_or_default().trim().chars().take(300).collect();
    let looked_up = match read_query(&q) {
        Typed::Words(words) => {
            let entries = app
                .read(move |db| {
                    let rows = if words.is_empty() { Vec::new() } else { course::search(db, &words)? };
                    entries(db, rows)
                })
                .await?;
            return Ok(render(&Found { page, q, entries, problem: None })?.into_response());
        }
        Typed::Handle(handle, host) if host == app.links().host() => Ok(format!("/c/{handle}")),
        elsewhere => look_up(&app, &page, request, elsewhere).await,
    };
    match looked_up {
        Ok(path) => Ok(redirect(&path)),
        Err(Error::SignInFirst) => Err(Error::SignInFirst),
        Err(Error::TooMany(span)) => Err(Error::TooMany(span)),
        Err(Error::Internal(error)) => Err(Error::Internal(error)),
        Err(other) => {
            let problem = Some(match other {
                Error::NotFound => "The other server has no such course.".to_owned(),
                Error::Unavailable(_) => {
                    "The other server does not answer just now. Please try again later.".to_owned()
                }
                shown => shown.to_string(),
            });
            Ok(render(&Found { page, q, entries: Vec::new(), problem })?.into_response())
        }
    }
}

/// Brings a course of another server here. Only for people who are signed in, because it makes this server ask others.
async fn look_up(app: &App, page: &Page, request: Request, wanted: Typed) -> Result<String> {
    let person = page.visitor.signed_in()?;
    if !app.net().memory.may_look_up(person.actor.id) {
        return Err(Error::TooMany(Duration::from_secs(60)));
    }
    let (mut parts, _) = request.into_parts();
    let context = Context::from_request_parts(&mut parts, app).await;
    let context = context.map_err(|_| Error::Unavailable("the federation is not connected".into()))?;
    let uri = match wanted {
        Typed::Address(uri) => uri,
        Typed::Handle(handle, host) => fetch::acct(&context, &format!("@{handle}@{host}")).await?.uri,
        Typed::Words(_) => return Err(Error::NotFound),
    };
    let course = apub::mirror(&context, &uri).await?;
    app.read(move |db| Ok(actor::get(db, course.actor_id)?.path())).await
}
