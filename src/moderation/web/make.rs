//! Where does somebody complain?

use super::{CATEGORIES, Tries};
use crate::actor::{self, Actor, ActorKind, ActorState};
use crate::app::App;
use crate::course;
use crate::db::Db;
use crate::discussion;
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::moderation::{self, About, Category, NewReport};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "moderation/report.html", config = ".askama.toml")]
struct ReportPage {
    page: Page,
    form: Form,
    what: What,
    categories: &'static [(&'static str, &'static str, &'static str)],
}

/// What is complained of, as the form shows it.
struct What {
    about: About,
    /// Whose it is, or who it is.
    accused: Actor,
    /// Cleaned HTML of a post; empty for people and courses.
    html: String,
    /// Where the form is sent.
    action: String,
    /// Back to where it stands.
    back: String,
    /// The home of the accused; empty when that is here.
    host: String,
}

fn of_post(db: &mut Db, id: &str, by: &Actor) -> Result<What> {
    let post = discussion::get_public(db, id)?;
    let course = course::get(db, post.course_id)?;
    if post.is_deleted() || !course.is_shown() || !course::may_see(db, &course, Some(by))? {
        return Err(Error::NotFound);
    }
    let accused = actor::get(db, post.author_id)?;
    let (action, back) = (format!("{}/report", post.path()), post.path());
    Ok(What { about: About::Post(post.id), host: host_of(&accused), accused, html: post.body_html, action, back })
}

fn host_of(actor: &Actor) -> String {
    if actor.here { String::new() } else { actor.host.clone() }
}

fn of_actor(accused: Actor) -> What {
    let back = accused.path();
    let (about, action) = (About::Actor(accused.id), format!("{back}/report"));
    What { about, host: host_of(&accused), accused, html: String::new(), action, back }
}

fn of_person(db: &mut Db, name: &str, _: &Actor) -> Result<What> {
    let found = match name.trim_start_matches('@').split_once('@') {
        Some((handle, host)) => actor::find_by_acct(db, handle, host)?,
        None => actor::find_here(db, name.trim_start_matches('@'))?,
    };
    let seen = |a: &Actor| a.state == ActorState::Active && matches!(a.kind, ActorKind::Person | ActorKind::Bot);
    found.filter(seen).map(of_actor).ok_or(Error::NotFound)
}

fn of_course(db: &mut Db, name: &str, by: &Actor) -> Result<What> {
    course::front(db, name, Some(by)).map(|(_, group)| of_actor(group))
}

type Find = fn(&mut Db, &str, &Actor) -> Result<What>;

async fn ask(app: &App, page: Page, (find, name): (Find, String)) -> Answer {
    let by = page.visitor.signed_in()?;
    let what = app.read(move |db| find(db, &name, &by.actor)).await?;
    let form = Form::of([("category", "rules".to_owned())]);
    Ok(render(&ReportPage { page, form, what, categories: CATEGORIES })?.into_response())
}

async fn make(app: &App, page: Page, me: SignedIn, (find, name): (Find, String), form: Form) -> Answer {
    app.kept::<Tries>().0.check(app.clock(), &format!("report {}", me.actor.id.0))?;
    let category: Result<Category> =
        form.value("category").parse().map_err(|_| Error::invalid("category", "Please choose one of these."));
    let (by, text, wanted) = (me.actor.clone(), form.text("text").replace("\r\n", "\n"), name.clone());
    let hourly = app.config().moderation.hourly();
    let result = match category {
        Err(wrong) => Err(wrong),
        Ok(category) => {
            app.write(move |tx| {
                let what = find(tx, &wanted, &by)?;
                let new = NewReport { about: vec![what.about], category, text, uri: None, hourly };
                let made = moderation::report(tx, &by, &new)?;
                Ok((made.created_at < tx.now(), what.back))
            })
            .await
        }
    };
    match form.or_problems(result)? {
        Ok((true, back)) => Ok(redirect_with(&back, "You have reported this already. It is still being looked at.")),
        Ok((false, back)) => {
            Ok(redirect_with(&back, "Thank you. The report is with those who moderate; you will hear from them."))
        }
        Err(form) => {
            let what = app.read(move |db| find(db, &name, &me.actor)).await?;
            let shown = ReportPage { page, form: *form, what, categories: CATEGORIES };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

pub(super) async fn about_post(State(app): State<App>, page: Page, _: SignedIn, Path(id): Path<String>) -> Answer {
    ask(&app, page, (of_post, id)).await
}

pub(super) async fn about_person(State(app): State<App>, page: Page, _: SignedIn, Path(id): Path<String>) -> Answer {
    ask(&app, page, (of_person, id)).await
}

pub(super) async fn about_course(State(app): State<App>, page: Page, _: SignedIn, Path(id): Path<String>) -> Answer {
    ask(&app, page, (of_course, id)).await
}

pub(super) async fn report_post(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    make(&app, page, me, (of_post, id), form).await
}

pub(super) async fn report_person(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    make(&app, page, me, (of_person, id), form).await
}

pub(super) async fn report_course(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Answer {
    make(&app, page, me, (of_course, id), form).await
}
