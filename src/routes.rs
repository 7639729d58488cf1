//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use axum::Router;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(crate::discussion::web::routes())
        .merge(crate::discussion::apub::routes())
        .merge(crate::learning::web::routes())
}
