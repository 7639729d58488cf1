//! How does the story end: posts, edits, deletions and goodbyes?

use super::cast::Cast;
use crate::mia::Seen;

impl Cast {
    /// A post of Ada reaches all three, changes for all three, and goes for all three.
    pub async fn ada_posts_edits_and_deletes(&mut self) {
        let form = self.ada.get("/c/rust_101/discussion").await;
        let fields = [("title", "Next week"), ("body", "We meet on Tuesday.")];
        let post = self.ada.submit(&form, "/discussion", &fields).await;
        post.must_say("We meet on Tuesday.");
        let there = format!("/c/rust_101@{}/discussion", self.north.host);
        let mirrored = self.dov.wait_for(&there, "Next week").await.link("/posts/");
        self.dov.get(&mirrored).await.must_say("We meet on Tuesday.");
        let is_it = |post: &serde_json::Value| post["name"].as_str().is_some_and(|name| name.contains("Next week"));
        let seen = self.mia.wait_for_post("the post", is_it).await;

        let form = self.ada.get(&format!("{}/edit", post.path)).await;
        let edited = self.ada.submit(&form, "/edit", &[("body", "We meet on Wednesday.")]).await;
        edited.must_say("We meet on Wednesday.");
        self.dov.wait_for(&mirrored, "We meet on Wednesday.").await;
        let id = seen["id"].clone();
        self.mia
            .wait_for_post("the edit", |post| {
                post["id"] == id && post["content"].as_str().is_some_and(|text| text.contains("Wednesday"))
            })
            .await;

        self.mia.like(&seen).await;
        let answer = self.mia.reply(&seen, "Count me in.", Seen::Publicly).await;
        self.ada.wait_for(&edited.path, "Count me in.").await;
        self.dov.wait_for(&mirrored, "Count me in.").await;
        self.mia.delete(&answer).await;
        self.ada.wait(&edited.path, "that it is gone", |page| !page.says("Count me in.")).await;

        let question = self.ada.get(&format!("{}/deletion", edited.path)).await;
        self.ada.submit(&question, "/deletion", &[]).await;
        self.dov.wait(&there, "that it is gone", |page| !page.says("Next week")).await;
        self.mia.wait_until("that it is gone", |posts| !posts.iter().any(|post| post["id"] == id)).await;
        assert!(self.mia.fetch(seen["id"].as_str().unwrap()).await.unwrap_err().contains("410"));
    }

    /// Dov leaves, Mia unfollows: both are off the roster, Bo stays.
    pub async fn people_leave(&mut self, follow: &str) {
        let path = format!("/c/rust_101@{}", self.north.host);
        let question = self.dov.get(&path).await.link("/leaving");
        let question = self.dov.get(&question).await;
        self.dov.submit(&question, "/leaving", &[]).await;
        let gone = |name: &'static str| move |page: &crate::browser::Page| !page.says(name) && page.says("Bo");
        self.ada.wait("/c/rust_101/people", "that Dov left", gone("Dov")).await;
        self.mia.unfollow(&self.course.clone(), follow).await;
        self.ada.wait("/c/rust_101/people", "that Mia left", gone("Mia")).await;
        let status = self.north.stop();
        assert!(status.success(), "SIGTERM ends in order: {status}");
    }
}
