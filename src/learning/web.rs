//! Which page shows somebody what to do?

use super::{Due, Feedback, Owed, PAGE, Place};
use crate::app::App;
use crate::clock::Time;
use crate::http::{Answer, Page, SignedIn, render};
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;

/// The page "My learning".
pub fn routes() -> Router<App> {
    Router::new().route("/me", get(show))
}

#[derive(Deserialize)]
struct Asked {
    page: Option<i64>,
}

#[derive(Template)]
#[template(path = "learning/show.html", config = ".askama.toml")]
struct Show {
    page: Page,
    now: Time,
    due: Vec<Due>,
    owed: Vec<Owed>,
    feedback: Vec<Feedback>,
    places: Vec<Place>,
    number: i64,
    back: Option<String>,
    on: Option<String>,
}

impl Show {
    fn is_empty(&self) -> bool {
        self.places.is_empty() && self.owed.is_empty() && self.feedback.is_empty() && self.number == 1
    }
}

async fn show(State(app): State<App>, page: Page, who: SignedIn, Query(asked): Query<Asked>) -> Answer {
    let number = asked.page.unwrap_or(1).clamp(1, 1000);
    let me = who.actor.id;
    let now = app.now();
    let (due, owed, feedback, mut places) = app
        .read(move |db| {
            let due = super::due(db, me)?;
            let owed = super::owed(db, me)?;
            let feedback = super::feedback(db, me)?;
            let places = super::places(db, me, number)?;
            Ok((due, owed, feedback, places))
        })
        .await?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let on = (places.len() > most).then(|| format!("/me?page={}#courses", number + 1));
    let back = (number > 1).then(|| format!("/me?page={}#courses", number - 1));
    places.truncate(most);
    let show = Show { page, now, due, owed, feedback, places, number, back, on };
    Ok(render(&show)?.into_response())
}
