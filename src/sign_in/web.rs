//! Where do people sign in and out, and see where else they are signed in?

pub mod recognise;

use super::Limits;
use crate::account::session::{self, LASTS, Session};
use crate::account::{self, Theme};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::password;
use crate::http::{Answer, Form, Page, SignedIn, Visitor, redirect, redirect_with, render};
use crate::id::SessionId;
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use recognise::{THEME_COOKIE, append, cookie, session_cookie};
use serde::Deserialize;

/// The routes of this feature.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(new).post(create))
        .route("/sign-out", post(delete))
        .route("/theme", post(theme))
        .route("/settings/sessions", get(index))
        .route("/settings/sessions/others/end", post(end_others))
        .route("/settings/sessions/{id}/end", post(end))
}

#[derive(Template)]
#[template(path = "sign_in/sign_in.html", config = ".askama.toml")]
struct SignInPage {
    page: Page,
    form: Form,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    next: String,
    #[serde(default)]
    name: String,
}

async fn new(page: Page, Query(wish): Query<Wish>) -> Answer {
    if page.person().is_some() {
        return Ok(redirect(&local(&wish.next)));
    }
    let form = Form::of([("next", local(&wish.next)), ("name", wish.name)]);
    Ok(render(&SignInPage { page, form })?.into_response())
}

/// Only paths of this instance, so that nobody is led elsewhere; anything else becomes the page of one's own courses.
fn local(next: &str) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    let leads_round = next.starts_with("/sign-") || next.starts_with("/reset") || next.starts_with("/set-up");
    if is_path && !leads_round { next.to_owned() } else { "/me".to_owned() }
}

const WRONG: &str = "Name and password do not belong together. Please look at both once more.";

async fn create(State(app): State<App>, page: Page, headers: HeaderMap, form: Form) -> Answer {
    let next = local(form.value("next"));
    let result = sign_in(&app, &page.visitor, &headers, &form).await;
    match form.or_problems(result)? {
        Ok(token) => {
            let mut response = redirect(&next);
            append(&mut response, &cookie(&app, session_cookie(&app), &token, Some(LASTS.as_secs())));
            Ok(response)
        }
        Err(form) => Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&SignInPage { page, form: *form })?).into_response()),
    }
}

/// The token of a new session. Known and unknown names take the same time and get the same answer (ACC-01).
async fn sign_in(app: &App, visitor: &Visitor, headers: &HeaderMap, form: &Form) -> Result<String> {
    let name = form.text("name").to_owned();
    let wanted = name.clone();
    let account = app.read(move |db| account::find_by_name(db, &wanted)).await?;
    let id = account.as_ref().map(|account| account.id);
    app.kept::<Limits>().check(app.clock(), &visitor.address, id, &name)?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let right = password::verify(app, form.value("password"), stored).await?;
    let account = account.filter(|_| right).ok_or_else(|| Error::invalid("name", WRONG))?;
    let user_agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (address, old) = (visitor.address.clone(), visitor.person.clone());
    let token = app
        .write(move |tx| {
            // Whoever signs in again in the same browser leaves the session before (WEB-03).
            if let Some(old) = old {
                session::end(tx, old.account, old.session)?;
            }
            session::open(tx, &account, &user_agent, &address)
        })
        .await?;
    Ok(token.reveal().to_owned())
}

async fn delete(State(app): State<App>, visitor: Visitor, _form: Form) -> Answer {
    if let Some(person) = visitor.person {
        app.write(move |tx| session::end(tx, person.account, person.session)).await?;
    }
    let mut response = redirect_with("/", "You are signed out.");
    append(&mut response, &cookie(&app, session_cookie(&app), "", Some(0)));
    Ok(response)
}

async fn theme(State(app): State<App>, visitor: Visitor, form: Form) -> Answer {
    let theme: Theme = form.value("theme").parse().map_err(|_| Error::invalid("theme", "There is no such theme."))?;
    let back = form.value("back");
    let mut response = redirect(if back.is_empty() { "/" } else { back });
    append(&mut response, &cookie(&app, THEME_COOKIE, theme.as_str(), Some(400 * 24 * 3600)));
    if let Some(person) = visitor.person {
        app.write(move |tx| account::set_preferences(tx, &person.actor, &person.zone, theme)).await?;
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "sign_in/sessions.html", config = ".askama.toml")]
struct SessionsPage {
    page: Page,
    sessions: Vec<Session>,
    mine: SessionId,
}

impl SessionsPage {
    /// What a browser calls itself is long; its name and system are enough to know it again.
    fn browser(&self, session: &Session) -> String {
        let agent = session.user_agent.as_str();
        let first = |names: &[(&str, &'static str)]| {
            names.iter().find(|(sign, _)| agent.contains(sign)).map_or("", |(_, name)| *name)
        };
        let browser = first(&[
            ("Firefox/", "Firefox"),
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Chrom", "Chromium or Chrome"),
            ("Safari/", "Safari"),
        ]);
        let system = first(&[
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS", "macOS"),
            ("Linux", "Linux"),
        ]);
        match (browser, system) {
            ("", _) if agent.is_empty() => "A browser without a name".into(),
            ("", _) => agent.chars().take(40).collect(),
            (browser, "") => browser.into(),
            (browser, system) => format!("{browser} on {system}"),
        }
    }
}

async fn index(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    let now = app.now();
    let sessions = app.read(move |db| session::list(db, me.account, now)).await?;
    Ok(render(&SessionsPage { page, sessions, mine: me.session })?.into_response())
}

async fn end(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| session::end(tx, me.account, SessionId(id))).await?;
    Ok(redirect_with("/settings/sessions", "That browser is signed out."))
}

async fn end_others(State(app): State<App>, me: SignedIn, _form: Form) -> Answer {
    app.write(move |tx| session::end_all(tx, me.account, Some(me.session))).await?;
    Ok(redirect_with("/settings/sessions", "All other browsers are signed out."))
}

/// Finds out who is visiting, around everything that shows it, the pages of errors included.
pub fn recognising(app: App, router: Router<App>) -> Router<App> {
    router.layer(axum::middleware::from_fn_with_state(app, recognise::recognise))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn signing_in_leads_back_but_never_elsewhere() {
        assert_eq!(local("/c/rust?x=1"), "/c/rust?x=1");
        for evil in ["", "//evil.test", "https://evil.test", "/\\evil.test", "/sign-out", "/a\r\nb"] {
            assert_eq!(local(evil), "/me", "{evil}");
        }
    }
}
