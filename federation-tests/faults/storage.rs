//! What happens when the disk is full or somebody else locks the database?

use crate::kills::Scene;
use crate::ledger::Ledger;
use crate::place::{PROGRAM, Place, Server};
use crate::traffic::{Senders, Traffic, send, send_again, some};
use hedgeschool::db::Db;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

/// Locks the database as a program would that writes for long.
struct Lock(Db);

impl Lock {
    fn take(place: &Place) -> Self {
        use diesel::connection::SimpleConnection;
        let mut db = place.address.open(true).unwrap();
        db.batch_execute("BEGIN IMMEDIATE").unwrap();
        Self(db)
    }

    fn release(mut self) {
        use diesel::connection::SimpleConnection;
        self.0.batch_execute("ROLLBACK").unwrap();
    }
}

/// up to five seconds it is only slower; after that 503, which says when to come back; pages go on.
async fn locked(fault: &str, long: &[Duration]) {
    let scene = Scene::set(Place::new(None), 2).await;
    let server = scene.place.start();
    some(&scene.senders, &scene.ledger, server.bind, 10).await;
    let lock = Lock::take(&scene.place);
    let activity = scene.senders.next();
    scene.ledger.sending(&activity);
    let (request, to) = (scene.senders.request(&activity, 0), server.bind);
    let waiting = tokio::spawn(async move { send(to, &request).await });
    assert!(server.get("/c/keeping").starts_with("HTTP/1.1 200"), "R-06: pages go on");
    lock.release();
    let answer = waiting.await.unwrap();
    assert_eq!(answer.map(|(status, _)| status), Some(202), "R-06: a short lock only makes it slower");
    scene.ledger.answered(&activity, answer);
    let mut refused = 0;
    for span in long {
        let (lock, begin) = (Lock::take(&scene.place), Instant::now());
        while begin.elapsed() < *span || refused == 0 {
            some(&scene.senders, &scene.ledger, server.bind, 1).await;
            refused = scene.ledger.answers().get(&503).copied().unwrap_or(0);
            assert!(server.get("/c/keeping").starts_with("HTTP/1.1 200"), "R-06: pages go on");
        }
        lock.release();
    }
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    scene.settle().await.must_be_even(fault, &format!("{refused} answered 503 with Retry-After"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_06_a_locked_database_delays_and_then_refuses() {
    locked("R-06 locked 5 s", &[Duration::from_secs(5)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_06_locked_for_long() {
    locked("R-06 locked 3 s, 30 s, three times", &[3, 30, 3, 30, 3, 30].map(Duration::from_secs)).await;
}

/// Fills up, and lets free again.
trait Disk {
    fn fill(&self, place: &Place, server: &Server);
    fn free(&self, place: &Place, server: &Server);
}

/// No file of the process may grow beyond what the largest has now; works without being root.
struct Limit;

impl Limit {
    fn set(server: &Server, limit: &str) {
        let pid = server.pid().to_string();
        let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:")]).status().unwrap();
        assert!(done.success(), "prlimit works");
    }
}

impl Disk for Limit {
    fn fill(&self, place: &Place, server: &Server) {
        let largest =
            ["hedgeschool.db", "hedgeschool.db-wal"].map(|name| place.data().join(name).metadata().unwrap().len());
        Self::set(server, &(largest.into_iter().max().unwrap() + 64 * 1024).to_string());
    }

    fn free(&self, _: &Place, server: &Server) {
        Self::set(server, "unlimited");
    }
}

/// A file system of its own, filled by a file.
struct Filler;

impl Disk for Filler {
    fn fill(&self, place: &Place, _: &Server) {
        let mut all = Command::new("dd");
        all.args(["if=/dev/zero", "bs=4096"]).arg(format!("of={}/filler", place.data().display()));
        // It ends with an error: that is the purpose.
        drop(all.stderr(std::process::Stdio::null()).status());
    }

    fn free(&self, place: &Place, _: &Server) {
        std::fs::remove_file(place.data().join("filler")).unwrap();
    }
}

/// never 2xx for what is not on disk; 503 that says when to come back; pages go on, also for who is signed in;
/// everything goes on by itself once there is room.
async fn full(fault: &str, place: Place, disk: impl Disk, times: usize) {
    let scene = Scene::set(place, 2).await;
    // A signal that would end the process is an error of writing instead, as on a full disk.
    let mut command = Command::new("sh");
    let inside = scene.place.command(&PROGRAM);
    command.env_clear().envs(inside.get_envs().filter_map(|(k, v)| Some((k, v?))));
    command.current_dir(scene.place.folder()).args(["-c", "trap '' XFSZ; exec \"$0\"", &PROGRAM]);
    let mut server = scene.place.start_by(command, scene.place.config.server.bind);
    let ada = crate::ada::Ada::open(&scene.place, &scene.school, server.bind).await;
    some(&scene.senders, &scene.ledger, server.bind, 5).await;
    for _ in 0..times {
        disk.fill(&scene.place, &server);
        until_refused(&scene.senders, &scene.ledger, &server).await;
        let page = ada.look(server.bind, "/c/keeping/discussion").await;
        assert_eq!(page.map(|(status, _)| status), Some(200), "R-04: reading goes on");
        assert_eq!(ada.post(server.bind, &scene.ledger).await, Some(503), "R-04: nobody is told that it is out");
        disk.free(&scene.place, &server);
        send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
        assert_eq!(ada.post(server.bind, &scene.ledger).await, Some(303), "R-04: it goes on by itself");
        assert!(server.is_running(), "R-04: without a restart");
    }
    let refused = scene.ledger.answers()[&503];
    scene.settle().await.must_be_even(fault, &format!("{times} times full, {refused} answered 503"));
    assert!(!server.log().contains("panicked"), "R-04: nothing panics:\n{}", server.log());
}

async fn until_refused(senders: &Senders, ledger: &Ledger, server: &Server) {
    let before = ledger.answers().get(&503).copied().unwrap_or(0);
    let begin = Instant::now();
    while ledger.answers().get(&503).copied().unwrap_or(0) < before + 5 {
        some(senders, ledger, server.bind, 4).await;
        assert!(begin.elapsed() < crate::place::PATIENCE, "R-04: the disk never gets full: {:?}", ledger.answers());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_04_a_full_disk_refuses_and_recovers() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return println!("skipped: no prlimit (util-linux)");
    }
    full("R-04 file-size limit", Place::new(None), Limit, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_04_a_full_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "none"]).arg(&data).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return println!("skipped: only root can mount a small file system");
    }
    full("R-04 full tmpfs", Place::at(folder, data.clone(), None), Filler, 10).await;
    drop(Command::new("umount").arg("-l").arg(&data).status());
}

/// Makes every attempt of a process to get something onto the disk fail; nothing where that is not permitted.
fn break_disk(server: &Server) -> Option<std::process::Child> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-p", &server.pid().to_string()]);
    strace.args(["-e", "inject=fsync,fdatasync:error=EIO"]).stderr(std::process::Stdio::piped());
    let mut strace = strace.spawn().ok()?;
    let mut said = String::new();
    BufReader::new(strace.stderr.take()?).read_line(&mut said).ok()?;
    said.contains("attached").then_some(strace)
}

/// an error of the disk ends the process, with one clear line; nobody was promised what is not there, and the next
/// start goes on.
async fn broken(fault: &str, times: usize) {
    let scene = Scene::set(Place::new(None), 2).await;
    for _ in 0..times {
        let mut server = scene.place.start();
        let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 4);
        scene.ledger.more(5).await;
        let Some(mut strace) = break_disk(&server) else {
            return println!("NOT RUN: R-05, because there is no strace that may look at other processes");
        };
        let begin = Instant::now();
        while server.is_running() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(begin.elapsed() < crate::place::PATIENCE, "R-05: it goes on:\n{}", server.log());
        }
        traffic.end().await;
        strace.wait().unwrap();
        let (log, status) = (server.log(), server.ended());
        assert_eq!(status.code(), Some(1), "R-05: {status}\n{log}");
        let last = log.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("hedgeschool: ") && last.contains("the disk failed"), "R-05: {log}");
    }
    let refused = scene.ledger.answers().get(&503).copied().unwrap_or(0);
    assert!(refused > 0, "R-05: who asked was answered");
    let server = scene.place.start();
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    scene.settle().await.must_be_even(fault, &format!("{times} times, {refused} answered 503 before the end"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_05_an_error_of_the_disk_ends_the_process_and_the_next_start_goes_on() {
    broken("R-05 fsync fails", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_05_the_disk_fails_again_and_again() {
    broken("R-05 fsync fails, long", 20).await;
}
