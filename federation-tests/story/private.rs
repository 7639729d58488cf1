//! Is a private course there for those of two instances who are in it, and for nobody else?

use super::cast::{Cast, World};
use crate::browser::Browser;
use crate::server::Server;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};

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

    cast.the_home_forgets_whom_it_agreed_to(&there).await;
    assert!(cast.dov.get(&mirrored).await.says("Nobody else hears."), "a place is no following: it stays");

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
    /// FEP-8fcf between two programs: north's row of Dov's following is gone, as after a restored backup, and nothing says
    /// so but the header of the next post. South asks for north's list, which is empty, and Dov follows no more.
    async fn the_home_forgets_whom_it_agreed_to(&mut self, there: &str) {
        self.dov.get(there).await.must_say("1 follower here");
        let dov = "SELECT id FROM actors WHERE handle = 'dov'";
        assert_eq!(change(&self.north, &format!("DELETE FROM follows WHERE follower_id IN ({dov})")), 1);
        let form = self.ada.get("/c/quiet/discussion").await;
        self.ada.submit(&form, "/discussion", &[("title", "Who is here"), ("body", "I lost my list.")]).await;
        self.dov.wait_for(&format!("{there}/discussion"), "Who is here").await;
        self.dov.wait_for(there, "0 followers here").await.must_say("you take part");
        // Where it asked came with the header alone, on north's request.
        let url = format!("{}/c/quiet/followers/synchronization", self.north.url);
        let heard = format!("UPDATE follower_checks SET url = url WHERE url = '{url}' AND checked_at > 0");
        assert_eq!(change(&self.south, &heard), 1);
    }

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
        ];
        let planned = self.ada.submit(&form, "/cohorts", &fields).await;
        let opened = self.ada.submit(&planned, "/opening", &[]).await;
        opened.must_say("Winter").must_say("private");
    }
}

/// Changes rows behind a server's back; says how many.
fn change(server: &Server, sql: &str) -> usize {
    if let Some(url) = server.database() {
        return diesel::sql_query(sql).execute(&mut PgConnection::establish(&url).unwrap()).unwrap();
    }
    let mut file = SqliteConnection::establish(&server.sqlite().to_string_lossy()).unwrap();
    file.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    diesel::sql_query(sql).execute(&mut file).unwrap()
}
