//! What happens when several processes start at once, and when a migration is killed or cannot be done?

use crate::place::{PATIENCE, PROGRAM, Place, free_port, new_database};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A place where nothing is yet.
fn empty(place: &Place, n: usize, postgres: Option<&str>) -> Place {
    let url = postgres.map(|server| new_database(server, &format!("starts_{}_{n}", place.config.server.bind.port())));
    place.twin(&place.folder().join(format!("empty{n}")), url)
}

fn migrate(place: &Place) -> Output {
    place.command(&PROGRAM).arg("migrate").output().unwrap()
}

/// What there is after a migration: its number, and each table with its columns.
fn shape(place: &Place) -> Vec<String> {
    let mut shape = place.texts("SELECT version AS said FROM __diesel_schema_migrations ORDER BY version");
    let tables = match place.config.database.url.is_empty() {
        true => "SELECT coalesce(sql, name) AS said FROM sqlite_master ORDER BY name",
        false => {
            "SELECT table_name || '.' || column_name AS said FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY table_name, column_name"
        }
    };
    shape.extend(place.texts(tables));
    shape
}

/// killed at any write, a migration leaves what the next one finishes.
fn killed(place: &Place, call: &str, moments: impl Iterator<Item = usize>, postgres: Option<&str>) -> Option<usize> {
    let whole = empty(place, 0, postgres);
    assert!(migrate(&whole).status.success());
    let (whole, mut kills) = (shape(&whole), 0);
    for moment in moments {
        let place = empty(place, moment, postgres);
        std::fs::create_dir_all(place.data()).unwrap();
        let mut command = Command::new("strace");
        let inside = place.command(&PROGRAM);
        command.env_clear().envs(inside.get_envs().filter_map(|(k, v)| Some((k, v?)))).current_dir(place.folder());
        command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
        command.arg("-e").arg(format!("inject={call}:signal=SIGKILL:when={moment}")).args([&PROGRAM, "migrate"]);
        let output = command.stdin(Stdio::null()).output().ok()?;
        if String::from_utf8_lossy(&output.stderr).contains("strace:") {
            return None;
        }
        kills += usize::from(!output.status.success());
        let after = migrate(&place);
        assert!(after.status.success(), "R-20: killed at {call} {moment}: {}", String::from_utf8_lossy(&after.stderr));
        assert_eq!(shape(&place), whole, "R-20: killed at {call} {moment}");
        assert!(place.is_whole());
        if output.status.success() {
            break;
        }
    }
    Some(kills)
}

fn say(fault: &str, kills: Option<usize>) {
    match kills {
        Some(kills) => {
            assert!(kills > 0, "R-20: nothing was killed");
            println!("| {fault} | | | | 0 | 0 | | {kills} kills, finished by the next start each time |");
        }
        None => println!("NOT RUN: R-20, because there is no strace that may look at other processes"),
    }
}

#[test]
fn r_20_a_migration_that_is_killed_is_finished_by_the_next_start() {
    let place = Place::new(None);
    say("R-20 migration killed", killed(&place, "pwrite64", [1, 2, 5, 20, 60].into_iter(), None));
}

#[test]
fn r_20_a_migration_that_is_killed_is_finished_on_postgresql() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return println!("skipped: no TEST_DATABASE_URL") };
    let place = Place::new(None);
    say("R-20 migration killed, PostgreSQL", killed(&place, "sendto", [1, 3, 5, 7].into_iter(), Some(&server)));
}

#[test]
#[ignore = "long: federation-tests/faults/run"]
fn long_r_20_a_migration_that_is_killed_at_every_write() {
    say("R-20 migration killed at every write", killed(&Place::new(None), "pwrite64", 1.., None));
}

/// what cannot be done is refused in one clear line, changes nothing, and is done once it can be.
fn fails(postgres: Option<&str>) {
    use diesel::connection::SimpleConnection;
    let whole = Place::new(postgres);
    let place = empty(&whole, 1, postgres);
    std::fs::create_dir_all(place.data()).unwrap();
    // A table of the middle of the migration.
    place.address.open(true).unwrap().batch_execute("CREATE TABLE deliveries (id INTEGER)").unwrap();
    for command in ["migrate", "serve"] {
        let output = place.command(&PROGRAM).arg(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "R-20: {said}");
        assert!(said.lines().count() == 1 && said.contains("deliveries"), "R-20: one clear line: {said}");
    }
    place.address.open(true).unwrap().batch_execute("DROP TABLE deliveries").unwrap();
    assert!(migrate(&place).status.success());
    assert_eq!(shape(&place), shape(&whole), "R-20: nothing was left half done");
}

#[test]
fn r_20_a_migration_that_fails_says_so_in_one_line_and_leaves_nothing() {
    fails(None);
}

#[test]
fn r_20_a_migration_that_fails_on_postgresql() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return println!("skipped: no TEST_DATABASE_URL") };
    fails(Some(&server));
}

struct Starting {
    child: Option<Child>,
    bind: SocketAddr,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn start_five(place: &Place) -> Vec<Starting> {
    let start = || {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = place.command(&PROGRAM);
        command.env("HEDGESCHOOL_SERVER__BIND", bind.to_string()).env("HEDGESCHOOL_LOG__FILTER", "error");
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Starting { child: Some(child), bind }
    };
    (0..5).map(|_| start()).collect()
}

/// Waits until this one is ready or has ended; says whether it is ready.
fn is_ready(one: &mut Starting, host: &str) -> bool {
    use std::io::{Read, Write};
    let begin = Instant::now();
    while one.child.as_mut().unwrap().try_wait().unwrap().is_none() {
        assert!(begin.elapsed() < PATIENCE, "R-21: it neither starts nor ends");
        let mut answer = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(one.bind) {
            write!(stream, "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
            stream.read_to_string(&mut answer).ok();
        }
        if answer.starts_with("HTTP/1.1 200") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// one of five migrates and serves; the others say why they do not.
#[test]
fn r_21_of_five_processes_on_one_file_one_serves_and_the_others_say_why_not() {
    let place = Place::new(None);
    let twin = empty(&place, 1, None);
    let mut all = start_five(&twin);
    let ready: Vec<bool> = all.iter_mut().map(|one| is_ready(one, &twin.host())).collect();
    assert_eq!(ready.iter().filter(|ready| **ready).count(), 1, "R-21: {ready:?}");
    for (one, _) in all.iter_mut().zip(&ready).filter(|(_, ready)| !**ready) {
        let output = one.child.take().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "R-21: {said}");
        assert!(said.lines().count() == 1 && said.contains("another hedgeschool process works on"), "R-21: {said}");
    }
    assert_eq!(shape(&twin), shape(&place));
}

/// one of five migrates, the others wait, and all serve.
#[test]
fn r_21_five_processes_at_once_on_an_empty_postgresql() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return println!("skipped: no TEST_DATABASE_URL") };
    let place = Place::new(Some(&server));
    let twin = empty(&place, 1, Some(&server));
    let begin = Instant::now();
    let mut all = start_five(&twin);
    assert!(all.iter_mut().all(|one| is_ready(one, &twin.host())), "R-21: all serve");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(60), "R-21: {took:?}");
    assert_eq!(shape(&twin), shape(&place), "R-21: migrated once");
    assert_eq!(twin.count("actors WHERE kind = 'instance'"), 1, "R-21: one instance");
    println!(
        "| R-21 five processes on an empty PostgreSQL | | | | 0 | 0 | | all serve after {:.1} s |",
        took.as_secs_f32()
    );
}
