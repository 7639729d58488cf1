//! Who is Mia? Somebody on a small microblog of ours, which behaves in Mastodon's shapes and refuses what Mastodon does.
//!
//! It shares no code with the server: its signatures are made and checked with the `rsa` crate.

mod account;
mod acts;
mod keys;
mod post_office;
mod proof;

use crate::server::Clock;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use keys::Keys;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const WIRE: &str = "application/activity+json; charset=utf-8";

/// Mia and her server.
#[derive(Clone)]
pub struct Mia(Arc<Inner>);

struct Inner {
    host: String,
    keys: Keys,
    clock: Clock,
    client: reqwest::Client,
    state: Mutex<Memory>,
}

/// What her server remembers.
#[derive(Default)]
struct Memory {
    /// All activities that it took in, in order.
    received: Vec<Value>,
    /// What others sent that Mastodon would refuse, and why.
    refused: Vec<String>,
    /// Posts that she can see, by id: fetched after an Announce, or sent to her.
    posts: BTreeMap<String, Value>,
    /// Posts of her own, by id.
    own: BTreeMap<String, Value>,
    /// Whom she follows, by handle: the actor's id and that of the Follow.
    follows: BTreeMap<String, (String, String)>,
    /// Actors that were looked up.
    actors: BTreeMap<String, Value>,
    count: u64,
}

impl Mia {
    /// Starts her server on a free port of 127.0.0.1.
    pub async fn start(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let inner = Inner { host, keys: Keys::new(), clock: clock.clone(), client, state: Mutex::default() };
        let mia = Self(Arc::new(inner));
        let router = Router::new()
            .route("/.well-known/webfinger", get(webfinger))
            .route("/users/mia", get(actor))
            .route("/users/mia/statuses/{id}", get(status))
            .route("/users/mia/inbox", post(inbox))
            .route("/inbox", post(inbox))
            .with_state(mia.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        mia
    }

    /// Her ActivityPub id.
    pub fn uri(&self) -> String {
        format!("http://{}/users/mia", self.0.host)
    }

    /// What others sent that Mastodon would refuse.
    pub fn refused(&self) -> Vec<String> {
        self.0.state.lock().unwrap().refused.clone()
    }

    /// Every byte that came in, for searching.
    pub fn all_bytes(&self) -> String {
        let memory = self.0.state.lock().unwrap();
        memory.received.iter().chain(memory.posts.values()).map(Value::to_string).collect::<Vec<_>>().join("\n")
    }

    /// Waits until what her server remembers is as wanted.
    async fn wait_until(&self, what: &str, wanted: impl Fn(&Memory) -> bool) {
        let begin = std::time::Instant::now();
        while !wanted(&self.0.state.lock().unwrap()) {
            assert!(
                begin.elapsed() < crate::server::PATIENCE,
                "Mia never saw {what}; refused: {:?}\n{}",
                self.refused(),
                self.all_bytes()
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    fn document(&self) -> Value {
        let uri = self.uri();
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": uri, "type": "Person", "preferredUsername": "mia", "name": "Mia", "summary": "<p>Learning.</p>",
            "url": format!("http://{}/@mia", self.0.host),
            "inbox": format!("{uri}/inbox"), "outbox": format!("{uri}/outbox"), "followers": format!("{uri}/followers"),
            "following": format!("{uri}/following"), "manuallyApprovesFollowers": false, "discoverable": true,
            "endpoints": {"sharedInbox": format!("http://{}/inbox", self.0.host)},
            "publicKey": {"id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": self.0.keys.public_pem()},
        })
    }
}

fn wire(document: &Value) -> Response {
    ([(header::CONTENT_TYPE, WIRE)], document.to_string()).into_response()
}

async fn webfinger(State(mia): State<Mia>, uri: axum::http::Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let resource = url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "resource");
    let expected = format!("acct:mia@{}", mia.0.host);
    if resource.is_none_or(|(_, value)| value != expected) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let document = json!({"subject": expected, "links": [
        {"rel": "self", "type": "application/activity+json", "href": mia.uri()},
    ]});
    ([(header::CONTENT_TYPE, "application/jrd+json")], document.to_string()).into_response()
}

async fn actor(State(mia): State<Mia>) -> Response {
    wire(&mia.document())
}

async fn status(State(mia): State<Mia>, Path(id): Path<String>) -> Response {
    let uri = format!("{}/statuses/{id}", mia.uri());
    let found = mia.0.state.lock().unwrap().own.get(&uri).cloned();
    match found {
        Some(note) if note["to"].as_array().is_some_and(|to| to.iter().any(|t| t == acts::PUBLIC)) => wire(&note),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn inbox(State(mia): State<Mia>, uri: axum::http::Uri, headers: HeaderMap, body: String) -> StatusCode {
    match post_office::take_in(&mia, uri.path(), &headers, &body).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(why) => {
            mia.0.state.lock().unwrap().refused.push(format!("{why}: {body}"));
            StatusCode::UNAUTHORIZED
        }
    }
}
