//! Who stands behind the names of others? One server for all of them, behind the proxy that has their certificates.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What one address answers.
#[derive(Clone)]
pub enum Page {
    /// A document of this media type.
    Said(&'static str, String),
    /// That it is elsewhere.
    Moved(String),
    /// That it is gone.
    Gone,
    /// One byte a second, without end.
    Drip,
    /// Bytes without end.
    Endless,
}

/// What activities and actors are served as.
pub const ACTIVITY: &str = "application/activity+json";

type Pages = Arc<Mutex<HashMap<String, Page>>>;

/// The server of others and the proxy in front of it. Both end with it.
pub struct Stand {
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
    folder: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

impl Stand {
    /// Behind port 443 of these names, `us` being ours on its port. Only inside `peers/alone`.
    pub fn start(folder: &Path, names: &[&str], us: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (pages, asked) = (Pages::default(), Arc::<Mutex<Vec<String>>>::default());
        let state = (pages.clone(), asked.clone());
        let port = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer).with_state(state)).await });
            port
        });
        let mut routes: Vec<String> = names.iter().map(|name| format!("{name}={port}")).collect();
        routes.push(format!("us={us}"));
        tls(folder, "start", &routes);
        Self { pages, asked, folder: folder.to_owned(), _runtime: runtime }
    }

    /// Puts something at an address.
    pub fn put(&self, uri: &str, page: Page) {
        self.pages.lock().unwrap().insert(uri.to_owned(), page);
    }

    /// Puts somebody at their address, with this public key.
    pub fn person(&self, uri: &str, public_pem: &str) {
        self.put(uri, Page::Said(ACTIVITY, person(uri, public_pem).to_string()));
    }

    /// Every address that was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        tls(&self.folder, "stop", &[]);
    }
}

/// The document of somebody.
pub fn person(uri: &str, public_pem: &str) -> Value {
    let name = uri.rsplit('/').next().unwrap();
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"], "id": uri,
        "type": "Person", "preferredUsername": name, "inbox": format!("{uri}/inbox"),
        "publicKey": {"id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": public_pem},
    })
}

/// Runs the script that makes certificates and leads names to ports.
pub fn tls(folder: &Path, verb: &str, routes: &[String]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/federation-tests/peers/tls");
    let done = Command::new(script).arg(verb).arg(folder).args(routes).output().unwrap();
    assert!(done.status.success(), "tls {verb}: {}", String::from_utf8_lossy(&done.stderr));
}

async fn answer(State((pages, asked)): State<(Pages, Arc<Mutex<Vec<String>>>)>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let uri = format!("https://{host}{}", request.uri().path_and_query().map_or("/", |path| path.as_str()));
    asked.lock().unwrap().push(uri.clone());
    let page = pages.lock().unwrap().get(&uri).cloned();
    match page {
        None => axum::http::StatusCode::NOT_FOUND.into_response(),
        Some(Page::Gone) => axum::http::StatusCode::GONE.into_response(),
        Some(Page::Said(kind, body)) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Some(Page::Moved(to)) => (axum::http::StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Some(Page::Drip) => endless(Bytes::from_static(b" "), Duration::from_secs(1)),
        Some(Page::Endless) => endless(Bytes::from(vec![b' '; 1 << 16]), Duration::ZERO),
    }
}

fn endless(bytes: Bytes, pause: Duration) -> Response {
    let stream = futures_util::stream::unfold(bytes, move |bytes| async move {
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(bytes.clone()), bytes))
    });
    ([(header::CONTENT_TYPE, ACTIVITY)], Body::from_stream(stream)).into_response()
}
