//! Does every request pass what it must, and do connections end when they should?

use super::serve::{Bounds, serve};
use super::{Form, layers};
use crate::app::App;
use crate::config::Config;
use crate::stop::Stop;
use crate::tests::World;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

fn router(world: &World, stop: Stop) -> Router {
    let app = App::new(Config::default(), world.pool.clone()).unwrap();
    let routes = Router::new()
        .route("/panic", get(|| async { panic!("over") as &str }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_millis(200)).await }))
        .route("/form", post(|_: Form| async { "taken" }));
    layers::around(&app, layers::inside(&app, routes), stop)
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

async fn ask(router: &Router, request: axum::http::request::Builder, body: Body) -> Response {
    router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
}

fn asked(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:8080")
        .header(header::ACCEPT, "text/html")
}

#[test]
fn every_answer_is_guarded_and_errors_are_pages() {
    let world = World::new();
    let (_stopper, stop) = Stop::pair();
    let router = router(&world, stop);
    run(async {
        for (method, path, status) in [
            ("GET", "/nowhere", StatusCode::NOT_FOUND),
            ("GET", "/panic", StatusCode::INTERNAL_SERVER_ERROR),
            ("GET", "/form", StatusCode::METHOD_NOT_ALLOWED),
            ("POST", "/form", StatusCode::FORBIDDEN),
        ] {
            let answer = ask(&router, asked(method, path), Body::empty()).await;
            assert_eq!(answer.status(), status, "{path}");
            let headers = answer.headers().clone();
            let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{csp}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "the instance of tests has https");
            let page = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            assert!(page.starts_with(b"<!doctype html>"), "{path}: {}", String::from_utf8_lossy(&page));
        }
    });
}

#[test]
fn who_asks_for_another_host_is_sent_away_but_health_checks_are_not() {
    let world = World::new();
    let (stopper, stop) = Stop::pair();
    let router = router(&world, stop);
    run(async {
        let at = |host: &str, path: &str| Request::builder().uri(path).header(header::HOST, host);
        for evil in ["evil.test", "localhost", "localhost:8081", "user@localhost:8080", ""] {
            let answer = ask(&router, at(evil, "/robots.txt"), Body::empty()).await;
            assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{evil}");
        }
        let twice = at("localhost:8080", "/robots.txt").header(header::HOST, "localhost:8080");
        assert_eq!(ask(&router, twice, Body::empty()).await.status(), StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(ask(&router, at("LOCALHOST:8080", "/robots.txt"), Body::empty()).await.status(), StatusCode::OK);
        assert_eq!(ask(&router, at("10.1.2.3", "/livez"), Body::empty()).await.status(), StatusCode::OK);
        assert_eq!(ask(&router, at("10.1.2.3", "/readyz"), Body::empty()).await.status(), StatusCode::OK);
        stopper.stop();
        let answer = ask(&router, at("10.1.2.3", "/readyz"), Body::empty()).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    });
}

#[test]
fn too_large_is_said_before_it_is_read() {
    let world = World::new();
    let (_stopper, stop) = Stop::pair();
    let router = router(&world, stop);
    run(async {
        let large = |length: &str, kind: &str| {
            asked("POST", "/form").header(header::CONTENT_LENGTH, length).header(header::CONTENT_TYPE, kind)
        };
        let form = "application/x-www-form-urlencoded";
        for (length, kind) in [("1048577", form), ("10000000000", "multipart/form-data; boundary=x")] {
            let answer = ask(&router, large(length, kind), Body::empty()).await;
            assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{length}");
        }
        // Without a length it is cut off, and what is left is no form of ours.
        let answer =
            ask(&router, asked("POST", "/form").header(header::CONTENT_TYPE, form), vec![b'a'; 2 << 20].into()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    });
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    drop(tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut text)).await);
    text
}

#[test]
fn what_has_begun_is_answered_and_nothing_new_is_taken() {
    let world = World::new();
    let (stopper, stop) = Stop::pair();
    let router = router(&world, stop.clone());
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bounds = Bounds { connections: 8, drain: Duration::from_secs(5), head: Duration::from_secs(10) };
        let serving = tokio::spawn(serve(listener, router, bounds, stop));
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost:8080\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stopper.stop();
        assert!(read_all(&mut busy).await.starts_with("HTTP/1.1 200"), "the one that had begun");
        assert_eq!(read_all(&mut idle).await, "");
        assert!(serving.await.unwrap(), "all were answered");
        assert!(TcpStream::connect(address).await.is_err(), "nothing new");
    });
}
