//! Who sent this request? Reads cookies once and the database once, and puts the answer into the request.

use crate::account::session::{self, NOTED};
use crate::account::{Account, Role};
use crate::actor::Actor;
use crate::app::App;
use crate::crypto::{Token, sha256};
use crate::error::Result;
use crate::http::answer::{FLASH_COOKIE, Flash};
use crate::http::client::Client;
use crate::http::{SignedIn, Visitor, wants_wire};
use crate::notice;
use crate::setting::{self, Cache, Settings, SignUp};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use std::sync::Arc;

/// The cookie that keeps the chosen colours of who is not signed in.
pub const THEME_COOKIE: &str = "hs_theme";

/// The name of the session's cookie. Over https the browser itself makes sure that it is ours.
pub fn session_cookie(app: &App) -> &'static str {
    if app.links().is_https() { "__Host-hs" } else { "hs" }
}

fn csrf_cookie(app: &App) -> &'static str {
    if app.links().is_https() { "__Host-hs_csrf" } else { "hs_csrf" }
}

/// The header for a cookie of ours: for the whole site and out of reach of scripts. `value` must be of letters that a
/// cookie may have; without `seconds` it lasts as long as the browser is open.
pub fn cookie(app: &App, name: &str, value: &str, seconds: Option<u64>) -> String {
    let secure = if app.links().is_https() { "; Secure" } else { "" };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
}

/// Puts a [`Visitor`] into every request that a person may have sent. Outside of `http::answer::dress`, which needs it.
pub async fn recognise(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<Client>().map(|from| from.0.to_string()).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    if !is_by_person(&request) {
        request.extensions_mut().insert(Visitor { address, path, ..Visitor::default() });
        return next.run(request).await;
    }
    let jar = CookieJar::from_headers(request.headers());
    let known = match look_up(&app, &jar).await {
        Ok(known) => known,
        Err(error) => return error.into_response(),
    };
    let (secret, is_new) = secret_of(&app, &jar);
    let shown = jar.get(session_cookie(&app)).map(Cookie::value).filter(|_| known.person.is_some());
    let theme = match &known.person {
        Some((_, account)) => account.theme.to_string(),
        None => jar.get(THEME_COOKIE).map(|c| c.value().to_owned()).unwrap_or_default(),
    };
    let visitor = Visitor {
        csrf: csrf_of(&secret, shown.unwrap_or_default()),
        flash: jar.get(FLASH_COOKIE).and_then(|c| Flash::read(c.value())),
        theme: if matches!(theme.as_str(), "light" | "dark") { theme } else { "auto".into() },
        site_name: known.settings.name.clone(),
        may_join: known.settings.sign_up != SignUp::Closed,
        person: known.person.map(|(person, _)| Arc::new(person)),
        path,
        address,
    };
    let had_flash = visitor.flash.is_some();
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    let is_page = is_page(response.headers());
    if is_page && is_new {
        append(&mut response, &cookie(&app, csrf_cookie(&app), &secret, None));
    }
    if is_page && had_flash {
        append(&mut response, &cookie(&app, FLASH_COOKIE, "", Some(0)));
    }
    if let Some(token) = known.renewed {
        append(&mut response, &cookie(&app, session_cookie(&app), &token, Some(session::LASTS.as_secs())));
    }
    if is_page {
        // A page says who is looking; no cache in between may keep it.
        let private = HeaderValue::from_static("private, no-store");
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(private);
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Cookie, Accept"));
    }
    response
}

/// Files, documents and activities are asked for and sent by programs.
fn is_by_person(request: &Request) -> bool {
    let path = request.uri().path();
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let sent = request.method() == Method::POST && kind.contains("json");
    let machine = ["/static/", "/.well-known/", "/nodeinfo/", "/livez", "/readyz"];
    !(sent || wants_wire(request.headers()) || machine.iter().any(|start| path.starts_with(start)))
}

struct Known {
    person: Option<(SignedIn, Account)>,
    settings: Arc<Settings>,
    /// The token, when its cookie is to be sent again because the session lasts longer now.
    renewed: Option<String>,
}

/// One visit to the database, and none for strangers while the settings are remembered.
async fn look_up(app: &App, jar: &CookieJar) -> Result<Known> {
    let token = jar.get(session_cookie(app)).and_then(|c| Token::shown(c.value()));
    let cached = Cache::find(app);
    if let (None, Some(settings)) = (&token, &cached) {
        return Ok(Known { person: None, settings: settings.clone(), renewed: None });
    }
    let (hash, now, fresh) = (token.as_ref().map(Token::hash), app.now(), cached.is_some());
    let (found, loaded) = app
        .look_up(move |db| {
            let found = match &hash {
                Some(hash) => session::find(db, hash, now)?,
                None => None,
            };
            let unseen = match &found {
                Some((_, _, actor)) => notice::count_unseen(db, actor.id)?,
                None => 0,
            };
            let loaded = if fresh { None } else { Some(setting::load(db)?) };
            Ok((found.map(|found| (found, unseen)), loaded))
        })
        .await?;
    let settings = match (cached, loaded) {
        (_, Some(loaded)) => Cache::keep(app, now, loaded),
        (Some(cached), None) => cached,
        (None, None) => Arc::default(),
    };
    let Some(((session, account, actor), unseen)) = found else {
        return Ok(Known { person: None, settings, renewed: None });
    };
    let mut renewed = None;
    if now.since(session.seen_at) >= NOTED {
        let id = session.id;
        app.write(move |tx| session::note(tx, id)).await?;
        renewed = token.map(|token| token.reveal().to_owned());
    }
    Ok(Known { person: Some((signed_in(&session, &account, actor, unseen), account)), settings, renewed })
}

fn signed_in(session: &session::Session, account: &Account, actor: Actor, unseen: i64) -> SignedIn {
    SignedIn {
        actor,
        account: account.id,
        session: session.id,
        is_admin: account.role == Role::Admin,
        is_moderator: account.role != Role::Member,
        zone: account.zone.clone(),
        unseen,
    }
}

/// The secret of this browser's forms, and whether it was made just now.
fn secret_of(app: &App, jar: &CookieJar) -> (String, bool) {
    match jar.get(csrf_cookie(app)).and_then(|c| Token::shown(c.value())) {
        Some(token) => (token.reveal().to_owned(), false),
        None => (app.chance().with(|rng| Token::new(rng)).reveal().to_owned(), true),
    }
}

/// What forms send back: bound to the browser's secret and to the session, so that one planted before signing in is
/// worth nothing afterwards (WEB-01, WEB-03).
fn csrf_of(secret: &str, session: &str) -> String {
    data_encoding::HEXLOWER.encode(&sha256(format!("form {secret} {session}").as_bytes()))
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"))
}

/// Sends a cookie along.
pub fn append(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
