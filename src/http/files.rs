//! Which files are embedded in the program, and for how long may browsers keep them?

use super::page::{ICONS, LOGO, STYLE, VERSION};
use crate::app::App;
use crate::error::Error;
use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What crawlers are asked to leave alone: people, what they hand in, and what is only for the signed-in.
const ROBOTS: &str = "User-agent: *\nDisallow: /u/\nDisallow: /search\nDisallow: /sign-\nDisallow: /reset\nDisallow: /settings\n\
Disallow: /admin\nDisallow: /submissions/\nDisallow: /reviews\nDisallow: /copies/\nDisallow: /media/\n";

/// Stylesheet, icons, logo and `robots.txt`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/static/{version}/{file}", get(file))
        .route("/favicon.ico", get(|| async { svg(LOGO, "public, max-age=86400") }))
        .route("/robots.txt", get(|| async { kept(ROBOTS, "text/plain; charset=utf-8", "public, max-age=86400") }))
}

async fn file(Path((version, file)): Path<(String, String)>) -> Result<Response, Error> {
    // A page from before an upgrade still gets its style, but nobody keeps that under the old address.
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    match file.as_str() {
        "style.css" => Ok(kept(STYLE, "text/css; charset=utf-8", keep)),
        "icons.svg" => Ok(svg(ICONS, keep)),
        "logo.svg" => Ok(svg(LOGO, keep)),
        _ => Err(Error::NotFound),
    }
}

fn svg(content: &'static str, keep: &'static str) -> Response {
    kept(content, "image/svg+xml", keep)
}

fn kept(content: &'static str, kind: &'static str, keep: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], content).into_response()
}
