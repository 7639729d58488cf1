//! What happens in the story from the deadline to the results?

use super::cast::Cast;
use crate::browser::{Browser, Page};
use crate::mia::Seen;
use serde_json::Value;

/// Fills in the review form: the highest level of everything.
async fn review(browser: &mut Browser, page: &Page, comment: &str) -> Page {
    let names = page.radio_names();
    assert_eq!(names.len(), 3, "three criteria: {}", page.text());
    let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "2")).collect();
    fields.push(("comment", comment));
    browser.submit(page, "/reviews/", &fields).await
}

impl Cast {
    /// The deadline passed: each of three works gets two reviews, nobody their own.
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
            for byte in [self.mia.acct().as_str(), "Mia", "@bo@", "/u/bo", "bo-main"] {
                task.must_not_have(byte);
            }
            let sent = review(&mut self.dov, &task, "Comment from the south.").await;
            self.dov
                .wait(&sent.path, "the receipt", |page| page.says("What you sent") && !page.says("not confirmed"))
                .await;
        }
        self.mia_reviews().await;
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

    /// Mia gets two direct notes and answers with lines; the first answer is outside the rubric.
    async fn mia_reviews(&mut self) {
        let mut done: Vec<Value> = Vec::new();
        for _ in 0..2 {
            let seen: Vec<Value> = done.clone();
            let task = self
                .mia
                .wait_for_post("a review task", |post| {
                    post["learning"]["type"] == "study:ReviewTask" && !seen.iter().any(|d| d == &post["id"])
                })
                .await;
            let text = task["content"].as_str().unwrap();
            for byte in ["by reply", "@bo@", "@dov@", "/u/bo", "/u/dov", &self.south.host] {
                assert!(!text.contains(byte), "the copy tells {byte}: {text}");
            }
            if done.is_empty() {
                self.mia.reply(&task, "correct 7\nclear 1\nkind 1", Seen::Directly).await;
                self.mia.wait_for_note("was not taken").await;
            }
            self.mia.reply(&task, "correct 2\nclear: partly\nKind = 2\n\nWell explained.", Seen::Directly).await;
            let title = done.len() + 1;
            self.mia
                .wait_until("the receipt", move |posts| {
                    posts
                        .iter()
                        .filter(|post| post["learning"]["type"] == "study:Receipt" && text_of(post).contains("review"))
                        .count()
                        >= title
                })
                .await;
            done.push(task["id"].clone());
        }
        // Given twice.
        let task = self.mia.wait_for_post("a task", |post| post["id"] == done[0]).await;
        self.mia.reply(&task, "correct 0\nclear 0\nkind 0", Seen::Directly).await;
        self.mia
            .wait_until("the second refusal", |posts| {
                posts.iter().filter(|post| post["learning"]["type"] == "study:Refusal").count() >= 2
            })
            .await;
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
        self.ada.wait_for(&path, "released").await.must_say("Mia").must_say("Dov").must_say("Bo");
        let work = format!("{}/submission", self.assignment.0);
        let feedback =
            self.bo.wait(&work, "feedback", |page| !page.links("/feedback").is_empty()).await.link("/feedback");
        let page = self.bo.get(&feedback).await;
        page.must_say("Comment from the south.").must_say("Well explained.");
        for byte in ["Dov", "Mia", &self.south.host, &self.mia.acct()] {
            page.must_not_have(byte);
        }
        let there = format!("{}/submission", self.assignment.1);
        let feedback =
            self.dov.wait(&there, "feedback", |page| !page.links("/feedback").is_empty()).await.link("/feedback");
        let page = self.dov.wait_for(&feedback, "Well explained.").await;
        for byte in ["Mia", "/u/bo", &self.mia.acct()] {
            page.must_not_have(byte);
        }
        let note = self.mia.wait_for_post("her reviews", |post| post["learning"]["type"] == "study:Feedback").await;
        assert_eq!(note["learning"]["reviews"].as_array().unwrap().len(), 2);
        let bytes = note.to_string();
        for byte in ["bo", "dov", self.south.host.as_str()] {
            let word = |c: char| c.is_alphanumeric();
            assert!(
                !bytes.split(|c| !word(c) && c != ':').any(|part| part.eq_ignore_ascii_case(byte)),
                "{byte} in {bytes}"
            );
        }
        assert!(!bytes.contains(&self.south.host));
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

fn text_of(post: &Value) -> &str {
    post["content"].as_str().unwrap_or_default()
}
