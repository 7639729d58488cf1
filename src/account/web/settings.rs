//! Where do people change how they are shown, and their password?

use super::super::{self as account, Theme, check_password};
use super::{Limits, unprocessable, zones};
use crate::app::App;
use crate::error::{Error, Problems, Result};
use crate::http::password;
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/settings", get(edit).post(update))
        .route("/settings/password", get(password_edit).post(password_update))
}

const THEMES: &[(&str, &str, &str)] = &[("auto", "As my device", ""), ("light", "Light", ""), ("dark", "Dark", "")];

#[derive(Template)]
#[template(path = "account/settings.html", config = ".askama.toml")]
struct SettingsPage {
    page: Page,
    form: Form,
    me: SignedIn,
    zones: Vec<(String, String)>,
    themes: &'static [(&'static str, &'static str, &'static str)],
}

async fn edit(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    let id = me.account;
    let account = app.read(move |db| account::get(db, id)).await?;
    let form = Form::of([
        ("name", me.actor.name.clone()),
        ("bio", account.bio_md),
        ("zone", account.zone),
        ("theme", account.theme.to_string()),
    ]);
    Ok(render(&SettingsPage { page, form, me, zones: zones(), themes: THEMES })?.into_response())
}

async fn update(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    let text = |name| form.text(name).to_owned();
    let (by, name, bio, zone) = (me.actor.clone(), text("name"), text("bio"), text("zone"));
    let theme: Result<Theme> =
        form.value("theme").parse().map_err(|_| Error::invalid("theme", "Please choose one of these."));
    let result = match theme {
        Err(wrong) => Err(wrong),
        Ok(theme) => {
            app.write(move |tx| {
                account::set_preferences(tx, &by, &zone, theme)?;
                account::edit_profile(tx, &by, &name, &bio)
            })
            .await
        }
    };
    match form.or_problems(result)? {
        Ok(_) => Ok(redirect_with("/settings", "Your settings are kept.")),
        Err(form) => unprocessable(&SettingsPage { page, form: *form, me, zones: zones(), themes: THEMES }),
    }
}

#[derive(Template)]
#[template(path = "account/password.html", config = ".askama.toml")]
struct PasswordPage {
    page: Page,
    form: Form,
    handle: String,
}

async fn password_edit(page: Page, me: SignedIn) -> Answer {
    Ok(render(&PasswordPage { page, form: Form::default(), handle: me.actor.handle })?.into_response())
}

async fn password_update(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    let result = change_password(&app, &me, &form).await;
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with("/settings", "Your password is changed. All other browsers are signed out.")),
        Err(form) => unprocessable(&PasswordPage { page, form: *form, handle: me.actor.handle }),
    }
}

async fn change_password(app: &App, me: &SignedIn, form: &Form) -> Result<()> {
    let (id, session) = (me.account, me.session);
    app.kept::<Limits>().password.check(app.clock(), &format!("account {}", id.0))?;
    let account = app.read(move |db| account::get(db, id)).await?;
    let mut problems = Problems::default();
    let right = password::verify(app, form.value("old"), Some(account.password_hash)).await?;
    problems.add_if(!right, "old", "This is not your password.");
    if let Err(Error::Invalid(found)) = check_password(form.value("password"), &[&me.actor.handle, &account.email]) {
        found.iter().for_each(|(field, text)| problems.add(field, text));
    }
    problems.check()?;
    let hash = password::hash(app, form.value("password")).await?;
    app.write(move |tx| account::change_password(tx, id, &hash, Some(session))).await
}
