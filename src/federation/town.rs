//! What does a test of federation stand on? Our router, and a server of others on loopback that plays every other host.

use super::inbox::worker;
use super::run::{self, Dispatch};
use super::{delivery, web};
use crate::actor::{Actor, ActorKind, RemoteActor};
use crate::app::App;
use crate::clock::Time;
use crate::config::Config;
use crate::crypto::{Keypair, SigningKey, VerifyingKey, to_multikey};
use crate::db::Run;
use crate::db::schema::{deliveries, inbox};
use crate::net::Net;
use crate::net::client::tests::{Names, client, development, serve};
use crate::net::signature::{Incoming, Scheme, Signer, Unverified, sign_get, sign_post};
use crate::tests::World;
use activitypub_federation::config::{FederationConfig, FederationMiddleware};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use diesel::{ExpressionMethods, QueryDsl};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use tower::ServiceExt;
use url::Url;

/// A status, and when to come back.
type Status = (u16, Option<&'static str>);

/// Whether a server takes this signature.
type Check = Box<dyn Fn(Incoming<'_>, &[u8]) -> bool + Send + Sync>;

/// Every other server: what it serves, what it answers and what it got.
#[derive(Default)]
pub struct Others {
    /// By address.
    documents: Mutex<HashMap<String, (u16, String, String)>>,
    /// What a POST to this address is answered, one after the other; 202 when there is nothing left.
    answers: Mutex<HashMap<String, Vec<Status>>>,
    /// What was posted, in order.
    got: Mutex<Vec<(String, Value)>>,
    /// Where a GET is led to.
    redirects: Mutex<HashMap<String, String>>,
    /// What was asked for, in order.
    asked: Mutex<Vec<String>>,
    /// Servers that take a request and never answer.
    hanging: Mutex<std::collections::HashSet<String>>,
    /// Servers that check signatures.
    checks: Mutex<HashMap<String, Check>>,
}

impl Others {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let host = request.headers().get(header::HOST).unwrap().to_str().unwrap().to_owned();
        let address = format!("http://{host}{}", request.uri());
        if self.hanging.lock().unwrap().contains(&host) {
            std::future::pending::<()>().await;
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let is_post = parts.method == axum::http::Method::POST;
        if is_post {
            self.got.lock().unwrap().push((address.clone(), serde_json::from_slice(&body).unwrap()));
        } else {
            self.asked.lock().unwrap().push(address.clone());
        }
        let (origin, target) = (format!("http://{host}"), parts.uri.to_string());
        let incoming = Incoming { method: &parts.method, target: &target, headers: &parts.headers, origin: &origin };
        if self.checks.lock().unwrap().get(&host).is_some_and(|check| !check(incoming, &body)) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if is_post {
            let mut answers = self.answers.lock().unwrap();
            let next = answers.get_mut(&address).filter(|list| !list.is_empty()).map(|list| list.remove(0));
            let (status, after) = next.unwrap_or((202, None));
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some(seconds) = after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.parse().unwrap());
            }
            return response;
        }
        if let Some(to) = self.redirects.lock().unwrap().get(&address) {
            return (StatusCode::FOUND, [(header::LOCATION, to.clone())]).into_response();
        }
        match self.documents.lock().unwrap().get(&address) {
            Some((status, kind, text)) => {
                let status = StatusCode::from_u16(*status).unwrap();
                (status, [(header::CONTENT_TYPE, kind.clone())], text.clone()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// Our instance and the others.
pub struct Town {
    /// Database and clock.
    pub world: World,
    /// The instance.
    pub app: App,
    /// Contexts.
    pub config: FederationConfig<App>,
    /// The router as it is served.
    pub router: Router,
    others: Arc<Others>,
    names: Arc<Names>,
    port: u16,
}

/// Another key than the one that the world's people share.
pub fn other_keys() -> Keypair {
    static KEYS: OnceLock<Keypair> = OnceLock::new();
    KEYS.get_or_init(|| Keypair::generate().unwrap()).clone()
}

impl Town {
    /// With `good.test` and `evil.test`.
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// With other settings.
    pub async fn with(config: Config) -> Self {
        let world = World::with_effects(|_, _| Ok(()));
        Self::around(config, world, web::routes(&[])).await
    }

    /// The real program: its effects, and these routes.
    pub async fn real(routes: Router<App>) -> Self {
        Self::around(Config::default(), World::new(), routes).await
    }

    /// Around a world that is there already.
    pub async fn around(config: Config, world: World, routes: Router<App>) -> Self {
        let others = Arc::new(Others::default());
        let shared = Arc::clone(&others);
        let answer = move |request: Request| Arc::clone(&shared).answer(request);
        let port = serve(Router::new().fallback(answer)).await.port();
        let names = Arc::new(Names::default());
        let net = Net::with_client(&config, client(development(), &names));
        let app = App::with_net(config, world.pool.clone(), net);
        let config = run::config(&app).await.unwrap();
        let router = routes.with_state(app.clone()).layer(FederationMiddleware::new(config.clone()));
        let router = router.layer(from_fn_with_state(app.clone(), web::refuse_blocked));
        let town = Self { world, app, config, router, others, names, port };
        town.host("good");
        town.host("evil");
        town
    }

    /// The host and port of another server, which exists from now on.
    pub fn host(&self, name: &str) -> String {
        self.names.set(&format!("{name}.test"), &["127.0.0.1"]);
        format!("{name}.test:{}", self.port)
    }

    /// The id of a person elsewhere.
    pub fn uri(&self, host: &str, name: &str) -> String {
        format!("http://{host}.test:{}/u/{name}", self.port)
    }

    /// Somebody elsewhere as their server would describe them.
    pub fn remote(&self, host: &str, name: &str) -> RemoteActor {
        let uri = self.uri(host, name);
        RemoteActor {
            kind: ActorKind::Person,
            url: uri.clone(),
            handle: name.into(),
            host: self.host(host),
            name: name.into(),
            summary: String::new(),
            inbox: format!("{uri}/inbox"),
            shared_inbox: Some(format!("http://{}/inbox", self.host(host))),
            outbox: None,
            followers: None,
            keys: vec![
                (format!("{uri}#main-key"), self.world.keys().public_pem),
                (format!("{uri}#ed25519-key"), self.world.keys().proof_public_pem),
            ],
            uri,
        }
    }

    /// Somebody elsewhere who is known here.
    pub fn known(&self, host: &str, name: &str) -> Actor {
        self.world.put(self.remote(host, name))
    }

    /// Serves the document of somebody elsewhere with this key.
    pub fn serve_actor(&self, host: &str, name: &str, keys: &Keypair) {
        let uri = self.uri(host, name);
        let document = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "Person",
            "preferredUsername": name, "inbox": format!("{uri}/inbox"),
            "publicKey": {"id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": keys.public_pem},
            "assertionMethod": [{
                "id": format!("{uri}#ed25519-key"), "type": "Multikey", "controller": uri,
                "publicKeyMultibase": to_multikey(&keys.proof_public_pem).unwrap(),
            }],
        });
        self.serve(&uri, 200, &document);
    }

    /// Serves a document.
    pub fn serve(&self, address: &str, status: u16, document: &Value) {
        let kind = "application/activity+json".to_owned();
        self.others.documents.lock().unwrap().insert(address.into(), (status, kind, document.to_string()));
    }

    /// Serves something of another media type.
    pub fn serve_as(&self, address: &str, kind: &str, document: &Value) {
        self.others.documents.lock().unwrap().insert(address.into(), (200, kind.into(), document.to_string()));
    }

    /// What an inbox elsewhere answers next.
    pub fn answer(&self, inbox: &str, answers: &[Status]) {
        self.others.answers.lock().unwrap().insert(inbox.into(), answers.to_vec());
    }

    /// From now on this server takes only requests that this finds right.
    pub fn check(&self, host: &str, is_right: impl Fn(Incoming<'_>, &[u8]) -> bool + Send + Sync + 'static) {
        self.others.checks.lock().unwrap().insert(self.host(host), Box::new(is_right));
    }

    /// From now on this server takes only what is signed by this scheme, with the key that all here share.
    pub fn insist(&self, host: &str, scheme: Scheme) {
        let key = VerifyingKey::from_pem(&self.world.keys().public_pem).unwrap();
        let clock = self.app.clock().clone();
        let check: Check = Box::new(move |request, body| {
            Unverified::read(request, body, clock.now().system())
                .is_ok_and(|read| read.scheme() == scheme && read.verify(&key).is_ok())
        });
        self.others.checks.lock().unwrap().insert(self.host(host), check);
    }

    /// What was posted to others, in order: inbox and activity id.
    pub fn got(&self) -> Vec<(String, String)> {
        let got = self.others.got.lock().unwrap();
        got.iter().map(|(to, activity)| (to.clone(), activity["id"].as_str().unwrap().to_owned())).collect()
    }

    /// What was asked of others, without NodeInfo.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.others.asked.lock().unwrap();
        asked.iter().filter(|address| !address.contains("nodeinfo")).cloned().collect()
    }

    /// A signed request to our inbox, to be spoilt by the test.
    pub fn request(&self, uri: &str, keys: &Keypair, activity: &Value) -> (HeaderMap, String) {
        self.request_by(Scheme::Cavage, uri, keys, activity)
    }

    /// The same by this scheme.
    pub fn request_by(&self, scheme: Scheme, uri: &str, keys: &Keypair, activity: &Value) -> (HeaderMap, String) {
        let body = activity.to_string();
        let signer =
            Signer { key_id: format!("{uri}#main-key"), key: SigningKey::from_pem(&keys.private_pem).unwrap() };
        let url = Url::parse("https://us.test/inbox").unwrap();
        let mut headers = sign_post(&signer, scheme, &url, body.as_bytes(), self.app.now().system()).unwrap();
        headers.insert(header::HOST, "us.test".parse().unwrap());
        (headers, body)
    }

    /// Sends a request to our inbox.
    pub async fn send(&self, headers: HeaderMap, body: String) -> StatusCode {
        let mut request = Request::builder().method("POST").uri("/inbox").body(Body::from(body)).unwrap();
        *request.headers_mut() = headers;
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    /// Sends an activity, signed by its actor with the key that all share.
    pub async fn post(&self, activity: &Value) -> StatusCode {
        let actor = activity["actor"].as_str().unwrap_or("http://nobody.test/").to_owned();
        let (headers, body) = self.request(&actor, &self.world.keys(), activity);
        self.send(headers, body).await
    }

    /// Asks for a path of ours; signed when somebody is named.
    pub async fn get(&self, path: &str, by: Option<&str>) -> (StatusCode, Value) {
        self.ask_by(Scheme::Cavage, path, by).await
    }

    /// The same by this scheme.
    pub async fn ask_by(&self, scheme: Scheme, path: &str, by: Option<&str>) -> (StatusCode, Value) {
        let keys = self.world.keys();
        let (status, _, body) = self.ask_with(scheme, path, by.map(|uri| (uri, &keys))).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The same with these keys; all of the answer.
    pub async fn ask_with(
        &self,
        scheme: Scheme,
        path: &str,
        by: Option<(&str, &Keypair)>,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().uri(path).header(header::ACCEPT, "application/activity+json");
        request = request.header(header::HOST, "us.test");
        if let Some((uri, keys)) = by {
            let key = SigningKey::from_pem(&keys.private_pem).unwrap();
            let url = Url::parse(&format!("https://us.test{path}")).unwrap();
            let signer = Signer { key_id: format!("{uri}#main-key"), key };
            for (name, value) in sign_get(&signer, scheme, &url, self.app.now().system()).unwrap() {
                request = request.header(name.unwrap(), value);
            }
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// Every connection that another server saw, whatever it was for.
    pub fn touched(&self, host: &str) -> Vec<String> {
        let name = self.host(host);
        let others = &self.others;
        let posted: Vec<String> = others.got.lock().unwrap().iter().map(|(to, _)| to.clone()).collect();
        let asked = others.asked.lock().unwrap().clone();
        posted.into_iter().chain(asked).filter(|address| address.contains(&format!("//{name}/"))).collect()
    }

    /// From now on this server takes requests and never answers.
    pub fn hang(&self, host: &str) {
        self.others.hanging.lock().unwrap().insert(host.to_owned());
    }

    /// Answers GETs at this address by a redirect.
    pub fn redirect(&self, address: &str, to: &str) {
        self.others.redirects.lock().unwrap().insert(address.into(), to.into());
    }

    /// The states of all that came in.
    pub fn inbox(&self) -> Vec<(String, String)> {
        self.world.read(|db| Ok(inbox::table.order(inbox::id).select((inbox::activity_uri, inbox::state)).load(db)?))
    }

    /// Works off what came in.
    pub async fn work(&self, dispatch: Dispatch) -> usize {
        worker::work_off(&self.config, dispatch).await.unwrap()
    }

    /// Delivers what is due.
    pub async fn deliver(&self) {
        delivery::deliver_due(&self.config).await.unwrap();
    }

    /// How many deliveries are in this state.
    pub fn count(&self, state: &'static str) -> i64 {
        self.world.read(|db| Ok(deliveries::table.filter(deliveries::state.eq(state)).count().get_result(db)?))
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.app.now()
    }
}
