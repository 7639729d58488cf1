//! Does it stay upright when Mallory sends too much, too slowly or too often?

use crate::cast::{Us, status, uri};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// DOS-02: 413 before anything of it is kept, and never 500.
#[test]
fn dos_02_what_is_too_large_is_refused_unread() {
    let us = Us::start(1_000_000);
    let begin =
        "POST /inbox HTTP/1.1\r\nHost: us.test\r\nContent-Type: application/activity+json\r\nConnection: close\r\n";
    let huge = us.say(format!("{begin}Content-Length: 10000000000\r\n\r\n{{").as_bytes());
    assert_eq!(status(&huge), 413, "DOS-02: ten gigabytes: {huge}");
    let one_more = format!("{begin}Content-Length: {}\r\n\r\n{}", (1 << 20) + 1, "x".repeat((1 << 20) + 1));
    assert_eq!(status(&us.say(one_more.as_bytes())), 413, "DOS-02: one byte more");
    // Chunks without end: the server answers or hangs up, at the latest at its limit.
    let mut stream = TcpStream::connect(us.server.bind).unwrap();
    write!(stream, "{begin}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let sent = (0..1000).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count();
    assert!(sent < 1000, "DOS-02: 64 MiB are not taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    assert!(matches!(status(&answer), 0 | 400 | 401 | 413), "DOS-02: chunks: {answer}");
    // Signed rightly, one byte more than the limit, in chunks: nothing says before how much it is.
    let whole = us.forge().post_text(&"x".repeat((1 << 20) + 1));
    let whole = String::from_utf8(whole).unwrap();
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let head = head.replace(&format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked");
    let drip = format!("{head}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let answer = us.say(drip.as_bytes());
    assert_eq!(status(&answer), 413, "DOS-02: one byte more in chunks: {answer}");
    assert!(us.server.is_ready());
}

/// DOS-07: a course passes on thirty of one author in a minute, and keeps the others.
#[test]
fn dos_07_a_course_passes_on_so_much_of_one_author() {
    let us = Us::with(&[("HEDGESCHOOL_FEDERATION__RELAYS_PER_AUTHOR_MINUTE", "30".into())]);
    us.follow("good.test", "carol");
    let bob = us.forge();
    for n in 0..60 {
        let note = bob.note(&format!("https://good.test/storm/{n}"), &bob.actor());
        assert_eq!(status(&us.say(&bob.post(&bob.act("Create", note)))), 202, "DOS-07");
    }
    us.until_worked_off();
    assert_eq!(us.place.count("posts WHERE uri LIKE 'https://good.test/storm/%'"), 60, "DOS-07: all are here");
    let passed_on = us.place.count("activities WHERE relayed_for IS NOT NULL");
    // A minute may have passed meanwhile.
    assert!((30..60).contains(&passed_on), "DOS-07: {passed_on} are passed on");
}

/// DOS-03: whoever never ends a request is hung up on, and others do not wait for it.
#[test]
fn dos_03_slow_senders_are_hung_up_on() {
    let us = Us::with(&[
        ("HEDGESCHOOL_SERVER__HEAD_SECONDS", "1".into()),
        ("HEDGESCHOOL_SERVER__REQUEST_SECONDS", "1".into()),
    ]);
    let bob = us.forge();
    let mut cut = bob.post(&bob.act("Like", serde_json::json!(crate::cast::POST)));
    cut.truncate(cut.len() - 5);
    let mut slow: Vec<TcpStream> = Vec::new();
    for n in 0..400 {
        let mut stream = TcpStream::connect(us.server.bind).unwrap();
        let half: &[u8] = match n % 3 {
            0 => b"GET / HTTP/1.1\r\nHost: us.te",
            1 => b"G",
            _ => &cut,
        };
        stream.write_all(half).unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        assert!(us.server.is_ready(), "DOS-03: others are served");
    }
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = Vec::new();
        assert!(stream.read_to_end(&mut answer).is_ok(), "DOS-03: it is hung up on");
        assert!(matches!(status(&String::from_utf8_lossy(&answer)), 0 | 400 | 408), "DOS-03");
    }
    for part in ["head", "body"] {
        let counted = format!("hedgeschool_slow_requests_total{{part=\"{part}\"}}");
        assert!(us.metrics().contains(&counted), "DOS-03: {counted} in\n{}", us.metrics());
    }
}

/// DOS-05: one who floods is told to come back later; others are not.
#[test]
fn dos_05_a_flood_meets_its_limit_alone() {
    let us = Us::start(120);
    let mallory = us.forge().by("evil.test", "mallory");
    let mut limited = 0;
    for _ in 0..300 {
        let note = mallory.act("Like", serde_json::json!(crate::cast::POST));
        let answer = us.say(&mallory.post(&note));
        if status(&answer) == 429 {
            assert!(answer.to_ascii_lowercase().contains("retry-after:"), "DOS-05: it says when: {answer}");
            limited += 1;
        }
    }
    assert!(limited > 100, "DOS-05: {limited} of 300 are limited");
    let bob = us.forge();
    let note = bob.act("Create", bob.note("https://good.test/notes/4", &uri("good.test", "bob")));
    assert_eq!(send_from(&us, "192.0.2.7", &bob.post(&note)), 202, "DOS-05: others are taken");
}

/// The status of a request that comes from another address, as its proxy says.
fn send_from(us: &Us, source: &str, request: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(request).replacen("\r\n", &format!("\r\nX-Forwarded-For: {source}\r\n"), 1);
    status(&us.say(text.as_bytes()))
}
