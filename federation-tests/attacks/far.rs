//! What can Mallory do whose servers have names, certificates and port 443? Only in a network of our own: see `run`.

use crate::cast::{Us, keys, status, uri};
use crate::catalogue::each_is_refused;
use crate::forge::Forge;
use crate::stand::{ACTIVITY, Page, Stand, person, tls};
use serde_json::json;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NAMES: [&str; 6] = ["good", "evil", "sub", "old", "own", "other"];
/// Names with certificates that nobody should believe: expired, signed by itself, of another name.
const WRONG: [&str; 3] = ["old.test", "own.test", "other.test"];

struct Far {
    us: Us,
    stand: Stand,
}

impl Far {
    fn start() -> Self {
        let folder = PathBuf::from(std::env::var_os("ATTACKS_FOLDER").expect("only by federation-tests/attacks/run"));
        tls(&folder, "make", &[]);
        for host in WRONG {
            spoil(&folder, host.trim_end_matches(".test"));
        }
        let names: Vec<String> = NAMES.iter().map(|name| format!("\"{name}.test\"")).collect();
        let us = Us::with(&[
            ("HEDGESCHOOL_FEDERATION__EXTRA_CA", folder.join("tls/ca.pem").display().to_string()),
            ("HEDGESCHOOL_FEDERATION__LOOPBACK_NAMES", format!("[{}]", names.join(","))),
            ("HEDGESCHOOL_FEDERATION__TIMEOUT_SECONDS", "2".into()),
        ]);
        let stand = Stand::start(&folder, &NAMES, us.server.bind.port());
        let far = Self { us, stand };
        far.stand.person(&uri("good.test", "bob"), &keys(false).public_pem);
        far.stand.person(&uri("evil.test", "mallory"), &keys(true).public_pem);
        far
    }

    fn by(&self, host: &'static str, name: &'static str) -> Forge {
        self.us.forge().by(host, name)
    }

    /// What somebody is answered who likes Bob's post, each time from another address: from one nobody is asked for
    /// again within a minute after a failure.
    fn like_anew(&self, by: &Forge) -> u16 {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        self.like(&Forge { lines: format!("X-Forwarded-For: 192.0.2.{n}\r\n"), ..by.clone() })
    }

    fn like(&self, by: &Forge) -> u16 {
        status(&self.us.say(&by.post(&by.act("Like", json!(crate::cast::POST)))))
    }

    /// The same with a refusal that changes nothing and makes nobody known.
    fn is_refused(&self, what: &str, by: &Forge) {
        let before = self.us.state();
        let got = self.like_anew(by);
        self.us.until_worked_off();
        assert!(matches!(got, 400..=404 | 410 | 422 | 503), "{what} is answered {got}:\n{}", self.us.server.log());
        assert_eq!(self.us.state(), before, "{what} changes something");
    }

    fn asked_for(&self, what: &str) -> usize {
        self.stand.asked().iter().filter(|uri| uri.contains(what)).count()
    }
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn each_attack_is_refused_where_its_servers_answer() {
    let far = Far::start();
    each_is_refused(&far.us);
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn what_is_fetched_is_what_was_asked_for() {
    let far = Far::start();
    far.stand.person(&uri("good.test", "dora"), &keys(false).public_pem);
    assert_eq!(far.like(&far.by("good.test", "dora")), 202, "who is right is met:\n{}", far.us.server.log());
    assert_eq!(far.asked_for("/u/dora"), 1, "by one question over TLS");
    // SIG-12: a key of Mallory's that says it is Bob's, and one that says it is another.
    let key =
        |id: &str, owner: &str| json!({"id": id, "owner": owner, "publicKeyPem": keys(true).public_pem}).to_string();
    far.stand.put(
        "https://evil.test/keys/1",
        Page::Said(ACTIVITY, key("https://evil.test/keys/1", &uri("good.test", "bob"))),
    );
    far.stand.put(
        "https://evil.test/keys/2",
        Page::Said(ACTIVITY, key("https://good.test/keys/2", &uri("good.test", "bob"))),
    );
    for id in ["https://evil.test/keys/1", "https://evil.test/keys/2"] {
        let forge = Forge { key_id: Some(id.into()), foreign_key: true, ..far.us.forge() };
        far.is_refused("SIG-12", &forge);
    }
    // ORI-22: what anybody may upload is no actor.
    for (name, kind) in
        [("text", "text/plain"), ("png", "image/png"), ("json", "application/json"), ("ld", "application/ld+json")]
    {
        let who = uri("evil.test", name);
        far.stand.put(&who, Page::Said(kind, person(&who, &keys(true).public_pem).to_string()));
        far.is_refused(&format!("ORI-22 {kind}"), &far.by("evil.test", name));
        assert!(far.asked_for(&format!("/u/{name}")) > 0, "ORI-22: {kind} was looked at");
    }
    // ORI-09: a document of somebody else.
    far.stand.put(
        &uri("evil.test", "two"),
        Page::Said(ACTIVITY, person(&uri("good.test", "two"), &keys(true).public_pem).to_string()),
    );
    far.is_refused("ORI-09", &far.by("evil.test", "two"));
    // SIG-17: somebody unknown who is gone deletes themselves.
    far.stand.put(&uri("good.test", "left"), Page::Gone);
    let (left, before) = (far.by("good.test", "left"), far.us.state());
    let delete = left.act("Delete", json!(left.actor()));
    assert_eq!(status(&far.us.say(&left.post(&delete))), 202, "SIG-17");
    assert!(far.asked_for("/u/left") <= 1, "SIG-17: one question at most");
    assert_eq!(far.us.state(), before, "SIG-17: and no row");
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn net_03_net_04_and_net_06_fetching_ends() {
    let far = Far::start();
    let trap = TcpListener::bind("127.0.0.1:80").unwrap();
    trap.set_nonblocking(true).unwrap();
    let moved = [
        ("plain", "http://evil.test/u/mallory"),
        ("inside", "https://127.0.0.1/u/mallory"),
        ("inside2", "https://[::1]/u/mallory"),
        ("metadata", "https://169.254.169.254/latest"),
        ("file", "file:///etc/passwd"),
        ("data", "data:application/activity+json,{}"),
        ("loop", "https://evil.test/u/loop"),
        ("relative", "//sub.evil.test:8443/u/x"),
        ("far", "https://sub.test/u/far1"),
    ];
    far.stand.put(&uri("sub.test", "far1"), Page::Moved(uri("evil.test", "far2")));
    far.stand.put(&uri("evil.test", "far2"), Page::Moved(uri("sub.test", "far3")));
    far.stand.put(&uri("sub.test", "far3"), Page::Moved(uri("evil.test", "far4")));
    far.stand.person(&uri("evil.test", "far4"), &keys(true).public_pem);
    for (name, to) in moved {
        far.stand.put(&uri("evil.test", name), Page::Moved(to.into()));
        far.is_refused(&format!("NET-03 to {to}"), &far.by("evil.test", name));
        assert!(far.asked_for(&format!("evil.test/u/{name}")) > 0, "NET-03: {name} was looked at");
    }
    assert!(trap.accept().is_err(), "NET-03: nobody came to port 80");
    assert_eq!(far.asked_for("far4"), 0, "NET-03: so many redirects are not followed");
    assert!(far.asked_for("/u/loop") <= 4, "NET-03: a loop ends");
    let big = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    for (name, page) in [("big", Page::Said(ACTIVITY, big)), ("endless", Page::Endless), ("drip", Page::Drip)] {
        far.stand.put(&uri("evil.test", name), page);
        let began = Instant::now();
        far.is_refused(&format!("NET-04, NET-06 {name}"), &far.by("evil.test", name));
        assert!(far.asked_for(&format!("/u/{name}")) > 0, "NET-04, NET-06: {name} was looked at");
        assert!(began.elapsed() < Duration::from_secs(30), "NET-06: {name} ends by the limit that is set");
    }
    assert!(far.us.server.is_ready());
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn net_10_wrong_certificates_are_refused_and_nothing_goes_by_plain_http() {
    let far = Far::start();
    let trap = TcpListener::bind("127.0.0.1:80").unwrap();
    for host in WRONG {
        far.stand.person(&uri(host, "x"), &keys(true).public_pem);
        far.is_refused(&format!("NET-10 {host}"), &far.by(host, "x"));
    }
    assert_eq!(far.asked_for("/u/x"), 0, "NET-10: nothing is asked of who cannot be believed");
    trap.set_nonblocking(true).unwrap();
    assert!(trap.accept().is_err(), "NET-10: no plain http instead");
    far.stand.person(&uri("evil.test", "x"), &keys(true).public_pem);
    assert_eq!(far.like_anew(&far.by("evil.test", "x")), 202, "the same with a right certificate is taken");
}

/// Puts a certificate in place of the right one that nobody should believe.
fn spoil(folder: &Path, name: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/federation-tests/attacks/wrong");
    let done = Command::new(script).arg(folder.join("tls")).arg(name).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn net_11_what_is_not_signed_asks_nobody_and_what_is_signed_wrongly_seldom() {
    let far = Far::start();
    let body = |n: usize| {
        let actor = uri("good.test", &format!("nobody{n}"));
        json!({"id": format!("{actor}/a"), "type": "Like", "actor": actor, "object": crate::cast::POST})
    };
    for n in 0..50 {
        let text = body(n).to_string();
        let signature = match n % 2 {
            0 => String::new(),
            _ => format!("Signature: keyId=\"{}#main-key\",signature=\"AAAA\"\r\n", uri("good.test", "nobody1")),
        };
        let request = format!(
            "POST /inbox HTTP/1.1\r\nHost: us.test\r\nContent-Type: application/activity+json\r\n{signature}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        assert!(matches!(status(&far.us.say(request.as_bytes())), 400 | 401), "NET-11");
    }
    assert_eq!(far.asked_for("nobody"), 0, "NET-11: nobody is asked for what is not signed");
    let wrong = Forge { foreign_key: true, ..far.us.forge() };
    for _ in 0..20 {
        far.like(&wrong);
    }
    assert!(far.asked_for("/u/bob") <= 1, "NET-11: once a minute at most: {:?}", far.stand.asked());
}

#[test]
#[ignore = "needs port 443 and names: federation-tests/attacks/run"]
fn sig_14_and_15_a_new_key_is_fetched_and_the_old_one_is_dead() {
    let far = Far::start();
    let bob = far.us.forge();
    assert_eq!(far.like(&bob), 202, "with the key that is known");
    far.stand.person(&uri("good.test", "bob"), &keys(true).public_pem);
    let newer = Forge { foreign_key: true, ..bob.clone() };
    assert_eq!(far.like_anew(&newer), 202, "SIG-14: the new key is fetched");
    far.is_refused("SIG-15 the old key", &bob);
}
