//! Which path leads where? Every feature's routes, in one place.

use crate::app::App;
use crate::dispatch::DOCUMENTS;
use crate::http::layers;
use crate::stop::Stop;
use crate::{
    account, assignment, catalogue, cohort, course, discussion, enrollment, federation, history, interaction, learning,
    moderation, moving, notice, review, sign_in, site, submission, syllabus,
};
use activitypub_federation::config::{FederationConfig, FederationMiddleware};
use axum::Router;
use axum::middleware::from_fn_with_state;

/// All pages and documents.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(federation::web::routes(DOCUMENTS))
        .merge(account::web::routes())
        .merge(sign_in::web::routes())
        .merge(notice::web::routes())
        .merge(catalogue::web::routes())
        .merge(course::web::routes())
        .merge(syllabus::web::routes())
        .merge(cohort::web::routes())
        .merge(enrollment::web::routes())
        .merge(assignment::web::routes())
        .merge(submission::web::routes())
        .merge(review::web::routes())
        .merge(discussion::web::routes())
        .merge(discussion::apub::routes())
        .merge(history::apub::routes())
        .merge(interaction::web::routes())
        .merge(moderation::web::routes())
        .merge(moving::web::routes())
        .merge(learning::web::routes())
        .merge(site::web::routes())
}

/// The whole of it: pages and documents with all that a request passes on its way to them.
pub fn router(app: &App, federation: &FederationConfig<App>, stop: Stop) -> Router {
    let refuse_blocked = from_fn_with_state(app.clone(), federation::web::refuse_blocked);
    let notice = from_fn_with_state(app.clone(), history::web::notice);
    let routes = routes().layer(notice).layer(refuse_blocked);
    let inside = layers::inside(app, routes).layer(FederationMiddleware::new(federation.clone()));
    layers::around(app, sign_in::web::recognising(app.clone(), inside), stop)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_routes_are_in_each_others_way() {
        // Axum panics at the first pair that is.
        drop(super::routes());
    }
}
