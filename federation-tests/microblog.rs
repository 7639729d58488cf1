//! What can somebody on a microblog do and see, whatever program it is?

use async_trait::async_trait;
use serde_json::Value;

/// Who may read a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Everyone.
    Publicly,
    /// Those mentioned only.
    Directly,
}

/// A post as its reader has it.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its ActivityPub id.
    pub id: String,
    /// Warning, title and text without markup.
    pub text: String,
    /// The text as it came.
    pub html: String,
    /// The whole object where the program shows it, else null.
    pub json: Value,
}

/// Somebody's account there. Every wait is bounded and fails with what was waited for.
#[async_trait]
pub trait Microblog: Send + Sync {
    /// `@mia@host`.
    fn acct(&self) -> String;

    /// Where it is.
    fn host(&self) -> String {
        self.acct().rsplit('@').next().unwrap().to_owned()
    }

    /// Whether her program tells those whom she answered when she deletes an answer.
    fn tells_of_deletions(&self) -> bool {
        true
    }

    /// Follows somebody (`name@host`) and waits until that is accepted.
    async fn follow(&self, handle: &str);

    /// Stops following.
    async fn unfollow(&self, handle: &str);

    /// Waits for a post that has these words, seen so, and is none of `except`.
    async fn wait_for(&self, seen: Seen, words: &str, except: &[String]) -> Post;

    /// Answers a post; everyone named there is named again, as apps do.
    async fn reply(&self, to: &Post, text: &str, seen: Seen) -> Post;

    /// Changes the text of a post of hers.
    async fn edit(&self, post: &Post, text: &str);

    /// Deletes a post of hers.
    async fn delete(&self, post: &Post);

    /// Marks somebody's post as liked.
    async fn like(&self, post: &Post);

    /// Waits until somebody likes a post of hers.
    async fn wait_for_like(&self, post: &Post);

    /// Waits until a post is no longer there.
    async fn wait_until_gone(&self, post: &Post);
}
