//! Where is the instance administered? Overview, accounts, invitations and settings.

use super::warning::{Warning, warnings};
use crate::account::web::MODES;
use crate::account::{self, Account, AccountState, Filter, Invitation, Role};
use crate::actor::Actor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::federation::peer::trouble::{self, Troubles};
use crate::http::client::{Peer, is_unnamed};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect_with, render};
use crate::id::{AccountId, InvitationId};
use crate::setting::{self, Cache, Settings};
use crate::site::change;
use crate::{actor, mail};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/admin", get(index))
        .route("/admin/accounts", get(accounts))
        .route("/admin/accounts/{id}", get(show))
        .route("/admin/accounts/{id}/approval", post(approve))
        .route("/admin/accounts/{id}/decline", get(ask_decline).post(decline))
        .route("/admin/accounts/{id}/suspension", get(ask_suspend).post(suspend))
        .route("/admin/accounts/{id}/restoration", post(restore))
        .route("/admin/accounts/{id}/role", post(role))
        .route("/admin/accounts/{id}/reset", post(reset))
        .route("/admin/invitations", get(invitations).post(invite))
        .route("/admin/invitations/{id}/revocation", post(revoke))
        .route("/admin/settings", get(edit).post(update))
}

/// Refuses all but administrators, before anything is read.
pub(super) fn may_see(me: &SignedIn) -> Result<()> {
    if me.is_admin { Ok(()) } else { Err(Error::denied("Only administrators may see this.")) }
}

#[derive(Template)]
#[template(path = "site/admin.html", config = ".askama.toml")]
struct AdminPage {
    page: Page,
    warnings: Vec<Warning>,
    counts: Vec<(AccountState, i64)>,
    pending: i64,
    letters: usize,
    troubles: Troubles,
    version: &'static str,
    database: &'static str,
}

async fn index(
    State(app): State<App>,
    page: Page,
    me: SignedIn,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Answer {
    may_see(&me)?;
    let trusted = &app.config().server.trusted_proxies;
    let unnamed = peer.is_some_and(|Extension(Peer(peer))| is_unnamed(peer.ip(), &headers, trusted));
    let now = app.now();
    let (counts, letters, settings, troubles) = app
        .read(move |db| {
            Ok((account::count(db)?, mail::list(db)?.len(), setting::load(db)?, trouble::troubles(db, now)?))
        })
        .await?;
    let pending = counts.iter().find(|(state, _)| *state == AccountState::Pending).map_or(0, |(_, count)| *count);
    let database = match app.config().address()? {
        crate::db::Address::Sqlite(_) => "SQLite",
        crate::db::Address::Postgres(_) => "PostgreSQL",
    };
    let warnings = warnings(app.config(), &settings, letters, unnamed);
    let version = env!("CARGO_PKG_VERSION");
    Ok(render(&AdminPage { page, warnings, counts, pending, letters, troubles, version, database })?.into_response())
}

#[derive(Template)]
#[template(path = "site/accounts.html", config = ".askama.toml")]
struct AccountsPage {
    page: Page,
    rows: Vec<(Account, Actor)>,
    counts: Vec<(AccountState, i64)>,
    q: String,
    state: String,
    pages: Pages,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

async fn accounts(State(app): State<App>, page: Page, me: SignedIn, Query(wish): Query<Wish>) -> Answer {
    may_see(&me)?;
    let number: i64 = wish.page.parse().unwrap_or(1).clamp(1, 100_000);
    let filter = Filter { state: wish.state.parse().ok(), text: wish.q.chars().take(100).collect() };
    let state = filter.state.map_or("", AccountState::as_str).to_owned();
    let q = filter.text.clone();
    let at = number - 1;
    let ((rows, more), counts) = app.read(move |db| Ok((account::list(db, &filter, at)?, account::count(db)?))).await?;
    let asked = serde_urlencoded::to_string([("q", &q), ("state", &state)]).unwrap_or_default();
    let pages = Pages::at(&format!("/admin/accounts?{asked}"), number, more);
    Ok(render(&AccountsPage { page, rows, counts, q, state, pages })?.into_response())
}

#[derive(Template)]
#[template(path = "site/account.html", config = ".askama.toml")]
struct AccountPage {
    page: Page,
    account: Account,
    actor: Actor,
    form: Form,
    roles: Vec<(&'static str, &'static str, &'static str)>,
    is_me: bool,
    link: Option<String>,
}

const ROLES: &[(&str, &str, &str)] = &[
    ("member", "Member", "Takes part in courses."),
    ("moderator", "Moderator", "Also answers proposals, approves and suspends accounts."),
    ("admin", "Administrator", "May also change everything about this school."),
];

async fn find(app: &App, id: i64) -> Result<(Account, Actor)> {
    app.read(move |db| {
        let account = account::get(db, AccountId(id))?;
        let actor = actor::get(db, account.actor_id)?;
        Ok((account, actor))
    })
    .await
}

async fn account_page(app: &App, page: Page, me: &SignedIn, id: i64) -> Result<AccountPage> {
    may_see(me)?;
    let (account, actor) = find(app, id).await?;
    let form = Form::of([("role", account.role.to_string())]);
    let is_me = account.id == me.account;
    Ok(AccountPage { page, account, actor, form, roles: ROLES.to_vec(), is_me, link: None })
}

async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<i64>) -> Answer {
    Ok(render(&account_page(&app, page, &me, id).await?)?.into_response())
}

const PENDING: &str = "/admin/accounts?state=pending";

async fn approve(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| account::approve(tx, &me.actor, AccountId(id))).await?;
    Ok(redirect_with(PENDING, "The account is open. A letter tells its owner."))
}

async fn decline(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| account::decline(tx, &me.actor, AccountId(id))).await?;
    Ok(redirect_with(PENDING, "Declined. A letter says so, and what was written is deleted."))
}

async fn suspend(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| account::suspend(tx, &me.actor, AccountId(id))).await?;
    Ok(redirect_with(&format!("/admin/accounts/{id}"), "The account is suspended and signed out everywhere."))
}

async fn restore(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| account::restore(tx, &me.actor, AccountId(id))).await?;
    Ok(redirect_with(&format!("/admin/accounts/{id}"), "The account may sign in again."))
}

async fn role(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, form: Form) -> Answer {
    let role: Role = form.value("role").parse().map_err(|_| Error::invalid("role", "There is no such role."))?;
    app.write(move |tx| account::set_role(tx, &me.actor, AccountId(id), role)).await?;
    Ok(redirect_with(&format!("/admin/accounts/{id}"), "The role is changed."))
}

/// Shows a link for a new password once, for who cannot get a letter.
async fn reset(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    let by = me.actor.clone();
    let path = app
        .write(move |tx| {
            account::may_administer(tx, &by)?;
            account::reset_link(tx, AccountId(id))
        })
        .await?;
    let mut shown = account_page(&app, page, &me, id).await?;
    shown.link = Some(app.links().absolute(&path));
    Ok(render(&shown)?.into_response())
}

#[derive(Template)]
#[template(path = "site/confirm.html", config = ".askama.toml")]
struct ConfirmPage {
    page: Page,
    title: String,
    text: &'static str,
    does: &'static str,
    back: String,
}

async fn ask_decline(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<i64>) -> Answer {
    let text = "A letter says so. What was written for it is deleted, and the name is free again.";
    confirm(&app, page, &me, (id, "Decline the account of", text, "Decline")).await
}

async fn ask_suspend(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<i64>) -> Answer {
    let text = "Every browser is signed out at once, and nothing that the account sends is accepted. What it did so far \
                stays. You can restore it at any time.";
    confirm(&app, page, &me, (id, "Suspend", text, "Suspend the account")).await
}

async fn confirm(
    app: &App,
    page: Page,
    me: &SignedIn,
    what: (i64, &'static str, &'static str, &'static str),
) -> Answer {
    may_see(me)?;
    let (id, verb, text, does) = what;
    let (_, actor) = find(app, id).await?;
    let title = format!("{verb} {}?", actor.name);
    Ok(render(&ConfirmPage { page, title, text, does, back: format!("/admin/accounts/{id}") })?.into_response())
}

#[derive(Template)]
#[template(path = "site/invitations.html", config = ".askama.toml")]
struct InvitationsPage {
    page: Page,
    form: Form,
    rows: Vec<(Invitation, &'static str, String)>,
    mode: setting::SignUp,
}

async fn invitations_page(app: &App, page: Page, me: &SignedIn, form: Form) -> Result<InvitationsPage> {
    let by = me.actor.clone();
    let (rows, mode) =
        app.read(move |db| Ok((account::list_invitations(db, &by)?, setting::load(db)?.sign_up))).await?;
    let now = app.now();
    let dressed = rows.into_iter().map(|row| {
        let state = match () {
            () if row.revoked_at.is_some() => "revoked",
            () if row.expires_at <= now => "expired",
            () if row.uses >= row.max_uses => "full",
            () => "open",
        };
        let link = app.links().absolute(&format!("/sign-up?code={}", row.code));
        (row, state, link)
    });
    Ok(InvitationsPage { page, form, rows: dressed.collect(), mode })
}

async fn invitations(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    let form = Form::of([("uses", "1".into()), ("days", "14".into())]);
    Ok(render(&invitations_page(&app, page, &me, form).await?)?.into_response())
}

async fn invite(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    let (by, note) = (me.actor.clone(), form.text("note").to_owned());
    let result = match (form.number("uses"), form.number("days")) {
        (Ok(uses), Ok(days)) => app.write(move |tx| account::invite(tx, &by, &note, uses, days)).await,
        (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
    };
    match form.or_problems(result)? {
        Ok(_) => Ok(redirect_with("/admin/invitations", "The invitation is ready. Give its link to whom you mean.")),
        Err(form) => {
            let shown = invitations_page(&app, page, &me, *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

async fn revoke(State(app): State<App>, me: SignedIn, Path(id): Path<i64>, _form: Form) -> Answer {
    app.write(move |tx| account::revoke_invitation(tx, &me.actor, InvitationId(id))).await?;
    Ok(redirect_with("/admin/invitations", "Nobody can use that invitation any more."))
}

#[derive(Template)]
#[template(path = "site/settings.html", config = ".askama.toml")]
struct SettingsPage {
    page: Page,
    form: Form,
    modes: Vec<(&'static str, &'static str, &'static str)>,
}

async fn edit(State(app): State<App>, page: Page, me: SignedIn) -> Answer {
    may_see(&me)?;
    let had = app.read(setting::load).await?;
    let form = Form::of([
        ("site_name", had.name),
        ("description", had.description),
        ("rules", had.rules),
        ("privacy", had.privacy),
        ("contact", had.contact),
        ("sign_up", had.sign_up.to_string()),
    ]);
    Ok(render(&SettingsPage { page, form, modes: MODES.to_vec() })?.into_response())
}

async fn update(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    let text = |name| form.text(name).replace("\r\n", "\n");
    let mode = form.value("sign_up").parse().map_err(|_| Error::invalid("sign_up", "Please choose one of these."));
    let result = match mode {
        Err(wrong) => Err(wrong),
        Ok(sign_up) => {
            let new = Settings {
                name: text("site_name"),
                description: text("description"),
                rules: text("rules"),
                privacy: text("privacy"),
                contact: text("contact"),
                sign_up,
            };
            app.write(move |tx| change(tx, &me.actor, &new)).await
        }
    };
    match form.or_problems(result)? {
        Ok(()) => {
            Cache::forget(&app);
            Ok(redirect_with("/admin/settings", "The settings are kept and in force."))
        }
        Err(form) => {
            let shown = SettingsPage { page, form: *form, modes: MODES.to_vec() };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}
