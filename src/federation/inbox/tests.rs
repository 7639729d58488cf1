//! Is every bad activity refused with the right code, nothing stored and nothing fetched? Named by the catalogue.

use crate::actor::{self, ActorState};
use crate::config::Config;
use crate::error::Error;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::federation::outbox::{self, Audience};
use crate::federation::run::Dispatch;
use crate::federation::town::{Town, other_keys};
use crate::federation::wire;
use crate::net::signature::Scheme;
use axum::http::{HeaderName, StatusCode, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

mod every_type;
mod forwarded;
mod junk;
mod share;

const DONE: Dispatch = |context, got| Box::pin(async move { got.settle(context, |_| Ok(())).await });

fn like(town: &Town, actor: &str, n: u32) -> Value {
    json!({"id": format!("{actor}/a/{n}"), "type": "Like", "actor": actor, "object": format!("https://us.test/o/{n}"),
        "to": [town.app.links().instance()]})
}

async fn refused(town: &Town, activity: &Value, status: u16) {
    let got = town.post(activity).await;
    assert_eq!(got.as_u16(), status, "{activity}");
    assert!(town.inbox().is_empty(), "stored: {activity}");
}

#[tokio::test]
async fn checklist_25_an_honest_activity_is_stored_once_and_worked_off_once() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let activity = like(&town, &bob.uri, 1);
    for _ in 0..3 {
        assert_eq!(town.post(&activity).await, StatusCode::ACCEPTED);
    }
    assert_eq!(town.inbox().len(), 1);
    assert_eq!(town.work(DONE).await, 1);
    assert_eq!(town.post(&activity).await, StatusCode::ACCEPTED);
    assert_eq!(town.work(DONE).await, 0);
    assert_eq!(town.inbox()[0].1, "done");
    assert!(town.asked().is_empty(), "the actor is known and fresh");
}

#[tokio::test]
async fn sig_01_to_09_what_is_not_signed_rightly_is_refused() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let keys = town.world.keys();
    let activity = like(&town, &bob.uri, 1);
    // SIG-01, checklist 13: another body.
    let (headers, body) = town.request(&bob.uri, &keys, &activity);
    assert_eq!(town.send(headers.clone(), body.replace("Like", "Lick")).await, 401);
    // SIG-02: two digests.
    let mut twice = headers.clone();
    twice.append(HeaderName::from_static("digest"), "SHA-256=x".parse().unwrap());
    assert_eq!(town.send(twice, body.clone()).await, 400);
    // SIG-03: signed for another host.
    let mut elsewhere = headers.clone();
    elsewhere.insert(header::HOST, "evil.test".parse().unwrap());
    assert_eq!(town.send(elsewhere, body.clone()).await, 421);
    // SIG-05, checklist 13 and 14: no digest; not signed at all.
    for name in ["digest", "signature"] {
        let mut without = headers.clone();
        without.remove(name);
        assert_eq!(town.send(without, body.clone()).await, 401, "{name}");
    }
    // SIG-09, checklist 15: too old.
    town.world.pass(Duration::from_secs(3600 + 300 + 1));
    assert_eq!(town.send(headers, body).await, 401);
    assert!(town.inbox().is_empty());
    assert!(town.asked().is_empty(), "NET-11: nothing is fetched without a signature that could be right");
}

#[tokio::test]
async fn checklist_12_an_activity_signed_by_rfc_9421_is_taken() {
    let town = Town::new().await;
    town.serve_actor("good", "dora", &town.world.keys());
    let dora = town.uri("good", "dora");
    let (headers, body) = town.request_by(Scheme::Rfc9421, &dora, &town.world.keys(), &like(&town, &dora, 1));
    assert!(!headers.contains_key("digest") && headers.contains_key("content-digest"));
    assert_eq!(town.send(headers, body).await, 202);
    assert_eq!((town.asked(), town.inbox().len()), (vec![dora.clone()], 1));
    // SIG-14: rotated.
    town.world.pass(Duration::from_secs(301));
    town.serve_actor("good", "dora", &other_keys());
    let (headers, body) = town.request_by(Scheme::Rfc9421, &dora, &other_keys(), &like(&town, &dora, 2));
    assert_eq!(town.send(headers, body).await, 202);
    let (headers, body) = town.request_by(Scheme::Rfc9421, &dora, &town.world.keys(), &like(&town, &dora, 3));
    assert_eq!(town.send(headers, body).await, 401, "the old key");
    assert_eq!((town.asked().len(), town.inbox().len()), (2, 2));
}

#[tokio::test]
async fn sig_01_to_21_by_rfc_9421_as_well() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let (headers, body) = town.request_by(Scheme::Rfc9421, &bob.uri, &town.world.keys(), &like(&town, &bob.uri, 1));
    assert_eq!(town.send(headers.clone(), body.replace("Like", "Lick")).await, 401);
    for (name, status) in [("signature", 401), ("content-digest", 401), ("signature-input", 401), ("content-type", 400)]
    {
        let mut without = headers.clone();
        without.remove(name);
        assert_eq!(town.send(without, body.clone()).await.as_u16(), status, "{name}");
        let mut twice = headers.clone();
        twice.append(HeaderName::from_static(name), headers[name].clone());
        assert_eq!(town.send(twice, body.clone()).await, 400, "{name} twice");
    }
    for (name, value, status) in [
        ("host", "evil.test", 421),
        ("signature", "sig1", 400),
        ("signature", "keyId=\"x\"", 400),
        ("signature-input", "sig1=(", 400),
        ("signature-input", "sig1=()", 401),
        ("content-digest", "sha-256=:AAAA:", 401),
        ("authorization", "Signature x", 400),
    ] {
        let mut spoilt = headers.clone();
        spoilt.insert(HeaderName::from_static(name), value.parse().unwrap());
        assert_eq!(town.send(spoilt, body.clone()).await.as_u16(), status, "{name}: {value}");
    }
    town.world.pass(Duration::from_secs(3600 + 300 + 1));
    assert_eq!(town.send(headers, body).await, 401);
    assert!(town.inbox().is_empty() && town.asked().is_empty(), "nothing stored, nothing fetched");
}

#[tokio::test]
async fn sig_11_and_12_only_the_actors_own_key_speaks_for_it() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let mallory = town.known("evil", "mallory");
    let carol = town.known("good", "carol");
    for (other, scheme) in [(&mallory, Scheme::Cavage), (&carol, Scheme::Rfc9421), (&mallory, Scheme::Rfc9421)] {
        let (headers, body) = town.request_by(scheme, &other.uri, &town.world.keys(), &like(&town, &bob.uri, 1));
        assert_eq!(town.send(headers, body).await, 401, "{} {scheme}", other.uri);
    }
    // A key document that names another owner is no key.
    let uri = town.uri("evil", "eve");
    let pem = town.world.keys().public_pem;
    town.serve(
        &uri,
        200,
        &json!({"id": uri, "type": "Person", "preferredUsername": "eve", "inbox": format!("{uri}/inbox"),
            "publicKey": {"id": format!("{uri}#main-key"), "owner": bob.uri, "publicKeyPem": pem}}),
    );
    refused(&town, &like(&town, &uri, 2), 401).await;
}

#[tokio::test]
async fn checklist_18_and_sig_14_and_15_a_rotated_key_is_fetched_once_and_the_old_one_refused() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    assert_eq!(town.post(&like(&town, &bob.uri, 1)).await, 202);
    town.serve_actor("good", "bob", &other_keys());
    let (headers, body) = town.request(&bob.uri, &other_keys(), &like(&town, &bob.uri, 2));
    assert_eq!(town.send(headers, body).await, 202);
    assert_eq!(town.asked(), std::slice::from_ref(&bob.uri));
    assert_eq!(town.post(&like(&town, &bob.uri, 3)).await, 401);
    assert_eq!(town.asked().len(), 1, "not asked again within five minutes");
    assert_eq!(town.inbox().len(), 2);
}

#[tokio::test]
async fn sig_16_and_17_nothing_of_the_suspended_and_gone() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    for state in [ActorState::Suspended, ActorState::Gone] {
        town.world.tx(move |tx| actor::move_to(tx, bob.id, state));
        refused(&town, &like(&town, &bob.uri, 1), 403).await;
    }
    let uri = town.uri("good", "ghost");
    town.serve(&uri, 410, &json!({}));
    let delete = json!({"id": format!("{uri}#delete"), "type": "Delete", "actor": uri, "object": uri});
    refused(&town, &delete, 202).await;
    assert!(town.asked().len() <= 1);
}

#[tokio::test]
async fn checklist_28_and_ori_01_to_06_objects_belong_to_their_actor() {
    let town = Town::new().await;
    let mallory = town.known("evil", "mallory").uri;
    let bob = town.known("good", "bob").uri;
    let create = |object: Value| {
        json!({"id": format!("{mallory}/a/1"), "type": "Create", "actor": mallory,
        "object": object})
    };
    let note = |id: String, by: Value| json!({"id": id, "type": "Note", "attributedTo": by, "content": "x"});
    let own = format!("{mallory}/o/1");
    // ORI-01, ORI-06: of another host, of ours.
    refused(&town, &create(note(format!("{bob}/o/1"), json!(mallory))), 403).await;
    for ours in ["https://us.test/o/1", "https://US.TEST/o/1", "https://us.test:443/o/1", "https://us%2etest/o/1"] {
        refused(&town, &create(note(ours.into(), json!(mallory))), 403).await;
    }
    // ORI-02, ORI-03: by another.
    let other = format!("{mallory}2");
    for by in [
        json!(other),
        json!([mallory, bob]),
        json!([]),
        Value::Null,
        json!({"type": "Link", "href": mallory}),
        json!({"id": bob}),
    ] {
        refused(&town, &create(note(own.clone(), by)), 403).await;
    }
    refused(&town, &create(json!({"id": own, "type": "Note"})), 403).await;
    // Own activity id on another host; our own actor.
    let foreign = json!({"id": format!("{bob}/a/1"), "type": "Like", "actor": mallory, "object": own});
    refused(&town, &foreign, 403).await;
    let ours = json!({"id": "https://us.test/a/1", "type": "Like", "actor": "https://us.test/u/ada", "object": own});
    refused(&town, &ours, 403).await;
    // An honest one.
    assert_eq!(town.post(&create(note(own, json!([mallory])))).await, 202);
}

#[tokio::test]
async fn ori_04_and_05_only_the_owner_changes_what_is_known() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let carol = town.known("good", "carol").uri;
    let (uri, owner) = (format!("{}/o/1", bob.uri), bob.id);
    let known = uri.clone();
    town.world.tx(move |tx| {
        let new = NewObject { uri: &known, kind: ObjectKind::Post, local_id: 1, owner, public: true };
        object::register(tx, &new)
    });
    for kind in ["Update", "Delete"] {
        let object = json!({"id": uri, "type": "Note", "attributedTo": carol});
        let by = json!({"id": format!("{carol}/a/1"), "type": kind, "actor": carol, "object": object});
        refused(&town, &by, 403).await;
    }
    let by_id = json!({"id": format!("{carol}/a/1"), "type": "Delete", "actor": carol, "object": uri});
    refused(&town, &by_id, 403).await;
    let own = json!({"id": format!("{}/a/1", bob.uri), "type": "Delete", "actor": bob.uri, "object": uri});
    assert_eq!(town.post(&own).await, 202);
}

#[tokio::test]
async fn ori_14_15_17_21_acts_of_others_and_wrong_shapes() {
    let town = Town::new().await;
    let mallory = town.known("evil", "mallory").uri;
    let bob = town.known("good", "bob").uri;
    let act = |kind: &str, object: Value| {
        json!({"id": format!("{mallory}/a/1"), "type": kind, "actor": mallory,
        "object": object})
    };
    let announce = json!({"id": format!("{mallory}/a/2"), "type": "Announce", "actor": mallory, "object": bob});
    refused(&town, &act("Announce", announce), 400).await;
    refused(&town, &act("Undo", json!({"id": format!("{bob}/a/9"), "type": "Follow", "actor": bob})), 403).await;
    refused(&town, &act("Undo", json!(format!("{bob}/a/9"))), 403).await;
    let inline = json!({"id": format!("{mallory}/a/9"), "type": "Follow", "actor": bob});
    refused(&town, &act("Undo", inline), 403).await;
    refused(&town, &act("Move", json!(bob)), 403).await;
    for object in [Value::Null, json!(5), json!([]), json!({}), json!("not a url")] {
        refused(&town, &act("Create", object), 400).await;
    }
    for broken in [
        json!([]),
        json!("x"),
        json!({"id": 5, "type": "Like", "actor": mallory}),
        json!({"id": format!("{mallory}/1"), "type": ["Like"], "actor": mallory}),
    ] {
        let (headers, body) = town.request(&mallory, &town.world.keys(), &broken);
        assert_eq!(town.send(headers, body).await, 400, "{broken}");
    }
    let mut deep = json!("x");
    for _ in 0..40 {
        deep = json!([deep]);
    }
    refused(&town, &act("Like", deep), 400).await;
}

#[tokio::test]
async fn checklist_40_and_lif_01_and_02_only_what_was_asked_can_be_answered_by_whom() {
    let town = Town::new().await;
    let course = town.known("good", "course");
    let (other, mallory) = (town.known("good", "other").uri, town.known("evil", "mallory").uri);
    let ada = town.world.person("ada");
    let (uri, ada_uri, by) = (course.uri.clone(), ada.uri.clone(), ada.clone());
    let join = town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let join = wire::activity("Join", &id, &ada_uri, std::slice::from_ref(&uri), &[], json!(uri));
        outbox::send(tx, &by, &join, &uri, &Audience::nobody())?;
        Ok(id)
    });
    let answer = |kind: &str, by: &str, of: &str| {
        let object = json!({"id": of, "type": "Join", "actor": ada.uri, "object": course.uri});
        json!({"id": format!("{by}/a/{kind}"), "type": kind, "actor": by, "object": object})
    };
    const KINDS: [&str; 3] = ["Accept", "Reject", "TentativeAccept"];
    for kind in KINDS {
        refused(&town, &answer(kind, &course.uri, "https://us.test/a/never"), 202).await;
        refused(&town, &answer(kind, &course.uri, &format!("{mallory}/a/1")), 202).await;
        refused(&town, &answer(kind, &other, &join), 403).await;
        refused(&town, &answer(kind, &mallory, &join), 403).await;
    }
    for kind in KINDS {
        assert_eq!(town.post(&answer(kind, &course.uri, &join)).await, 202, "{kind}");
    }
    assert_eq!(town.inbox().len(), KINDS.len());
}

#[tokio::test]
async fn dos_02_and_05_size_type_and_rate_have_their_codes() {
    let mut config = Config::default();
    config.federation.inbox_per_minute = 4;
    let town = Town::with(config).await;
    let bob = town.known("good", "bob");
    let (mut headers, body) = town.request(&bob.uri, &town.world.keys(), &like(&town, &bob.uri, 1));
    headers.insert(header::CONTENT_LENGTH, "10000000000".parse().unwrap());
    assert_eq!(town.send(headers.clone(), body.clone()).await, 413);
    headers.remove(header::CONTENT_LENGTH);
    assert_eq!(town.send(headers.clone(), " ".repeat((1 << 20) + 1)).await, 413);
    headers.insert(header::CONTENT_TYPE, "text/html".parse().unwrap());
    assert_eq!(town.send(headers, body).await, 415);
    let mut last = StatusCode::ACCEPTED;
    for n in 0..6 {
        last = town.post(&like(&town, &bob.uri, n)).await;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn net_11_an_unknown_actor_is_fetched_once_and_junk_causes_no_storm() {
    let town = Town::new().await;
    town.serve_actor("good", "dora", &town.world.keys());
    let dora = town.uri("good", "dora");
    assert_eq!(town.post(&like(&town, &dora, 1)).await, 202);
    assert_eq!(town.asked(), [dora]);
    for n in 0..20 {
        let uri = town.uri("evil", &format!("n{n}"));
        let status = town.post(&like(&town, &uri, n)).await;
        assert!(matches!(status.as_u16(), 401 | 403), "{status}");
    }
    assert_eq!(town.asked().len(), 2, "one more for the first of them");
}

#[tokio::test]
async fn a_lane_waits_for_its_first_and_refusals_keep_their_reason() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    for n in 1..=3 {
        assert_eq!(town.post(&like(&town, &bob.uri, n)).await, 202);
    }
    let busy: Dispatch = |_, _| Box::pin(async { Err(Error::Unavailable("elsewhere".into())) });
    assert_eq!(town.work(busy).await, 3);
    assert!(town.inbox().iter().all(|(_, state)| state == "pending"));
    assert_eq!(town.work(DONE).await, 0, "the first is tried again later, the others wait for it");
    town.world.pass(Duration::from_secs(5));
    let strict: Dispatch = |context, got| {
        Box::pin(async move {
            if got.activity["id"].as_str().is_some_and(|id| id.ends_with("/2")) {
                return Err(Error::denied("Not you."));
            }
            got.settle(context, |_| Ok(())).await
        })
    };
    assert_eq!(town.work(strict).await, 3);
    let states: Vec<String> = town.inbox().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["done", "refused", "done"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// whatever is repeated in whatever order, each activity takes effect once.
    #[test]
    fn duplicates_take_no_effect(order in proptest::collection::vec(0_u32..5, 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let town = Town::new().await;
            let bob = town.known("good", "bob");
            let mut worked = 0;
            for n in &order {
                assert_eq!(town.post(&like(&town, &bob.uri, *n)).await, StatusCode::ACCEPTED);
                if n % 2 == 0 {
                    worked += town.work(DONE).await;
                }
            }
            worked += town.work(DONE).await;
            let different: std::collections::HashSet<_> = order.iter().collect();
            assert_eq!(worked, different.len());
        });
    }
}
