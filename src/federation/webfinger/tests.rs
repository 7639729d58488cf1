//! Is a name believed only when everybody concerned says so?

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::RawQuery,
    http::StatusCode,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::*;
use crate::net::client::tests::{Names, client, development, now, serve};

fn handle(text: &str) -> Handle {
    match parse_handle(text) {
        Some(Sought::Handle(handle)) => handle,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn handles_are_read_in_all_spellings() {
    for text in
        ["@ada@north.test", "ada@north.test", "acct:ada@north.test", " @ada@NORTH.test ", "acct:@ada@north.test"]
    {
        assert_eq!(handle(text).to_string(), "ada@north.test", "{text}");
    }
    assert_eq!(handle("@ada@bücher.example").host, "xn--bcher-kva.example");
    assert_eq!(handle("@ada@localhost:81").host, "localhost:81");
    assert!(handle("Ada@a.test").is(&handle("ada@a.test")));
    let url = "https://north.test/courses/rust";
    assert_eq!(parse_handle(url), Some(Sought::Url(Url::parse(url).unwrap())));
    for text in [
        "",
        "@",
        "ada",
        "@ada",
        "@@north.test",
        "a@b@c.test",
        "ada@",
        "ada@north.test/x",
        "ada@x?y",
        "a b@c.test",
        "ada@a%2fb",
        "ada@a b",
        "\0@a.test",
        "javascript:alert(1)",
        "https://",
        &format!("{}@a.test", "a".repeat(65)),
    ] {
        assert_eq!(parse_handle(text), None, "{text}");
    }
}

/// One server that answers for all hosts of the test; `{port}` in an answer stands for its port.
struct World {
    client: SafeClient,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What the server says of an account.
struct Says {
    host: &'static str,
    user: &'static str,
    subject: &'static str,
    actor: &'static str,
}

fn says(host: &'static str, user: &'static str, subject: &'static str, actor: &'static str) -> Says {
    Says { host, user, subject, actor }
}

fn respond(answers: &[Says], authority: &str, query: &str) -> Response {
    let (host, port) = authority.split_once(':').unwrap();
    let user = query.strip_prefix("resource=acct%3A").unwrap();
    let user = user.split("%40").next().unwrap();
    let found = answers.iter().find(|says| says.host == host && says.user == user);
    let Some(found) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fill = |text: &str| text.replace("{port}", port);
    let body = json!({"subject": fill(found.subject), "template": null, "links": [
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": fill(found.actor)},
        {"rel": "self", "type": "text/html", "href": "http://other.test/"},
        {"rel": "self", "type": "application/activity+json", "href": fill(found.actor)},
    ]});
    let media_type = match user {
        "html" => "text/html",
        _ => "application/jrd+json; charset=utf-8",
    };
    ([(header::CONTENT_TYPE, media_type)], body.to_string()).into_response()
}

async fn world(answers: Vec<Says>) -> World {
    let answers = Arc::new(answers);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let finger = get(move |headers: header::HeaderMap, RawQuery(query): RawQuery| async move {
        let authority = headers[header::HOST].to_str().unwrap();
        let query = query.unwrap();
        let host = authority.split(':').next().unwrap();
        log.lock().unwrap().push(format!("{host}?{query}"));
        respond(&answers, authority, &query)
    });
    let router = Router::new().route("/.well-known/webfinger", finger);
    let port = serve(router).await.port();
    let names = Arc::new(Names::default());
    for host in ["good.test", "web.good.test", "evil.test"] {
        names.set(host, &["127.0.0.1"]);
    }
    World { client: client(development(), &names), port, asked }
}

impl World {
    fn handle(&self, user: &str, host: &str) -> Handle {
        handle(&format!("{user}@{host}:{}", self.port))
    }

    async fn resolve(&self, user: &str, host: &str) -> Result<Resolved, WebfingerError> {
        resolve(&self.client, &self.handle(user, host), now()).await
    }
}

#[tokio::test]
async fn a_handle_leads_to_its_actor_and_back() {
    let world = world(vec![says("good.test", "bob", "acct:Bob@good.test:{port}", "http://good.test:{port}/u/1")]).await;
    let resolved = world.resolve("bob", "good.test").await.unwrap();
    assert_eq!(resolved.actor.path(), "/u/1");
    assert_eq!(resolved.handle.user, "Bob");
    assert_eq!(confirm(&world.client, &resolved, "bob", now()).await, Ok(()));
    assert_eq!(world.asked.lock().unwrap().len(), 1, "the same host is not asked again");
    let other = confirm(&world.client, &resolved, "mallory", now()).await;
    assert_eq!(other, Err(WebfingerError::Mismatch));
    let missing = world.resolve("nobody", "good.test").await;
    assert_eq!(missing, Err(WebfingerError::Status(StatusCode::NOT_FOUND)));
}

#[tokio::test]
async fn a_handle_on_another_host_than_its_actor_needs_both_hosts() {
    let actor = "http://web.good.test:{port}/u/1";
    let world = world(vec![
        says("good.test", "bob", "acct:bob@good.test:{port}", actor),
        says("web.good.test", "bob", "acct:bob@good.test:{port}", actor),
    ])
    .await;
    let by_handle = world.resolve("bob", "good.test").await.unwrap();
    let by_web = world.resolve("bob", "web.good.test").await.unwrap();
    assert_eq!(by_handle, by_web, "the canonical handle either way");
    assert_eq!(confirm(&world.client, &by_handle, "bob", now()).await, Ok(()));
    let found = handle_of(&world.client, &by_handle.actor, "bob", now()).await.unwrap();
    assert_eq!(found, world.handle("bob", "good.test"));
}

/// A good host whose user points elsewhere, to an actor that does not point back.
fn two_faced() -> [Says; 2] {
    [
        says("good.test", "eve", "acct:eve@good.test:{port}", "http://evil.test:{port}/e"),
        says("evil.test", "e", "acct:e@evil.test:{port}", "http://evil.test:{port}/e"),
    ]
}

/// A good account, and every way to claim what is not one's own.
async fn liars() -> World {
    let mut answers = vec![
        says("good.test", "bob", "acct:bob@good.test:{port}", "http://good.test:{port}/u/1"),
        // Claims bob's handle for his own actor.
        says("evil.test", "m", "acct:bob@good.test:{port}", "http://evil.test:{port}/m"),
        // Claims bob's actor for his own handle.
        says("evil.test", "n", "acct:n@evil.test:{port}", "http://good.test:{port}/u/1"),
        // No ActivityPub address at all, or a forbidden one.
        says("evil.test", "p", "acct:p@evil.test:{port}", "http://10.0.0.1/p"),
        says("evil.test", "html", "acct:html@evil.test:{port}", "http://evil.test:{port}/h"),
        says("evil.test", "s", "https://evil.test/s", "http://evil.test:{port}/s"),
    ];
    answers.extend(two_faced());
    world(answers).await
}

#[tokio::test]
async fn nrm_01_nobody_gets_a_name_on_his_own_word() {
    let world = liars().await;
    assert_eq!(world.resolve("m", "evil.test").await, Err(WebfingerError::Mismatch));
    let stolen = world.resolve("n", "evil.test").await.unwrap();
    assert_eq!(confirm(&world.client, &stolen, "bob", now()).await, Err(WebfingerError::Mismatch));
    let eve = world.resolve("eve", "good.test").await.unwrap();
    assert_eq!(confirm(&world.client, &eve, "e", now()).await, Err(WebfingerError::Mismatch));
    assert_eq!(world.resolve("p", "evil.test").await, Err(WebfingerError::NoActor));
    assert_eq!(world.resolve("s", "evil.test").await, Err(WebfingerError::Malformed));
    assert_eq!(world.resolve("html", "evil.test").await, Err(WebfingerError::Malformed));
    let evil = Url::parse(&format!("http://evil.test:{}/m", world.port)).unwrap();
    assert_eq!(handle_of(&world.client, &evil, "m", now()).await, Err(WebfingerError::Mismatch));
    assert!(handle_of(&world.client, &evil, "m@good.test/", now()).await.is_err());
}

#[tokio::test]
async fn the_query_is_escaped_and_private_hosts_are_not_asked() {
    let world = world(vec![]).await;
    let _ = world.resolve("ünï.code", "good.test").await;
    assert_eq!(
        *world.asked.lock().unwrap(),
        [format!("good.test?resource=acct%3A%C3%BCn%C3%AF.code%40good.test%3A{}", world.port)]
    );
    for text in ["ada@10.0.0.1", "ada@router", "ada@good.example:81"] {
        let refused = resolve(&world.client, &handle(text), now()).await;
        assert!(matches!(refused, Err(WebfingerError::Fetch(FetchError::Refused(_)))), "{text}");
    }
}

#[test]
fn nrm_02_a_host_is_what_it_is_in_punycode_and_never_what_it_looks_like() {
    // A Cyrillic letter in a Latin word: another host, and shown as one.
    let lookalike = handle("bob@g\u{43e}od.test");
    assert_eq!(lookalike.host, "xn--god-sed.test");
    assert!(!lookalike.is(&handle("bob@good.test")));
    // Full-width letters are only another way to write the same name.
    assert_eq!(handle("bob@ｇｏｏｄ.test").host, "good.test");
    for text in ["bob@xn--good-.test", "bob@xn--.test", "bob@xn--a-ecp.ru\u{ad}", "bob@good\u{200b}.test/x"] {
        assert!(parse_handle(text).is_none_or(|found| found != parse_handle("bob@good.test").unwrap()), "{text}");
    }
}
