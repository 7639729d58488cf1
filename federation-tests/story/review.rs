//! What happens in the story from the deadline to the results?

use super::cast::Cast;
use super::steps::mark;
use crate::browser::{Browser, Page};
use crate::microblog::{Microblog, Post, Seen};

/// Fills in the review form: the highest level of everything.
async fn review(browser: &mut Browser, page: &Page, comment: &str) -> Page {
    let names = page.radio_names();
    assert_eq!(names.len(), 3, "three criteria: {}", page.text());
    let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "2")).collect();
    fields.push(("comment", comment));
    browser.submit(page, "/reviews/", &fields).await
}

impl Cast {
    /// Hand-in has ended: both who have an account are asked.
    pub async fn reviews_are_asked_for(&mut self) {
        for browser in [&mut self.bo, &mut self.dov] {
            browser.wait("/reviews", "a task", |page| !page.links("/reviews/").is_empty()).await;
        }
    }

    /// The deadline passed: each work gets two reviews, nobody their own, everybody gives two.
    pub async fn everyone_reviews(&mut self) {
        for (name, comment) in [("bo", "Comment of the first reader."), ("bo", "Comment of the second reader.")] {
            let list = self.bo.wait("/reviews", "a task", |page| !page.links("/reviews/").is_empty()).await;
            let task = self.open_task(name, &list).await;
            assert!(!task.says("The answer from the north"), "nobody reviews their own");
            review(&mut self.bo, &task, comment).await.must_say("What you sent");
        }
        for at in 0..2 {
            let enough = |page: &Page| page.links("/reviews/").len() > at;
            let list = self.dov.wait("/reviews", "two tasks", enough).await;
            let task = self.open_task("dov", &list).await;
            assert!(!task.says("The answer from the south"), "nobody reviews their own");
            for byte in ["Mia", "mia", "@bo@", "/u/bo", "bo-main"] {
                task.must_not_have(byte);
            }
            let sent = review(&mut self.dov, &task, "Comment from the south.").await;
            self.dov
                .wait(&sent.path, "the receipt", |page| page.says("What you sent") && !page.says("not confirmed"))
                .await;
        }
        for mia in &self.mias {
            mia_reviews(mia.as_ref(), &self.south.host).await;
        }
    }

    /// The first task that was not done yet.
    async fn open_task(&mut self, who: &str, list: &Page) -> Page {
        let browser = if who == "bo" { &mut self.bo } else { &mut self.dov };
        for link in list.links("/reviews/") {
            let page = browser.get(&link).await;
            if page.radio_names().len() == 3 {
                return page;
            }
        }
        // The other one may still be under way.
        let found = browser.wait("/reviews", "an open task", |page| page.says("to do")).await;
        let mut open = Vec::new();
        for link in found.links("/reviews/") {
            let page = browser.get(&link).await;
            if page.radio_names().len() == 3 {
                open.push(page);
            }
        }
        open.into_iter().next().unwrap_or_else(|| panic!("{who} has no open task: {}", found.text()))
    }

    /// What is not one's own is as if it were not there.
    pub async fn refusals_are_clear(&mut self) {
        let list = self.bo.get("/reviews").await;
        let task = list.links("/reviews/")[0].clone();
        let stranger = self.ada.get(&task).await;
        assert_eq!(stranger.status, 404, "somebody else's task: {}", stranger.text());
        let again = self.bo.get(&task).await;
        assert!(again.radio_names().is_empty(), "a review is given once");
        let results = self.bo.get(&format!("{}/results", self.assignment.0)).await;
        assert!(matches!(results.status, 403 | 404), "only organizers see who reviewed whom");
    }

    /// Reviews are released together, without a byte that tells who wrote them.
    pub async fn results_are_released_to_each_where_they_are(&mut self) {
        let path = format!("{}/results", self.assignment.0);
        let results = self.ada.wait_for(&path, "released").await;
        results.must_say("Dov").must_say("Bo");
        let work = format!("{}/submission", self.assignment.0);
        let feedback =
            self.bo.wait(&work, "feedback", |page| !page.links("/feedback").is_empty()).await.link("/feedback");
        let page = self.bo.get(&feedback).await;
        assert_eq!(comments_in(&page.text()), 2, "{}", page.text());
        for byte in ["Dov", "Mia", "mia", &self.south.host] {
            page.must_not_have(byte);
        }
        let there = format!("{}/submission", self.assignment.1);
        let feedback =
            self.dov.wait(&there, "feedback", |page| !page.links("/feedback").is_empty()).await.link("/feedback");
        let page = self.dov.wait(&feedback, "two reviews", |page| comments_in(&page.text()) == 2).await;
        for byte in ["Mia", "/u/bo", "@mia"] {
            page.must_not_have(byte);
        }
        for mia in &self.mias {
            results.must_say(&mia.host());
            let note = mia.wait_for(Seen::Directly, "reviews of your work", &[]).await;
            assert_eq!(comments_in(&note.text), 2, "{}", note.text);
            let bytes = format!("{}{}", note.html, note.json);
            assert!(!bytes.contains(&self.south.host), "{bytes}");
            let mut words = bytes.split(|c: char| !c.is_alphanumeric() && c != ':');
            let told = words.find(|word| ["bo", "dov"].iter().any(|name| word.eq_ignore_ascii_case(name)));
            assert_eq!(told, None, "{bytes}");
            for other in self.mias.iter().filter(|other| other.acct() != mia.acct()) {
                assert!(!bytes.contains(&other.host()), "{bytes}");
            }
        }
    }

    /// An organizer decides otherwise and says why; the author learns it.
    pub async fn ada_overrides_a_result(&mut self) {
        let results = self.ada.get(&format!("{}/results", self.assignment.0)).await;
        let fields = [("points", "7"), ("reason", "The file was not read.")];
        let done = self.ada.submit(&results, "/override", &fields).await;
        assert_eq!(done.status, 200, "{}", done.text());
        done.must_say("overridden").must_say("The file was not read.");
    }
}

/// How many comments of reviewers stand in a text.
fn comments_in(text: &str) -> usize {
    ["Comment of the first reader.", "Comment of the second reader.", "Comment from the south.", "Well explained."]
        .iter()
        .map(|comment| text.matches(comment).count())
        .sum()
}

/// Mia gets two direct notes and answers with lines; the first answer is outside the rubric.
async fn mia_reviews(mia: &dyn Microblog, south: &str) {
    let mut done: Vec<Post> = Vec::new();
    let (mut receipts, mut refusals) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let seen: Vec<String> = done.iter().map(|task| task.id.clone()).collect();
        let task = mia.wait_for(Seen::Directly, "Please review this work", &seen).await;
        assert!(!task.text.contains(&mark(mia)), "nobody reviews their own: {}", task.text);
        for byte in ["@bo@", "@dov@", "/u/bo", "/u/dov", south] {
            assert!(!task.html.contains(byte), "the copy tells {byte}: {}", task.html);
        }
        if done.is_empty() {
            mia.reply(&task, "correct 7\nclear 1\nkind 1", Seen::Directly).await;
            refusals.push(mia.wait_for(Seen::Directly, "was not taken", &refusals).await.id);
        }
        mia.reply(&task, "correct 2\nclear: partly\nKind = 2\n\nWell explained.", Seen::Directly).await;
        receipts.push(mia.wait_for(Seen::Directly, "Thank you, your review", &receipts).await.id);
        done.push(task);
    }
    // Given twice.
    mia.reply(&done[0], "correct 0\nclear 0\nkind 0", Seen::Directly).await;
    mia.wait_for(Seen::Directly, "reviewed this work already", &refusals).await;
}
