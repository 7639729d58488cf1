//! Does a process that is killed, stopped or confused about the time lose anything?

use crate::ada::Ada;
use crate::fleet::{Fleet, Manner};
use crate::ledger::{Balance, Ledger};
use crate::place::Place;
use crate::school::{HOSTS, School};
use crate::traffic::{Senders, Traffic, send_again, some};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A number from the environment, for the long versions.
pub fn asked(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Everything that most faults need.
pub struct Scene {
    pub fleet: Fleet,
    pub place: Place,
    pub school: School,
    pub senders: Senders,
    pub ledger: Ledger,
    pub followers: Vec<u32>,
}

impl Scene {
    pub async fn set(place: Place, followers: u32) -> Self {
        let fleet = Fleet::start().await;
        let school = School::found(&place, &fleet, followers);
        let senders = Senders::new(&place, &school);
        let followers = (HOSTS..HOSTS + followers).collect();
        Self { fleet, place, school, senders, ledger: Ledger::new(), followers }
    }

    pub async fn settle(&self) -> Balance {
        self.ledger.settle(&self.place, &self.fleet, &self.followers).await
    }
}

/// After each kill nothing is lost, and nothing goes out a second time under another id (checklist 65).
async fn kills(fault: &str, rounds: usize, seed: u64, postgres: Option<&str>) {
    let mut lots = StdRng::seed_from_u64(seed);
    let scene = Scene::set(Place::new(postgres), 3).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        let server = scene.place.start();
        slowest = slowest.max(server.ready);
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 16);
        let stop = Arc::new(AtomicBool::new(false));
        let ada = Ada::open(&scene.place, &scene.school, server.bind).await;
        let ada = ada.go_on(server.bind, scene.ledger.clone(), stop.clone());
        scene.ledger.more(lots.random_range(1..24)).await;
        // Between two answers as well as at one.
        tokio::time::sleep(Duration::from_micros(lots.random_range(0..20_000))).await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        traffic.end().await;
        ada.await.unwrap();
        assert!(scene.place.is_whole(), "the database is whole after a kill");
    }
    let server = scene.place.start();
    slowest = slowest.max(server.ready);
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    let more = format!("{rounds} kills, ready again in at most {} ms", slowest.as_millis());
    scene.settle().await.must_be_even(fault, &more);
    assert!(slowest < Duration::from_secs(30), "R-01: ready again soon, not after {slowest:?}");
}

///
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_01_and_r_02_nothing_is_lost_or_doubled_when_the_process_is_killed() {
    kills("R-01/02 SIGKILL", 4, 1, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_01_and_r_02_a_thousand_kills() {
    kills("R-01/02 SIGKILL, SQLite", asked("HEDGESCHOOL_FAULT_ROUNDS", 1000), 2, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_01_and_r_02_kills_on_postgresql() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return println!("skipped: no TEST_DATABASE_URL") };
    // A killed process's leases on PostgreSQL run out by themselves, so the clock is moved at the end.
    kills_postgres(asked("HEDGESCHOOL_FAULT_ROUNDS", 1000) / 10, &server).await;
}

async fn kills_postgres(rounds: usize, server: &str) {
    let mut lots = StdRng::seed_from_u64(3);
    let scene = Scene::set(Place::new(Some(server)), 2).await;
    for _ in 0..rounds {
        let server = scene.place.start();
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 8);
        scene.ledger.more(lots.random_range(1..24)).await;
        tokio::time::sleep(Duration::from_micros(lots.random_range(0..20_000))).await;
        server.kill();
        traffic.end().await;
    }
    let server = scene.place.start();
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    scene.place.set_clock(130_000);
    let more = format!("{rounds} kills");
    scene.settle().await.must_be_even("R-01/02 SIGKILL, PostgreSQL", &more);
}

/// what has begun is ended, leases are given back, the status is 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_22_an_orderly_stop_under_load_ends_what_has_begun() {
    stops("R-22 SIGTERM", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_22_many_orderly_stops() {
    stops("R-22 SIGTERM, long", asked("HEDGESCHOOL_FAULT_ROUNDS", 1000) / 20).await;
}

async fn stops(fault: &str, rounds: usize) {
    let scene = Scene::set(Place::new(None), 2).await;
    for _ in 0..rounds {
        let server = scene.place.start();
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 16);
        scene.ledger.more(20).await;
        let status = server.stop();
        traffic.end().await;
        assert!(status.success(), "R-22: ended with {status}");
        assert_eq!(scene.place.count("peers WHERE leased_until > 0"), 0, "R-22: leases are given back");
    }
    let server = scene.place.start();
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    scene.settle().await.must_be_even(fault, &format!("{rounds} stops, each with status 0"));
}

/// servers that let us wait, with much in line for them, do not hold up the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_22_slow_servers_with_much_in_line_do_not_hold_up_the_end() {
    let scene = Scene::set(Place::new(None), 2).await;
    let all = 0..HOSTS + 2;
    all.clone().for_each(|n| scene.fleet.behave(n, Manner::Slow(Duration::from_secs(3))));
    let server = scene.place.start();
    some(&scene.senders, &scene.ledger, server.bind, 40).await;
    scene.place.until_none("inbox WHERE state = 'pending'").await;
    let begin = std::time::Instant::now();
    let status = server.stop();
    let took = begin.elapsed();
    assert!(status.success(), "R-22: ended with {status}");
    let waiting = scene.place.count("deliveries WHERE state = 'pending'");
    assert!(waiting > 40, "R-22: much is still in line: {waiting}");
    assert!(took < Duration::from_secs(12), "R-22: what is in hand is ended, and no more: {took:?}");
    assert_eq!(scene.place.count("peers WHERE leased_until > 0"), 0, "R-22: leases are given back");
    all.for_each(|n| scene.fleet.behave(n, Manner::Well));
    let _server = scene.place.start();
    let more = format!("{waiting} in line for servers that take 3 s each; ended after {:.1} s", took.as_secs_f32());
    scene.settle().await.must_be_even("R-22 SIGTERM, slow servers", &more);
}

/// The clock is set forth and back while things are under way, as far as signatures allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_steps_loses_nothing() {
    clock_steps("clock steps", &[40, -40, 0, 50, -50]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_a_clock_that_steps_again_and_again_and_back_at_last() {
    let mut lots = StdRng::seed_from_u64(3);
    let mut steps: Vec<i64> =
        (0..asked("HEDGESCHOOL_FAULT_ROUNDS", 1000) / 10).map(|_| lots.random_range(-50..50)).collect();
    steps.extend([50, -50]);
    clock_steps("clock steps, long", &steps).await;
}

async fn clock_steps(fault: &str, steps: &[i64]) {
    let minutes = |n: i64| n * 60_000;
    let scene = Scene::set(Place::new(None), 2).await;
    let server = scene.place.start();
    let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 8);
    for ahead in steps.iter().copied() {
        scene.ledger.more(10).await;
        scene.place.set_clock(minutes(ahead));
    }
    scene.ledger.more(10).await;
    traffic.end().await;
    // What became due while the clock was ahead is due again by then.
    scene.place.set_clock(minutes(55));
    send_again(&scene.senders, &scene.ledger, server.bind, minutes(55)).await;
    scene.settle().await.must_be_even(
        fault,
        &format!("{} steps of up to 50 min, the last {:+} min", steps.len(), steps[steps.len() - 1]),
    );
}
