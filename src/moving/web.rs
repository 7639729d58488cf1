//! Where does somebody say that they, or a course, come from or go to another server?

use crate::account;
use crate::actor::{self, Actor, moves};
use crate::app::App;
use crate::clock::Time;
use crate::course;
use crate::db::Db;
use crate::error::{Error, Problems, Result};
use crate::federation::{Context, fetch};
use crate::http::limit::Limit;
use crate::http::password;
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::time::Duration;

/// Moving of oneself, and of a course that one organizes.
pub fn routes() -> Router<App> {
    ["/settings/moving", "/c/{name}/moving"].into_iter().fold(Router::new(), |routes, base| {
        routes
            .route(base, get(show))
            .route(&format!("{base}/departure"), post(depart))
            .route(&format!("{base}/aliases"), post(name))
            .route(&format!("{base}/aliases/removal"), post(drop_alias))
            .route(&format!("{base}/end"), post(stay))
    })
}

/// How often one person may ask other servers, or guess their password, there.
struct Tries(Limit);

impl Default for Tries {
    fn default() -> Self {
        Self(Limit::new(20, Duration::from_secs(3600)))
    }
}

#[derive(Template)]
#[template(path = "moving/show.html", config = ".askama.toml")]
struct Moving {
    page: Page,
    form: Form,
    /// The person, or the course.
    whom: Actor,
    is_course: bool,
    /// Where the forms go.
    base: String,
    /// The id of each, and how people write it.
    aliases: Vec<(String, String)>,
    moved: Option<Actor>,
    /// Until when it cannot move again.
    rests: Option<String>,
}

/// The name of a course, when it is one that moves.
type Named = Option<Path<String>>;

/// Who is moved by this request: oneself, or the course that is named in its path.
async fn whom(app: &App, me: &SignedIn, course: Named) -> Result<Actor> {
    let by = me.actor.clone();
    app.read(move |db| {
        let Some(Path(name)) = course else { return Ok(by) };
        let (course, group) = course::visible(db, &name, Some(&by))?;
        // What somebody does not organize has no such page for them.
        if group.here && course::organizes(db, &by, &course)? { Ok(group) } else { Err(Error::NotFound) }
    })
    .await
}

/// Where the page and its forms are.
fn base(whom: &Actor) -> String {
    match whom.kind {
        actor::ActorKind::Course => format!("{}/moving", whom.path()),
        _ => "/settings/moving".to_owned(),
    }
}

fn load(db: &mut Db, page: Page, whom: Actor, (form, now): (Form, Time)) -> Result<Moving> {
    let (is_course, base) = (whom.kind == actor::ActorKind::Course, base(&whom));
    let moved = moves::moved_to(db, whom.id)?;
    let mut aliases = Vec::new();
    for uri in moves::aliases_of(db, whom.id)? {
        let shown = actor::find_by_uri(db, &uri)?.map_or_else(|| uri.clone(), |known| known.acct());
        aliases.push((uri, shown));
    }
    let rests = super::rests_until(db, &whom)?.filter(|until| *until > now);
    let rests = rests.map(|until| page.show(&until));
    Ok(Moving { page, form, whom, is_course, base, aliases, moved, rests })
}

async fn shown(app: &App, page: Page, whom: Actor, form: Form) -> Answer {
    let status = if form.has_problems() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let now = app.now();
    let shown = app.read(move |db| load(db, page, whom, (form, now))).await?;
    Ok((status, render(&shown)?).into_response())
}

async fn show(State(app): State<App>, page: Page, me: SignedIn, course: Named) -> Answer {
    let whom = whom(&app, &me, course).await?;
    shown(&app, page, whom, Form::default()).await
}

/// The account of this handle, at its own server.
async fn look_up(context: &Context, field: &'static str, handle: &str) -> Result<Actor> {
    let wrong = |text: &str| Err(Error::invalid(field, text));
    match fetch::acct(context, handle).await {
        Ok(found) => Ok(found),
        Err(Error::NotFound | Error::Denied(_)) => {
            wrong("Nobody can be found there. A handle looks like @name@example.org.")
        }
        Err(Error::Unavailable(_)) => wrong("That server does not answer just now. Please try again later."),
        Err(other) => Err(other),
    }
}

async fn ask_to_name(app: &App, context: &Context, me: &SignedIn, whom: &Actor, form: &Form) -> Result<()> {
    app.kept::<Tries>().0.check(app.clock(), &format!("account {}", me.account.0))?;
    let other = look_up(context, "alias", form.text("alias")).await?;
    let (by, whom) = (me.actor.clone(), whom.clone());
    app.write(move |tx| super::name_alias(tx, &by, &whom, &other)).await
}

async fn ask_to_move(app: &App, context: &Context, me: &SignedIn, whom: &Actor, form: &Form) -> Result<()> {
    app.kept::<Tries>().0.check(app.clock(), &format!("account {}", me.account.0))?;
    let id = me.account;
    let account = app.read(move |db| account::get(db, id)).await?;
    let mut problems = Problems::default();
    let right = password::verify(app, form.value("password"), Some(account.password_hash)).await?;
    problems.add_if(!right, "password", "This is not your password.");
    problems.check()?;
    let found = look_up(context, "target", form.text("target")).await?;
    let to = match super::apub::who_names(context, &found.uri, &whom.uri).await {
        Err(Error::Denied(_)) => {
            let text = format!("{} does not name {} yet. Please add it there first.", found.acct(), whom.acct());
            return Err(Error::invalid("target", text));
        }
        Err(Error::Unavailable(_)) => {
            return Err(Error::invalid("target", "That server does not answer just now. Please try again later."));
        }
        other => other?,
    };
    if to.kind == actor::ActorKind::Course && !to.here {
        crate::catalogue::apub::mirror(context, &to.uri).await?;
    }
    let (by, whom) = (me.actor.clone(), whom.clone());
    app.write(move |tx| super::move_away(tx, &by, &whom, &to)).await
}

/// Shows the form again with what is wrong, or goes back with a sentence.
async fn answer(app: &App, page: Page, whom: Actor, outcome: (Form, Result<()>), said: &str) -> Answer {
    match outcome.0.or_problems(outcome.1)? {
        Ok(()) => Ok(redirect_with(&base(&whom), said)),
        Err(form) => shown(app, page, whom, *form).await,
    }
}

async fn name(State(app): State<App>, context: Context, page: Page, course: Named, form: Form) -> Answer {
    let me = page.visitor.signed_in()?;
    let whom = whom(&app, &me, course).await?;
    let result = ask_to_name(&app, &context, &me, &whom, &form).await;
    answer(&app, page, whom, (form, result), "Named. Now it can move here, from its own server.").await
}

async fn depart(State(app): State<App>, context: Context, page: Page, course: Named, form: Form) -> Answer {
    let me = page.visitor.signed_in()?;
    let whom = whom(&app, &me, course).await?;
    let result = ask_to_move(&app, &context, &me, &whom, &form).await;
    answer(&app, page, whom, (form, result), "The move is under way. Other servers are told now.").await
}

async fn drop_alias(State(app): State<App>, page: Page, course: Named, form: Form) -> Answer {
    let me = page.visitor.signed_in()?;
    let whom = whom(&app, &me, course).await?;
    let (by, actor, uri) = (me.actor.clone(), whom.clone(), form.text("uri").to_owned());
    let result = app.write(move |tx| super::drop_alias(tx, &by, &actor, &uri)).await;
    answer(&app, page, whom, (form, result), "No longer named.").await
}

async fn stay(State(app): State<App>, page: Page, course: Named, form: Form) -> Answer {
    let me = page.visitor.signed_in()?;
    let whom = whom(&app, &me, course).await?;
    let (by, actor) = (me.actor.clone(), whom.clone());
    let result = app.write(move |tx| super::stay(tx, &by, &actor)).await;
    answer(&app, page, whom, (form, result), "It leads nowhere any more.").await
}
