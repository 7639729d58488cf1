//! Do two instances agree again after one of them was away for days?

use super::cast::{Cast, World};
use crate::browser::{Browser, Page};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Checklist 67, on both sides: what waited comes in its order and once, and what was too old to be sent is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checklist_67_a_course_and_its_mirror_agree_after_days_of_silence() {
    let mut cast = Cast::gather().await;
    cast.propose_list_and_plan().await;
    cast.dov_finds_the_course_and_joins().await;
    cast.mia_follows_and_enrolls().await;
    cast.open_the_assignment().await;
    let mut threads = Threads::begin(&mut cast).await;
    cast.the_home_is_away(&mut threads).await;
    cast.the_mirror_is_away(&threads).await;
}

/// Threads on north and as south has them.
struct Threads {
    /// One that is edited; Dov answers it.
    asked: (String, String),
    /// One that is deleted.
    hint: String,
    /// Dov's answer, on north.
    answer: String,
}

impl Threads {
    async fn begin(cast: &mut Cast) -> Self {
        let asked = cast.ada_begins("Questions", "Ask them here.").await;
        let hint = cast.ada_begins("Hint", "Look at chapter 4.").await;
        let there = format!("/c/rust_101@{}/discussion", cast.north.host);
        cast.dov.wait_for(&there, "Hint").await;
        let listed = cast.dov.wait_for(&there, "Questions").await;
        let mut mirrored = String::new();
        for link in listed.links("/posts/") {
            if cast.dov.get(&link).await.says("Ask them here.") {
                mirrored = link;
            }
        }
        Self { asked: (asked, mirrored), hint, answer: String::new() }
    }
}

/// How often words stand on a page.
fn count(page: &Page, words: &str) -> usize {
    page.text().matches(words).count()
}

/// The moments that a page names.
fn moments(page: &Page) -> BTreeSet<String> {
    page.html.split("datetime=\"").skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
}

impl Cast {
    async fn ada_begins(&mut self, title: &str, body: &str) -> String {
        let form = self.ada.get("/c/rust_101/discussion").await;
        let post = self.ada.submit(&form, "/discussion", &[("title", title), ("body", body)]).await;
        post.must_say(body);
        post.path
    }

    fn pass(&self, span: Duration) {
        let World::Double(_, clock) = &self.world else { panic!("nobody can move the machine's clock") };
        clock.advance(span);
    }

    /// The home is down for a day: what Dov does on south waits there, and comes in its order, once.
    async fn the_home_is_away(&mut self, threads: &mut Threads) {
        self.north.kill();
        let path = format!("{}/submission", self.assignment.1);
        for text in ["Written while north was away.", "Better, while north was away."] {
            let form = self.dov.get(&path).await;
            let done = self.dov.submit_with(&form, "/submission", &[("text", text)], &[]).await;
            assert_eq!(done.status, 200, "{}", done.text());
            self.pass(DAY / 4);
        }
        let thread = self.dov.get(&threads.asked.1).await;
        let said = self.dov.submit(&thread, "/replies", &[("body", "Is anybody home?")]).await;
        let form = self.dov.get(&said.link("/edit")).await;
        self.dov.submit(&form, "/edit", &[("body", "Is anybody at home?")]).await.must_say("Is anybody at home?");
        self.pass(DAY / 2);
        self.north.spawn();
        try_again(&mut self.sven, &self.north.host).await;
        self.dov.wait_for(&path, "Version 2 was received").await;
        let thread = self.ada.wait_for(&threads.asked.0, "Is anybody at home?").await;
        assert_eq!(count(&thread, "Is anybody"), 1, "once, as it is now: {}", thread.text());
        threads.answer = thread.links("/deletion").last().cloned().unwrap();
        let list = self.ada.get(&format!("{}/submissions", self.assignment.0)).await;
        assert_eq!(count(&list, "Dov"), 1, "one work: {}", list.text());
    }

    /// The mirror is down for nine days, longer than north goes on trying.
    async fn the_mirror_is_away(&mut self, threads: &Threads) {
        let before = moments(&self.ada.get(&self.assignment.0).await);
        self.south.kill();
        let form = self.ada.get(&format!("{}/edit", threads.asked.0)).await;
        self.ada.submit(&form, "/edit", &[("body", "Ask them in the hall.")]).await.must_say("in the hall");
        let form = self.ada.get(&format!("{}/deletion", threads.hint)).await;
        self.ada.submit(&form, "/deletion", &[]).await;
        let form = self.ada.get(&threads.answer).await;
        let removed = self.ada.submit(&form, "/deletion", &[("reason", "Not a question about Rust")]).await;
        assert_eq!(removed.status, 200, "{}", removed.text());
        let form = self.ada.get(&format!("{}/deadline", self.assignment.0)).await;
        let (due, review_due) = (self.in_days(20), self.in_days(25));
        let moved = self.ada.submit(&form, "/deadline", &[("due", &due), ("review_due", &review_due)]).await;
        moved.must_say("The times are changed");
        let after = moments(&self.ada.get(&self.assignment.0).await);
        let new: BTreeSet<String> = after.difference(&before).cloned().collect();
        assert!(!new.is_empty(), "the page names the new times");
        self.ada_begins("While you were away", "We went on.").await;
        self.ada_opens_another_run().await;

        let line = format!("/admin/federation/{}", self.south.host);
        self.nora.wait_for(&line, "failing").await;
        self.pass(DAY * 9);
        self.nora.wait_for(&line, "unreachable").await;
        self.south.spawn();
        try_again(&mut self.nora, &self.south.host).await;
        self.dov_sees_all_of_it(threads, &new).await;
    }

    async fn ada_opens_another_run(&mut self) {
        let form = self.ada.get("/c/rust_101/cohorts/new").await;
        let days = self.days();
        let fields = [
            ("name", "Winter"),
            ("starts_on", &days.0),
            ("ends_on", &days.1),
            ("zone", "Europe/Berlin"),
            ("seats", "12"),
            ("enrolling", "open"),
        ];
        let planned = self.ada.submit(&form, "/cohorts", &fields).await;
        let opened = self.ada.submit(&planned, "/opening", &[]).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
    }

    async fn dov_sees_all_of_it(&mut self, threads: &Threads, new: &BTreeSet<String>) {
        let thread = self.dov.wait_for(&threads.asked.1, "Ask them in the hall.").await;
        assert!(!thread.says("Ask them here."), "{}", thread.text());
        let gone = |page: &Page| !page.says("Is anybody at home?");
        self.dov.wait(&threads.asked.1, "that Dov's answer was removed", gone).await;
        let course = format!("/c/rust_101@{}", self.north.host);
        let there = format!("{course}/discussion");
        let listed = self.dov.wait_for(&there, "While you were away").await;
        assert_eq!(count(&listed, "While you were away"), 1, "once: {}", listed.text());
        self.dov.wait(&there, "that the hint is gone", |page| !page.says("Hint")).await;
        let has_new = |page: &Page| moments(page).is_superset(new);
        self.dov.wait(&self.assignment.1.clone(), "the new times", has_new).await;
        // Dov sees the run that he takes part in, everybody else the new one.
        self.sven.wait_for(&course, "Winter").await;
        let line = format!("/admin/federation/{}", self.south.host);
        self.nora.wait_for(&line, "healthy").await;
    }
}

/// An administrator asks a server again at once.
async fn try_again(admin: &mut Browser, host: &str) {
    let page = admin.get(&format!("/admin/federation/{host}")).await;
    let done = admin.submit(&page, "/retry", &[]).await;
    assert_eq!(done.status, 200, "{}", done.text());
}
