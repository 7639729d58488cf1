//! What does the instance say about itself? Front page, about, rules and privacy.

mod admin;
mod peers;
mod rules;
mod warning;

use super::Offer;
use crate::app::App;
use crate::error::Result;
use crate::http::{Answer, Page, render, wants_wire};
use crate::setting::{self, Cache, Settings};
use crate::{account, federation, text};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// The routes of this feature.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/about", get(about))
        .route("/rules", get(rules))
        .route("/privacy", get(privacy))
        .merge(admin::routes())
        .merge(peers::routes())
        .merge(rules::routes())
}

/// What is set: from memory, where [`crate::sign_in::web::recognise`] has just put it.
async fn settings(app: &App) -> Result<Arc<Settings>> {
    match Cache::find(app) {
        Some(settings) => Ok(settings),
        None => Ok(Cache::keep(app, app.now(), app.read(setting::load).await?)),
    }
}

#[derive(Template)]
#[template(path = "site/front.html", config = ".askama.toml")]
struct FrontPage {
    page: Page,
    settings: Arc<Settings>,
    offers: Vec<Offer>,
    has_admin: bool,
}

/// The front page; to other servers, the document of the instance.
async fn index(State(app): State<App>, headers: HeaderMap, page: Page) -> Answer {
    if wants_wire(&headers) {
        return federation::web::instance(State(app)).await;
    }
    let settings = settings(&app).await?;
    let offers = app.read(super::offers).await?;
    let has_admin = page.person().is_some() || app.read(account::has_admin).await?;
    Ok(render(&FrontPage { page, settings, offers, has_admin })?.into_response())
}

#[derive(Template)]
#[template(path = "site/about.html", config = ".askama.toml")]
struct AboutPage {
    page: Page,
    settings: Arc<Settings>,
    host: String,
    version: &'static str,
    source: Option<String>,
}

async fn about(State(app): State<App>, page: Page) -> Answer {
    let settings = settings(&app).await?;
    let (host, version) = (app.links().host().to_owned(), env!("CARGO_PKG_VERSION"));
    let source = app.config().server.source_url.as_ref().map(ToString::to_string);
    Ok(render(&AboutPage { page, settings, host, version, source })?.into_response())
}

#[derive(Template)]
#[template(path = "site/text.html", config = ".askama.toml")]
struct TextPage {
    page: Page,
    title: &'static str,
    html: String,
}

async fn rules(State(app): State<App>, page: Page) -> Answer {
    let settings = settings(&app).await?;
    prose(page, "Rules", &settings.rules)
}

async fn privacy(State(app): State<App>, page: Page) -> Answer {
    let settings = settings(&app).await?;
    prose(page, "Privacy", &settings.privacy)
}

fn prose(page: Page, title: &'static str, markdown: &str) -> Answer {
    let html = text::render(markdown).unwrap_or_default();
    Ok(render(&TextPage { page, title, html })?.into_response())
}
