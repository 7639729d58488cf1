//! Does memory stay bounded when many send large bodies, and when much waits to go out?

use crate::ada::Ada;
use crate::fleet::Manner;
use crate::kills::Scene;
use crate::place::{PATIENCE, Place, Server};
use crate::school::HOSTS;
use crate::traffic::{send, some};
use hedgeschool::federation::peer;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Largest body that is taken, and what memory may grow by besides, in KiB.
const LARGEST: u64 = 1024;
const BESIDES: u64 = 50 * 1024;

/// The most memory that a process ever held, in KiB.
fn most_held(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// so many bodies of nearly the largest size at once; half come whole and are wrong, half lack their last byte.
async fn large_bodies(fault: &str, count: u64) {
    let scene = Scene::set(Place::new(None), 1).await;
    let server = scene.place.start();
    some(&scene.senders, &scene.ledger, server.bind, 30).await;
    let before = most_held(&server);
    let mut large = scene.senders.next();
    large["object"]["content"] = "x".repeat(1_000_000).into();
    let mut request = scene.senders.request(&large, 0);
    let last = request.len() - 2;
    request[last] = b' ';
    let mut slow = Vec::new();
    let mut fast = tokio::task::JoinSet::new();
    for n in 0..count {
        if n % 2 == 0 {
            let (to, request) = (server.bind, request.clone());
            fast.spawn(async move { send(to, &request).await });
        } else {
            let mut stream = TcpStream::connect(server.bind).await.unwrap();
            stream.write_all(&request[..last]).await.unwrap();
            slow.push(stream);
        }
    }
    while let Some(answer) = fast.join_next().await {
        assert!(answer.unwrap().is_some_and(|(status, _)| status != 202), "R-19: what is wrong is refused");
    }
    let grown = most_held(&server).saturating_sub(before);
    assert!(grown <= count * 2 * LARGEST + BESIDES, "R-19: {grown} KiB for {count} bodies");
    drop(slow);
    some(&scene.senders, &scene.ledger, server.bind, 30).await;
    scene.settle().await.must_be_even(fault, &format!("{count} large bodies, {} MiB more memory", grown / 1024));
}

/// so many deliveries wait for servers that are away; memory hardly grows, and others get what is new at once.
async fn long_queue(fault: &str, rows: u32) {
    const AWAY: u32 = 100;
    let scene = Scene::set(Place::new(None), 1).await;
    let server = scene.place.start();
    scene.place.until_none("deliveries WHERE state = 'pending'").await;
    let ada = Ada::open(&scene.place, &scene.school, server.bind).await;
    assert_eq!(ada.post(server.bind, &scene.ledger).await, Some(303));
    some(&scene.senders, &scene.ledger, server.bind, 30).await;
    scene.place.until_none("deliveries WHERE state = 'pending'").await;
    let before = most_held(&server);
    let hosts: Vec<String> = (0..AWAY).map(|n| scene.fleet.host(HOSTS + 40 + n).to_string()).collect();
    for n in 0..AWAY {
        scene.fleet.behave(HOSTS + 40 + n, Manner::Away);
    }
    for host in hosts {
        let sql = format!(
            "INSERT INTO deliveries (activity_id, inbox, host, state, attempts, created_at)
             WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {})
             SELECT (SELECT max(id) FROM activities), 'http://{host}/u/' || n || '/inbox', '{host}', 'pending', 0,
             (SELECT max(created_at) FROM activities) FROM counted;
             UPDATE peers SET due_at = 0 WHERE host = '{host}';",
            rows / AWAY
        );
        let put = scene.place.pool().write_blocking(move |tx| {
            peer::learn(tx, &host, Some("mastodon"), None)?;
            Ok(diesel::connection::SimpleConnection::batch_execute(&mut **tx, &sql)?)
        });
        put.unwrap();
    }
    let (already, begin) = (scene.fleet.arrived(HOSTS), Instant::now());
    assert_eq!(ada.post(server.bind, &scene.ledger).await, Some(303));
    while scene.fleet.arrived(HOSTS) == already {
        assert!(begin.elapsed() < PATIENCE, "R-27: what is new waits behind what cannot go out");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let wait = begin.elapsed();
    while scene.place.count("peers WHERE failures > 0") < i64::from(AWAY) {
        assert!(begin.elapsed() < PATIENCE, "R-27: those that are away are asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let grown = most_held(&server).saturating_sub(before);
    assert!(grown <= BESIDES, "R-27: {grown} KiB more memory for {rows} deliveries");
    assert_eq!(scene.place.count("deliveries WHERE state = 'dropped'"), 0, "R-27");
    println!(
        "| {fault} | {rows} wait, {} MiB more memory, a new post there after {} ms |",
        grown / 1024,
        wait.as_millis()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_19_large_bodies_at_once_take_bounded_memory() {
    large_bodies("R-19 large bodies", 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_19_many_large_bodies_at_once() {
    large_bodies("R-19 large bodies, long", 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_27_a_long_queue_is_not_held_in_memory() {
    long_queue("R-27 long queue", 100_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_27_a_million_deliveries_wait() {
    long_queue("R-27 long queue, long", 1_000_000).await;
}
