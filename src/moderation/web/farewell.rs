//! Where does somebody delete their account?

use super::Guesses;
use crate::account;
use crate::app::App;
use crate::error::{Error, Problems, Result};
use crate::http::password;
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::moderation::farewell;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

#[derive(Template)]
#[template(path = "moderation/farewell.html", config = ".askama.toml")]
struct Farewell {
    page: Page,
    form: Form,
    handle: String,
    /// Why it is not possible yet; empty when it is.
    obstacle: String,
}

async fn load(app: &App, page: Page, me: &SignedIn, form: Form) -> Result<Farewell> {
    let by = me.actor.clone();
    let obstacle = app
        .read(move |db| match farewell::may_go(db, &by) {
            Err(Error::Denied(refused)) => Ok(refused.0),
            other => other.map(|()| String::new()),
        })
        .await?;
    Ok(Farewell { page, form, handle: me.actor.handle.clone(), obstacle })
}

pub(super) async fn ask(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    Ok(render(&load(&app, page, &me, Form::default()).await?)?.into_response())
}

async fn delete(app: &App, me: &SignedIn, form: &Form) -> Result<()> {
    app.kept::<Guesses>().0.check(app.clock(), &format!("account {}", me.account.0))?;
    let id = me.account;
    let account = app.read(move |db| account::get(db, id)).await?;
    let mut problems = Problems::default();
    let right = password::verify(app, form.value("password"), Some(account.password_hash)).await?;
    problems.add_if(!right, "password", "This is not your password.");
    let typed = form.text("handle").trim_start_matches('@').to_lowercase();
    problems.add_if(typed != me.actor.handle, "handle", "Please type your own handle.");
    problems.check()?;
    let by = me.actor.clone();
    app.write(move |tx| farewell::delete_account(tx, &by)).await
}

pub(super) async fn go(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    let result = delete(&app, &me, &form).await;
    match form.or_problems(result)? {
        Ok(()) => Ok(redirect_with("/", "Your account is deleted. Goodbye, and thank you.")),
        Err(form) => {
            let shown = load(&app, page, &me, *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}
