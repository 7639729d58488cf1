//! Does "My learning" show what is to be done, and no more?

use super::*;
use crate::actor::{self, ActorKind, NewActor};
use crate::app::App;
use crate::config::Config;
use crate::db::Run;
use crate::db::schema::{assignments, cohorts, courses, enrollments, review_tasks, submissions};
use crate::http::visitor::{SignedIn, Visitor};
use crate::id::{AccountId, AssignmentId, CohortId, CourseId, SessionId};
use crate::tests::World;
use axum::body::Body;
use axum::http::Request;
use diesel::ExpressionMethods;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// Bo takes part in a course with two open assignments and one that is released; one open one is handed in.
#[expect(clippy::too_many_lines, reason = "rows of seven tables, one after the other")]
fn busy(world: &World, bo: ActorId) {
    let keys = world.keys();
    world.tx(move |tx| {
        let now = tx.now();
        let new = NewActor { kind: ActorKind::Course, handle: "rust_101", name: "Rust 101", summary: "", keys: &keys };
        let group = actor::create(tx, &new)?;
        let row = (
            courses::actor_id.eq(group.id),
            courses::state.eq("listed"),
            courses::tagline.eq(""),
            courses::description_md.eq(""),
            courses::description_html.eq(""),
            courses::language.eq("en"),
            courses::license.eq("CC-BY-4.0"),
            courses::answer.eq(""),
            courses::created_at.eq(now),
        );
        let course: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
        let row = (
            cohorts::public_id.eq("c1"),
            cohorts::course_id.eq(course),
            cohorts::name.eq("Autumn"),
            cohorts::starts_on.eq("2026-09-01"),
            cohorts::ends_on.eq("2026-10-01"),
            cohorts::zone.eq("UTC"),
            cohorts::seats.eq(20),
            cohorts::enrolling.eq("open"),
            cohorts::state.eq("running"),
            cohorts::created_at.eq(now),
        );
        let cohort: CohortId = diesel::insert_into(cohorts::table).values(row).returning(cohorts::id).get_result(tx)?;
        let row = (
            enrollments::public_id.eq("e1"),
            enrollments::cohort_id.eq(cohort),
            enrollments::actor_id.eq(bo),
            enrollments::role.eq("learner"),
            enrollments::state.eq("active"),
            enrollments::message.eq(""),
            enrollments::created_at.eq(now),
            enrollments::changed_at.eq(now),
        );
        diesel::insert_into(enrollments::table).values(row).execute(tx)?;
        for (title, state, work) in [
            ("Later", "open", None),
            ("Done", "open", Some("submitted")),
            ("Over", "released", Some("released")),
            ("Hidden", "draft", None),
        ] {
            let days = if title == "Later" { 9 } else { 2 };
            let row = (
                assignments::public_id.eq(title),
                assignments::uri.eq(format!("https://us.test/o/{title}")),
                assignments::cohort_id.eq(cohort),
                assignments::author_id.eq(group.id),
                assignments::title.eq(title),
                assignments::summary.eq(""),
                assignments::body_md.eq(""),
                assignments::body_html.eq(""),
                assignments::rubric.eq("{}"),
                assignments::rubric_hash.eq(""),
                assignments::reviews_each.eq(2),
                assignments::visibility.eq("private"),
                assignments::due_at.eq(now.plus(Duration::from_secs(days * 86_400))),
                assignments::review_due_at.eq(now.plus(Duration::from_secs(20 * 86_400))),
                assignments::state.eq(state),
                assignments::created_at.eq(now),
                assignments::updated_at.eq(now),
            );
            let assignment: AssignmentId =
                diesel::insert_into(assignments::table).values(row).returning(assignments::id).get_result(tx)?;
            if let Some(state) = work {
                let row = (
                    submissions::public_id.eq(format!("s-{title}")),
                    submissions::uri.eq(format!("https://us.test/o/s-{title}")),
                    submissions::assignment_id.eq(assignment),
                    submissions::author_id.eq(bo),
                    submissions::private.eq(true),
                    submissions::state.eq(state),
                    submissions::answer.eq("home"),
                    submissions::answer_reason.eq(""),
                    submissions::created_at.eq(now),
                    submissions::changed_at.eq(now),
                );
                diesel::insert_into(submissions::table).values(row).execute(tx)?;
            }
            if title == "Over" {
                let row = (
                    review_tasks::public_id.eq("t1"),
                    review_tasks::uri.eq("https://south.test/o/t1"),
                    review_tasks::assignment_id.eq(assignment),
                    review_tasks::reviewer_id.eq(bo),
                    review_tasks::copy_html.eq(""),
                    review_tasks::state.eq("offered"),
                    review_tasks::answer_reason.eq(""),
                    review_tasks::levels.eq("{}"),
                    review_tasks::comment_html.eq(""),
                    review_tasks::due_at.eq(now),
                    review_tasks::created_at.eq(now),
                );
                diesel::insert_into(review_tasks::table).values(row).execute(tx)?;
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_due_comes_with_what_is_handed_in_and_the_most_urgent_first() {
    let world = World::new();
    let (bo, chi) = (world.person("bo").id, world.person("chi").id);
    busy(&world, bo);
    let list = world.read(|db| due(db, bo));
    let list: Vec<_> =
        list.iter().map(|due| (due.assignment.title.as_str(), due.course.as_str(), due.is_done())).collect();
    assert_eq!(list, [("Done", "Rust 101", true), ("Later", "Rust 101", false)]);
    let owes = world.read(|db| owed(db, bo));
    assert_eq!(owes.iter().map(|owed| owed.public_id.as_str()).collect::<Vec<_>>(), ["t1"]);
    let came = world.read(|db| feedback(db, bo));
    assert_eq!(came.iter().map(|came| came.public_id.as_str()).collect::<Vec<_>>(), ["s-Over"]);
    assert!(world.read(|db| places(db, bo, 1))[0].is_under_way());
    assert!(world.read(|db| due(db, chi)).is_empty() && world.read(|db| places(db, chi, 1)).is_empty());
}

async fn page(world: &World, who: &Actor) -> String {
    let app = App::new(Config::default(), world.pool.clone()).unwrap();
    let person = SignedIn {
        actor: who.clone(),
        account: AccountId(1),
        session: SessionId(1),
        is_admin: false,
        is_moderator: false,
        zone: "Europe/Berlin".into(),
        unseen: 0,
    };
    let visitor = Visitor { person: Some(Arc::new(person)), path: "/me".into(), ..Visitor::default() };
    let request = Request::builder().uri("/me").extension(visitor).body(Body::empty()).unwrap();
    let response = web::routes().with_state(app).oneshot(request).await.unwrap();
    String::from_utf8_lossy(&response.into_body().collect().await.unwrap().to_bytes()).into_owned()
}

#[tokio::test]
async fn the_page_leads_on_when_it_is_empty_and_names_zones_when_not() {
    let world = World::new();
    let bo = world.person("bo");
    assert!(page(&world, &bo).await.contains("You are in no course yet"));
    busy(&world, bo.id);
    let shown = page(&world, &bo).await;
    for part in ["Due now", "Later", "(Europe/Berlin)", "handed in", "/reviews/t1", "/submissions/s-Over/feedback"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Hidden"));
}
