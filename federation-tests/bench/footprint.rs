//! P4: what does it take to have the program running? P8: and to build and test it?

use crate::Size;
use crate::server::{PROGRAM, Place};
use crate::table::{Reach, Table};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Start, memory and processor time of a server that nobody asks anything, on a migrated database.
pub async fn measure(table: &mut Table, size: Size) {
    let place = Place::new(None);
    drop(place.start());
    let server = place.start();
    let ready = server.ready.as_secs_f64() * 1000.0;
    table.add(("P4", "ready on a migrated database", "ms"), ready, Reach::AtMost(150.0), None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    table.add(("P4", "resident, idle", "MiB"), server.resident(), Reach::AtMost(40.0), None);
    let (cpu, span) = (server.cpu(), Duration::from_secs_f64(size.seconds * 3.0));
    tokio::time::sleep(span).await;
    let percent = (server.cpu() - cpu).as_secs_f64() / span.as_secs_f64() * 100.0;
    table.add(("P4", "processor time, idle", "%"), percent, Reach::AtMost(0.5), None);
    let bytes = std::fs::metadata(PROGRAM).unwrap().len() as f64;
    table.add(("P4", "program", "MiB"), bytes / f64::from(1 << 20), Reach::AtMost(35.0), None);
}

/// Tests and builds of this checkout. Minutes long; nothing else should run meanwhile.
pub fn builds(table: &mut Table) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = ["test", "--no-fail-fast"];
    cargo(root, &["test", "--no-run"], None);
    let took = cargo(root, &tests, None);
    table.add(("P8", "cargo test after compilation", "s"), took, Reach::AtMost(60.0), None);
    cargo(root, &["check"], None);
    let file = root.join("src/review/mod.rs");
    std::fs::File::options().append(true).open(file).unwrap().set_modified(now()).unwrap();
    let took = cargo(root, &["check"], None);
    table.add(("P8", "cargo check after touching one feature", "s"), took, Reach::AtMost(10.0), None);
    let fresh = tempfile::tempdir().unwrap();
    let took = cargo(root, &["build"], Some(fresh.path()));
    table.add(("P8", "cold cargo build", "s"), took, Reach::AtMost(360.0), None);
}

fn now() -> std::time::SystemTime {
    hedgeschool::clock::Clock::System.now().system()
}

fn cargo(root: &Path, arguments: &[&str], target: Option<&Path>) -> f64 {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).args(arguments).arg("--quiet").stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(target) = target {
        command.env("CARGO_TARGET_DIR", target);
    }
    let begin = Instant::now();
    if !command.status().unwrap().success() {
        eprintln!("cargo {} failed; the time counts nevertheless", arguments.join(" "));
    }
    begin.elapsed().as_secs_f64()
}
