//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use crate::{catalogue, cohort, course, enrollment, syllabus};
use axum::Router;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(catalogue::web::routes())
        .merge(course::web::routes())
        .merge(syllabus::web::routes())
        .merge(cohort::web::routes())
        .merge(enrollment::web::routes())
}
