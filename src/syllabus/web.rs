//! How is a syllabus read and written in a browser?

use super::{Edition, Outline, Syllabus, edit};
use crate::actor::Actor;
use crate::app::App;
use crate::course::{self, Course, LICENSES};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;

/// Reading, versions and editing.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/c/{name}/syllabus", get(show))
        .route("/c/{name}/syllabus/edit", get(form).post(save))
        .route("/c/{name}/syllabus/versions", get(versions))
        .route("/c/{name}/syllabus/versions/{version}", get(version))
}

#[derive(Template)]
#[template(path = "syllabus/show.html", config = ".askama.toml")]
struct Show {
    page: Page,
    group: Actor,
    base: String,
    tab: &'static str,
    syllabus: Option<Syllabus>,
    outline: Outline,
    is_organizer: bool,
    /// Whether it is an older version.
    is_old: bool,
}

async fn load(app: &App, page: &Page, name: String, wanted: Option<i64>) -> Result<Show> {
    let (visitor, page) = (page.visitor.actor().cloned(), page.clone());
    app.read(move |db| {
        let (course, group) = course::visible(db, &name, visitor.as_ref())?;
        let is_organizer = match &visitor {
            Some(by) if group.here => course::organizes(db, by, &course)?,
            _ => false,
        };
        let newest = super::current(db, course.id)?;
        let syllabus = match wanted {
            Some(version) => Some(super::get(db, course.id, version)?),
            None => newest.clone(),
        };
        let outline = syllabus.as_ref().map(Syllabus::outline).transpose()?.unwrap_or_default();
        let is_old = syllabus.as_ref().map(|s| s.version) != newest.map(|s| s.version);
        let base = group.path();
        Ok(Show { page, group, base, tab: "syllabus", syllabus, outline, is_organizer, is_old })
    })
    .await
}

async fn show(State(app): State<App>, page: Page, Path(name): Path<String>) -> Answer {
    Ok(render(&load(&app, &page, name, None).await?)?.into_response())
}

async fn version(State(app): State<App>, page: Page, Path((name, number)): Path<(String, i64)>) -> Answer {
    Ok(render(&load(&app, &page, name, Some(number)).await?)?.into_response())
}

#[derive(Template)]
#[template(path = "syllabus/versions.html", config = ".askama.toml")]
struct Versions {
    page: Page,
    group: Actor,
    rows: Vec<Syllabus>,
}

async fn versions(State(app): State<App>, page: Page, Path(name): Path<String>) -> Answer {
    let visitor = page.visitor.actor().cloned();
    let (group, rows) = app
        .read(move |db| {
            let (course, group) = course::visible(db, &name, visitor.as_ref())?;
            Ok((group, super::list(db, course.id)?))
        })
        .await?;
    Ok(render(&Versions { page, group, rows })?.into_response())
}

#[derive(Template)]
#[template(path = "syllabus/edit.html", config = ".askama.toml")]
struct Edit {
    page: Page,
    form: Form,
    group: Actor,
    outline: Outline,
    base: i64,
    note: String,
    licenses: &'static [(&'static str, &'static str, &'static str)],
    /// Set when somebody saved another version meanwhile.
    newer: Option<Syllabus>,
}

async fn organized(app: &App, name: String, by: &Actor) -> Result<(Course, Actor, Option<Syllabus>)> {
    let by = by.clone();
    app.read(move |db| {
        let (course, group) = course::visible(db, &name, Some(&by))?;
        course::may_organize(db, &by, &course)?;
        Ok((course.clone(), group, super::current(db, course.id)?))
    })
    .await
}

async fn form(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>) -> Answer {
    let (_, group, current) = organized(&app, name, &person.actor).await?;
    let outline = current.as_ref().map(Syllabus::outline).transpose()?.unwrap_or_default();
    let base = current.map_or(0, |s| s.version);
    let (form, note, newer) = (Form::default(), String::new(), None);
    Ok(render(&Edit { page, form, group, outline, base, note, licenses: LICENSES, newer })?.into_response())
}

async fn save(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let (course, group, current) = organized(&app, name, &person.actor).await?;
    let mut outline = edit::read(|field| form.find(field));
    let (base, note) = (form.number("base").unwrap_or(0), form.text("note").to_owned());
    let again = |page, form, outline, newer: Option<Syllabus>| {
        // After a conflict the newer version is the base: saving again replaces it knowingly.
        let base = newer.as_ref().map_or(base, |s| s.version);
        Edit { page, form, group: group.clone(), outline, base, note: note.clone(), licenses: LICENSES, newer }
    };
    if let Some(button) = form.find("do").filter(|button| *button != "save") {
        edit::press(&mut outline, button);
        return Ok(render(&again(page, form, outline, None))?.into_response());
    }
    let by = person.actor;
    let edition = Edition { base, note: note.clone(), outline: outline.clone() };
    let done = app.write(move |tx| super::save(tx, &by, &course, edition)).await;
    if matches!(done, Err(Error::Conflict(_))) {
        let shown = render(&again(page, form, outline, current))?;
        return Ok((StatusCode::CONFLICT, shown).into_response());
    }
    match form.or_problems(done)? {
        Err(form) => {
            let shown = render(&again(page, *form, outline, None))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
        Ok(saved) => {
            let said = format!("Saved as version {}.", saved.version);
            Ok(redirect_with(&format!("{}/syllabus", group.path()), &said))
        }
    }
}
