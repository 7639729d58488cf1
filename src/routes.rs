//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use axum::Router;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(crate::assignment::web::routes())
        .merge(crate::submission::web::routes())
        .merge(crate::review::web::routes())
}
