//! Where do people make an account, set the instance up, or get a new password?

mod settings;

use super::{Asked, NewAccount, SignedUp, check_password};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::crypto::Keypair;
use crate::error::{Error, Problems, Result};
use crate::http::limit::{Limit, network_of};
use crate::http::password;
use crate::http::{Answer, Form, Page, redirect, redirect_with, redirect_without, render};
use crate::setting::{self, Cache, Settings, SignUp};
use crate::{account, text};
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::time::Duration;

/// The routes of this feature.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-up", get(new).post(create))
        .route("/reset", get(reset_new).post(reset_create))
        .route("/reset/{token}", get(reset_edit).post(reset_update))
        .route("/set-up/{token}", get(set_up_new).post(set_up_create))
        .merge(settings::routes())
}

const MINUTE: Duration = Duration::from_secs(60);

/// How often doors of this feature may be knocked at (ACC-02, ACC-04, ACC-05, ACC-11).
struct Limits {
    sign_up: Limit,
    reset: Limit,
    password: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sign_up: Limit::new(5, 30 * MINUTE),
            reset: Limit::new(5, 30 * MINUTE),
            password: Limit::new(10, 10 * MINUTE),
        }
    }
}

/// The same form beside what was wrong with it, and the status that says so.
fn unprocessable(template: &impl Template) -> Answer {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, render(template)?).into_response())
}

/// Zones to choose from, in the order of the alphabet.
fn zones() -> Vec<(String, String)> {
    let cities = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut names: Vec<String> = cities
        .filter(|name| {
            name.contains('/') && !["Etc/", "posix/", "right/", "SystemV/", "US/"].iter().any(|s| name.starts_with(s))
        })
        .collect();
    names.sort();
    names.dedup();
    names.insert(0, "UTC".into());
    names.into_iter().map(|name| (name.clone(), name.replace('_', " "))).collect()
}

#[derive(Template)]
#[template(path = "account/sign_up.html", config = ".askama.toml")]
struct SignUpPage {
    page: Page,
    form: Form,
    mode: SignUp,
    contact: String,
    zones: Vec<(String, String)>,
}

async fn sign_up_page(app: &App, page: Page, form: Form) -> Result<SignUpPage> {
    let settings = app.read(setting::load).await?;
    Ok(SignUpPage { page, form, mode: settings.sign_up, contact: settings.contact, zones: zones() })
}

#[derive(Deserialize)]
struct Invited {
    #[serde(default)]
    code: String,
}

async fn new(State(app): State<App>, page: Page, Query(invited): Query<Invited>) -> Answer {
    if page.person().is_some() {
        return Ok(redirect("/me"));
    }
    let form = Form::of([("code", invited.code), ("zone", "UTC".into())]);
    Ok(render(&sign_up_page(&app, page, form).await?)?.into_response())
}

async fn create(State(app): State<App>, page: Page, form: Form) -> Answer {
    let result = sign_up(&app, &page, &form).await;
    let handle = form.text("handle").trim_start_matches('@').to_lowercase();
    let mode = app.read(setting::load).await?.sign_up;
    match form.or_problems(result)? {
        Ok(_) => {
            let said = if mode == SignUp::Approval {
                "Thank you. An administrator will look at it, and you will get a letter."
            } else {
                "Your account is made. Sign in with it once, so that your browser can remember it."
            };
            let path = if text::is_handle(&handle) { format!("/sign-in?name={handle}") } else { "/sign-in".into() };
            Ok(redirect_with(&path, said))
        }
        Err(form) => unprocessable(&sign_up_page(&app, page, *form).await?),
    }
}

/// Whoever asks for a mail address that is known gets the same answer as everybody else (ACC-01).
async fn sign_up(app: &App, page: &Page, form: &Form) -> Result<SignedUp> {
    let mode = app.read(setting::load).await?.sign_up;
    if mode != SignUp::Closed {
        problems(app, form, Some(mode)).await?.check()?;
        // Mistyped forms do not count, so that nobody is locked out by a short password.
        app.kept::<Limits>().sign_up.check(app.clock(), &network_of(&page.visitor.address))?;
    }
    let new = new_account(app, form).await?;
    let code = form.text("code").to_owned();
    app.write(move |tx| account::sign_up(tx, &new, &code)).await
}

fn asked(form: &Form) -> Asked {
    let text = |name| form.text(name).to_owned();
    Asked {
        handle: text("handle"),
        name: text("name"),
        email: text("email"),
        zone: text("zone"),
        application: text("application"),
        code: text("code"),
    }
}

/// Everything that is wrong with what was filled in, found before anything that takes long.
async fn problems(app: &App, form: &Form, mode: Option<SignUp>) -> Result<Problems> {
    let (now, asked) = (app.now(), asked(form));
    let mut problems = app.read(move |db| account::problems(db, &asked, mode, now)).await?;
    problems.gather(check_password(form.value("password"), &[form.text("handle"), form.text("email")]))?;
    Ok(problems)
}

/// Hashes the password and makes the key, both away from the database.
async fn new_account(app: &App, form: &Form) -> Result<NewAccount> {
    let password_hash = password::hash(app, form.value("password")).await?;
    let keys = tokio::task::spawn_blocking(Keypair::generate).await?;
    let keys = keys.map_err(|e| Error::Internal(Box::new(e)))?;
    let Asked { handle, name, email, zone, application, .. } = asked(form);
    Ok(NewAccount { handle, name, email, password_hash, zone, application, keys })
}

#[derive(Template)]
#[template(path = "account/set_up.html", config = ".askama.toml")]
struct SetUpPage {
    page: Page,
    form: Form,
    host: String,
    zones: Vec<(String, String)>,
    modes: Vec<(&'static str, &'static str, &'static str)>,
}

/// Ways of signing up, with what they mean.
pub const MODES: &[(&str, &str, &str)] = &[
    ("open", "Open", "Everybody can make an account."),
    ("approval", "By approval", "Everybody can ask; an administrator lets them in."),
    ("invitation", "By invitation", "Whoever has a code from an administrator."),
    ("closed", "Closed", "Nobody. Courses stay open to people of other servers."),
];

fn set_up_page(app: &App, page: Page, form: Form) -> SetUpPage {
    SetUpPage { page, form, host: app.links().host().to_owned(), zones: zones(), modes: MODES.to_vec() }
}

#[derive(Template)]
#[template(path = "account/dead.html", config = ".askama.toml")]
struct DeadPage {
    page: Page,
}

/// Says the same of a link that was used and of one that never was: a stranger learns nothing else.
async fn is_set_up_link(app: &App, token: String) -> Result<bool> {
    let now = app.now();
    match app.read(move |db| account::may_set_up(db, &token, now)).await {
        Ok(()) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

fn dead_set_up(page: Page) -> Answer {
    Ok((StatusCode::NOT_FOUND, render(&DeadPage { page })?).into_response())
}

async fn set_up_new(State(app): State<App>, page: Page, Path(token): Path<String>) -> Answer {
    if !is_set_up_link(&app, token).await? {
        return dead_set_up(page);
    }
    let form = Form::of([("sign_up", "approval".into()), ("zone", "UTC".into())]);
    Ok(render(&set_up_page(&app, page, form))?.into_response())
}

async fn set_up_create(State(app): State<App>, page: Page, Path(token): Path<String>, form: Form) -> Answer {
    if !is_set_up_link(&app, token.clone()).await? {
        return dead_set_up(page);
    }
    let result = set_up(&app, token, &form).await;
    if matches!(result, Err(Error::NotFound)) {
        return dead_set_up(page);
    }
    let handle = form.text("handle").to_lowercase();
    match form.or_problems(result)? {
        Ok(()) => {
            Cache::forget(&app);
            Ok(redirect_with(
                &format!("/sign-in?name={handle}&next=/"),
                "The school is set up. Sign in with your new account.",
            ))
        }
        Err(form) => unprocessable(&set_up_page(&app, page, *form)),
    }
}

async fn set_up(app: &App, token: String, form: &Form) -> Result<()> {
    let name = form.text("site_name").to_owned();
    let mut wrong = Problems::default();
    wrong.gather(setting::check(&Settings { name: name.clone(), ..Settings::default() }))?;
    let mode = form.value("sign_up").parse();
    wrong.add_if(mode.is_err(), "sign_up", "Please choose one.");
    wrong.add_all(problems(app, form, None).await?);
    wrong.check()?;
    let mode = mode.map_err(|_| Error::invalid("sign_up", "Please choose one."))?;
    let new = new_account(app, form).await?;
    app.write(move |tx| account::set_up(tx, &token, &new, &name, mode)).await.map(drop)
}

#[derive(Template)]
#[template(path = "account/reset.html", config = ".askama.toml")]
struct ResetPage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "account/reset_edit.html", config = ".askama.toml")]
struct ResetEditPage {
    page: Page,
    form: Form,
    name: String,
}

async fn reset_new(page: Page) -> Answer {
    Ok(render(&ResetPage { page, form: Form::default() })?.into_response())
}

async fn reset_create(State(app): State<App>, page: Page, form: Form) -> Answer {
    let email = form.text("email").to_lowercase();
    if !crate::mail::is_address(&email) {
        let result: Result<()> = Err(Error::invalid("email", "Please enter a mail address, such as bo@example.org."));
        return match form.or_problems(result)? {
            Ok(()) => Ok(redirect("/reset")),
            Err(form) => unprocessable(&ResetPage { page, form: *form }),
        };
    }
    let limits = app.kept::<Limits>();
    limits.reset.check(app.clock(), &format!("mail {email}"))?;
    limits.reset.check(app.clock(), &network_of(&page.visitor.address))?;
    app.write(move |tx| account::ask_reset(tx, &email)).await?;
    let said = "If there is an account with this address, a letter is on its way. Its link works for one hour.";
    Ok(redirect_with("/sign-in", said))
}

/// A link that does not work any more leads to where a new one is asked for.
fn dead_link() -> Response {
    redirect_without("/reset", "This link was used already or is older than an hour. Please ask for a new one.")
}

async fn reset_edit(State(app): State<App>, page: Page, Path(token): Path<String>) -> Answer {
    match reset_owner(&app, token).await {
        Ok(owner) => Ok(render(&ResetEditPage { page, form: Form::default(), name: owner.name })?.into_response()),
        Err(Error::NotFound) => Ok(dead_link()),
        Err(other) => Err(other),
    }
}

async fn reset_owner(app: &App, token: String) -> Result<Actor> {
    let now = app.now();
    app.read(move |db| {
        let account = account::may_reset(db, &token, now)?;
        actor::get(db, account.actor_id)
    })
    .await
}

async fn reset_update(State(app): State<App>, page: Page, Path(token): Path<String>, form: Form) -> Answer {
    let owner = match reset_owner(&app, token.clone()).await {
        Ok(owner) => owner,
        Err(Error::NotFound) => return Ok(dead_link()),
        Err(other) => return Err(other),
    };
    let result = reset(&app, token, &form, &owner).await;
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with(
            &format!("/sign-in?name={}", owner.handle),
            "Your password is changed. Sign in with the new one.",
        )),
        Err(form) => unprocessable(&ResetEditPage { page, form: *form, name: owner.name }),
    }
}

async fn reset(app: &App, token: String, form: &Form, owner: &Actor) -> Result<()> {
    check_password(form.value("password"), &[&owner.handle])?;
    let hash = password::hash(app, form.value("password")).await?;
    app.write(move |tx| account::reset(tx, &token, &hash)).await.map(drop)
}
