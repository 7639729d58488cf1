//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use crate::http::layers;
use crate::stop::Stop;
use axum::Router;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
}

/// The whole of it: pages and documents with all that a request passes on its way to them.
pub fn router(app: &App, stop: Stop) -> Router {
    let inside = layers::inside(app, routes());
    // Who is visiting is found out here, outside of the pages of errors and inside of the limits.
    layers::around(app, inside, stop)
}
