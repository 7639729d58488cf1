//! Which collections does a course serve to other servers? Nobody's name is in them but those of its organizers.

use crate::actor;
use crate::actor::follow::{self, FollowState};
use crate::app::App;
use crate::catalogue::apub;
use crate::course::apub::Asking;
use crate::course::{self, Row};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::collection;
use crate::http::{Answer, wire};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

/// Everything that the Group document leads to. What is not listed has none of them (checklist 9).
pub(super) fn routes() -> Router<App> {
    let of = |make: Make| {
        get(move |State(app): State<App>, asking: Asking, Path(name): Path<String>| answer(app, asking, name, make))
    };
    Router::new()
        .route("/c/{name}/moderators", of(|db, (course, _)| apub::moderators(db, &course)))
        .route("/c/{name}/featured", of(|db, (course, _)| apub::featured(db, &course)))
        .route("/c/{name}/members", of(|db, (course, _)| apub::members(db, &course)))
        .route("/c/{name}/outbox", of(|db, (_, group)| collection::outbox(db, &group)))
        .route("/c/{name}/followers", get(followers))
        .route("/c/{name}/followers/synchronization", get(synchronization))
        .route("/c/{name}/following", of(|_, (_, group)| Ok(collection::following(&group))))
}

/// Makes one collection.
type Make = fn(&mut Db, Row) -> Result<Value>;

async fn answer(app: App, asking: Asking, name: String, make: Make) -> Answer {
    let row = course::apub::readable(&app, &asking, name).await?;
    Ok(wire(&app.read(move |db| make(db, row)).await?))
}

#[derive(Deserialize)]
struct Asked {
    is_follower: Option<String>,
}

/// How many follow. Lemmy asks by `is_follower` whether somebody may get what is said in a private course: yes is an
/// answer, no is 404. Of a public course nobody is told who follows it.
async fn followers(
    State(app): State<App>,
    asking: Asking,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (course, group) = course::apub::readable(&app, &asking, name).await?;
    let document = app.read(move |db| {
        // Of a public course everybody could ask so, about everybody.
        if let Some(uri) = asked.is_follower.filter(|_| course.private) {
            let who = actor::find_by_uri(db, &uri)?.ok_or(Error::NotFound)?;
            let known = follow::find(db, who.id, group.id)?;
            known.filter(|known| known.state == FollowState::Accepted).ok_or(Error::NotFound)?;
        }
        collection::followers(db, &group)
    });
    Ok(wire(&document.await?))
}

/// Who of the server that asks follows a private course (FEP-8fcf). For those alone who may read what is in it, each
/// about their own server.
async fn synchronization(State(app): State<App>, asking: Asking, Path(name): Path<String>) -> Answer {
    let (course, group) = course::apub::readable(&app, &asking, name).await?;
    let asker = asking.asker().await?.filter(|_| course.private).ok_or(Error::NotFound)?;
    Ok(wire(&app.read(move |db| collection::followers_at(db, &group, &asker.host)).await?))
}
