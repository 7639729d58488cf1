//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use crate::error::Error;
use crate::{account, notice, sign_in, site};
use axum::Router;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(account::web::routes())
        .merge(sign_in::web::routes())
        .merge(notice::web::routes())
        .merge(site::web::routes())
}

/// Pages as people get them: who is asking is recognised first, then errors are dressed, then a page is made.
pub fn pages(app: &App) -> Router {
    let routes = routes().fallback(async || Error::NotFound);
    sign_in::web::recognising(app.clone(), routes).with_state(app.clone())
}
