//! Is what somebody else brings taken only when its actor answers for it, and asked about only for those who may?

use super::*;
use crate::actor::Actor;
use crate::actor::ActorKind;
use crate::actor::follow::{self, FollowState};
use crate::crypto::{Keypair, ProofKey};
use crate::db::Run;
use crate::db::schema::inbox;
use crate::domain::{self, NewRule, Severity};
use crate::federation::inbox::vouching::Vouching;
use crate::federation::{integrity, wire};
use crate::id::ActorId;
use diesel::QueryDsl;

/// With a proof, by the key that all share.
pub(super) fn proven(town: &Town, mut activity: Value) -> Value {
    let method = format!("{}#ed25519-key", activity["actor"].as_str().unwrap());
    prove_by(town, &mut activity, &method, &town.world.keys());
    activity
}

fn prove_by(town: &Town, activity: &mut Value, method: &str, keys: &Keypair) {
    let key = ProofKey::from_pem(&keys.proof_private_pem).unwrap();
    integrity::attach(activity, method, &key, town.now()).unwrap();
}

/// Brought by somebody, who signs the request.
async fn bring(town: &Town, by: &str, activity: &Value) -> u16 {
    let (headers, body) = town.request(by, &town.world.keys(), activity);
    town.send(headers, body).await.as_u16()
}

/// All that came in: id, whose it is, who vouched, who brought it.
fn rows(town: &Town) -> Vec<(String, ActorId, Vouching, Option<ActorId>)> {
    let columns = (inbox::activity_uri, inbox::signer_id, inbox::vouched, inbox::forwarder_id);
    town.world.read(|db| Ok(inbox::table.order(inbox::id).select(columns).load(db)?))
}

/// A course elsewhere that somebody here follows.
fn followed_course(town: &Town, name: &str) -> Actor {
    let mut remote = town.remote("evil", name);
    remote.kind = ActorKind::Course;
    let group = town.world.put(remote);
    let ada = town.world.person(&format!("fan_of_{name}"));
    let id = group.id;
    town.world.tx(move |tx| follow::put(tx, ada.id, id, "https://us.test/a/f", FollowState::Accepted));
    group
}

fn block(town: &Town, host: &str) {
    let new = NewRule::of(host, Severity::Suspend);
    town.world.tx(move |tx| domain::put(tx, None, &new).map(drop));
}

/// A public note of somebody, and its Create.
fn note(uri: &str, text: &str) -> (Value, Value) {
    let object = json!({"id": format!("{uri}/o/1"), "type": "Note", "attributedTo": uri, "content": text,
        "to": [wire::PUBLIC], "cc": []});
    let create = json!({"id": format!("{uri}/a/1"), "type": "Create", "actor": uri, "object": object,
        "to": [wire::PUBLIC], "cc": []});
    (object, create)
}

#[tokio::test]
async fn checklist_21_what_an_actor_proved_is_theirs_whoever_brings_it() {
    let town = Town::new().await;
    let (bob, mallory) = (town.known("good", "bob"), town.known("evil", "mallory"));
    let carol = town.known("good", "carol");
    let like = proven(&town, like(&town, &bob.uri, 1));
    for by in [&mallory, &carol, &mallory, &bob] {
        assert_eq!(bring(&town, &by.uri, &like).await, 202);
    }
    let id = like["id"].as_str().unwrap().to_owned();
    assert_eq!(rows(&town), [(id, bob.id, Vouching::Proof, Some(mallory.id))], "once, whoever brings it again");
    assert_eq!(town.work(DONE).await, 1);
    assert!(town.asked().is_empty());
}

#[tokio::test]
async fn sig_11_and_ori_19_without_a_right_proof_nobody_speaks_for_another() {
    let town = Town::new().await;
    let (bob, mallory) = (town.known("good", "bob"), town.known("evil", "mallory"));
    let carol = town.known("good", "carol");
    let plain = like(&town, &bob.uri, 1);
    let with = |method: &str, keys: &Keypair| {
        let mut activity = plain.clone();
        prove_by(&town, &mut activity, method, keys);
        activity
    };
    let own = format!("{}#ed25519-key", bob.uri);
    let mut linked = plain.clone();
    linked["signature"] = json!({"type": "RsaSignature2017", "creator": format!("{}#main-key", bob.uri),
        "created": "2026-09-01T08:00:00Z", "signatureValue": "AAAA"});
    let mut changed = with(&own, &town.world.keys());
    changed["object"] = json!("https://us.test/o/2");
    let mut added = with(&own, &town.world.keys());
    added["published"] = json!("2026-09-01T08:00:00Z");
    let mut twice = with(&own, &town.world.keys());
    twice["proof"] = json!([twice["proof"], twice["proof"]]);
    for wrong in [
        plain.clone(),
        linked,
        changed,
        added,
        twice,
        with(&own, &other_keys()),
        with(&format!("{}#ed25519-key", mallory.uri), &town.world.keys()),
        with(&format!("{}#ed25519-key", carol.uri), &town.world.keys()),
        with(&format!("{}#main-key", bob.uri), &town.world.keys()),
        with(&format!("{}#never-seen", bob.uri), &town.world.keys()),
    ] {
        assert_eq!(bring(&town, &mallory.uri, &wrong).await, 401, "{wrong}");
    }
    // Old enough to be forgotten here, it cannot be brought once more.
    let old = with(&own, &town.world.keys());
    town.world.pass(Duration::from_secs(14 * 24 * 3600 + 1));
    assert_eq!(bring(&town, &mallory.uri, &old).await, 401);
    assert!(town.inbox().is_empty());
    assert!(town.asked().is_empty(), "NET-11: who has to do with no course makes us ask nobody");
}

#[tokio::test]
async fn checklist_21_an_unknown_author_is_looked_up_for_a_course_that_is_followed() {
    let town = Town::new().await;
    let group = followed_course(&town, "rust");
    town.serve_actor("good", "dora", &town.world.keys());
    let dora = town.uri("good", "dora");
    let mut forged = like(&town, &dora, 2);
    prove_by(&town, &mut forged, &format!("{dora}#ed25519-key"), &other_keys());
    assert_eq!(bring(&town, &group.uri, &forged).await, 401);
    let uri = dora.clone();
    assert!(town.world.read(|db| actor::find_by_uri(db, &uri)).is_none(), "nobody is kept for a wrong proof");
    town.world.pass(Duration::from_secs(301));
    let activity = proven(&town, like(&town, &dora, 1));
    assert_eq!(bring(&town, &group.uri, &activity).await, 202);
    let known = town.world.read(|db| actor::find_by_uri(db, &dora)).unwrap();
    assert_eq!(rows(&town)[0].1, known.id);
    assert_eq!(town.asked().len(), 2);
}

#[tokio::test]
async fn checklist_21_without_a_proof_what_is_at_the_origin_counts() {
    let town = Town::new().await;
    let (group, second) = (followed_course(&town, "rust"), followed_course(&town, "knots"));
    let bob = town.known("good", "bob");
    let (object, mut create) = note(&bob.uri, "as it is");
    town.serve(object["id"].as_str().unwrap(), 200, &object);
    create["object"]["content"] = json!("as Mallory would have it");
    for by in [&group, &second, &group] {
        assert_eq!(bring(&town, &by.uri, &create).await, 202);
    }
    let all = rows(&town);
    assert_eq!(all.len(), 1, "once, by whichever way it came");
    assert_eq!((all[0].1, all[0].2, all[0].3), (bob.id, Vouching::Origin, Some(group.id)));
    assert_ne!(all[0].0, create["id"], "an id that somebody else made up takes no place of a true one");
    let body: String = town.world.read(|db| Ok(inbox::table.select(inbox::body).first(db)?));
    assert!(body.contains("as it is") && !body.contains("Mallory"), "{body}");
    // Changed at the origin, it counts again.
    let (changed, _) = note(&bob.uri, "as it is now");
    town.serve(object["id"].as_str().unwrap(), 200, &changed);
    let mut update = create.clone();
    update["type"] = json!("Update");
    assert_eq!(bring(&town, &group.uri, &update).await, 202);
    assert_eq!(rows(&town).len(), 2);
}

#[tokio::test]
async fn checklist_21_what_the_origin_does_not_say_is_not_taken() {
    let town = Town::new().await;
    let group = followed_course(&town, "rust");
    let bob = town.known("good", "bob").uri;
    let (object, create) = note(&bob, "x");
    let about = object["id"].as_str().unwrap();
    let with = |key: &str, value: Value| {
        let mut changed = object.clone();
        changed[key] = value;
        changed
    };
    for at_origin in [
        with("attributedTo", json!(town.uri("good", "carol"))),
        with("attributedTo", json!([bob, town.uri("good", "carol")])),
        with("to", json!([bob])),
        with("id", json!(format!("{bob}/o/2"))),
        json!({"id": about, "type": "Tombstone"}),
    ] {
        town.serve(about, 200, &at_origin);
        let status = bring(&town, &group.uri, &create).await;
        assert!((401..=403).contains(&status), "{status} {at_origin}");
    }
    town.serve_as(about, "text/html", &object);
    assert!((401..=403).contains(&bring(&town, &group.uri, &create).await));
    town.serve(about, 404, &object);
    assert_eq!(bring(&town, &group.uri, &create).await, 401);
    let asked = town.asked().len();
    // Of other types nothing can be seen at an origin.
    for kind in ["Like", "Follow", "Undo", "Join", "Leave", "Announce", "Move", "Add", "Remove", "Accept", "Unheard"] {
        let object = if kind == "Move" { json!(bob) } else { json!(about) };
        let activity = json!({"id": format!("{bob}/a/9"), "type": kind, "actor": bob, "object": object});
        let status = bring(&town, &group.uri, &activity).await;
        assert!(matches!(status, 202 | 401), "{kind} {status}");
    }
    let person = json!({"id": bob, "type": "Person"});
    let update = json!({"id": format!("{bob}/a/9"), "type": "Update", "actor": bob, "object": person});
    assert_eq!(bring(&town, &group.uri, &update).await, 401);
    assert!(town.inbox().is_empty());
    assert_eq!(town.asked().len(), asked);
}

#[tokio::test]
async fn checklist_21_a_deletion_is_believed_when_the_origin_has_it_no_more() {
    let town = Town::new().await;
    let (group, bob) = (followed_course(&town, "rust"), town.known("good", "bob"));
    let known = |n: u32, public: bool| {
        let (uri, owner) = (format!("{}/o/{n}", bob.uri), bob.id);
        let stored = uri.clone();
        town.world.tx(move |tx| {
            let new = NewObject { uri: &stored, kind: ObjectKind::Post, local_id: i64::from(n), owner, public };
            object::register(tx, &new)
        });
        uri
    };
    let delete = |uri: &str| {
        json!({"id": format!("{uri}#delete"), "type": "Delete", "actor": bob.uri, "to": [wire::PUBLIC],
            "object": {"id": uri, "type": "Tombstone"}})
    };
    let (there, gone, buried, private) = (known(1, true), known(2, true), known(3, true), known(4, false));
    let (mut object, _) = note(&bob.uri, "still there");
    object["id"] = json!(there);
    town.serve(&there, 200, &object);
    assert_eq!(bring(&town, &group.uri, &delete(&there)).await, 401, "it is there");
    assert_eq!(bring(&town, &group.uri, &delete(&private)).await, 401, "what is private looks gone to us");
    assert_eq!(bring(&town, &group.uri, &delete(&format!("{}/o/9", bob.uri))).await, 401, "never heard of");
    assert_eq!(bring(&town, &group.uri, &delete(&bob.uri)).await, 401, "people leave by themselves");
    assert!(town.inbox().is_empty());
    town.serve(&gone, 410, &json!({}));
    town.serve(&buried, 200, &json!({"id": buried, "type": "Tombstone"}));
    for uri in [&gone, &buried, &gone] {
        assert_eq!(bring(&town, &group.uri, &delete(uri)).await, 202, "{uri}");
    }
    assert_eq!(rows(&town).len(), 2);
}

#[tokio::test]
async fn checklist_21_who_takes_part_in_a_course_here_may_bring_what_is_for_it() {
    let town = Town::new().await;
    let (bob, mia) = (town.known("good", "bob"), town.known("evil", "mia"));
    let keys = town.world.keys();
    let course = town.world.tx(move |tx| {
        let new = actor::NewActor { kind: ActorKind::Course, handle: "rust", name: "Rust", summary: "", keys: &keys };
        actor::create(tx, &new)
    });
    let (object, mut create) = note(&bob.uri, "x");
    town.serve(object["id"].as_str().unwrap(), 200, &object);
    create["cc"] = json!([course.uri]);
    assert_eq!(bring(&town, &mia.uri, &create).await, 401, "who does not follow it has no say");
    assert!(town.asked().is_empty());
    let (follower, followed) = (mia.id, course.id);
    town.world.tx(move |tx| follow::put(tx, follower, followed, "https://x.test/f", FollowState::Accepted));
    create["cc"] = json!([]);
    assert_eq!(bring(&town, &mia.uri, &create).await, 401, "for no course here");
    assert!(town.asked().is_empty());
    create["cc"] = json!([course.uri]);
    assert_eq!(bring(&town, &mia.uri, &create).await, 202);
}

#[tokio::test]
async fn mod_02_and_04_nobody_innocent_brings_what_is_blocked() {
    let town = Town::new().await;
    let group = followed_course(&town, "rust");
    let (bob, eve) = (town.known("good", "bob"), town.known("blocked", "eve"));
    block(&town, "blocked.test");
    let (object, create) = note(&eve.uri, "x");
    town.serve(object["id"].as_str().unwrap(), 200, &object);
    let by_stranger = like(&town, &town.uri("blocked", "nobody"), 1);
    for bad in [create.clone(), proven(&town, create), by_stranger] {
        assert_eq!(bring(&town, &group.uri, &bad).await, 403, "{bad}");
    }
    let suspended = bob.id;
    town.world.tx(move |tx| actor::move_to(tx, suspended, ActorState::Suspended));
    let (_, create) = note(&bob.uri, "x");
    for bad in [create.clone(), proven(&town, create)] {
        assert_eq!(bring(&town, &group.uri, &bad).await, 403, "{bad}");
    }
    // And nobody who is stopped brings what is innocent.
    let carol = town.known("good", "carol");
    let good = proven(&town, like(&town, &carol.uri, 1));
    for by in [&eve, &bob] {
        assert_eq!(bring(&town, &by.uri, &good).await, 403, "{}", by.uri);
    }
    assert!(town.inbox().is_empty());
    assert!(town.asked().is_empty());
}

#[tokio::test]
async fn net_11_one_server_makes_us_ask_only_so_often() {
    let mut config = Config::default();
    config.federation.forwards_per_minute = 3;
    let town = Town::with(config).await;
    let (group, bob) = (followed_course(&town, "rust"), town.known("good", "bob").uri);
    let mut last = 0;
    for n in 0..5 {
        let (mut object, mut create) = note(&bob, "x");
        object["id"] = json!(format!("{bob}/o/{n}"));
        create["object"] = object.clone();
        town.serve(object["id"].as_str().unwrap(), 200, &object);
        last = bring(&town, &group.uri, &create).await;
    }
    assert_eq!((last, town.asked().len()), (429, 3));
}

#[tokio::test]
async fn an_unknown_actor_whose_signature_is_wrong_is_not_kept() {
    let town = Town::new().await;
    town.serve_actor("good", "dora", &other_keys());
    let dora = town.uri("good", "dora");
    refused(&town, &like(&town, &dora, 1), 401).await;
    assert_eq!(town.asked(), std::slice::from_ref(&dora));
    assert!(town.world.read(|db| actor::find_by_uri(db, &dora)).is_none());
}
