//! Where is the instance administered?

use crate::app::App;
use axum::Router;

pub(super) fn routes() -> Router<App> {
    Router::new()
}
