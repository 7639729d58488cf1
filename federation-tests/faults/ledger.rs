//! What was sent, what was acknowledged, and is all of that there exactly once?

use crate::fleet::Fleet;
use crate::place::Place;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// The book.
#[derive(Clone)]
pub struct Ledger {
    sent: Arc<Mutex<BTreeMap<String, Entry>>>,
    acknowledged: watch::Sender<usize>,
    /// What a person here was told is out: its words.
    confirmed: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone)]
struct Entry {
    activity: Value,
    answers: Vec<u16>,
}

/// What a comparison came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Ids sent by others.
    pub sent: usize,
    /// Of those, acknowledged with 2xx.
    pub acknowledged: usize,
    /// What people here were told is out.
    pub confirmed: usize,
    /// Acknowledged or confirmed, and without effect.
    pub lost: usize,
    /// With two effects, or sent out under two ids.
    pub doubled: usize,
    /// Deliveries that others got more than once under the same id, which they know again.
    pub repeated: usize,
    /// Deliveries that others got.
    pub delivered: usize,
}

impl Ledger {
    pub fn new() -> Self {
        Self { sent: Arc::default(), acknowledged: watch::channel(0).0, confirmed: Arc::default() }
    }

    pub fn sending(&self, activity: &Value) {
        let id = activity["id"].as_str().unwrap().to_owned();
        let entry = Entry { activity: activity.clone(), answers: Vec::new() };
        self.sent.lock().unwrap().entry(id).or_insert(entry);
    }

    /// What came back; none when the connection broke.
    pub fn answered(&self, activity: &Value, answer: Option<(u16, bool)>) {
        let Some((status, comes_back)) = answer else { return };
        assert!(status != 503 || comes_back, "R-04: 503 says when to come back");
        assert!(matches!(status, 202 | 429 | 503), "an honest activity is answered {status}");
        let mut sent = self.sent.lock().unwrap();
        let answers = &mut sent.get_mut(activity["id"].as_str().unwrap()).unwrap().answers;
        if status == 202 && !answers.contains(&202) {
            self.acknowledged.send_modify(|count| *count += 1);
        }
        answers.push(status);
    }

    /// A person here was told that it is out.
    pub fn confirm(&self, words: &str) {
        self.confirmed.lock().unwrap().insert(words.to_owned());
    }

    /// Waits until so many more are acknowledged.
    pub async fn more(&self, count: usize) {
        let mut receiver = self.acknowledged.subscribe();
        let goal = *receiver.borrow() + count;
        let enough = receiver.wait_for(|now| *now >= goal);
        tokio::time::timeout(crate::place::PATIENCE, enough).await.expect("nothing is acknowledged any more").unwrap();
    }

    /// Activities that nobody acknowledged yet.
    pub fn unacknowledged(&self) -> Vec<Value> {
        let sent = self.sent.lock().unwrap();
        sent.values().filter(|entry| !entry.answers.contains(&202)).map(|entry| entry.activity.clone()).collect()
    }

    /// How often each status was given.
    pub fn answers(&self) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        for status in self.sent.lock().unwrap().values().flat_map(|entry| &entry.answers) {
            *counts.entry(*status).or_default() += 1;
        }
        counts
    }

    /// Waits until nothing waits any more, and holds the book against the database and what others got.
    pub async fn settle(&self, place: &Place, fleet: &Fleet, followers: &[u32]) -> Balance {
        place.until_none("inbox WHERE state = 'pending'").await;
        place.until_none("deliveries WHERE state = 'pending'").await;
        // What is on its way back from the last delivery.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(place.is_whole(), "the database is whole");
        let mut balance = Balance::default();
        self.compare_inbox(place, fleet, &mut balance);
        self.compare_confirmed(place, fleet, followers, &mut balance);
        compare_outbox(place, fleet, &mut balance);
        balance
    }

    /// Each acknowledged answer: worked off, one revision, one receipt to its author.
    fn compare_inbox(&self, place: &Place, fleet: &Fleet, balance: &mut Balance) {
        let done: BTreeSet<String> =
            place.texts("SELECT activity_uri AS said FROM inbox WHERE state = 'done'").into_iter().collect();
        let mut effects: BTreeMap<String, usize> = BTreeMap::new();
        for body in place.texts("SELECT body_html AS said FROM revisions") {
            *effects.entry(body.trim().to_owned()).or_default() += 1;
        }
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for receipt in fleet.receipts() {
            if ids.insert(receipt.id().to_owned()) {
                *told.entry(receipt.about().unwrap_or_default()).or_default() += 1;
            }
        }
        for (id, entry) in self.sent.lock().unwrap().iter() {
            balance.sent += 1;
            let object = &entry.activity["object"];
            let effect = effects.get(object["content"].as_str().unwrap()).copied().unwrap_or(0);
            let receipts = told.get(&format!("Create {}", object["id"].as_str().unwrap())).copied().unwrap_or(0);
            if entry.answers.contains(&202) {
                balance.acknowledged += 1;
                let lost = !done.contains(id) || effect == 0 || receipts == 0;
                if lost {
                    println!("lost: {id} (done {}, effects {effect}, receipts {receipts})", done.contains(id));
                }
                balance.lost += usize::from(lost);
            }
            if effect > 1 || receipts > 1 {
                println!("doubled: {id} (effects {effect}, receipts {receipts})");
                balance.doubled += 1;
            }
        }
    }

    /// What a person here was told is out: there once, and with each follower once.
    fn compare_confirmed(&self, place: &Place, fleet: &Fleet, followers: &[u32], balance: &mut Balance) {
        let confirmed = self.confirmed.lock().unwrap().clone();
        balance.confirmed = confirmed.len();
        let receipts = fleet.receipts();
        let mut reached: BTreeMap<(u32, &str), BTreeSet<&str>> = BTreeMap::new();
        for receipt in &receipts {
            if let Some(uri) = receipt.activity["object"].as_str() {
                reached.entry((receipt.host, uri)).or_default().insert(receipt.id());
            }
        }
        for words in confirmed {
            let uris = place.texts(&format!("SELECT uri AS said FROM posts WHERE title = '{words}'"));
            if uris.len() != 1 {
                println!("lost or doubled: {words} is there {} times", uris.len());
            }
            balance.lost += usize::from(uris.is_empty());
            balance.doubled += usize::from(uris.len() > 1);
            for (uri, host) in uris.iter().flat_map(|uri| followers.iter().map(move |host| (uri, host))) {
                let ids = reached.get(&(*host, uri.as_str())).map_or(0, BTreeSet::len);
                if ids != 1 {
                    println!("lost or doubled: {words} reached follower {host} under {ids} ids");
                }
                balance.lost += usize::from(ids == 0);
                balance.doubled += usize::from(ids > 1);
            }
        }
    }
}

/// Each delivery that we take for done did arrive.
fn compare_outbox(place: &Place, fleet: &Fleet, balance: &mut Balance) {
    let mut arrived: BTreeMap<(String, u32), usize> = BTreeMap::new();
    for receipt in fleet.receipts() {
        *arrived.entry((receipt.id().to_owned(), receipt.host)).or_default() += 1;
    }
    balance.delivered = arrived.len();
    balance.repeated = arrived.values().map(|times| times - 1).sum();
    let sql = "SELECT activities.uri || ' ' || deliveries.host AS said FROM deliveries \
               JOIN activities ON activities.id = deliveries.activity_id WHERE deliveries.state = 'delivered'";
    let arrived: BTreeSet<String> = arrived.keys().map(|(id, n)| format!("{id} {}", fleet.host(*n))).collect();
    for row in place.texts(sql) {
        let here = arrived.contains(&row);
        if !here {
            println!("lost on its way out: {row}");
        }
        balance.lost += usize::from(!here);
    }
}

impl Balance {
    /// The promise: nothing lost, nothing doubled. Prints a row for the table.
    #[track_caller]
    pub fn must_be_even(&self, fault: &str, more: &str) {
        println!(
            "| {fault} | {} | {} | {} | {} | {} | {} | {more} |",
            self.acknowledged, self.confirmed, self.delivered, self.lost, self.doubled, self.repeated
        );
        assert_eq!((self.lost, self.doubled), (0, 0), "{fault}: {self:?}");
        assert!(self.acknowledged > 0, "{fault}: nothing was tried");
    }
}
