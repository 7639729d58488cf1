//! Is there any door through which somebody who may not sees what is in a private course, or that it is there?

use super::Scene;
use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor, ActorState};
use crate::course::{self, ban::Term};
use crate::crypto::Keypair;
use crate::discussion;
use crate::dispatch::dispatch;
use crate::enrollment;
use crate::federation::town::other_keys;
use crate::net::signature::Scheme;
use crate::tests::Browser;
use crate::tests::study::sent_from;
use axum::http::HeaderMap;
use serde_json::{Value, json};

/// What an answer shows, without the clock.
pub(super) type Shown = (u16, Vec<(String, String)>, String);

impl Scene {
    pub(super) async fn ask(&self, path: &str, by: Option<(&str, &Keypair)>) -> Shown {
        let (status, headers, body) = self.town.ask_with(Scheme::Cavage, path, by).await;
        (status.as_u16(), plain(&headers), String::from_utf8_lossy(&body).into_owned())
    }

    /// All that is in it answers this signer byte for byte as what never was.
    async fn is_shut_for(&self, case: &str, by: Option<(&str, &Keypair)>) {
        for (path, twin) in &self.documents() {
            let (hidden, nothing) = (self.ask(path, by).await, self.ask(twin, by).await);
            assert_eq!(hidden.0, 404, "{case}: {path}");
            assert_eq!(hidden, nothing, "{case}: {path}");
        }
    }

    async fn is_open_for(&self, by: &Actor) {
        let keys = self.town.world.keys();
        for (path, _) in &self.documents() {
            assert_eq!(self.ask(path, Some((&by.uri, &keys))).await.0, 200, "{path} by {}", by.uri);
        }
    }

    /// Dov follows as well, agreed to.
    pub(super) fn dov_follows(&self) {
        let (dov, group) = (self.dov.id, self.group.id);
        let put = move |tx: &mut crate::db::Tx<'_>| {
            follow::put(tx, dov, group, "https://good.test/u/dov/f/1", FollowState::Accepted).map(drop)
        };
        self.town.world.tx(put);
    }
}

fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut all: Vec<_> = headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_and_prv_13_whoever_was_taken_off_or_banned_reads_nothing_any_more() {
    for bans in [false, true] {
        let scene = Scene::open().await;
        scene.dov_follows();
        scene.is_open_for(&scene.dov).await;
        scene.is_open_for(&scene.good).await;
        let (ada, dov, run, course) = (scene.ada.clone(), scene.dov.clone(), scene.cohort.id, scene.group.id);
        scene.town.world.tx(move |tx| {
            if bans {
                let course = course::find_by_actor(tx, course)?.unwrap();
                let term = Term { reason: "Was unkind.".into(), ends_at: None, removes: false, uri: None };
                return course::ban::ban(tx, &ada, &course, &dov, &term).map(drop);
            }
            let place = enrollment::find(tx, run, dov.id)?.unwrap();
            enrollment::remove(tx, &ada, place.id).map(drop)
        });
        let rejects = sent_from(&scene.town.world).iter().filter(|(said, _)| said["type"] == "Reject").count();
        assert_eq!(rejects, 1, "their server hears that the following ended, once (bans: {bans})");
        let keys = scene.town.world.keys();
        let case = if bans { "banned" } else { "removed" };
        scene.is_shut_for(case, Some((&scene.dov.uri, &keys))).await;
        scene.is_shut_for(case, Some((&scene.good.uri, &keys))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_and_prv_13_keys_of_others_and_states_of_signers_open_nothing() {
    let scene = Scene::open().await;
    let keys = scene.town.world.keys();
    scene.is_shut_for("nobody", None).await;
    scene.is_shut_for("the instance actor of a server without members", Some((&scene.evil[1].uri, &keys))).await;
    scene.is_shut_for("a key that is not Dov's", Some((&scene.dov.uri, &other_keys()))).await;
    // Mallory's key by Dov's name, and the other way round.
    scene.is_shut_for("Mallory", Some((&scene.evil[0].uri, &keys))).await;
    for state in [ActorState::Suspended, ActorState::Blocked, ActorState::Gone] {
        for who in [&scene.dov, &scene.good] {
            let id = who.id;
            scene.town.world.tx(move |tx| actor::move_to(tx, id, state));
        }
        scene.is_shut_for(state.as_str(), Some((&scene.dov.uri, &keys))).await;
        scene.is_shut_for(state.as_str(), Some((&scene.good.uri, &keys))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_search_people_and_node_info_tell_nothing_and_webfinger_leads_to_the_front() {
    let scene = Scene::open().await;
    let mut zoe = Browser::of(&scene.town.world, "zoe").at(&scene.town.app);
    let nothing = "https://us.test/o/00000000000000000000000000000000";
    for uri in [&scene.post.uri, &scene.assignment.uri] {
        let (found, none) = (zoe.get(&format!("/search?q={uri}")), zoe.get(&format!("/search?q={nothing}")));
        assert_eq!(
            (found.status, &found.path.replace(uri.as_str(), "X")),
            (none.status, &none.path.replace(nothing, "X"))
        );
        assert!(!found.contains("Marzipan"), "{}", found.text);
    }
    for page in ["/", "/courses", "/search?q=Marzi", "/u/ada", "/u/bo", "/me", "/notices"] {
        assert!(!zoe.get(page).contains("Marzipan"), "{page}");
    }
    for path in ["/u/ada/outbox", "/u/bo/outbox", "/nodeinfo/2.1"] {
        let (status, said) = scene.town.get(path, None).await;
        assert!(status == 200 && !said.to_string().contains("Marzipan"), "{path} {said}");
        assert!(said.get("totalItems").is_none_or(|count| count == 0), "{path} {said}");
        assert!(said["usage"].get("localPosts").is_none(), "{said}");
    }
    let (status, said) = scene.town.get("/.well-known/webfinger?resource=acct:rust@us.test", None).await;
    assert!(status == 200 && said.to_string().contains("/c/rust"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_09_and_prv_10_what_a_member_sends_is_passed_on_to_members_alone_and_without_blind_addressees() {
    let scene = Scene::open().await;
    scene.dov_follows();
    let uri = format!("{}/o/1", scene.dov.uri);
    let to = json!([scene.group.uri, scene.group.followers]);
    let note = json!({
        "id": format!("{uri}/create"), "type": "Create", "actor": scene.dov.uri, "to": to, "cc": [],
        "bto": [scene.evil[0].uri], "bcc": "https://evil.test/u/hidden",
        "object": {"id": uri, "type": "Note", "attributedTo": scene.dov.uri, "to": to, "cc": [],
            "bcc": ["https://evil.test/u/hidden"], "audience": scene.group.uri, "inReplyTo": scene.post.uri,
            "content": "<p>Almonds.</p>"},
    });
    let before = sent_from(&scene.town.world).len();
    assert_eq!(scene.town.post(&note).await, 202);
    scene.town.work(dispatch).await;
    let post = uri.clone();
    assert!(scene.town.world.read(move |db| discussion::find_by_uri(db, &post)).is_some());
    let sent = sent_from(&scene.town.world);
    let passed: Vec<&(Value, Vec<String>)> =
        sent[before..].iter().filter(|(said, _)| said.to_string().contains("Almonds")).collect();
    assert!(!passed.is_empty(), "the course passes it on to those who are in it");
    for (said, inboxes) in &passed {
        let text = said.to_string();
        assert!(!text.contains("bto") && !text.contains("bcc") && !text.contains("evil.test"), "{text}");
        assert!(!text.contains(crate::federation::wire::PUBLIC), "{text}");
        assert!(inboxes.iter().all(|inbox| inbox.contains("//good.test")), "{inboxes:?}");
        let path = said["id"].as_str().unwrap().strip_prefix("https://us.test").unwrap().to_owned();
        let keys = scene.town.world.keys();
        assert_eq!(scene.ask(&path, Some((&scene.evil[1].uri, &keys))).await.0, 404, "{path}");
        let inside = scene.ask(&path, Some((&scene.good.uri, &keys))).await;
        assert!(inside.0 == 200 && !inside.2.contains("evil.test"), "{inside:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_for_a_place_is_taken_back_as_such_and_nobody_is_told_that_all_can_read_it() {
    let scene = Scene::open().await;
    let zoe = Browser::of(&scene.town.world, "zoe").actor();
    let mut zoe = scene.browser(&zoe);
    let asked = zoe.submit_form("/c/rust", &format!("{}/enrollment", scene.cohort.path()), &[]).ok();
    assert!(asked.contains("Your application is with the organizers."), "{}", asked.text);
    let back = asked.between("href=\"/enrollments/", "\"").unwrap();
    let back = format!("/enrollments/{back}");
    let confirm = zoe.get(&back).ok();
    assert!(confirm.contains("No longer ask for a place in “") && !confirm.contains("handed in"), "{}", confirm.text);
    let front = zoe.submit_form(&back, "", &[]).ok();
    assert!(front.contains("you no longer ask for a place") && front.contains(">Ask for a place</button>"));
    let mut bo = scene.browser(&scene.bo);
    let comments = format!("/assignments/{}/comments", scene.assignment.public_id);
    for page in ["/c/rust/discussion", &format!("/posts/{}", scene.post.public_id), &comments] {
        let shown = bo.get(page).ok();
        assert!(shown.contains("Those who take part can read it"), "{page}: {}", shown.text);
        assert!(!shown.contains("Everyone can") && !shown.contains("in the open"), "{page}");
    }
    let mut ada = scene.browser(&scene.ada);
    let run = ada.get("/c/rust/cohorts/new").ok();
    assert!(run.contains("you accept or decline") && !run.contains("Everyone who asks"), "{}", run.text);
    assert!(ada.get("/me").ok().contains("Courses you organize"));
    let (_, outside) = scene.town.get("/c/rust", None).await;
    assert_eq!(outside["openness"], "moderated", "{outside}");
}
