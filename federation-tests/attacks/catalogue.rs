//! What is each attack of the catalogue answered, and does anything change?

use crate::cast::{POST, Us, status, uri};
use crate::forge::Forge;
use serde_json::{Value, json};

/// One attack: its number in the catalogue, its bytes, and what may be answered.
type Attack = (&'static str, Vec<u8>, &'static [u16]);

/// Each is refused as it should be, says nothing of what is inside, is counted, and changes nothing.
#[test]
fn every_attack_is_refused_and_changes_nothing() {
    each_is_refused(&Us::start(1_000_000));
}

/// The same where the names lead somewhere: see `far`.
pub fn each_is_refused(us: &Us) {
    // To the inbox of all, to that of the course, and to Ada's.
    for (n, inbox) in ["/inbox", "/c/hedges/inbox", "/u/ada/inbox"].into_iter().enumerate() {
        let (bob, id) = (us.forge().into_inbox(inbox), format!("https://good.test/notes/2{n}"));
        let answer = us.say(&bob.post(&bob.act("Create", bob.note(&id, &bob.actor()))));
        assert_eq!(status(&answer), 202, "what is right is taken: {answer}\n{}", us.server.log());
        us.until_worked_off();
        assert_eq!(us.place.count(&format!("posts WHERE uri = '{id}'")), 1, "and has its effect");
        refused_at(us, &bob);
    }
    assert!(!us.server.log().contains("panicked"), "nothing panics:\n{}", us.server.log());
    assert!(us.server.is_ready(), "and it goes on");
}

fn refused_at(us: &Us, bob: &Forge) {
    for (id, request, allowed) in [signatures(bob), origins(bob), answers(bob)].concat() {
        is_refused(us, &format!("{id} at {}", bob.inbox), &request, allowed);
    }
}

/// It is answered so, tells nothing of what is inside, is counted, and changes nothing.
pub fn is_refused(us: &Us, id: &str, request: &[u8], allowed: &[u16]) {
    let (before, counted) = (us.state(), us.refused());
    let answer = us.say(request);
    let got = status(&answer);
    us.until_worked_off();
    assert!(allowed.contains(&got), "{id} is answered {got}, not {allowed:?}: {answer}\n{}", us.server.log());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    assert!(body.len() < 2048 && !body.contains("src/") && !body.contains("diesel"), "{id} tells too much: {body}");
    let is_counted = us.refused() == counted + 1;
    assert!(is_counted || matches!(got, 202 | 404 | 421), "{id} ({got}) is not counted");
    assert_eq!(us.state(), before, "{id} changes something");
}

/// SIG-09: what is within the window is taken, and what has ended is not.
#[test]
fn sig_09_the_window_has_two_sides() {
    let us = Us::start(1_000_000);
    let like = |by: &Forge| status(&us.say(&by.post(&by.act("Like", json!(POST)))));
    let ends = |seconds| Forge {
        covers: "(request-target) host date digest (expires)",
        algorithm: "hs2019",
        ends_in: Some(seconds),
        ..us.forge()
    };
    for (by, expected) in [
        (Forge { off: -3600 - 240, ..us.forge() }, 202),
        (Forge { off: -3600 - 301, ..us.forge() }, 401),
        (Forge { off: 3540, ..us.forge() }, 202),
        (Forge { off: 3660, ..us.forge() }, 401),
        (ends(60), 202),
        (ends(-3600 - 60), 401),
    ] {
        assert_eq!(like(&by), expected, "SIG-09: {} s off, ends in {:?}", by.off, by.ends_in);
    }
}

fn bobs_note(forge: &Forge) -> Value {
    forge.act("Create", forge.note("https://good.test/notes/3", &uri("good.test", "bob")))
}

fn signatures(bob: &Forge) -> Vec<Attack> {
    let note = bobs_note(bob);
    let forged = note.to_string().replace("Ha!", "No!");
    let other = Forge { body: Some(forged.clone()), ..bob.clone() };
    let two = Forge { lines: format!("Digest: {}\r\n", Forge::digest(&forged)), ..other.clone() };
    let covers = |covers| Forge { covers, ..bob.clone() };
    let replayed = Forge { signed_host: "evil.test", host: "evil.test", ..bob.clone() };
    let mallory = bob.clone().by("evil.test", "mallory");
    vec![
        ("SIG-01 body changed", other.post(&note), &[401]),
        ("SIG-02 two digests", two.post(&note), &[400]),
        ("SIG-03 signed for another host", replayed.post(&note), &[421]),
        ("SIG-03 and sent to ours", Forge { host: "us.test", ..replayed.clone() }.post(&note), &[401]),
        ("SIG-04 both", Forge { lines: two.lines.clone(), body: Some(forged), ..replayed }.post(&note), &[400, 421]),
        ("SIG-05 digest not covered", covers("(request-target) host date").post(&note), &[401, 400]),
        ("SIG-06 target not covered", covers("host date digest").post(&note), &[401]),
        ("SIG-06 another path", Forge { signed_path: "/c/nil/inbox", ..bob.clone() }.post(&note), &[401]),
        ("SIG-07 host not covered", covers("(request-target) date digest").post(&note), &[401]),
        (
            "SIG-08 date not covered",
            Forge { covers: "(request-target) host digest", fresh_date: true, off: -90_000, ..bob.clone() }.post(&note),
            &[401],
        ),
        ("SIG-09 too old", Forge { off: -3600 - 301, ..bob.clone() }.post(&note), &[401]),
        ("SIG-09 of the future", Forge { off: 3600 + 60, ..bob.clone() }.post(&note), &[401]),
        (
            "SIG-10 created beyond time",
            Forge { more: ",created=18446744073709551615", ..bob.clone() }.post(&note),
            &[400, 401],
        ),
        ("SIG-11 another's key", mallory.post(&note), &[401, 403]),
        ("SIG-16 suspended", suspended(bob, "suspended"), &[403]),
        ("SIG-16 gone", suspended(bob, "gone"), &[403, 410]),
        (
            "SIG-21 two signatures",
            Forge { lines: "Signature: keyId=\"x\"\r\n".into(), ..bob.clone() }.post(&note),
            &[400, 401],
        ),
        (
            "SIG-21 authorization",
            Forge { lines: "Authorization: Signature x\r\n".into(), ..bob.clone() }.post(&note),
            &[400, 401],
        ),
        ("MOD-01 blocked", suspended_at(bob, "blocked.test", "bert"), &[403]),
    ]
}

fn suspended(bob: &Forge, name: &'static str) -> Vec<u8> {
    suspended_at(bob, "good.test", name)
}

fn suspended_at(bob: &Forge, host: &'static str, name: &'static str) -> Vec<u8> {
    let by = bob.clone().by(host, name);
    by.post(&by.act("Create", by.note(&format!("https://{host}/notes/9"), &by.actor())))
}

fn origins(bob: &Forge) -> Vec<Attack> {
    let mallory = bob.clone().by("evil.test", "mallory");
    let carol = bob.clone().by("good.test", "carol");
    let (me, him) = (mallory.actor(), bob.actor());
    let mine = "https://evil.test/notes/1";
    let create = |object: Value| mallory.post(&mallory.act("Create", object));
    let note = |by: Value| {
        let mut note = mallory.note(mine, &me);
        note["attributedTo"] = by;
        note
    };
    let ids = ["us.test.", "US.TEST", "us.test:443", "us.test@evil.test", "us%2etest"];
    let mut all: Vec<Attack> = vec![
        ("ORI-01 object of another host", create(mallory.note("https://good.test/notes/7", &me)), &[403]),
        ("ORI-02 by another there", create(mallory.note(mine, &uri("evil.test", "other"))), &[403]),
        ("ORI-03 by two", create(note(json!([me, him]))), &[403]),
        ("ORI-03 by nobody", create(note(json!([]))), &[403]),
        ("ORI-03 by null", create(note(Value::Null)), &[403]),
        ("ORI-03 by an object", create(note(json!({"type": "Person", "id": him}))), &[403]),
        ("ORI-04 Update of Bob's", mallory.post(&mallory.act("Update", mallory.note(POST, &me))), &[403]),
        ("ORI-04 Delete of Bob's", mallory.post(&mallory.act("Delete", json!(POST))), &[403]),
        ("ORI-05 Update by Carol", carol.post(&carol.act("Update", carol.note(POST, &carol.actor()))), &[403]),
        ("ORI-05 Update in his name", carol.post(&carol.act("Update", carol.note(POST, &him))), &[403]),
        ("ORI-05 Delete by Carol", carol.post(&carol.act("Delete", json!(POST))), &[403]),
        ("ORI-06 an id of ours", create(mallory.note("https://us.test/o/aaaaaaaaaaaaaaaaaaaaaaaaaa", &me)), &[403]),
        ("CRS-07 Update to another author", bob.post(&bob.act("Update", bob.note(POST, &carol.actor()))), &[403]),
        (
            "CRS-04 Leave for Bob",
            mallory.post(&with_actor(mallory.act("Leave", json!(mallory.course)), &him)),
            &[401, 403],
        ),
        (
            "ORI-15 Undo of his Follow",
            mallory.post(&mallory.act(
                "Undo",
                json!({"id": "https://good.test/f/1", "type": "Follow", "actor": him, "object": mallory.course}),
            )),
            &[403],
        ),
        (
            "ORI-14 Announce of an Announce",
            mallory.post(&mallory.act(
                "Announce",
                json!({"id": "https://evil.test/a/1", "type": "Announce", "actor": me, "object": POST}),
            )),
            &[400, 422],
        ),
        (
            "ORI-12 altered by who announces it",
            mallory.post(&mallory.act("Announce", mallory.note(POST, &him))),
            &[202, 403],
        ),
        (
            "ORI-12 with its Create",
            mallory.post(&mallory.act("Announce", bob.act("Create", mallory.note(POST, &him)))),
            &[202, 403],
        ),
        ("ORI-19 with a signature of linked data", mallory.post(&linked(bob)), &[401, 403]),
        ("ORI-17 Move of Bob", mallory.post(&mallory.act("Move", json!(him))), &[403]),
        ("ORI-21 object is a number", mallory.post(&mallory.act("Create", json!(7))), &[400, 422]),
        ("ORI-21 object is nothing", mallory.post(&mallory.act("Create", Value::Null)), &[400, 422]),
        ("ORI-21 a thousand objects", mallory.post(&mallory.act("Create", json!(vec![mine; 1000]))), &[400, 422, 403]),
        ("ORI-21 an array", mallory.post(&json!([mallory.act("Create", json!(mine))])), &[400, 401]),
        ("ORI-21 actors", mallory.post(&with_actors(mallory.act("Create", json!(mine)), &[&me, &him])), &[400, 401]),
    ];
    for id in ids {
        all.push((
            "ORI-08 a name like ours",
            create(mallory.note(&format!("https://{id}/o/aaaaaaaaaaaaaaaaaaaaaaaaaa"), &me)),
            &[400, 403],
        ));
    }
    all
}

/// Something new of Bob's as Mastodon signs documents.
fn linked(bob: &Forge) -> Value {
    let mut create = bobs_note(bob);
    create["signature"] = json!({
        "type": "RsaSignature2017", "creator": format!("{}#main-key", bob.actor()), "created": "2026-11-30T12:00:00Z",
        "signatureValue": "aaaa",
    });
    create
}

fn with_actor(mut activity: Value, actor: &str) -> Value {
    activity["actor"] = actor.into();
    activity
}

fn with_actors(mut activity: Value, actors: &[&str]) -> Value {
    activity["actor"] = json!(actors);
    activity
}

fn answers(bob: &Forge) -> Vec<Attack> {
    let mallory = bob.clone().by("evil.test", "mallory");
    let sent = "https://us.test/activities/aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let follow = json!({"id": sent, "type": "Follow", "actor": "https://us.test/u/ada", "object": mallory.actor()});
    let join = json!({"id": sent, "type": "Join", "actor": "https://us.test/u/ada", "object": mallory.actor()});
    let review = json!({
        "id": "https://evil.test/notes/8", "type": ["Note", "Review"], "attributedTo": mallory.actor(), "to": [mallory.course],
        "inReplyTo": POST, "content": "<p>Bad.</p>",
    });
    vec![
        ("LIF-01 Accept of no Follow", mallory.post(&mallory.act("Accept", follow.clone())), &[202, 404]),
        ("LIF-01 Accept by id", mallory.post(&mallory.act("Accept", json!(sent))), &[202, 404]),
        ("LIF-01 Reject", mallory.post(&mallory.act("Reject", follow)), &[202, 404]),
        ("CRS-02 Accept of no Join", mallory.post(&mallory.act("Accept", join)), &[202, 404]),
        ("CRS-11 a review by nobody", mallory.post(&mallory.act("Create", review)), &[202, 400, 403]),
    ]
}

/// NRM-05, WEB-08, MOD-01: what is asked for by the wrong name is not there.
#[test]
fn nrm_05_and_web_08_only_our_names_are_known() {
    let us = Us::start(1_000_000);
    let get = |host: &str, path: &str| {
        status(&us.say(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()))
    };
    let finger = |resource: &str| get("us.test", &format!("/.well-known/webfinger?resource={resource}"));
    assert_eq!(finger("acct:ada@us.test"), 200);
    let long = format!("acct:{}@us.test", "a".repeat(10_240));
    for wrong in
        ["acct:*@us.test", "acct:ada@evil.test", "acct:ada@us.test.evil.test", "acct:ada%00@us.test", "ada", &long]
    {
        assert!(matches!(finger(wrong), 400 | 404 | 414 | 431), "NRM-05: {wrong:.60} is answered {}", finger(wrong));
    }
    for host in ["evil.test", "us.test.", "us.test.evil.test", "us.test@evil.test", "127.0.0.1", "localhost"] {
        assert!(matches!(get(host, "/"), 421 | 400), "WEB-08, SIG-03: asked for as {host}");
    }
    let page = us.say(b"GET / HTTP/1.1\r\nHost: us.test\r\nConnection: close\r\n\r\n").to_ascii_lowercase();
    for header in ["content-security-policy: default-src 'none'", "strict-transport-security:", "nosniff"] {
        assert!(page.contains(header), "WEB-07: {header}");
    }
}
