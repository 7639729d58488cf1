//! Does whoever does too much hear so, while nobody else is harmed?

use crate::config::Config;
use crate::error::Error;
use crate::federation::fetch;
use crate::federation::town::Town;
use axum::http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};

fn like(actor: &str, n: u32) -> Value {
    json!({"id": format!("{actor}/a/{n}"), "type": "Like", "actor": actor, "object": "https://us.test/o/1"})
}

#[tokio::test]
async fn dos_05_a_flooding_server_is_answered_429_and_others_are_unharmed() {
    let mut config = Config::default();
    config.federation.host_per_minute = 5;
    let town = Town::with(config).await;
    let (bob, eve, mallory) = (town.known("good", "bob"), town.known("evil", "eve"), town.known("evil", "mallory"));
    let mut answers = Vec::new();
    for n in 0..10 {
        let by = if n % 2 == 0 { &eve } else { &mallory };
        answers.push(town.post(&like(&by.uri, n)).await.as_u16());
    }
    assert_eq!(answers[..5], [202; 5], "{answers:?}");
    assert_eq!(answers[5..], [429; 5], "the whole server, whoever signs: {answers:?}");
    for n in 0..5 {
        assert_eq!(town.post(&like(&bob.uri, n)).await, StatusCode::ACCEPTED);
    }
    // Nobody uses up another's share: what is not signed by them does not count.
    let (headers, body) = town.request(&bob.uri, &crate::federation::town::other_keys(), &like(&bob.uri, 99));
    assert_eq!(town.send(headers, body).await, StatusCode::UNAUTHORIZED);
    // What was taken is taken, however often it is sent.
    assert_eq!(town.post(&like(&eve.uri, 0)).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn dos_05_a_server_with_too_much_waiting_must_wait() {
    let mut config = Config::default();
    config.federation.backlog_per_host = 10;
    let town = Town::with(config).await;
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    let mut refused = 0;
    for n in 0..140 {
        refused += u32::from(town.post(&like(&eve.uri, n)).await == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "looked at now and then");
    assert_eq!(town.post(&like(&bob.uri, 1)).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn net_08_new_actors_of_one_domain_are_met_slowly_whatever_names_it_makes_up() {
    let mut config = Config::default();
    config.federation.new_actors_per_minute = 6;
    let town = Town::with(config).await;
    let context = town.config.to_request_data();
    let mut met = 0;
    for n in 0..20 {
        let host = format!("w{n}.evil");
        town.host(&host);
        town.serve_actor(&host, "x", &town.world.keys());
        match fetch::actor(&context, &town.uri(&host, "x")).await {
            Ok(_) => met += 1,
            Err(Error::TooMany(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(met, 6);
    assert_eq!(town.asked().len(), 6, "nothing is asked for beyond that");
    town.serve_actor("good", "dora", &town.world.keys());
    assert!(fetch::actor(&context, &town.uri("good", "dora")).await.is_ok());
}

#[tokio::test]
async fn dos_02_bodies_end_at_the_limit_that_is_set_and_are_never_our_fault() {
    let mut config = Config::default();
    config.federation.largest_activity = 64 << 10;
    let town = Town::with(config).await;
    let bob = town.known("good", "bob");
    let (mut headers, body) = town.request(&bob.uri, &town.world.keys(), &like(&bob.uri, 1));
    // Announced and true.
    for length in ["65537", "10000000000", "18446744073709551615"] {
        headers.insert(header::CONTENT_LENGTH, length.parse().unwrap());
        assert_eq!(town.send(headers.clone(), body.clone()).await, StatusCode::PAYLOAD_TOO_LARGE, "{length}");
    }
    headers.remove(header::CONTENT_LENGTH);
    assert_eq!(town.send(headers.clone(), " ".repeat((64 << 10) + 1)).await, StatusCode::PAYLOAD_TOO_LARGE);
    // checklist 23: what is within the limit is taken; the default is 1 MiB.
    assert_eq!(Config::default().federation.largest_activity, 1 << 20);
    let mut large = like(&bob.uri, 2);
    large["content"] = json!("x".repeat(60_000));
    assert_eq!(town.post(&large).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn dos_10_activities_that_name_too_many_or_are_too_wide_or_too_deep_are_refused() {
    let mut config = Config::default();
    config.federation.largest_audience = 20;
    let town = Town::with(config).await;
    let bob = town.known("good", "bob");
    let many: Vec<String> = (0..21).map(|n| format!("https://x.test/u/{n}")).collect();
    for key in ["to", "cc", "tag", "bcc"] {
        let mut outside = like(&bob.uri, 1);
        outside[key] = json!(many);
        assert_eq!(town.post(&outside).await, StatusCode::BAD_REQUEST, "{key}");
        let note = json!({"id": format!("{}/n", bob.uri), "type": "Note", "attributedTo": bob.uri, key: many});
        let inside = json!({"id": format!("{}/c", bob.uri), "type": "Create", "actor": bob.uri, "object": note});
        assert_eq!(town.post(&inside).await, StatusCode::BAD_REQUEST, "{key} of the object");
    }
    let mut wide = like(&bob.uri, 1);
    wide["extra"] = json!(vec![0; 20_000]);
    assert_eq!(town.post(&wide).await, StatusCode::BAD_REQUEST);
    let mut fits = like(&bob.uri, 1);
    fits["to"] = json!(many[..20]);
    assert_eq!(town.post(&fits).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn dos_10_what_an_actor_calls_itself_is_cut() {
    let town = Town::new().await;
    let uri = town.uri("good", "dora");
    let long = "x".repeat(300_000);
    let document = json!({
        "id": uri, "type": "Person", "preferredUsername": "dora", "name": long, "inbox": format!("{uri}/inbox"),
        "summary": format!("<p>{long}</p>"), "url": format!("{uri}?{long}"),
        "publicKey": {"id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": town.world.keys().public_pem},
    });
    town.serve(&uri, 200, &document);
    let context = town.config.to_request_data();
    if let Ok(dora) = fetch::actor(&context, &uri).await {
        assert!(dora.name.chars().count() <= 500 && dora.url.len() <= 2048 && dora.summary.len() <= 100_000);
    }
}

#[tokio::test]
async fn net_07_and_09_one_activity_causes_no_more_fetches_than_are_set() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let mut config = Config::default();
    config.federation.fetches_per_activity = 5;
    let town = Town::with(config).await;
    let context = town.config.to_request_data();
    let mut refused = 0;
    for n in 0..20 {
        let uri = town.uri("evil", &format!("chain/{n}"));
        let next = town.uri("evil", &format!("chain/{}", n + 1));
        town.serve(&uri, 200, &json!({"id": uri, "type": "Note", "inReplyTo": next}));
        refused += u32::from(fetch::document(&context, &uri).await.is_err());
    }
    // Actors are of the same count.
    town.serve_actor("evil", "eve", &town.world.keys());
    assert!(fetch::actor(&context, &town.uri("evil", "eve")).await.is_err());
    assert_eq!((town.touched("evil").len(), refused), (5, 15));
    let counter = "hedgeschool_fetches_refused_total{reason=\"too-many\"} 16";
    let counted = recorder.handle().render();
    assert!(counted.contains(counter), "fetches_per_activity: {counted}");
    // The next activity has a count of its own.
    let context = town.config.to_request_data();
    assert!(fetch::document(&context, &town.uri("evil", "chain/0")).await.is_ok());
}
