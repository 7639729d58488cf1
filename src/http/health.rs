//! Is the process alive, and may it be sent requests?

use crate::app::App;
use crate::db::{migrate, upkeep};
use crate::error::{Error, Result};
use crate::measure::{self, Counters};
use crate::stop::Stop;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// `/livez` (the process answers) and `/readyz` (database reachable and migrated, not about to stop).
pub fn routes(stop: Stop) -> Router<App> {
    Router::new()
        .route("/livez", get(|| async { said(StatusCode::OK, "alive\n") }))
        .route("/readyz", get(move |State(app): State<App>| ready(app, stop.clone())))
}

async fn ready(app: App, stop: Stop) -> Response {
    if stop.is_asked() {
        return said(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match app.read(migrate::lacking).await {
        Ok(0) => said(StatusCode::OK, "ready\n"),
        Ok(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the database is not migrated\n"),
        Err(Error::Conflict(_)) => said(StatusCode::SERVICE_UNAVAILABLE, "the database is newer than the program\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            said(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

/// `/metrics`, for a listener of its own.
pub fn metrics(app: App, counters: Counters) -> Router {
    Router::new().route("/metrics", get(move |State(app): State<App>| show(app, counters.clone()))).with_state(app)
}

async fn show(app: App, counters: Counters) -> Result<Response> {
    let rows = app.read(upkeep::waiting).await?;
    measure::waiting("inbox", rows.inbox);
    measure::waiting("deliveries", rows.deliveries);
    measure::waiting("jobs", rows.jobs);
    measure::waiting("letters", rows.letters);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], counters.render()).into_response())
}

fn said(status: StatusCode, words: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], words).into_response()
}
