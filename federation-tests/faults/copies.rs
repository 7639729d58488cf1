//! Is a backup that is made under load whole, and does what is restored from it send nothing twice?

use crate::kills::{Scene, asked};
use crate::place::{PROGRAM, Place, new_database};
use crate::traffic::{Traffic, send_again};
use std::path::Path;

fn run(place: &Place, arguments: &[&str]) -> (bool, String) {
    let output = place.command(&PROGRAM).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[track_caller]
fn must(place: &Place, arguments: &[&str]) -> String {
    let (done, said) = run(place, arguments);
    assert!(done, "{arguments:?}: {said}");
    said
}

#[track_caller]
fn must_refuse(place: &Place, arguments: &[&str], why: &str) {
    let (done, said) = run(place, arguments);
    assert!(!done && said.contains(why), "{arguments:?} shall be refused because of {why:?}: {said}");
    assert_eq!(said.lines().count(), 1, "one clear line: {said}");
}

/// consistent at one moment, refused when damaged, paused when restored, sent under the same ids when resumed.
async fn backups(fault: &str, rounds: usize, postgres: Option<&str>) {
    let scene = Scene::set(Place::new(postgres), 2).await;
    let place = &scene.place;
    let folder = tempfile::tempdir().unwrap();
    let backup = |n: usize| folder.path().join(format!("backup{n}")).to_string_lossy().into_owned();
    std::fs::create_dir_all(place.data().join("media")).unwrap();
    std::fs::write(place.data().join("media/orphan"), "of nobody").unwrap();
    let server = place.start();
    let traffic = Traffic::begin(&scene.senders, &scene.ledger, &[server.bind], 8);
    for n in 0..rounds {
        scene.ledger.more(10).await;
        must(place, &["backup", &backup(n)]);
        must_refuse(place, &["backup", &backup(n)], "there already");
    }
    traffic.end().await;
    send_again(&scene.senders, &scene.ledger, server.bind, 0).await;
    // Wait until all is worked off, but not until all is out; then the machine breaks.
    place.until_none("inbox WHERE state = 'pending'").await;
    server.kill();
    must(place, &["backup", &backup(rounds)]);
    let twin = |n: usize| {
        let url = postgres.map(|server| new_database(server, &format!("twin_{}_{n}", place.config.server.bind.port())));
        place.twin(&folder.path().join(format!("twin{n}")), url)
    };
    for n in 0..rounds {
        let twin = twin(n);
        if n == 0 && postgres.is_none() {
            breaks_off(&twin, &backup(n));
        }
        must(&twin, &["restore", &backup(n)]);
        is_one_moment(&twin);
        must_refuse(&twin, &["restore", &backup(n)], "already");
    }
    refuses_damage(place, &twin(rounds + 1), Path::new(&backup(0)));
    let twin = twin(rounds);
    must(&twin, &["restore", &backup(rounds)]);
    goes_on(&scene, &twin, fault, rounds).await;
}

/// A restore that breaks off can be repeated; what lies there of another database is not touched.
fn breaks_off(twin: &Place, backup: &str) {
    std::fs::create_dir_all(twin.data().join("media")).unwrap();
    let left = twin.data().join("hedgeschool.db-wal");
    std::fs::write(&left, "of another").unwrap();
    must_refuse(twin, &["restore", backup], "hedgeschool.db-wal");
    std::fs::remove_file(left).unwrap();
    let other = twin.data().join("media/other");
    std::fs::write(&other, "of another").unwrap();
    must_refuse(twin, &["restore", backup], "files already");
    std::fs::remove_file(other).unwrap();
    // As a kill leaves it.
    std::fs::write(twin.data().join("hedgeschool.restoring"), "half").unwrap();
    std::fs::write(twin.data().join("hedgeschool.restoring-journal"), "half").unwrap();
}

/// What was worked off has its effect, and nothing else has.
fn is_one_moment(twin: &Place) {
    assert!(twin.is_whole());
    let done = twin.count("inbox WHERE state = 'done' AND type = 'Create'");
    assert_eq!(done, twin.count("revisions"), "R-23: effects and marks are of the same moment");
    assert_eq!(done, twin.count("events WHERE kind = 'SubmissionReceived'"));
    assert!(twin.count("actor_keys WHERE private_pem IS NOT NULL") > 0, "R-23: with the keys");
    assert!(!twin.data().join("media/orphan").exists(), "R-23: only files that the database knows");
}

fn refuses_damage(place: &Place, twin: &Place, backup: &Path) {
    let database = if place.config.database.url.is_empty() { "database.sqlite" } else { "database.dump" };
    let path = backup.join(database);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let name = backup.to_string_lossy().into_owned();
    must_refuse(twin, &["restore", &name], "damaged");
    std::fs::write(&path, whole).unwrap();
    let manifest = backup.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let migration = value["content"]["migration"].as_str().unwrap();
    std::fs::write(&manifest, text.replace(migration, "99990101000000")).unwrap();
    must_refuse(twin, &["restore", &name], "newer");
    std::fs::remove_file(&manifest).unwrap();
    must_refuse(twin, &["restore", &name], "no backup");
}

/// Nothing goes out until `resume`; then all of it, under the ids that others know.
async fn goes_on(scene: &Scene, twin: &Place, fault: &str, rounds: usize) {
    let waiting = twin.count("deliveries WHERE state = 'pending'");
    let before = scene.fleet.receipts().len();
    let server = twin.start();
    // What comes in is worked off, and the answers to it wait as well.
    let mut activity = scene.senders.next();
    activity["object"]["content"] = format!("<p>after {waiting}</p>").into();
    scene.ledger.sending(&activity);
    scene.ledger.answered(&activity, crate::traffic::send(server.bind, &scene.senders.request(&activity, 0)).await);
    twin.until_none("inbox WHERE state = 'pending'").await;
    assert!(twin.count("deliveries WHERE state = 'pending'") > waiting, "R-23: what is new waits, too");
    assert_eq!(scene.fleet.receipts().len(), before, "R-23: nothing goes out before `resume`");
    assert!(must(twin, &["check"]).contains("hedgeschool resume"), "R-23: `check` says so");
    assert!(must(twin, &["resume"]).contains("go out again"));
    let none = must(twin, &["resume", "--drop-waiting"]);
    assert!(none.contains("0 deliveries") && none.contains("not paused"), "R-23: what is new is not dropped: {none}");
    let balance = scene.ledger.settle(twin, &scene.fleet, &scene.followers).await;
    let more = format!("{rounds} backups under load, all restored; {waiting} waited, {} sent again", balance.repeated);
    balance.must_be_even(fault, &more);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_23_backup_under_load_and_restore() {
    backups("R-23 backup and restore", 1, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r_23_backup_and_restore_on_postgresql() {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else { return println!("skipped: no TEST_DATABASE_URL") };
    backups("R-23 backup and restore, PostgreSQL", 1, Some(&server)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "long: federation-tests/faults/run"]
async fn long_r_23_twenty_backups_under_load() {
    backups("R-23 backup and restore, long", asked("HEDGESCHOOL_FAULT_ROUNDS", 1000) / 50, None).await;
}
