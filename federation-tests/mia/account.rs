//! How does the double answer to what every microblog can?

use super::Mia;
use super::acts::PUBLIC;
use crate::microblog::{Microblog, Post, Seen};
use async_trait::async_trait;
use scraper::Html;
use serde_json::{Value, json};

#[async_trait]
impl Microblog for Mia {
    fn acct(&self) -> String {
        format!("@mia@{}", self.0.host)
    }

    async fn follow(&self, handle: &str) {
        let uri = self.find(handle).await;
        let follow = self.send_follow(&uri).await;
        self.wait_until("that the follow is accepted", |memory| {
            memory.received.iter().any(|a| a["type"] == "Accept" && a["actor"] == uri && a["object"]["id"] == follow)
        })
        .await;
        self.0.state.lock().unwrap().follows.insert(handle.to_owned(), (uri, follow));
    }

    async fn unfollow(&self, handle: &str) {
        let (uri, follow) = self.0.state.lock().unwrap().follows.remove(handle).unwrap();
        self.send_undo(&uri, &follow).await;
    }

    async fn wait_for(&self, seen: Seen, words: &str, except: &[String]) -> Post {
        let me = self.uri();
        let directly = |post: &Value| post["to"] == json!([me]) && !post["cc"].to_string().contains(PUBLIC);
        let wanted = |post: &Value| {
            directly(post) == (seen == Seen::Directly)
                && text_of(post).contains(words)
                && !except.iter().any(|id| post["id"] == id.as_str())
        };
        self.wait_until(words, |memory| memory.posts.values().any(wanted)).await;
        let memory = self.0.state.lock().unwrap();
        seen_as(memory.posts.values().find(|post| wanted(post)).unwrap())
    }

    async fn reply(&self, to: &Post, text: &str, seen: Seen) -> Post {
        seen_as(&self.send_reply(&to.json, text, seen).await)
    }

    async fn edit(&self, post: &Post, text: &str) {
        self.send_edit(&post.json, text).await;
    }

    async fn delete(&self, post: &Post) {
        self.send_delete(&post.json).await;
    }

    async fn like(&self, post: &Post) {
        self.send_like(&post.json).await;
    }

    async fn wait_for_like(&self, post: &Post) {
        self.wait_until("a like", |memory| {
            memory.received.iter().any(|activity| activity["type"] == "Like" && activity["object"] == post.id.as_str())
        })
        .await;
    }

    async fn wait_until_gone(&self, post: &Post) {
        self.wait_until("that it is gone", |memory| !memory.posts.contains_key(&post.id)).await;
    }
}

fn seen_as(post: &Value) -> Post {
    Post {
        id: post["id"].as_str().unwrap().to_owned(),
        text: text_of(post),
        html: post["content"].as_str().unwrap_or_default().to_owned(),
        json: post.clone(),
    }
}

fn text_of(post: &Value) -> String {
    let plain =
        |key: &str| Html::parse_fragment(post[key].as_str().unwrap_or_default()).root_element().text().collect();
    ["name", "summary", "content"].map(|key| -> String { plain(key) }).join("\n")
}
