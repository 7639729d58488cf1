//! Is a private course there for those of two instances who are in it, and for nobody else?

use super::cast::{Cast, World};
use crate::browser::Browser;

/// Dov of south asks, is let in, reads and answers; others of both instances and a microblog find nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_a_private_course_is_shared_by_two_instances_and_seen_by_nobody_else() {
    let mut cast = Cast::gather().await;
    cast.ada_plans_among_few().await;
    let there = format!("/c/quiet@{}", cast.north.host);
    let form = cast.dov.get("/search").await;
    cast.dov.submit(&form, "/search", &[("q", &format!("@quiet@{}", cast.north.host))]).await;
    let outside = cast.dov.get(&there).await;
    outside.must_say("This course is private").must_say("Ask to be let in");
    assert_eq!(cast.dov.get(&format!("{there}/discussion")).await.status, 404);
    cast.dov.submit(&outside, "/follow", &[]).await;
    let people = cast.ada.wait_for("/c/quiet/people?list=applications", "Asks to follow the course.").await;
    cast.ada.submit(&people, "/acceptance", &[]).await;

    let form = cast.ada.get("/c/quiet/discussion").await;
    let post = cast.ada.submit(&form, "/discussion", &[("title", "Among us"), ("body", "Nobody else hears.")]).await;
    let discussion = format!("{there}/discussion");
    let mirrored = cast.dov.wait_for(&discussion, "Among us").await.link("/posts/");
    let thread = cast.dov.get(&mirrored).await;
    thread.must_say("Nobody else hears.");
    cast.dov.submit(&thread, "/replies", &[("body", "I hear it.")]).await;
    cast.ada.wait_for(&post.path, "I hear it.").await;
    let course = cast.dov.wait_for(&there, "Winter").await;
    cast.dov.submit(&course, "/enrollment", &[]).await;
    cast.dov.wait_for(&there, "you take part").await;

    let (mut north, mut south) = (Browser::new(&cast.north), Browser::new(&cast.south));
    for browser in [&mut cast.bo, &mut north] {
        for path in [post.path.as_str(), "/c/quiet/discussion", "/c/quiet/people", "/c/quiet/outbox"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
        assert!(!browser.get("/courses").await.says("Quiet"));
    }
    for path in [mirrored.as_str(), discussion.as_str()] {
        assert_eq!(south.get(path).await.status, 404, "{path}");
    }
    assert!(!south.get("/courses").await.says("Quiet"));
    let World::Double(mia, _) = &cast.world else { panic!("the double was asked for") };
    let refused = mia.fetch(&format!("{}/c/quiet/outbox", cast.north.url)).await.unwrap_err();
    assert!(refused.contains("404"), "{refused}");
}

impl Cast {
    async fn ada_plans_among_few(&mut self) {
        let form = self.ada.get("/propose").await;
        let fields = [
            ("title", "Quiet reading"),
            ("handle", "quiet"),
            ("tagline", "Among few."),
            ("description", "We read."),
            ("language", "en"),
            ("license", "CC-BY-SA-4.0"),
            ("private", "yes"),
        ];
        self.ada.submit(&form, "/courses", &fields).await;
        let proposals = self.nora.get("/admin/proposals").await;
        self.nora.submit(&proposals, "/listing", &[]).await;
        let form = self.ada.get("/c/quiet/cohorts/new").await;
        let days = self.days();
        let fields = [
            ("name", "Winter"),
            ("starts_on", days.0.as_str()),
            ("ends_on", &days.1),
            ("zone", "Europe/Berlin"),
            ("seats", "5"),
            ("enrolling", "open"),
        ];
        let planned = self.ada.submit(&form, "/cohorts", &fields).await;
        let opened = self.ada.submit(&planned, "/opening", &[]).await;
        opened.must_say("Winter").must_say("private");
    }
}
