//! Are files kept safely?

use super::file::{HALF, disposition, harmless_name, harmless_type};
use super::{Arriving, File, QUOTA, clear, get, keep, purge};
use crate::chance::Chance;
use crate::tests::World;
use std::time::Duration;

fn file(name: &str, bytes: &'static [u8]) -> File {
    File { name: name.into(), media_type: "text/plain".into(), bytes: bytes.into() }
}

#[test]
fn names_are_made_harmless() {
    for (given, made) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a.txt", "a.txt"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("gpj.\u{202e}exe", "gpj.exe"),
        ("", "file"),
        ("..", "file"),
        // Found by feeding `names` with anything: what is left when dots and spaces take turns.
        ("\t \u{e} .\t \u{e} .", "file"),
        (". .htaccess", "htaccess"),
    ] {
        assert_eq!(harmless_name(given), made);
    }
    assert!(harmless_name(&"x".repeat(300)).chars().count() <= 100);
    let header = disposition("a\"b é.txt");
    assert_eq!(header, "attachment; filename=\"a_b _.txt\"; filename*=UTF-8''a%22b%20%C3%A9.txt");
}

#[test]
fn nothing_is_served_as_what_a_browser_or_server_would_act_on() {
    let person = br#"{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}"#;
    for claimed in
        ["application/activity+json", "application/ld+json", "text/html", "image/svg+xml", "application/json"]
    {
        let served = harmless_type(claimed, person);
        assert!(["application/octet-stream", "text/plain; charset=utf-8"].contains(&served), "{claimed}: {served}");
    }
    assert_eq!(harmless_type("image/png", b"<svg onload=alert(1)>"), "application/octet-stream");
    assert_eq!(harmless_type("x", b"%PDF-1.7"), "application/pdf");
}

#[test]
fn bytes_are_on_disk_before_their_row_and_go_with_it() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let bo = world.person("bo");
    let kept = file("a.txt", b"hello").write(folder.path(), &Chance::seeded(1)).unwrap();
    let path = folder.path().join("media").join(&kept.public_id);
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    let id = world.tx(move |tx| keep(tx, &bo, &kept));
    let media = world.read(|db| get(db, id));
    assert_eq!((media.size, media.sha256.len()), (5, 64));

    world.pass(Duration::from_secs(23 * 3600));
    assert_eq!(world.tx(purge), 0);
    world.pass(Duration::from_secs(2 * 3600));
    assert_eq!(world.tx(purge), 1);
    let later = world.clock.now().plus(Duration::from_secs(3600 * 24 * 365 * 50));
    assert_eq!(world.read(|db| clear(db, folder.path(), &super::old(folder.path(), later)?)), 1);
    assert!(!path.exists());
}

#[test]
fn a_file_is_there_with_all_of_its_bytes_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let names = || -> Vec<_> {
        let entries = std::fs::read_dir(folder.path().join("media")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut arriving = Arriving::begin(folder.path(), &Chance::seeded(1)).unwrap();
    arriving.push(b"hel").unwrap();
    assert!(names()[0].ends_with(HALF), "no backup takes it for a file: {:?}", names());
    drop(arriving);
    assert!(names().is_empty(), "what broke off leaves nothing");
    let mut arriving = Arriving::begin(folder.path(), &Chance::seeded(2)).unwrap();
    for piece in ["gr\u{fc}".as_bytes(), &"\u{df}e".as_bytes()[..1], &"\u{df}e".as_bytes()[1..]] {
        arriving.push(piece).unwrap();
    }
    let kept = arriving.keep("a.txt", "text/plain").unwrap();
    assert_eq!((names(), kept.media_type, kept.size), (vec![kept.public_id.clone()], "text/plain; charset=utf-8", 7));
    assert_eq!(
        kept.sha256,
        file("a.txt", "gr\u{fc}\u{df}e".as_bytes()).write(folder.path(), &Chance::seeded(3)).unwrap().sha256
    );
    // A disk that is full, or no folder at all, may do later.
    let refused = file("a.txt", b"x").write(std::path::Path::new("/dev/null"), &Chance::seeded(1));
    assert!(matches!(refused, Err(crate::error::Error::Unavailable(_))), "{refused:?}");
}

#[test]
fn nobody_keeps_more_than_their_share() {
    let world = World::new();
    let bo = world.person("bo");
    let folder = tempfile::tempdir().unwrap();
    let mut kept = file("a.txt", b"hello").write(folder.path(), &Chance::seeded(1)).unwrap();
    kept.size = QUOTA - 1;
    let (by, one) = (bo.clone(), kept.clone());
    world.tx(move |tx| keep(tx, &by, &one));
    kept.public_id = "other".into();
    kept.size = 2;
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let refused =
        world.attempt(move |tx| metrics::with_local_recorder(&recorder, || keep(tx, &bo, &kept))).unwrap_err();
    assert!(refused.to_string().contains("100 MiB"), "{refused}");
    let counted = handle.render();
    assert!(counted.contains("hedgeschool_files_refused_total{reason=\"no-room\"} 1"), "{counted}");
}
