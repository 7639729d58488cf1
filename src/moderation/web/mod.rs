//! Which pages does moderation have?

mod course;
mod farewell;
mod make;
mod queue;
mod standing;

use crate::app::App;
use crate::http::Pages;
use crate::http::limit::Limit;
use axum::Router;
use axum::routing::{get, post};
use serde::Deserialize;
use std::time::Duration;

/// Reporting, the queue and its cases, the log, and what a course keeps out.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/posts/{id}/report", get(make::about_post).post(make::report_post))
        .route("/u/{name}/report", get(make::about_person).post(make::report_person))
        .route("/c/{name}/report", get(make::about_course).post(make::report_course))
        .route("/mod", get(queue::index))
        .route("/mod/log", get(queue::log))
        .route("/mod/r/{id}", get(queue::show))
        .route("/mod/r/{id}/assignment", post(queue::assign))
        .route("/mod/r/{id}/notes", post(queue::remark))
        .route("/mod/r/{id}/decision", post(queue::decide))
        .route("/mod/r/{id}/undo", post(queue::undo))
        .route("/mod/r/{id}/forwarding", post(queue::forward))
        .route("/posts/{id}/removed", get(course::removed))
        .route("/posts/{id}/restoration", post(course::restore))
        .route("/posts/{id}/lock", post(standing::lock_post))
        .route("/posts/{id}/pin", post(standing::pin_post))
        .route("/assignments/{id}/lock", post(standing::lock_assignment))
        .route("/settings/deletion", get(farewell::ask).post(farewell::go))
        .route("/c/{name}/moderation", get(course::show))
        .route("/c/{name}/bans", get(course::ask).post(course::ban))
        .route("/c/{name}/bans/removal", post(course::unban))
}

/// How often one person may send the form, whatever comes of it.
struct Tries(Limit);

impl Default for Tries {
    fn default() -> Self {
        Self(Limit::new(30, Duration::from_secs(3600)))
    }
}

/// How often one person may guess their password there.
struct Guesses(Limit);

impl Default for Guesses {
    fn default() -> Self {
        Self(Limit::new(10, Duration::from_secs(600)))
    }
}

#[derive(Deserialize, Default)]
struct Asked {
    page: Option<i64>,
    state: Option<String>,
    who: Option<String>,
}

impl Asked {
    fn page(&self) -> i64 {
        Pages::number(self.page)
    }
}

/// Kinds of complaints, as forms offer them.
const CATEGORIES: &[(&str, &str, &str)] = &[
    ("spam", "Advertising or repetition", ""),
    ("harassment", "Insults, threats or hate", ""),
    ("illegal", "Something unlawful", ""),
    ("rules", "Against the rules here", ""),
    ("other", "Something else", ""),
];

/// What kind of complaint, in words.
pub(super) fn category(of: &super::Category) -> &'static str {
    CATEGORIES.iter().find(|(value, ..)| *value == of.as_str()).map_or("", |(_, text, _)| text)
}
