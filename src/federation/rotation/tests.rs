//! does every server take every delivery while keys change, whatever it keeps and whenever it asks again?

use super::*;
use crate::actor::{self, Former, OVERLAP};
use crate::crypto::VerifyingKey;
use crate::federation::document;
use crate::federation::integrity;
use crate::federation::peer;
use crate::federation::town::{Town, other_keys};
use crate::net::signature::{Incoming, Unverified};
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long others keep an actor that they do not hear of.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What our document shows, as another server would find it: id and PEM of the key.
type Shown = Arc<Mutex<(String, String)>>;

/// What another server does with keys that it keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Keeps an actor for a day, whatever happens.
    Stubborn,
    /// Asks again when a signature does not fit.
    Asking,
    /// Reads an `Update`, and answers before it verifies.
    Hasty,
    /// Reads an `Update`, and does not ask again.
    Listening,
    /// The same, and keeps what it knows for ever.
    Trusting,
    /// Answers before it verifies, reads no `Update`, and asks again when it has used what is older than 36 hours: snac.
    Deaf,
}

/// What it keeps, since when, what it could verify, and what it could not and never did.
struct Kept {
    key: (String, String),
    since: Time,
    taken: HashSet<String>,
    lost: HashSet<String>,
}

fn is_by(read: &Unverified, (id, pem): &(String, String)) -> bool {
    read.key_id() == id && read.verify(&VerifyingKey::from_pem(pem).unwrap()).is_ok()
}

/// Lets a server behave so. It knows the actor from the beginning.
fn double(town: &Town, host: &str, habit: Habit, shown: &Shown) -> Arc<Mutex<Kept>> {
    let first = shown.lock().unwrap().clone();
    let kept =
        Arc::new(Mutex::new(Kept { key: first, since: town.now(), taken: HashSet::new(), lost: HashSet::new() }));
    let (clock, shown, shared) = (town.app.clock().clone(), Arc::clone(shown), Arc::clone(&kept));
    town.check(host, move |request: Incoming<'_>, body: &[u8]| {
        let now = clock.now();
        let Ok(read) = Unverified::read(request, body, now.system()) else { return false };
        let mut kept = shared.lock().unwrap();
        let asks_daily = !matches!(habit, Habit::Trusting | Habit::Deaf);
        if asks_daily && now.since(kept.since) >= DAY {
            (kept.key, kept.since) = (shown.lock().unwrap().clone(), now);
        }
        let mut right = is_by(&read, &kept.key);
        if !right && habit == Habit::Asking {
            (kept.key, kept.since) = (shown.lock().unwrap().clone(), now);
            right = is_by(&read, &kept.key);
        }
        let activity: Value = serde_json::from_slice(body).unwrap_or_default();
        let listens = matches!(habit, Habit::Hasty | Habit::Listening | Habit::Trusting);
        if right && listens && activity["type"] == "Update" {
            let key = &activity["object"]["publicKey"];
            let text = |name: &str| key[name].as_str().unwrap().to_owned();
            (kept.key, kept.since) = ((text("id"), text("publicKeyPem")), now);
        }
        let id = activity["id"].to_string();
        if right {
            kept.lost.remove(&id);
            kept.taken.insert(id);
        } else if !kept.taken.contains(&id) {
            kept.lost.insert(id);
        }
        if habit == Habit::Deaf && now.since(kept.since) >= DAY + DAY / 2 {
            (kept.key, kept.since) = (shown.lock().unwrap().clone(), now);
        }
        right || matches!(habit, Habit::Hasty | Habit::Deaf)
    });
    kept
}

fn show(town: &Town, actor: &Actor, shown: &Shown) {
    let key = town.world.read(|db| actor::signing_key_of(db, actor.id));
    *shown.lock().unwrap() = (key.uri, key.public_pem);
}

/// Says something to all of them.
fn say(town: &Town, by: &Actor, to: &[Actor]) {
    let (by, audience) = (by.clone(), Audience::people(to));
    town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let like = wire::activity("Like", &id, &by.uri, &[wire::PUBLIC.to_owned()], &[], json!("https://x.test/1"));
        outbox::send(tx, &by, &like, "https://x.test/1", &audience)
    });
}

async fn rotate(town: &Town, by: &Actor, former: Former) {
    let by = by.clone();
    town.world.tx(move |tx| {
        actor::replace_keys(tx, &by, &other_keys(), former)?;
        let by = actor::get(tx, by.id)?;
        let document = document::to_wire(tx, &by)?;
        announce(tx, &by, document)
    });
}

#[tokio::test]
async fn r_24_no_delivery_fails_while_keys_change() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let shown = Shown::default();
    show(&town, &ada, &shown);
    let habits = [
        ("stubborn", Habit::Stubborn),
        ("asking", Habit::Asking),
        ("hasty", Habit::Hasty),
        ("listening", Habit::Listening),
        ("deaf", Habit::Deaf),
    ];
    let people: Vec<Actor> = habits
        .iter()
        .map(|(host, _)| {
            town.host(host);
            town.known(host, "bob")
        })
        .collect();
    let deaf = people[4].host.clone();
    town.world.tx(move |tx| peer::learn(tx, &deaf, Some("snac"), Some("2.75")));
    let doubles: Vec<_> = habits.iter().map(|(host, habit)| double(&town, host, *habit, &shown)).collect();
    let hour = Duration::from_secs(3600);
    for at in 0..90 {
        if at == 10 {
            // Something waits when the keys change.
            say(&town, &ada, &people);
            rotate(&town, &ada, Former::Replaced).await;
            show(&town, &ada, &shown);
        }
        say(&town, &ada, &people);
        town.deliver().await;
        assert_eq!((town.count("dropped"), town.count("pending")), (0, 0), "hour {at}");
        if at % 24 == 0 {
            town.world.tx(actor::retire_keys);
        }
        town.world.pass(hour);
    }
    assert_eq!(town.count("delivered"), 5 * (90 + 1 + 1));
    for hasty in [2, 4] {
        let kept = doubles[hasty].lock().unwrap();
        assert_eq!(kept.lost.len(), 0, "what is answered before it is verified was signed by the key known there");
        assert_eq!(kept.taken.len(), 90 + 1 + 1);
    }
    let left = town.world.read(|db| actor::signing_keys_of(db, ada.id));
    assert!(left.former.is_none(), "after two days the old private half is gone");
}

#[tokio::test]
async fn r_24_replaced_keys_prove_what_they_proved_and_sign_nothing_new() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    say(&town, &ada, &[]);
    let said = |n: usize| -> Value {
        let rows: Vec<String> =
            town.world.read(|db| Ok(activities::table.order(activities::id).select(activities::document).load(db)?));
        serde_json::from_str(&rows[n]).unwrap()
    };
    // As another server reads our document now.
    let is_checkable = |document: &Value| {
        let ours = town.world.read(|db| {
            let ada = actor::get(db, ada.id)?;
            document::to_wire(db, &ada)
        });
        let proof = integrity::read(document, town.now()).unwrap().unwrap();
        let keys = document::read(&ours).unwrap().keys;
        let key = keys.iter().find(|(id, _)| *id == proof.method);
        key.is_some_and(|(_, pem)| proof.is_by(&VerifyingKey::from_pem(pem).unwrap()))
    };
    rotate(&town, &ada, Former::Replaced).await;
    say(&town, &ada, &[]);
    let (before, after) = (said(0), said(2));
    assert_ne!(before["proof"]["verificationMethod"], after["proof"]["verificationMethod"]);
    assert!(is_checkable(&before) && is_checkable(&after));
    town.world.pass(OVERLAP + Duration::from_secs(1));
    assert_eq!(town.world.tx(actor::retire_keys), 2);
    assert!(is_checkable(&before) && is_checkable(&after), "for good");
    let keys = town.world.keys();
    let (by, id) = (ada.clone(), ada.id);
    town.world.tx(move |tx| actor::replace_keys(tx, &by, &keys, Former::Withdrawn));
    assert!(!is_checkable(&before) && !is_checkable(&after), "whoever stole the keys could have made them");
    let left = town.world.read(|db| actor::verifying_keys_of(db, id));
    let left: Vec<&str> = left.iter().map(|key| key.uri.as_str()).collect();
    assert_eq!(left, ["https://us.test/u/ada#main-key-3", "https://us.test/u/ada#ed25519-key-3"]);
}

#[tokio::test]
async fn r_24_a_stolen_key_signs_nothing_more_though_it_was_in_memory() {
    let town = Town::new().await;
    let (ada, bob) = (town.world.person("ada"), town.known("good", "bob"));
    let shown = Shown::default();
    show(&town, &ada, &shown);
    let kept = double(&town, "good", Habit::Asking, &shown);
    say(&town, &ada, std::slice::from_ref(&bob));
    town.deliver().await;
    rotate(&town, &ada, Former::Withdrawn).await;
    show(&town, &ada, &shown);
    say(&town, &ada, &[bob]);
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (3, 0));
    assert_eq!(kept.lock().unwrap().key.0, format!("{}#main-key-2", ada.uri));
}

#[tokio::test]
async fn r_24_the_old_key_stays_while_word_of_the_new_one_waits_for_a_server() {
    let town = Town::new().await;
    let (ada, bob) = (town.world.person("ada"), town.known("good", "bob"));
    let shown = Shown::default();
    show(&town, &ada, &shown);
    double(&town, "good", Habit::Trusting, &shown);
    say(&town, &ada, std::slice::from_ref(&bob));
    town.deliver().await;
    rotate(&town, &ada, Former::Replaced).await;
    show(&town, &ada, &shown);
    // That server is away for longer than both keys usually sign.
    town.world.pass(5 * DAY);
    assert_eq!(town.world.tx(actor::retire_keys), 0);
    say(&town, &ada, std::slice::from_ref(&bob));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (3, 0));
    assert_eq!(town.world.tx(actor::retire_keys), 2);
    // But not for ever.
    rotate(&town, &ada, Former::Replaced).await;
    town.world.pass(31 * DAY);
    assert_eq!(town.world.tx(actor::retire_keys), 2);
}

#[tokio::test]
async fn r_24_a_server_that_never_heard_of_an_actor_gets_its_new_key_at_once() {
    let town = Town::new().await;
    let (ada, bob, cy) = (town.world.person("ada"), town.known("good", "bob"), town.known("evil", "cy"));
    let shown = Shown::default();
    show(&town, &ada, &shown);
    double(&town, "good", Habit::Listening, &shown);
    say(&town, &ada, std::slice::from_ref(&bob));
    town.deliver().await;
    rotate(&town, &ada, Former::Replaced).await;
    show(&town, &ada, &shown);
    // It looks the actor up when it gets something, and finds the new key alone; it does not look a second time.
    let kept = double(&town, "evil", Habit::Listening, &shown);
    say(&town, &ada, &[bob, cy]);
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (4, 0));
    assert!(kept.lock().unwrap().lost.is_empty(), "the first request was right");
}
