//! Does junk in somebody's name cause few fetches, and keep nobody out?

use super::like;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::federation::town::{Town, other_keys};
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::json;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;

/// Sends what somebody signs with these keys from this address.
async fn post_from(town: &Town, address: &str, by: &str, keys: &crate::crypto::Keypair) -> StatusCode {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = u32::try_from(NUMBER.fetch_add(1, Ordering::SeqCst)).unwrap();
    let (headers, body) = town.request(by, keys, &like(town, by, number));
    let mut request = Request::builder().method("POST").uri("/inbox").body(Body::from(body)).unwrap();
    *request.headers_mut() = headers;
    request.extensions_mut().insert(crate::http::client::Client(address.parse::<IpAddr>().unwrap()));
    town.router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn net_11_and_sig_14_junk_in_somebodys_name_keeps_nobody_out() {
    let mut config = crate::config::Config::default();
    config.federation.new_actors_per_minute = 3;
    let town = Town::with(config).await;
    let keys = town.world.keys();
    // Of many newcomers of one server, from many networks: more than are met in a minute.
    for n in 0..9 {
        town.serve_actor("good", &format!("new{n}"), &keys);
        let uri = town.uri("good", &format!("new{n}"));
        assert_eq!(post_from(&town, &format!("192.0.2.{n}"), &uri, &other_keys()).await, 401);
    }
    let asked = town.asked().len();
    assert_eq!(asked, 9);
    // All of them may still be met, and are not asked for again; nor does the liar cause more by further addresses.
    for n in 0..3 {
        let uri = town.uri("good", &format!("new{n}"));
        assert_eq!(post_from(&town, "198.51.100.7", &uri, &keys).await, 202, "{n}");
    }
    assert_eq!(town.asked().len(), asked);
    assert_eq!(post_from(&town, "198.51.100.7", &town.uri("good", "new3"), &keys).await, 429, "NET-08");
    let before = town.asked().len();
    for n in 0..20 {
        let status = post_from(&town, &format!("2001:db8::{n}"), &town.uri("evil", &format!("x{n}")), &keys).await;
        assert!(status.is_client_error(), "{status}");
    }
    assert_eq!(town.asked().len(), before + 1, "one /64 is one network");
    // A key that was replaced counts although somebody lied in its name.
    let bob = town.known("good", "bob").uri;
    town.serve_actor("good", "bob", &other_keys());
    let (headers, body) = town.request(&bob, &keys, &like(&town, &bob, 900));
    let body = body.replace("Like", "Lick");
    assert_eq!(town.send(headers, body).await, 401, "no digest, no fetch");
    let third = crate::crypto::Keypair::generate().unwrap();
    assert_eq!(post_from(&town, "192.0.2.77", &bob, &third).await, 401);
    assert_eq!(post_from(&town, "198.51.100.7", &bob, &other_keys()).await, 202);
    assert_eq!(post_from(&town, "198.51.100.7", &bob, &keys).await, 401, "SIG-15");
}

#[tokio::test]
async fn net_11_signed_gets_cause_no_more_fetches_than_posts() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let id = town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let activity = crate::federation::wire::activity("Like", &id, &ada.uri, &[], &[], json!("https://x.test/1"));
        let nobody = crate::federation::outbox::Audience::nobody();
        crate::federation::outbox::send(tx, &ada, &activity, "https://x.test/1", &nobody)?;
        Ok(id)
    });
    let path = id.replace("https://us.test", "");
    for n in 0..20 {
        let uri = town.uri("good", &format!("g{n}"));
        assert_eq!(town.get(&path, Some(&uri)).await.0, 404);
    }
    assert_eq!(town.asked().len(), 1);
    // The one whom they name may ask all the same.
    town.world.pass(Duration::from_secs(61));
    town.serve_actor("good", "dora", &other_keys());
    let dora = town.uri("good", "dora");
    assert_eq!(town.get(&path, Some(&dora)).await.0, 404);
    assert_eq!(town.asked().len(), 2);
    let (headers, body) = town.request(&dora, &other_keys(), &like(&town, &dora, 1));
    assert_eq!(town.send(headers, body).await, 202);
    assert_eq!(town.asked().len(), 2);
}

#[tokio::test]
async fn prv_01_what_is_here_is_told_to_nobody_whose_signature_is_wrong() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let (came, owner, secret) = (like(&town, &bob.uri, 1), bob.id, town.uri("good", "secret"));
    assert_eq!(town.post(&came).await, 202);
    let uri = secret.clone();
    town.world.tx(move |tx| {
        let new = NewObject { uri: &uri, kind: ObjectKind::Submission, local_id: 1, owner, public: false };
        object::register(tx, &new)
    });
    let carol = town.known("good", "carol").uri;
    let update = |about: &str| {
        let object = json!({"id": about, "type": "Note", "attributedTo": carol});
        json!({"id": format!("{carol}/a/1"), "type": "Update", "actor": carol, "object": object})
    };
    let acts = [came.clone(), like(&town, &bob.uri, 2), update(&secret), update(&town.uri("good", "nothing"))];
    for act in acts {
        let (headers, body) = town.request(act["actor"].as_str().unwrap(), &other_keys(), &act);
        assert_eq!(town.send(headers, body).await, 401, "{act}");
    }
    assert_eq!(town.post(&came).await, 202, "again, rightly signed");
    assert_eq!(town.post(&update(&secret)).await, 403);
    assert_eq!(town.inbox().len(), 1);
}
