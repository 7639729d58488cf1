//! Is every answer bounded in size and time, and read for what it says?

use std::io::Write as _;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    routing::{get as on_get, post as on_post},
};

use super::*;
use crate::{
    crypto::VerifyingKey,
    net::signature::{Incoming, Unverified},
};

#[tokio::test]
async fn an_answer_comes_as_it_was_given() {
    let router = Router::new()
        .route(
            "/actor",
            on_get(|headers: HeaderMap| async move {
                let agent = headers["user-agent"].to_str().unwrap().to_owned();
                ([(header::CONTENT_TYPE, "application/activity+json; charset=utf-8")], agent)
            }),
        )
        .route("/gone", on_get(|| async { (StatusCode::GONE, "long story") }));
    let (client, _, base) = world(router).await;
    let answer = get(&client, &format!("{base}/actor#main-key")).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.url.as_str(), format!("{base}/actor"));
    assert_eq!(answer.content_type.as_deref(), Some("application/activity+json; charset=utf-8"));
    assert_eq!(answer.body, format!("hedgeschool/{} (+https://us.test)", env!("CARGO_PKG_VERSION")));
    let gone = get(&client, &format!("{base}/gone")).await.unwrap();
    assert_eq!((gone.status, gone.body.len()), (StatusCode::GONE, 0));
}

#[tokio::test]
async fn net_04_bodies_end_at_the_limit() {
    let router = Router::new()
        .route("/fits", on_get(|| async { vec![b'a'; MAX_BODY_BYTES] }))
        .route("/over", on_get(|| async { vec![b'a'; MAX_BODY_BYTES + 1] }))
        .route(
            "/chunked",
            on_get(|| async {
                Body::from_stream(futures_util::stream::repeat_with(|| {
                    Ok::<_, io::Error>(Bytes::from(vec![b'a'; 65_536]))
                }))
            }),
        );
    let (client, _, base) = world(router).await;
    assert_eq!(get(&client, &format!("{base}/fits")).await.unwrap().body.len(), MAX_BODY_BYTES);
    for path in ["over", "chunked"] {
        let error = get(&client, &format!("{base}/{path}")).await.unwrap_err();
        assert_eq!((error.verdict(), error), (Verdict::Permanent, FetchError::TooLarge), "{path}");
    }
}

#[tokio::test]
async fn net_04_a_compression_bomb_is_stopped_and_honest_gzip_is_read() {
    let bomb = gzip_of_zeroes(64 * 1024 * 1024);
    assert!(bomb.len() < 300_000, "{}", bomb.len());
    let small = gzip_of_zeroes(1000);
    let gzip = |body: Vec<u8>| on_get(move || async move { ([(header::CONTENT_ENCODING, "gzip")], body) });
    let router = Router::new().route("/bomb", gzip(bomb)).route("/small", gzip(small));
    let (client, _, base) = world(router).await;
    assert_eq!(get(&client, &format!("{base}/small")).await.unwrap().body.len(), 1000);
    assert_eq!(get(&client, &format!("{base}/bomb")).await.unwrap_err(), FetchError::TooLarge);
}

/// A gzip file of `size` zero bytes, by the program of that name.
fn gzip_of_zeroes(size: usize) -> Vec<u8> {
    let mut child = std::process::Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let zeroes = [0; 1000];
        let mut left = size;
        while left > 0 {
            let piece = left.min(zeroes.len());
            input.write_all(&zeroes[..piece]).unwrap();
            left -= piece;
        }
    });
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    output
}

#[tokio::test]
async fn net_04_a_false_length_is_no_answer() {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let client = client(development(), &names);
    for (head, expected) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"[..], FetchError::TooLarge),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n", FetchError::TooLarge),
    ] {
        let (address, _) = drip(head, Vec::new(), Duration::ZERO).await;
        let error = get(&client, &format!("http://good.test:{}/", address.port())).await.unwrap_err();
        assert_eq!(error, expected);
    }
    for head in [&b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"[..], b"no http at all\r\n\r\n", b""] {
        let (address, _) = drip(head, Vec::new(), Duration::ZERO).await;
        let error = get(&client, &format!("http://good.test:{}/", address.port())).await.unwrap_err();
        assert_eq!(error.verdict(), Verdict::Transient, "{error:?}");
    }
    let (address, _) = drip(b"HTTP/1.1 200 OK\r\n", vec![b'a'; 100_000], Duration::ZERO).await;
    assert!(get(&client, &format!("http://good.test:{}/", address.port())).await.is_err(), "endless header");
}

#[tokio::test]
async fn net_06_a_slow_server_holds_one_request_until_the_deadline() {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let client = client(development(), &names);
    for head in [&b"HTTP/1.1 200 OK\r\nx: "[..], b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n", b"HTTP/1.1 200 OK"]
    {
        let (address, connections) = drip(head, b"a".to_vec(), Duration::from_millis(50)).await;
        let start = Instant::now();
        let base = format!("http://good.test:{}/", address.port());
        assert_eq!(get(&client, &base).await.unwrap_err(), FetchError::Timeout);
        assert!(start.elapsed() < Duration::from_millis(1500));
        assert_eq!(*connections.lock().unwrap(), 1);
    }
}

#[tokio::test]
async fn nobody_listening_is_a_reason_to_try_again() {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = get(&client(development(), &names), &format!("http://good.test:{port}/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Transient);
}

#[tokio::test]
async fn deliveries_are_signed_so_that_we_would_accept_them() {
    let inbox = on_post(|headers: HeaderMap, body: Bytes| async move {
        let request = Incoming {
            method: &axum::http::Method::POST,
            target: "/inbox",
            headers: &headers,
            origin: "https://us.test",
        };
        let key = VerifyingKey::from_pem(&signer().key.public_pem().unwrap()).unwrap();
        let read = Unverified::read(request, &body, now()).and_then(|read| read.verify(&key));
        assert_eq!(headers[header::CONTENT_TYPE], "application/activity+json");
        match read {
            Ok(()) => (StatusCode::ACCEPTED, "thanks".to_owned()),
            Err(error) => (error.status(), error.to_string()),
        }
    });
    let (client, _, base) = world(Router::new().route("/inbox", inbox)).await;
    let body = Bytes::from_static(b"{\"type\":\"Follow\"}");
    let answer = client.post(&url(&format!("{base}/inbox")), body, &signer(), now()).await.unwrap();
    let expected = PostAnswer { status: StatusCode::ACCEPTED, retry_after: None, excerpt: "thanks".into() };
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn answers_to_deliveries_are_taken_at_their_status() {
    let wait = |value: &'static str| {
        on_post(move || async move { (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, value)]) })
    };
    let later = httpdate::fmt_http_date(now() + Duration::from_secs(90)).leak();
    let router = Router::new()
        .route("/seconds", wait("120"))
        .route("/date", wait(later))
        .route("/never", wait("99999999"))
        .route("/nonsense", wait("soon"))
        .route("/moved", on_post(|| async { (StatusCode::FOUND, [(header::LOCATION, "/never")]) }))
        .route("/chatty", on_post(|| async { vec![b'x'; 100_000] }));
    let (client, _, base) = world(router).await;
    let post =
        async |path: &str| client.post(&url(&format!("{base}/{path}")), Bytes::new(), &signer(), now()).await.unwrap();
    for (path, seconds) in [("seconds", Some(120)), ("date", Some(90)), ("never", Some(86_400)), ("nonsense", None)] {
        assert_eq!(post(path).await.retry_after, seconds.map(Duration::from_secs), "{path}");
    }
    assert_eq!(post("moved").await.status, StatusCode::FOUND);
    assert_eq!(post("chatty").await.excerpt.len(), 512);
}

#[tokio::test]
async fn a_status_counts_even_when_the_rest_never_comes() {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let client = client(development(), &names);
    let head = b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n";
    let (address, _) = drip(head, b"a".to_vec(), Duration::from_millis(50)).await;
    let slow = url(&format!("http://good.test:{}/", address.port()));
    let answer = client.post(&slow, Bytes::new(), &signer(), now()).await.unwrap();
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}
