//! Is every connection one that was allowed?

use axum::{
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
    routing::get as on_get,
};

use super::{
    super::resolve::{ResolveError, Resolver},
    *,
};

/// Answers of a name server, each with at least one address that is not public.
const PRIVATE: [&str; 12] = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "1.1.1.1 127.0.0.1",
    "::1 2606:4700::1",
];
/// Addresses that are refused as they stand.
const FORBIDDEN: [&str; 8] = [
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "https://localhost/",
    "https://evil.test:8443/",
    "http://evil.test/",
    "https://evil.test./",
    "https://a@evil.test/",
];

#[tokio::test]
async fn net_01_private_addresses_are_refused_by_name_and_by_number() {
    let names = Arc::new(Names::default());
    let client = client(Rules::default(), &names);
    for private in PRIVATE {
        names.set("evil.test", &[private]);
        let refused = get(&client, "https://evil.test/").await.unwrap_err();
        assert_eq!(refused, FetchError::Private("evil.test".into()), "{private}");
        assert_eq!(refused.verdict(), Verdict::Refused);
        let posted = client.post(&url("https://evil.test/inbox"), Bytes::new(), &signer(), now()).await;
        assert_eq!(posted.unwrap_err(), refused);
    }
    let asked = names.asked.lock().unwrap().len();
    for address in FORBIDDEN {
        assert!(matches!(get(&client, address).await, Err(FetchError::Refused(_))), "{address}");
    }
    assert_eq!(names.asked.lock().unwrap().len(), asked, "nothing was even looked up");
}

#[tokio::test]
async fn net_02_a_second_answer_of_the_name_server_is_judged_anew() {
    let names = Arc::new(Names::default());
    names.set("evil.test", &["93.184.216.34", "127.0.0.1"]);
    let resolver = Resolver {
        lookup: Arc::clone(&names) as Arc<dyn Lookup>,
        rules: Arc::new(Rules::default()),
        deadline: Duration::from_secs(1),
        silent: Arc::default(),
    };
    let first = resolver.checked("evil.test").await.unwrap();
    assert_eq!(first, ["93.184.216.34:0".parse().unwrap()]);
    assert!(resolver.checked("evil.test").await.is_err());
}

#[tokio::test]
async fn net_02_the_connection_goes_to_the_address_that_was_checked() {
    let (client, names, base) = world(Router::new().route("/", on_get(|| async { "here" }))).await;
    // The first answer leads to the server, every later one to where nobody listens.
    names.set("good.test", &["127.0.0.1", "127.0.0.9"]);
    assert_eq!(get(&client, &base).await.unwrap().body, "here");
    assert_eq!(names.count("good.test"), 1, "one look-up for one connection");
}

#[tokio::test]
async fn names_below_localhost_lead_to_loopback_and_nobody_is_asked() {
    let names = Arc::new(Names::default());
    let resolver = |rules| Resolver {
        lookup: Arc::clone(&names) as Arc<dyn Lookup>,
        rules: Arc::new(rules),
        deadline: Duration::from_secs(1),
        silent: Arc::default(),
    };
    for name in ["localhost", "north.localhost", "North.LOCALHOST."] {
        let found = resolver(development()).checked(name).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|socket| socket.ip().is_loopback()), "{name}: {found:?}");
    }
    assert_eq!(names.asked.lock().unwrap().len(), 0);
    assert!(resolver(development()).checked("localhost.test").await.is_err(), "only the last part counts");
    assert!(resolver(Rules::default()).checked("north.localhost").await.is_err(), "not in production");
}

/// R-25, checklist 66: a name server that is dead for some names is not the fault of all others.
#[tokio::test]
async fn r_25_dead_names_hold_up_nobody_else_and_are_left_alone_for_a_while() {
    fn ask(host: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        if host.starts_with("dead") {
            std::thread::sleep(Duration::from_secs(2));
            return Err(std::io::Error::other("nobody answers"));
        }
        Ok(vec!["93.184.216.34".parse().unwrap()])
    }
    let places = Arc::new(tokio::sync::Semaphore::new(4));
    let lookup = SystemLookup { places: places.clone(), patience: Duration::from_millis(50), ask };
    let resolver = Resolver {
        lookup: Arc::new(lookup),
        rules: Arc::new(Rules::default()),
        deadline: Duration::from_millis(200),
        silent: Arc::default(),
    };
    let dead = ["dead0", "dead1", "dead2", "dead3"].map(|name| resolver.checked(name));
    for found in futures_util::future::join_all(dead).await {
        assert!(matches!(found, Err(ResolveError::Failed(_))), "{found:?}");
    }
    // All places are still held by threads that nobody waits for.
    let busy = resolver.checked("well.test").await;
    assert_eq!(busy, Err(ResolveError::Busy), "R-25: this is not the fault of that server");
    drop(places.acquire_many(4).await.unwrap());
    assert!(matches!(resolver.checked("dead0").await, Err(ResolveError::Failed(_))));
    assert_eq!(places.available_permits(), 4, "R-25: it takes no place again");
    assert!(resolver.checked("well.test").await.is_ok(), "R-25");
}

#[tokio::test]
async fn names_that_lead_nowhere_may_lead_somewhere_later() {
    let names = Arc::new(Names::default());
    names.set("slow.test", &[]);
    names.set("empty.test", &[""]);
    let client = client(Rules::default(), &names);
    for host in ["absent.test", "slow.test", "empty.test"] {
        let error = get(&client, &format!("https://{host}/")).await.unwrap_err();
        assert_eq!(error, FetchError::Name(host.into()));
        assert_eq!(error.verdict(), Verdict::Transient);
    }
}

fn redirects(to: String) -> Router {
    Router::new().route("/", on_get(move || async move { (StatusCode::FOUND, [(LOCATION, to)]) }))
}

#[tokio::test]
async fn net_03_redirects_are_held_to_the_same_rules() {
    for to in [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://public.example/",
        "ftp://good.test/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https://a@good.test/",
        "https://public.example:444/",
    ] {
        let (client, names, base) = world(redirects(to.into())).await;
        let error = get(&client, &base).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused(_)), "{to}: {error:?}");
        assert_eq!(names.asked.lock().unwrap().as_slice(), ["good.test"], "{to}");
    }
    let (client, names, base) = world(redirects("https://private.test/".into())).await;
    names.set("private.test", &["192.168.0.1"]);
    assert_eq!(get(&client, &base).await.unwrap_err(), FetchError::Private("private.test".into()));
    let (client, _, base) = world(redirects("http://[broken".into())).await;
    assert_eq!(get(&client, &base).await.unwrap_err(), FetchError::Location);
}

#[tokio::test]
async fn net_03_two_redirects_are_followed_also_relative_ones_and_signed_anew() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let hop = |to: &'static str| {
        let log = Arc::clone(&log);
        on_get(move |headers: axum::http::HeaderMap| async move {
            log.lock().unwrap().push(headers["signature"].to_str().unwrap().to_owned());
            (StatusCode::MOVED_PERMANENTLY, [(LOCATION, to)]).into_response()
        })
    };
    let router = Router::new()
        .route("/a", hop("b?x=1#part"))
        .route("/b", hop("../c"))
        .route("/c", on_get(|| async { "end" }))
        .route("/loop", hop("/loop"))
        .route("/long", hop("/a"));
    let (client, _, base) = world(router).await;
    let signer = signer();
    let answer = fetch_of(&client, &base, "/a", &signer).await.unwrap();
    assert_eq!((answer.url.as_str(), &answer.body[..]), (&*format!("{base}/c"), &b"end"[..]));
    let signatures = seen.lock().unwrap().clone();
    assert!(signatures.len() == 2 && signatures[0] != signatures[1]);
    for path in ["/loop", "/long"] {
        let error = fetch_of(&client, &base, path, &signer).await.unwrap_err();
        assert_eq!((error.verdict(), error), (Verdict::Permanent, FetchError::Redirects));
    }
}

async fn fetch_of(client: &SafeClient, base: &str, path: &str, signer: &Signer) -> Result<Answer, FetchError> {
    client.get(&url(&format!("{base}{path}")), "*/*", Some(signer), now()).await
}

#[test]
fn extra_certificates_must_be_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    let with = |path: &std::path::Path| {
        let settings = Settings { extra_roots: Some(path.into()), ..Settings::new("https://us.test") };
        SafeClient::new(settings).err()
    };
    assert!(matches!(with(&path), Some(ClientError::Roots { .. })));
    std::fs::write(&path, "nothing of the kind").unwrap();
    assert!(matches!(with(&path), Some(ClientError::Roots { .. })));
}
