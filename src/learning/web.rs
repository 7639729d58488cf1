//! Which page shows somebody what to do?

use super::{Due, Feedback, Owed, PAGE, Place};
use crate::app::App;
use crate::clock::Time;
use crate::course;
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
    /// What they organize here that has not ended: a private course stands in no list.
    organized: Vec<course::Row>,
    number: i64,
    back: Option<String>,
    on: Option<String>,
}

impl Show {
    fn is_empty(&self) -> bool {
        self.places.is_empty()
            && self.organized.is_empty()
            && self.owed.is_empty()
            && self.feedback.is_empty()
            && self.number == 1
    }
}

async fn show(State(app): State<App>, page: Page, who: SignedIn, Query(asked): Query<Asked>) -> Answer {
    let number = asked.page.unwrap_or(1).clamp(1, 1000);
    let me = who.actor.id;
    let now = app.now();
    let (due, owed, feedback, mut places, organized) = app
        .read(move |db| {
            let due = super::due(db, me)?;
            let owed = super::owed(db, me)?;
            let feedback = super::feedback(db, me)?;
            let places = super::places(db, me, number)?;
            let mut organized = course::organized_by(db, me)?;
            organized.retain(|(course, group)| group.here && !course.is_over());
            Ok((due, owed, feedback, places, organized))
        })
        .await?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let on = (places.len() > most).then(|| format!("/me?page={}#courses", number + 1));
    let back = (number > 1).then(|| format!("/me?page={}#courses", number - 1));
    places.truncate(most);
    let show = Show { page, now, due, owed, feedback, places, organized, number, back, on };
    Ok(render(&show)?.into_response())
}
