//! What happens in the story, step by step, up to the hand-ins?

use super::cast::Cast;
use super::cast::World;
use crate::microblog::{Microblog, Post, Seen};
use serde_json::json;

/// A criterion of the rubric as the form has it: short word, name, two levels with their points.
pub const CRITERIA: [(&str, &str); 3] =
    [("correct", "It is correct"), ("clear", "It is clear"), ("kind", "It is kind")];

/// What tells the work of one Mia from that of another and says nothing about her.
pub fn mark(mia: &dyn Microblog) -> String {
    format!("number {}", mia.acct().len())
}

impl Cast {
    /// Ada proposes a course, Nora lists it, Ada gives it a syllabus and a cohort with 20 seats and opens it.
    pub async fn propose_list_and_plan(&mut self) {
        let form = self.ada.get("/propose").await;
        let proposed = self
            .ada
            .submit(
                &form,
                "/courses",
                &[
                    ("title", "Rust 101"),
                    ("handle", "rust_101"),
                    ("tagline", "Learn Rust together."),
                    ("description", "We read, write and review **small** programs."),
                    ("language", "en"),
                    ("license", "CC-BY-SA-4.0"),
                ],
            )
            .await;
        assert_eq!(proposed.status, 200, "{}", proposed.text());
        let proposals = self.nora.get("/admin/proposals").await;
        let listed = self.nora.submit(proposals.must_say("Rust 101"), "/listing", &[]).await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        self.course = format!("{}/c/rust_101", self.north.url);
        self.write_syllabus().await;
        let form = self.ada.get("/c/rust_101/cohorts/new").await;
        let days = self.days();
        let planned = self
            .ada
            .submit(
                &form,
                "/cohorts",
                &[
                    ("name", "Autumn"),
                    ("starts_on", &days.0),
                    ("ends_on", &days.1),
                    ("zone", "Europe/Berlin"),
                    ("seats", "20"),
                    ("enrolling", "open"),
                ],
            )
            .await;
        let opened = self.ada.submit(&planned, "/opening", &[]).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
        self.ada.get("/c/rust_101").await.must_say("Ownership").must_say("Autumn");
    }

    /// Today and a day in two months.
    pub fn days(&self) -> (String, String) {
        let today = self.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        (today.to_string(), today.saturating_add(jiff::Span::new().days(60)).to_string())
    }

    async fn write_syllabus(&mut self) {
        let path = "/syllabus/edit";
        let mut form = self.ada.get("/c/rust_101/syllabus/edit").await;
        // Two units, each with a task and a resource, by the buttons that work without script.
        for unit in 0..2 {
            let fields = [
                ("title", "add-unit".to_owned()),
                ("task-0-title", format!("add-task-{unit}")),
                ("resource-0-title", format!("add-resource-{unit}")),
            ];
            for (field, button) in fields {
                if !form.html.contains(&format!("name=\"unit-{unit}-{field}\"")) {
                    form = self.ada.submit(&form, path, &[("do", &button)]).await;
                }
            }
        }
        let fields = [
            ("unit-0-title", "Ownership"),
            ("unit-0-summary", "Who owns what."),
            ("unit-0-task-0-title", "Read chapter 4"),
            ("unit-0-task-0-body", "Note three questions."),
            ("unit-0-resource-0-title", "The book"),
            ("unit-0-resource-0-url", "https://doc.rust-lang.org/book/"),
            ("unit-0-resource-0-license", "MIT"),
            ("unit-1-title", "Async"),
            ("unit-1-summary", "Waiting for many things."),
            ("unit-1-task-0-title", "Write a chat"),
            ("unit-1-task-0-body", "For two people."),
            ("unit-1-resource-0-title", "Async book"),
            ("unit-1-resource-0-url", "https://rust-lang.github.io/async-book/"),
            ("unit-1-resource-0-license", "MIT"),
            ("do", "save"),
        ];
        let saved = self.ada.submit(&form, path, &fields).await;
        saved.must_say("Async book");
        assert_eq!(saved.status, 200, "{}", saved.text());
    }

    /// What other servers see of the course (federation A2).
    pub async fn check_the_group(&mut self) {
        let World::Double(mia, _) = &self.world else { return };
        let handle = format!("@rust_101@{}", self.north.host);
        assert_eq!(mia.find(&handle).await, self.course, "WebFinger");
        let group = mia.fetch(&self.course).await.unwrap();
        assert_eq!(group["type"], "Group");
        assert_eq!(group["preferredUsername"], "rust_101");
        assert_eq!(group["learning"]["syllabus"]["units"].as_array().unwrap().len(), 2);
        assert_eq!(group["learning"]["cohort"]["capacity"], 20);
        for collection in ["outbox", "followers", "featured", "attributedTo"] {
            let document = mia.fetch(group[collection].as_str().unwrap()).await.unwrap();
            assert_eq!(document["id"], group[collection], "{collection}");
            assert!(document["type"].as_str().unwrap().ends_with("Collection"), "{document}");
        }
        let moderators = mia.fetch(group["attributedTo"].as_str().unwrap()).await.unwrap();
        assert_eq!(moderators["orderedItems"], json!([format!("{}/u/ada", self.north.url)]));
    }

    /// Bo takes a place with one button.
    pub async fn bo_enrolls_by_the_form(&mut self) {
        let course = self.bo.get("/c/rust_101").await;
        let page = self.bo.submit(&course, "/enrollment", &[]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.ada.get("/c/rust_101/people").await.must_say("Bo");
    }

    /// Dov searches on his own instance, sees the course there and asks for a place; north answers.
    pub async fn dov_finds_the_course_and_joins(&mut self) {
        let handle = format!("@rust_101@{}", self.north.host);
        let form = self.dov.get("/search").await;
        let found = self.dov.submit(&form, "/search", &[("q", &handle)]).await;
        let path = format!("/c/rust_101@{}", self.north.host);
        let course = if found.path.starts_with("/c/") { found } else { self.dov.get(&found.link(&path)).await };
        course.must_say("Rust 101").must_say("Ownership").must_say(&self.north.host);
        self.dov.submit(&course, "/enrollment", &[]).await;
        self.ada.wait_for("/c/rust_101/people", "Dov").await;
        self.dov.wait_for(&path, "you take part").await;
    }

    /// Mia follows, is welcomed by a direct note and answers it.
    pub async fn mia_follows_and_enrolls(&mut self) {
        let handle = format!("rust_101@{}", self.north.host);
        for mia in &self.mias {
            mia.follow(&handle).await;
            let welcome = mia.wait_for(Seen::Directly, "enroll", &[]).await;
            let people = self.ada.get("/c/rust_101/people").await;
            assert!(!people.says(&mia.acct()), "a follower is not on the roster");
            mia.reply(&welcome, "Enroll me, please", Seen::Directly).await;
            self.ada.wait_for("/c/rust_101/people", &mia.acct()).await;
        }
        // Asking again changes nothing and is answered again.
        if let World::Double(mia, _) = &self.world {
            mia.follow(&handle).await;
        }
    }

    /// Ada opens an assignment; it reaches all three.
    pub async fn open_the_assignment(&mut self) {
        let mut form = self.ada.get("/c/rust_101/assignments/new").await;
        // Three levels stand there for a new criterion, or are added.
        while !form.html.contains("name=\"c2-name\"") {
            form = self.ada.submit(&form, "/assignments", &[("do", "add")]).await;
        }
        let due = self.in_days(2);
        let review_due = self.in_days(5);
        let mut fields: Vec<(String, String)> = [
            ("title", "Ownership exercise"),
            ("summary", "Write a function that returns what it borrows."),
            ("body", "Explain **why** it compiles."),
            ("due", &due),
            ("review_due", &review_due),
            ("reviews_each", "2"),
            ("visibility", "private"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (at, (id, name)) in CRITERIA.iter().enumerate() {
            fields.push((format!("c{at}-name"), (*name).to_owned()));
            fields.push((format!("c{at}-id"), (*id).to_owned()));
            for (level, (word, points)) in [("no", "0"), ("partly", "2"), ("yes", "4")].iter().enumerate() {
                fields.push((format!("c{at}-l{level}-name"), (*word).to_owned()));
                fields.push((format!("c{at}-l{level}-points"), (*points).to_owned()));
            }
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let draft = self.ada.submit(&form, "/assignments", &fields).await;
        assert_eq!(draft.status, 200, "{}", draft.text());
        let question = self.ada.get(&draft.link("/opening")).await;
        let opened = self.ada.submit(&question, "/opening", &[]).await;
        opened.must_say("Ownership exercise");
        let here = opened.path.clone();
        self.bo.get(&here).await.must_say("Ownership exercise");
        let path = format!("/c/rust_101@{}", self.north.host);
        let course = self.dov.wait_for(&path, "Ownership exercise").await;
        let there = course.link("/assignments/");
        self.dov.get(&there).await.must_say("Ownership exercise").must_say("It is kind");
        self.assignment = (here, there);
        for mia in &self.mias {
            let post = mia.wait_for(Seen::Publicly, "Ownership exercise", &[]).await;
            let text = post.text.to_lowercase();
            assert!(text.contains("utc") && text.contains("reply"), "stands alone: {text}");
            self.posts.push(post);
        }
    }

    /// Other servers see first what is due (federation A12).
    pub async fn check_what_is_featured(&mut self) {
        let World::Double(mia, _) = &self.world else { return };
        let featured = mia.fetch(&format!("{}/featured", self.course)).await.unwrap();
        assert_eq!(featured["totalItems"], 1, "{featured}");
        assert_eq!(featured["orderedItems"][0]["id"], self.posts[0].id.as_str());
    }

    /// A moment some days ahead as a form takes it.
    pub fn in_days(&self, days: i64) -> String {
        let time = self.now() + jiff::SignedDuration::from_hours(days * 24);
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        time.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// Bo hands in a text and a file.
    pub async fn bo_hands_in_with_a_file(&mut self) {
        let path = format!("{}/submission", self.assignment.0);
        let form = self.bo.get(&path).await;
        let text = [("text", "The answer from the north: the **lifetime** is that of the argument.")];
        let done = self.bo.submit_with(&form, "/submission", &text, &[("files", "bo-main.rs", "fn main() {}")]).await;
        assert_eq!(done.status, 200, "{}", done.text());
        self.ada.get(&format!("{}/submissions", self.assignment.0)).await.must_say("Bo");
    }

    /// Dov hands in on south, gets a receipt, revises and gets another.
    pub async fn dov_hands_in_and_revises(&mut self) {
        let path = format!("{}/submission", self.assignment.1);
        for (number, text) in [("1", "The answer from the south."), ("2", "The answer from the south, better.")] {
            let form = self.dov.get(&path).await;
            let done = self.dov.submit_with(&form, "/submission", &[("text", text)], &[]).await;
            assert_eq!(done.status, 200, "{}", done.text());
            self.dov.wait_for(&path, &format!("Version {number} was received")).await;
        }
        let list = self.ada.get(&format!("{}/submissions", self.assignment.0)).await;
        list.must_say("Dov");
    }

    /// Mia replies to the assignment, gets a receipt, and edits: a second version.
    pub async fn mia_hands_in_by_a_reply_and_edits(&mut self) -> Vec<Post> {
        let mut works = Vec::new();
        for (mia, assignment) in self.mias.iter().zip(&self.posts) {
            let work =
                mia.reply(assignment, &format!("An answer by reply, {}.", mark(mia.as_ref())), Seen::Directly).await;
            mia.wait_for(Seen::Directly, "version 1", &[]).await;
            mia.wait_for_like(&work).await;
            mia.edit(&work, &format!("A better answer by reply, {}.", mark(mia.as_ref()))).await;
            mia.wait_for(Seen::Directly, "version 2", &[]).await;
            let list = self.ada.get(&format!("{}/submissions", self.assignment.0)).await;
            list.must_say(&mia.host());
            works.push(work);
        }
        works
    }

    /// Nothing is lost when the power goes, and nothing happens twice.
    pub async fn north_loses_power(&mut self, works: &[Post]) {
        self.north.kill();
        if let World::Double(mia, _) = &self.world {
            self.north.spawn();
            mia.send_again(&mia.create_of(&works[0].json), &[&self.course]).await;
            return;
        }
        // What is sent meanwhile is sent again by their servers.
        for (mia, work) in self.mias.iter().zip(works) {
            mia.edit(work, &format!("The best answer by reply, {}.", mark(mia.as_ref()))).await;
        }
        self.north.spawn();
        for mia in &self.mias {
            mia.wait_for(Seen::Directly, "version 3", &[]).await;
        }
    }
}
