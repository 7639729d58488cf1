//! Does anything of a blocked server, or of somebody suspended, come in, get shown or get asked for?

use crate::cast::{POST, Us, person, status, uri};
use crate::catalogue::is_refused;
use crate::forge::Forge;
use hedgeschool::actor::{self, ActorState};
use serde_json::{Value, json};

/// MOD-01, MOD-02: here nobody could be asked, because there are no such names; what is looked at is what comes in and
/// what is to go out.
#[test]
fn mod_01_and_02_a_blocked_server_is_not_heard_and_not_told() {
    nothing_of_blocked(&Us::start(1_000_000));
}

fn nothing_of_blocked(us: &Us) {
    let bert = us.forge().by("blocked.test", "bert");
    for path in ["/actor", "/c/hedges", "/c/hedges/outbox", "/u/ada", "/u/ada/followers", "/o/nothing", "/a/nothing"] {
        for by in [bert.clone(), us.forge().by("blocked.test", "unknown"), us.forge().by("sub.blocked.test", "x")] {
            let answer = us.say(&by.get(path));
            assert_eq!(status(&answer), 403, "MOD-01: {path} for {}: {answer}", by.actor());
        }
    }
    for inbox in ["/inbox", "/c/hedges/inbox", "/u/ada/inbox"] {
        for by in [bert.clone(), us.forge().by("blocked.test", "unknown"), us.forge().by("sub.blocked.test", "x")] {
            let by = by.into_inbox(inbox);
            for kind in ["Follow", "Join", "Like", "Flag", "Create"] {
                let note = by.note(&format!("{}/notes/1", by.actor()), &by.actor());
                let object = if kind == "Create" { note } else { json!(us.course) };
                is_refused(us, &format!("MOD-01 {kind} by {}", by.actor()), &by.post(&by.act(kind, object)), &[403]);
            }
        }
    }
    for words in ["@bert@blocked.test", "@new@blocked.test", "https://blocked.test/u/new", "@x@sub.blocked.test"] {
        let answer = us.say_as_ada(&format!("GET /search?q={words}"));
        assert!(!answer.contains("/u/bert\""), "MOD-01: {words} is not shown: {answer}");
    }
    us.follow("blocked.test", "bert");
    us.follow("good.test", "carol");
    by_way_of_good(us);
    let told = |host: &str| us.place.count(&format!("deliveries WHERE host = '{host}'"));
    assert!(told("good.test") > 0, "others are told");
    let told_of = us.place.count("deliveries WHERE host LIKE '%blocked.test' OR inbox LIKE '%blocked.test%'");
    assert_eq!(told_of, 0, "MOD-01: nothing goes there");
    assert_eq!(us.place.count("actors WHERE host LIKE '%blocked.test'"), 1, "MOD-02: nobody new of there is known");
    let shown = "posts p JOIN actors a ON a.id = p.author_id WHERE a.host LIKE '%blocked.test'";
    assert_eq!(us.place.count(shown), 0, "MOD-02: nothing of theirs is here");
    assert_eq!(us.place.count("objects WHERE uri LIKE '%blocked.test/%'"), 0, "MOD-02");
    assert!(!us.server.log().contains("panicked"));
}

/// MOD-02: what Bob can name that is there.
fn by_way_of_good(us: &Us) {
    let (bob, there) = (us.forge(), |path: &str| format!("https://blocked.test/{path}"));
    let bert = uri("blocked.test", "bert");
    let theirs = bob.clone().by("blocked.test", "bert");
    let create = theirs.act("Create", theirs.note(&there("notes/1"), &bert));
    for object in [json!(there("notes/1")), create.clone(), theirs.note(&there("notes/1"), &bert)] {
        is_refused(us, "MOD-02 Announce", &bob.post(&bob.act("Announce", object)), &[202, 400, 403]);
    }
    is_refused(us, "MOD-02 brought by Bob", &bob.post(&create), &[401, 403]);
    let key = Forge { key_id: Some(there("u/bert#main-key")), ..bob.clone() };
    is_refused(us, "MOD-02 a key there", &key.post(&bob.act("Like", json!(POST))), &[401, 403]);
    let picture = |path: &str| json!({"type": "Image", "mediaType": "image/png", "url": there(path)});
    let fields = [
        ("inReplyTo", json!(there("notes/1"))),
        ("quoteUrl", json!(there("notes/1"))),
        ("quoteUri", json!(there("notes/1"))),
        ("replies", json!({"id": there("replies"), "type": "Collection", "first": there("replies?page=1")})),
        ("attachment", json!([picture("a.png")])),
        ("icon", picture("icon.png")),
        ("image", picture("image.png")),
        ("tag", json!([{"type": "Mention", "href": bert, "name": "@bert@blocked.test"}])),
        ("tag", json!([{"type": "Emoji", "name": ":x:", "icon": picture("x.png")}])),
        ("url", json!([{"type": "Link", "href": there("notes/1")}])),
        ("generator", json!(there("generator"))),
        ("to", json!(["https://www.w3.org/ns/activitystreams#Public", us.course, bert, there("u/bert/followers")])),
    ];
    for (n, (field, value)) in fields.into_iter().enumerate() {
        let mut note = bob.note(&format!("https://good.test/notes/by-way-{n}"), &bob.actor());
        note[field] = value.clone();
        for kind in ["Create", "Update"] {
            let mut act: Value = bob.act(kind, note.clone());
            act[field] = value.clone();
            us.say(&bob.post(&act));
            us.until_worked_off();
        }
    }
    let said = us.place.count("posts WHERE uri LIKE 'https://good.test/notes/by-way-%'");
    assert!(said > 6, "MOD-02: what Bob himself says is taken: {said}");
    let page = us.say_as_ada("GET /c/hedges/discussion");
    assert!(!page.contains("src=\"https://blocked.test"), "MOD-02: {page}");
}

/// MOD-04: of somebody suspended nothing comes in, whoever brings it, also when it came before.
#[test]
fn mod_04_what_a_suspended_person_writes_is_refused_on_every_way() {
    let us = Us::start(1_000_000);
    let (bob, eve) = (us.forge(), us.forge().by("good.test", "eve"));
    let waiting = eve.act("Create", eve.note("https://good.test/notes/waiting", &eve.actor()));
    let body = waiting.to_string().replace('\'', "''");
    let id = waiting["id"].as_str().unwrap().to_owned();
    let prepared = us.place.pool().write_blocking(move |tx| {
        let eve = actor::put(tx, &person("good.test", "eve"))?;
        actor::move_to(tx, eve.id, ActorState::Suspended)?;
        let row = format!(
            "INSERT INTO inbox (activity_uri, signer_id, vouched, type, body, received_at, state, attempts, next_at,
             leased_until) VALUES ('{id}', {}, 'signature', 'Create', '{body}', 0, 'pending', 0, 0, 0);",
            eve.id.0
        );
        Ok(diesel::connection::SimpleConnection::batch_execute(&mut **tx, &row)?)
    });
    prepared.unwrap();
    // Something more, so that the worker looks.
    assert_eq!(status(&us.say(&bob.post(&bob.act("Like", json!(POST))))), 202);
    us.until_worked_off();
    let ended = us.place.texts("SELECT state AS said FROM inbox WHERE type = 'Create'");
    assert_eq!(ended, ["refused"], "MOD-04: it came before");
    for inbox in ["/inbox", "/c/hedges/inbox"] {
        let (bob, eve) = (bob.clone().into_inbox(inbox), eve.clone().into_inbox(inbox));
        let note = eve.note("https://good.test/notes/eve", &eve.actor());
        for kind in ["Create", "Update", "Announce", "Like", "Join", "Follow"] {
            let object = if matches!(kind, "Create" | "Update") { note.clone() } else { json!(us.course) };
            is_refused(&us, &format!("MOD-04 {kind}"), &eve.post(&eve.act(kind, object)), &[403]);
        }
        let create = eve.act("Create", note.clone());
        is_refused(&us, "MOD-04 brought", &bob.post(&create), &[401, 403]);
        for object in [create, note.clone(), json!(note["id"])] {
            is_refused(&us, "MOD-04 announced", &bob.post(&bob.act("Announce", object)), &[202, 400, 403]);
        }
    }
    assert_eq!(
        us.place.count("posts WHERE uri LIKE 'https://good.test/notes/%' AND uri <> 'https://good.test/notes/1'"),
        0
    );
}
