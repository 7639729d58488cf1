//! What happens when PostgreSQL is restarted, or when one of several processes on it is killed? Only where there is one.

use crate::kills::{Scene, asked};
use crate::place::Place;
use crate::traffic::{Traffic, send_again};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server of PostgreSQL of our own, which may be hurt. Commits are on disk here, unlike in the one for the other tests.
struct Cluster {
    folder: TempDir,
    port: u16,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("federation-tests/postgres")
}

impl Cluster {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(script()).arg("start").arg(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let port = said.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let cluster = Self { folder, port };
        cluster.restart();
        cluster
    }

    fn url(&self) -> String {
        format!("postgres://hedgeschool@127.0.0.1:{}/hedgeschool", self.port)
    }

    /// Ends its first process as the kernel does that is out of memory.
    fn kill(&self) {
        let text = std::fs::read_to_string(self.folder.path().join("postgres/data/postmaster.pid")).unwrap();
        let pid = text.lines().next().unwrap();
        assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
    }

    /// As after a power cut: nothing is said to anybody, and the log is replayed.
    fn restart(&self) {
        let data = self.folder.path().join("postgres/data");
        let newest = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten().map(|e| e.path()).max().unwrap();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {} -c unix_socket_directories='' -c max_connections=200 -c fsync=off",
            self.port
        );
        let owner = std::fs::metadata(&data).unwrap();
        let root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
        let mut command = if root {
            let mut command = Command::new("setpriv");
            let id = std::os::unix::fs::MetadataExt::uid(&owner).to_string();
            command.args(["--reuid", &id, "--clear-groups"]).arg(newest.join("bin/pg_ctl"));
            command
        } else {
            Command::new(newest.join("bin/pg_ctl"))
        };
        command.arg("-D").arg(&data).args(["-m", "immediate", "-w", "-t", "60", "-o", &options, "-l"]);
        command.arg(self.folder.path().join("postgres/server.log")).arg("restart").current_dir("/");
        assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success(), "it starts again");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        Command::new(script()).arg("stop").arg(self.folder.path()).stdout(Stdio::null()).status().ok();
    }
}

/// away for thirty seconds after SIGKILL; healthy again within ten.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_07_postgresql_is_killed_and_away_for_half_a_minute() {
    if std::env::var_os("TEST_DATABASE_URL").is_none() {
        return println!("skipped: no TEST_DATABASE_URL (federation-tests/postgres run ...)");
    }
    let cluster = Cluster::start();
    let scene = Scene::set(Place::new(Some(&cluster.url())), 2).await;
    let mut server = scene.place.start();
    let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 8);
    scene.ledger.more(20).await;
    cluster.kill();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(server.is_running(), "R-07: the process stays");
    assert!(scene.ledger.answers().contains_key(&503), "R-07: and says so: {:?}", scene.ledger.answers());
    cluster.restart();
    let begin = Instant::now();
    scene.ledger.more(20).await;
    let took = begin.elapsed();
    traffic.end().await;
    assert!(took < Duration::from_secs(10), "R-07: takes again after {took:?}");
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    scene.place.set_clock(130_000);
    let more = format!("killed, away for 30 s, takes again after {:.1} s", took.as_secs_f32());
    scene.settle().await.must_be_even("R-07 PostgreSQL killed", &more);
}

/// the process stays, says 503 meanwhile, and goes on by itself.
async fn restarts(fault: &str, rounds: usize) {
    if std::env::var_os("TEST_DATABASE_URL").is_none() {
        return println!("skipped: no TEST_DATABASE_URL (federation-tests/postgres run ...)");
    }
    let cluster = Cluster::start();
    let scene = Scene::set(Place::new(Some(&cluster.url())), 2).await;
    let mut server = scene.place.start();
    let mut slowest = 0;
    for _ in 0..rounds {
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 8);
        scene.ledger.more(20).await;
        cluster.restart();
        let begin = Instant::now();
        scene.ledger.more(20).await;
        slowest = slowest.max(begin.elapsed().as_millis());
        traffic.end().await;
        assert!(server.is_running(), "R-07: the process stays");
    }
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    // Lines whose holder could not write down the end are free when their lease has run out.
    scene.place.set_clock(130_000);
    let more = format!("{rounds} restarts, takes again after at most {slowest} ms");
    scene.settle().await.must_be_even(fault, &more);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_07_postgresql_restarts_under_load() {
    restarts("R-07 PostgreSQL restarted", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_07_postgresql_restarts_again_and_again() {
    restarts("R-07 PostgreSQL restarted, long", asked("HEDGESCHOOL_FAULT_ROUNDS", 1000) / 50).await;
}

/// what a killed process had in hand is taken over when its lease has run out.
async fn several(fault: &str, rounds: usize) {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        return println!("skipped: no TEST_DATABASE_URL (federation-tests/postgres run ...)");
    };
    let scene = Scene::set(Place::new(Some(&url)), 2).await;
    let (first, second) = (scene.place.start(), scene.place.start_another());
    let mut ahead = 0;
    for _ in 0..rounds {
        let third = scene.place.start_another();
        let all = [first.bind, second.bind, third.bind];
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &all, 12);
        scene.ledger.more(60).await;
        third.kill();
        scene.ledger.more(20).await;
        traffic.end().await;
        ahead += 121_000;
        scene.place.set_clock(ahead);
        send_again(&scene.senders, &scene.ledger, first.bind, ahead).await;
        scene.place.until_none("inbox WHERE state = 'pending'").await;
    }
    let more = format!("three processes, {rounds} killed, taken over after 121 s of the clock");
    scene.settle().await.must_be_even(fault, &more);
    // Planned work: the deadline comes for both, and is done by one.
    scene.place.set_clock(31 * 24 * 3_600_000);
    scene.place.until_none("jobs WHERE kind = 'assignment_due'").await;
    assert_eq!(scene.place.count("events WHERE kind = 'ReviewStarted'"), 1, "R-21: each job once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_21_another_process_takes_over() {
    several("R-21 one of three processes killed", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_21_processes_come_and_go() {
    several("R-21 one of three killed, long", 10).await;
}
