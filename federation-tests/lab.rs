//! How does a test get Mia on programs that we did not write? From the lab of `peers/`, which runs them behind TLS.

use crate::microblog::{Microblog, Post, Seen};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The running lab. It ends when dropped.
pub struct Lab {
    /// The file of its certificate authority.
    pub authority: PathBuf,
    control: String,
    client: reqwest::Client,
    peers: Vec<String>,
    process: Child,
}

/// Somebody's account on one of its programs.
pub struct Peer {
    program: String,
    handle: String,
    control: String,
    client: reqwest::Client,
}

/// Seconds that one wait may take: snac tries a failed delivery again after a minute.
const PATIENCE_SECONDS: u64 = 150;

impl Lab {
    /// Starts nginx, snac and Fedify. Only inside `peers/alone`, where the names lead to loopback.
    pub fn start() -> (Self, Vec<Peer>) {
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/federation-tests/peers/lab.mjs"))
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the lab does not start: {line:?}"));
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(PATIENCE_SECONDS + 30))
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let control = said["control"].as_str().unwrap().to_owned();
        let mias = said["mias"].as_object().unwrap();
        let peers = mias.iter().map(|(program, mia)| Peer {
            program: program.clone(),
            handle: mia["handle"].as_str().unwrap().to_owned(),
            control: control.clone(),
            client: client.clone(),
        });
        let peers: Vec<Peer> = peers.collect();
        let authority = PathBuf::from(said["ca"].as_str().unwrap());
        let names = peers.iter().map(|peer| format!("{}.test", peer.program)).collect();
        (Self { authority, control, client, peers: names, process }, peers)
    }

    /// Leads `north.test` and `south.test` to these ports.
    pub async fn route(&self, north: u16, south: u16) {
        ask(&self.client, &format!("{}/route", self.control), &json!({"north": north, "south": south})).await;
    }

    /// What the programs refused of what our servers sent.
    pub async fn refused(&self) -> Vec<String> {
        let wire = ask(&self.client, &format!("{}/wire", self.control), &json!({})).await;
        let ours = wire.as_array().unwrap().iter().filter(|line| {
            let to_peer = self.peers.iter().any(|name| line["host"] == name.as_str());
            let by_us = line["agent"].as_str().is_some_and(|agent| agent.to_lowercase().contains("hedgeschool"));
            to_peer && by_us && line["method"] == "POST" && line["status"].as_u64().is_none_or(|status| status >= 300)
        });
        ours.map(Value::to_string).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

async fn ask(client: &reqwest::Client, url: &str, what: &Value) -> Value {
    let answer = client.post(url).body(what.to_string()).send().await.unwrap();
    let status = answer.status();
    let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(status, 200, "{url} {what}: {}", said["error"]);
    said
}

impl Peer {
    async fn ask(&self, verb: &str, what: Value) -> Value {
        ask(&self.client, &format!("{}/{}/{verb}", self.control, self.program), &what).await
    }
}

#[async_trait]
impl Microblog for Peer {
    fn acct(&self) -> String {
        format!("@{}", self.handle)
    }

    fn tells_of_deletions(&self) -> bool {
        // snac sends a Delete to Mia's own followers alone.
        self.program != "snac"
    }

    async fn follow(&self, handle: &str) {
        self.ask("follow", json!({"handle": handle})).await;
        self.ask("waitForAccept", json!({"handle": handle, "seconds": PATIENCE_SECONDS})).await;
    }

    async fn unfollow(&self, handle: &str) {
        self.ask("unfollow", json!({"handle": handle})).await;
    }

    async fn wait_for(&self, seen: Seen, words: &str, except: &[String]) -> Post {
        let verb = if seen == Seen::Publicly { "waitForPost" } else { "waitForDirect" };
        let matching = json!({"contains": words, "except": except});
        seen_as(&self.ask(verb, json!({"match": matching, "seconds": PATIENCE_SECONDS})).await)
    }

    async fn reply(&self, to: &Post, text: &str, seen: Seen) -> Post {
        let visibility = if seen == Seen::Publicly { "public" } else { "direct" };
        seen_as(&self.ask("reply", json!({"to": to.id, "text": text, "visibility": visibility})).await)
    }

    async fn edit(&self, post: &Post, text: &str) {
        self.ask("edit", json!({"id": post.id, "text": text})).await;
    }

    async fn delete(&self, post: &Post) {
        self.ask("delete", json!({"id": post.id})).await;
    }

    async fn like(&self, post: &Post) {
        self.ask("like", json!({"id": post.id})).await;
    }

    async fn wait_for_like(&self, post: &Post) {
        self.ask("waitForLike", json!({"id": post.id, "seconds": PATIENCE_SECONDS})).await;
    }

    async fn wait_until_gone(&self, post: &Post) {
        self.ask("waitUntilGone", json!({"id": post.id, "seconds": PATIENCE_SECONDS})).await;
    }
}

fn seen_as(post: &Value) -> Post {
    let said = ["title", "summary", "text"].map(|key| post[key].as_str().unwrap_or_default());
    Post {
        id: post["id"].as_str().unwrap().to_owned(),
        text: said.join("\n"),
        html: post["content"].as_str().unwrap_or_default().to_owned(),
        json: Value::Null,
    }
}
