//! How does the story end: posts, edits, deletions and goodbyes?

use super::cast::{Cast, World};
use super::steps::mark;
use crate::microblog::{Post, Seen};

impl Cast {
    /// people, courses and both instances get new keys while everything goes on. All that comes later in the story
    /// is signed for those who keep the old ones.
    pub fn everyone_gets_new_keys(&self) {
        for server in [&self.north, &self.south] {
            let said = server.command(&["actor", "rotate-key", "--all"], "");
            assert!(said.lines().count() > 2 && said.lines().all(|line| line.ends_with("has new keys")), "{said}");
        }
    }

    /// Mia refused nothing, and not one delivery between the two instances, and to her, was given up.
    pub async fn nothing_was_refused(&self) {
        let refused = match &self.world {
            World::Double(mia, _) => mia.refused(),
            World::Peers(lab) => lab.refused().await,
        };
        assert_eq!(refused, Vec::<String>::new(), "refused by what Mia uses");
        for server in [&self.north, &self.south] {
            let log = server.log();
            let dropped: Vec<&str> = log.lines().filter(|line| line.contains("result=\"dropped\"")).collect();
            assert!(log.contains("result=\"delivered\"") && dropped.is_empty(), "{}: {dropped:#?}", server.name);
        }
    }

    /// A post of Ada reaches all three, changes for all three, and goes for all three.
    pub async fn ada_posts_edits_and_deletes(&mut self) {
        let form = self.ada.get("/c/rust_101/discussion").await;
        let fields = [("title", "Next week"), ("body", "We meet on Tuesday.")];
        let post = self.ada.submit(&form, "/discussion", &fields).await;
        post.must_say("We meet on Tuesday.");
        let there = format!("/c/rust_101@{}/discussion", self.north.host);
        let mirrored = self.dov.wait_for(&there, "Next week").await.link("/posts/");
        self.dov.get(&mirrored).await.must_say("We meet on Tuesday.");
        let seen = self.everyone_sees("We meet on Tuesday.").await;

        let form = self.ada.get(&format!("{}/edit", post.path)).await;
        let edited = self.ada.submit(&form, "/edit", &[("body", "We meet on Wednesday.")]).await;
        edited.must_say("We meet on Wednesday.");
        self.dov.wait_for(&mirrored, "We meet on Wednesday.").await;
        let again = self.everyone_sees("We meet on Wednesday.").await;
        assert!(seen.iter().zip(&again).all(|(old, new)| old.id == new.id), "an edit is no new post");

        for (mia, post) in self.mias.iter().zip(&seen) {
            mia.like(post).await;
            let words = format!("Count me in, {}.", mark(mia.as_ref()));
            let answer = mia.reply(post, &words, Seen::Publicly).await;
            self.ada.wait_for(&edited.path, &words).await;
            self.dov.wait_for(&mirrored, &words).await;
            if mia.tells_of_deletions() {
                mia.delete(&answer).await;
                self.ada.wait(&edited.path, "that it is gone", |page| !page.says(&words)).await;
                self.dov.wait(&mirrored, "that it is gone", |page| !page.says(&words)).await;
            }
        }

        let question = self.ada.get(&format!("{}/deletion", edited.path)).await;
        self.ada.submit(&question, "/deletion", &[]).await;
        self.dov.wait(&there, "that it is gone", |page| !page.says("Next week")).await;
        for (mia, post) in self.mias.iter().zip(&seen) {
            mia.wait_until_gone(post).await;
        }
        if let World::Double(mia, _) = &self.world {
            assert!(mia.fetch(&seen[0].id).await.unwrap_err().contains("410"));
        }
    }

    /// The post with these words, as each Mia has it.
    async fn everyone_sees(&self, words: &str) -> Vec<Post> {
        let mut seen = Vec::new();
        for mia in &self.mias {
            seen.push(mia.wait_for(Seen::Publicly, words, &[]).await);
        }
        seen
    }

    /// Dov leaves, Mia unfollows: both are off the roster, Bo stays.
    pub async fn people_leave(&mut self) {
        let path = format!("/c/rust_101@{}", self.north.host);
        let question = self.dov.get(&path).await.link("/leaving");
        let question = self.dov.get(&question).await;
        self.dov.submit(&question, "/leaving", &[]).await;
        self.ada.wait("/c/rust_101/people", "that Dov left", |page| !page.says("Dov") && page.says("Bo")).await;
        for mia in &self.mias {
            mia.unfollow(&format!("rust_101@{}", self.north.host)).await;
            let acct = mia.acct();
            self.ada.wait("/c/rust_101/people", "that Mia left", |page| !page.says(&acct) && page.says("Bo")).await;
        }
        let status = self.north.stop();
        assert!(status.success(), "SIGTERM ends in order: {status}");
    }
}
