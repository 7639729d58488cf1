//! How is a course proposed, answered and changed in a browser?

use super::{BotKeys, Course, Draft, LANGUAGES, LICENSES, Row};
use crate::actor::Actor;
use crate::app::App;
use crate::error::Result;
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::id::ActorId;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};

/// Proposals and their answers, and changing a course.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/propose", get(new))
        .route("/courses", post(create))
        .route("/c/{name}/edit", get(edit).post(update))
        .route("/c/{name}/organizers", post(add_organizer))
        .route("/c/{name}/organizers/removal", post(remove_organizer))
        .route("/c/{name}/review", post(hand_in))
        .route("/c/{name}/withdrawal", get(ask_withdrawal).post(withdraw))
        .route("/c/{name}/archive", get(ask_archive).post(archive))
        .route("/admin/proposals", get(proposals))
        .route("/c/{name}/listing", post(list_it))
        .route("/c/{name}/wish", post(send_back))
}

/// Who sees what is in a course, as forms offer it.
const CIRCLES: &[(&str, &str, &str)] = &[
    ("no", "Everyone", "It stands in the list, search and other servers find it, and what is said in it is public."),
    (
        "yes",
        "Only those who take part",
        "It stands in no list. Whoever has its address sees title and description and can ask for a place; you decide. \
         Syllabus, assignments, people and discussion are there for those alone whom you accepted. People on other \
         servers of this kind can take part; microblogs cannot show what is said in it. Administrators of the servers \
         of those who take part could read it. This cannot be changed once a moderator agreed to the course.",
    ),
];

#[derive(Template)]
#[template(path = "course/new.html", config = ".askama.toml")]
struct New {
    page: Page,
    form: Form,
    languages: &'static [(&'static str, &'static str)],
    licenses: Vec<(&'static str, &'static str)>,
    circles: &'static [(&'static str, &'static str, &'static str)],
}

fn licenses() -> Vec<(&'static str, &'static str)> {
    LICENSES.iter().map(|(id, name, _)| (*id, *name)).collect()
}

async fn new(page: Page, _: SignedIn) -> Answer {
    let form =
        Form::of([("language", "en".to_owned()), ("license", "CC-BY-SA-4.0".to_owned()), ("private", "no".to_owned())]);
    Ok(render(&New { page, form, languages: LANGUAGES, licenses: licenses(), circles: CIRCLES })?.into_response())
}

fn draft(form: &Form) -> Draft {
    let text = |name| form.text(name).to_owned();
    Draft {
        title: text("title"),
        handle: text("handle"),
        tagline: text("tagline"),
        description: form.value("description").to_owned(),
        language: text("language"),
        license: text("license"),
    }
}

async fn create(State(app): State<App>, page: Page, person: SignedIn, form: Form) -> Answer {
    let (wanted, private) = (draft(&form), form.has("private", "yes"));
    let checked = wanted.check().and_then(|()| wanted.check_handle());
    let form = match form.or_problems(checked)? {
        Err(form) => {
            return again(New { page, form: *form, languages: LANGUAGES, licenses: licenses(), circles: CIRCLES });
        }
        Ok(()) => fresh(&wanted).with("private", if private { "yes" } else { "no" }),
    };
    // Making keys takes long: on a thread that may be busy, and never inside the transaction.
    let keys = tokio::task::spawn_blocking(BotKeys::generate).await??;
    let by = person.actor;
    let made = app.write(move |tx| {
        let course = super::propose(tx, &by, &wanted, &keys)?;
        super::set_private(tx, &by, course.id, private)?;
        Ok(course)
    });
    match form.or_problems(made.await)? {
        Err(form) => again(New { page, form: *form, languages: LANGUAGES, licenses: licenses(), circles: CIRCLES }),
        Ok(course) => {
            let path = app.read(move |db| Ok(crate::actor::get(db, course.actor_id)?.path())).await?;
            Ok(redirect_with(&path, "Proposed. A moderator will look at it and answer here."))
        }
    }
}

fn fresh(draft: &Draft) -> Form {
    Form::of([
        ("title", draft.title.clone()),
        ("handle", draft.handle.clone()),
        ("tagline", draft.tagline.clone()),
        ("description", draft.description.clone()),
        ("language", draft.language.clone()),
        ("license", draft.license.clone()),
    ])
}

fn again(template: impl Template) -> Answer {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&template)?).into_response())
}

#[derive(Template)]
#[template(path = "course/edit.html", config = ".askama.toml")]
struct Edit {
    page: Page,
    form: Form,
    course: Course,
    group: Actor,
    organizers: Vec<Actor>,
    languages: &'static [(&'static str, &'static str)],
    licenses: Vec<(&'static str, &'static str)>,
    circles: &'static [(&'static str, &'static str, &'static str)],
}

impl Edit {
    fn owns(&self, organizer: &Actor) -> bool {
        self.course.owner_id == Some(organizer.id)
    }
}

/// The course, when this person may change it.
async fn organized(app: &App, name: String, by: &Actor) -> Result<Row> {
    let by = by.clone();
    app.read(move |db| {
        let (course, group) = super::visible(db, &name, Some(&by))?;
        super::may_organize(db, &by, &course)?;
        Ok((course, group))
    })
    .await
}

async fn edit_page(app: &App, page: Page, row: Row, form: Form) -> Result<Edit> {
    let (course, group) = row;
    let id = course.id;
    let organizers = app.read(move |db| super::organizers(db, id)).await?;
    Ok(Edit { page, form, course, group, organizers, languages: LANGUAGES, licenses: licenses(), circles: CIRCLES })
}

async fn edit(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>) -> Answer {
    let row = organized(&app, name, &person.actor).await?;
    let (course, group) = row.clone();
    let now = Draft {
        title: group.name,
        handle: group.handle,
        tagline: course.tagline,
        description: course.description_md,
        language: course.language,
        license: course.license,
    };
    let private = if course.private { "yes" } else { "no" };
    let form = fresh(&now).with("private", private);
    Ok(render(&edit_page(&app, page, row, form).await?)?.into_response())
}

async fn update(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let row = organized(&app, name, &person.actor).await?;
    let (by, id, wanted) = (person.actor, row.0.id, draft(&form));
    let private = form.find("private").map(|chosen| chosen == "yes");
    let done = app
        .write(move |tx| {
            if let Some(private) = private {
                super::set_private(tx, &by, id, private)?;
            }
            super::edit(tx, &by, id, &wanted)
        })
        .await;
    match form.or_problems(done)? {
        Err(form) => again(edit_page(&app, page, row, *form).await?),
        Ok(_) => Ok(redirect_with(&row.1.path(), "Saved.")),
    }
}

async fn add_organizer(
    State(app): State<App>,
    page: Page,
    person: SignedIn,
    Path(name): Path<String>,
    form: Form,
) -> Answer {
    let row = organized(&app, name, &person.actor).await?;
    let (by, id, handle) = (person.actor, row.0.id, form.text("organizer").to_owned());
    let done = app.write(move |tx| super::add_organizer(tx, &by, id, &handle)).await;
    match form.or_problems(done)? {
        Err(form) => again(edit_page(&app, page, row, *form).await?),
        Ok(added) => {
            let back = format!("{}/edit", row.1.path());
            Ok(redirect_with(&back, &format!("{} organizes it now, too.", added.name)))
        }
    }
}

async fn remove_organizer(State(app): State<App>, person: SignedIn, Path(name): Path<String>, form: Form) -> Answer {
    let row = organized(&app, name, &person.actor).await?;
    let (by, id, whom) = (person.actor, row.0.id, ActorId(form.number("actor")?));
    app.write(move |tx| super::remove_organizer(tx, &by, id, whom)).await?;
    Ok(redirect_with(&format!("{}/edit", row.1.path()), "No longer an organizer."))
}

async fn hand_in(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (course, group) = organized(&app, name, &person.actor).await?;
    app.write(move |tx| super::hand_in(tx, &person.actor, course.id)).await?;
    Ok(redirect_with(&group.path(), "Handed in again. A moderator will look at it."))
}

#[derive(Template)]
#[template(path = "course/confirm.html", config = ".askama.toml")]
struct Confirm {
    page: Page,
    group: Actor,
    title: &'static str,
    follows: &'static str,
    button: &'static str,
}

async fn ask_withdrawal(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>) -> Answer {
    let (_, group) = organized(&app, name, &person.actor).await?;
    let (title, button) = ("Take this proposal back?", "Take it back");
    let follows = "Nobody but you and the moderators has seen it. It cannot be proposed under this handle again.";
    Ok(render(&Confirm { page, group, title, follows, button })?.into_response())
}

async fn withdraw(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (course, _) = organized(&app, name, &person.actor).await?;
    app.write(move |tx| super::withdraw(tx, &person.actor, course.id)).await?;
    Ok(redirect_with("/courses", "The proposal is taken back."))
}

async fn ask_archive(State(app): State<App>, page: Page, person: SignedIn, Path(name): Path<String>) -> Answer {
    let (_, group) = organized(&app, name, &person.actor).await?;
    let (title, button) = ("End this course?", "End the course");
    let follows = "It leaves the list and takes nobody any more. Everything in it stays readable.";
    Ok(render(&Confirm { page, group, title, follows, button })?.into_response())
}

async fn archive(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (course, group) = organized(&app, name, &person.actor).await?;
    app.write(move |tx| super::archive(tx, &person.actor, course.id)).await?;
    Ok(redirect_with(&group.path(), "The course is archived."))
}

#[derive(Template)]
#[template(path = "course/proposals.html", config = ".askama.toml")]
struct Proposals {
    page: Page,
    rows: Vec<Row>,
    form: Form,
    /// Which proposal the form belongs to.
    at: String,
}

async fn proposals_page(app: &App, page: Page, person: &SignedIn, form: Form, at: String) -> Result<Proposals> {
    let by = person.actor.clone();
    let rows = app.read(move |db| super::may_moderate(db, &by).and_then(|()| super::proposals(db))).await?;
    Ok(Proposals { page, rows, form, at })
}

async fn proposals(State(app): State<App>, page: Page, person: SignedIn) -> Answer {
    let shown = proposals_page(&app, page, &person, Form::default(), String::new()).await?;
    Ok(render(&shown)?.into_response())
}

async fn moderated(app: &App, name: String, by: &Actor) -> Result<Row> {
    let by = by.clone();
    app.read(move |db| super::may_moderate(db, &by).and_then(|()| super::named(db, &name))).await
}

async fn list_it(State(app): State<App>, person: SignedIn, Path(name): Path<String>, _: Form) -> Answer {
    let (course, group) = moderated(&app, name, &person.actor).await?;
    app.write(move |tx| super::list_it(tx, &person.actor, course.id)).await?;
    let what = if course.private { "can be asked for places now" } else { "is in the list now" };
    Ok(redirect_with("/admin/proposals", &format!("“{}” {what}.", group.name)))
}

async fn send_back(
    State(app): State<App>,
    page: Page,
    person: SignedIn,
    Path(name): Path<String>,
    form: Form,
) -> Answer {
    let (course, group) = moderated(&app, name.clone(), &person.actor).await?;
    let (by, wish) = (person.actor.clone(), form.text("wish").to_owned());
    let done = app.write(move |tx| super::send_back(tx, &by, course.id, &wish)).await;
    match form.or_problems(done)? {
        Err(form) => again(proposals_page(&app, page, &person, *form, name).await?),
        Ok(_) => {
            let said = format!("“{}” went back to its organizer with your wish.", group.name);
            Ok(redirect_with("/admin/proposals", &said))
        }
    }
}
