//! P1: how fast is what others send taken in, and how fast is it worked off?

use crate::load::{self, Outcome, Pressure};
use crate::school::{LEARNERS, School};
use crate::server::{Place, Server};
use crate::sink::Sink;
use crate::table::{Limit, Reach, Table};
use crate::{Size, limits};
use hedgeschool::clock::Clock;
use hedgeschool::crypto::SigningKey;
use hedgeschool::net::signature::{Scheme, Signer, sign_post};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use url::Url;

/// Connections of the load generator.
pub const CONNECTIONS: usize = 8;
const PENDING: &str = "inbox WHERE state = 'pending'";
const UNSENT: &str = "deliveries WHERE state = 'pending'";

/// Signed answers to the assignment, each by the next learner, as a microblog sends them.
pub fn requests(place: &Place, school: &School, count: usize) -> Arc<Vec<Vec<u8>>> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let signing: Vec<SigningKey> = school.keys.iter().map(|k| SigningKey::from_pem(&k.private_pem).unwrap()).collect();
    let inbox = Url::parse(&place.config.links().shared_inbox()).unwrap();
    let text = "<p>These lines open a file, read it word by word and count how often each word is there.</p>".repeat(6);
    let one = |_| {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let by = &school.learners[n % LEARNERS];
        let note = json!({
            "id": format!("{}/statuses/{n}", by.uri), "type": "Note", "attributedTo": by.uri,
            "inReplyTo": school.answered.uri, "published": Clock::System.now().rfc3339(),
            "to": [school.ada.uri], "cc": [format!("{}/followers", by.uri)], "sensitive": false,
            "content": format!("<p>{n}</p>{text}"), "attachment": [],
            "tag": [{"type": "Mention", "href": school.ada.uri, "name": school.ada.acct()}],
        });
        let activity = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", {"sensitive": "as:sensitive"}],
            "id": format!("{}/statuses/{n}/activity", by.uri), "type": "Create", "actor": by.uri,
            "published": Clock::System.now().rfc3339(),
            "to": [school.ada.uri], "cc": [format!("{}/followers", by.uri)], "object": note,
        });
        let body = activity.to_string();
        let signer = Signer { key_id: format!("{}#main-key", by.uri), key: signing[n % signing.len()].clone() };
        let headers =
            sign_post(&signer, Scheme::Cavage, &inbox, body.as_bytes(), Clock::System.now().system()).unwrap();
        let mut text = format!("POST /inbox HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", place.host(), body.len());
        for (name, value) in &headers {
            if name != "host" {
                text += &format!("{name}: {}\r\n", value.to_str().unwrap());
            }
        }
        (text + "\r\n" + &body).into_bytes()
    };
    Arc::new((0..count).map(one).collect())
}

/// One run: everything at once, then at half that rate.
pub async fn measure(table: &mut Table, size: Size, (place, school, server, sink): All<'_>, id: &'static str) -> f64 {
    let postgres = id != "P1";
    // The servers of the learners take their time, so that answers to them do not take part.
    sink.slow_down(1, Duration::from_secs(4));
    let taken = all_at_once(table, size, (place, school, server, sink), id).await;
    crowd(table, size, (place, school, server, sink), id).await;
    let half = taken.rate() / 2.0;
    let some = requests(place, school, (half * size.seconds) as usize);
    let pressure = Pressure { connections: CONNECTIONS * 4, rate: Some(half), status: 202 };
    let calm = load::run(&server.host, some, pressure).await;
    assert_eq!(calm.unexpected, 0, "all are taken");
    let reach = if postgres { Reach::Nothing } else { Reach::AtMost(50.0) };
    table.add((id, "p99 of the answer at half that rate", "ms"), calm.p99(), reach, None);
    place.until_none(PENDING).await;
    drain(table, id, (place, school, server, sink)).await;
    half
}

type All<'a> = (&'a Place, &'a School, &'a Server, &'a Sink);

async fn all_at_once(table: &mut Table, size: Size, all: All<'_>, id: &'static str) -> Outcome {
    let (place, school, server, _) = all;
    let postgres = id != "P1";
    let requests = requests(place, school, size.activities);
    let (cpu, begin) = (server.cpu(), Instant::now());
    let pressure = Pressure { connections: CONNECTIONS, rate: None, status: 202 };
    let taken = load::run(&server.host, requests, pressure).await;
    place.until_none(PENDING).await;
    let (worked, cpu) = (size.activities as f64 / begin.elapsed().as_secs_f64(), server.cpu() - cpu);
    assert_eq!(taken.unexpected, 0, "all are taken");
    assert_eq!(place.count("inbox WHERE state <> 'done'"), 0, "nothing is refused");
    let verifications = limits::verifications(&school.keys[0]);
    let waited = limits::small_writes(&place.pool, CONNECTIONS).await;
    let limit = Limit { name: "small writes/s by 8 who wait for each", figure: waited };
    let at_least = |target| if postgres { Reach::Nothing } else { Reach::AtLeast(target) };
    table.add((id, "accepted", "/s"), taken.rate(), at_least(3000.0), Some(limit));
    let writes = Limit { name: "small writes/s", figure: limits::small_writes(&place.pool, 64).await };
    let reach = Reach::AtLeast(if postgres { 600.0 } else { 1500.0 });
    table.add((id, "worked off", "/s"), worked, reach, Some(writes));
    let each = cpu.as_secs_f64() * 1000.0 / size.activities as f64;
    let reach = if postgres { Reach::Nothing } else { Reach::AtMost(0.8) };
    let limit = Limit { name: "one verification, ms", figure: 1000.0 / verifications };
    table.add((id, "CPU each, all in all", "ms"), each, reach, Some(limit));
    taken
}

/// As from many servers at once: more connections share a commit.
async fn crowd(table: &mut Table, size: Size, (place, school, server, _): All<'_>, id: &'static str) {
    let requests = requests(place, school, size.activities);
    let pressure = Pressure { connections: CONNECTIONS * 8, rate: None, status: 202 };
    let taken = load::run(&server.host, requests, pressure).await;
    assert_eq!(taken.unexpected, 0, "all are taken");
    let verifications = limits::verifications(&school.keys[0]);
    let limit = Limit { name: "RSA verifications/s of one core", figure: verifications };
    table.add((id, "accepted, 64 connections", "/s"), taken.rate(), Reach::Nothing, Some(limit));
    place.until_none(PENDING).await;
}

/// The answers to the learners go out.
async fn drain(table: &mut Table, id: &'static str, (place, school, server, sink): All<'_>) {
    sink.slow_down(1, Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (waiting, cpu, begin) = (place.count(UNSENT), server.cpu(), Instant::now());
    place.until_none(UNSENT).await;
    if waiting > 100 {
        let (each, cpu) = (begin.elapsed().as_secs_f64() / waiting as f64, server.cpu() - cpu);
        let limit = Limit { name: "RSA signatures/s of one core", figure: limits::signatures(&school.keys[0]) };
        table.add((id, "answers delivered to 10 servers", "/s"), 1.0 / each, Reach::Nothing, Some(limit));
        let cpu = cpu.as_secs_f64() * 1000.0 / waiting as f64;
        table.add((id, "CPU each answer", "ms"), cpu, Reach::Nothing, None);
    }
}

/// Lets what the preparation wrote go out, and shows the server the keys of everyone.
pub async fn warm_up((place, school, server, sink): All<'_>) {
    sink.slow_down(1, Duration::ZERO);
    let requests = requests(place, school, LEARNERS * 2);
    load::run(&server.host, requests, Pressure { connections: 4, rate: None, status: 202 }).await;
    place.until_none(PENDING).await;
    place.until_none(UNSENT).await;
    sink.forget();
}
