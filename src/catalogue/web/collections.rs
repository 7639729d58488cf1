//! Which collections does a course serve to other servers? Nobody's name is in them but those of its organizers.

use super::here;
use crate::app::App;
use crate::catalogue::apub;
use crate::course::Row;
use crate::db::Db;
use crate::error::Result;
use crate::federation::collection;
use crate::http::{Answer, wire};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::Value;

/// Everything that the Group document leads to. What is not listed has none of them (checklist 9).
pub(super) fn routes() -> Router<App> {
    let of = |make: Make| get(move |State(app): State<App>, Path(name): Path<String>| answer(app, name, make));
    Router::new()
        .route("/c/{name}/moderators", of(|db, (course, _)| apub::moderators(db, &course)))
        .route("/c/{name}/featured", of(|db, (course, _)| apub::featured(db, &course)))
        .route("/c/{name}/members", of(|db, (course, _)| apub::members(db, &course)))
        .route("/c/{name}/outbox", of(|db, (_, group)| collection::outbox(db, &group)))
        .route("/c/{name}/followers", of(|db, (_, group)| collection::followers(db, &group)))
        .route("/c/{name}/following", of(|_, (_, group)| Ok(collection::following(&group))))
}

/// Makes one collection.
type Make = fn(&mut Db, Row) -> Result<Value>;

async fn answer(app: App, name: String, make: Make) -> Answer {
    let document = app
        .read(move |db| {
            let row = here(db, &name)?;
            make(db, row)
        })
        .await?;
    Ok(wire(&document))
}
