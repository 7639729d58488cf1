//! Do the home of a private course and the servers of its followers come to agree on who follows it (FEP-8fcf)?

use super::Scene;
use crate::actor::follow::{self, FollowState};
use crate::actor::{Actor, ActorKind, RemoteActor};
use crate::config::Config;
use crate::crypto::SigningKey;
use crate::federation::synchronization::{compare, digest};
use crate::federation::town::Town;
use crate::id::ActorId;
use crate::jobs::{self, JobKind};
use crate::net::signature::{Load, SYNCHRONIZATION, Scheme, Signer, Unverified, sign_post};
use crate::tests::World;
use crate::tests::study::sent_from;
use axum::http::header;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_course_says_signed_whom_it_counts_on_the_server_that_gets_it() {
    for scheme in [Scheme::Cavage, Scheme::Rfc9421] {
        let scene = Scene::open().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (notes, now) = (Arc::clone(&seen), scene.town.app.now());
        scene.town.check("good", move |incoming, body| {
            let signature = Unverified::read(incoming, body, now.system()).unwrap();
            if signature.scheme() != scheme {
                return false;
            }
            let said = incoming.headers.get(SYNCHRONIZATION).map(|said| said.to_str().unwrap().to_owned());
            assert!(said.is_none() || signature.covers(SYNCHRONIZATION));
            notes.lock().unwrap().push((String::from_utf8_lossy(body).into_owned(), said));
            true
        });
        scene.dov_follows();
        let (by, course, now) = (scene.ada.clone(), scene.post.course_id, scene.town.now());
        scene.town.world.tx(move |tx| {
            let new = crate::discussion::NewPost {
                course_id: course,
                uri: None,
                in_reply_to: None,
                anchor: None,
                title: "Nougat".into(),
                body_md: "Nougat.".into(),
                body_html: "<p>Nougat.</p>".into(),
                published_at: now,
            };
            crate::discussion::write(tx, &by, new).map(drop)
        });
        scene.town.deliver().await;
        let followers = scene.group.followers.clone().unwrap();
        let wanted = format!(
            "collectionId=\"{followers}\", url=\"{followers}/synchronization\", digest=\"{}\"",
            digest([scene.dov.uri.as_str()])
        );
        let seen = seen.lock().unwrap();
        let (with, without): (Vec<_>, Vec<_>) = seen.iter().partition(|(_, said)| said.is_some());
        assert!(with.iter().any(|(body, _)| body.contains("Nougat")), "{seen:?}");
        assert!(with.iter().all(|(_, said)| said.as_ref() == Some(&wanted)), "{with:?}");
        for (body, _) in &without {
            let body: Value = serde_json::from_str(body).unwrap();
            let by_course = body["actor"] == scene.group.uri.as_str();
            assert!(!by_course || !body["cc"].to_string().contains(&followers), "{body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_the_list_of_a_servers_followers_is_for_that_server_alone() {
    let scene = Scene::open().await;
    scene.dov_follows();
    let (path, twin) = ("/c/rust/followers/synchronization", "/c/nil/followers/synchronization");
    for by in [&scene.good, &scene.dov] {
        let (status, said) = scene.town.get(path, Some(&by.uri)).await;
        assert_eq!((status.as_u16(), &said["orderedItems"]), (200, &json!([scene.dov.uri])), "{said}");
        assert_eq!(said["id"], format!("https://us.test{path}"));
    }
    let mia = scene.town.known("good", "mia");
    let keys = scene.town.world.keys();
    for by in [None, Some(&scene.evil[0]), Some(&scene.evil[1]), Some(&mia)] {
        let by = by.map(|by| (by.uri.as_str(), &keys));
        assert_eq!(scene.ask(path, by).await, scene.ask(twin, by).await, "{by:?}", by = by.map(|by| by.0));
        assert_eq!(scene.ask(path, by).await.0, 404);
    }
    // Another server with somebody in it learns nothing of the first.
    let (eve, group) = (scene.evil[0].id, scene.group.id);
    scene.town.world.tx(move |tx| follow::put(tx, eve, group, "https://evil.test/f", FollowState::Accepted).map(drop));
    let (_, said) = scene.town.get(path, Some(&scene.evil[1].uri)).await;
    assert_eq!(said["orderedItems"], json!([scene.evil[0].uri]));
    // What is public has no such list.
    scene.town.world.tx(|tx| {
        use crate::db::{Run, schema::courses};
        diesel::update(courses::table).set(diesel::ExpressionMethods::eq(courses::private, false)).execute(tx)?;
        Ok(())
    });
    assert_eq!(scene.town.get(path, Some(&scene.good.uri)).await.0, 404);
}

/// A course of good.test that Ada and Bo of here follow, and Zoe does not.
struct There {
    town: Town,
    group: Actor,
    people: [Actor; 3],
    sent: Mutex<u32>,
}

impl There {
    async fn open() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let world = World::with_effects(crate::effects::follow);
        let people = ["ada", "bo", "zoe"].map(|name| world.person(name));
        let town = Town::around(config, world, crate::routes::routes()).await;
        let uri = town.uri("good", "quiet");
        let remote = town.remote("good", "quiet");
        let followers = Some(format!("{uri}/followers"));
        let group = town.world.put(RemoteActor { kind: ActorKind::Course, followers, ..remote });
        let there = Self { town, group, people, sent: Mutex::new(0) };
        for who in [0, 1] {
            there.follows(who, FollowState::Accepted);
        }
        there
    }

    fn follows(&self, who: usize, state: FollowState) {
        let (who, group) = (self.people[who].id, self.group.id);
        let uri = format!("https://us.test/a/f{}", who.0);
        self.town.world.tx(move |tx| follow::put(tx, who, group, &uri, state).map(drop));
    }

    fn state(&self, who: usize) -> Option<FollowState> {
        let (who, group) = (self.people[who].id, self.group.id);
        self.town.world.read(|db| Ok(follow::find(db, who, group)?.map(|known| known.state)))
    }

    fn url(&self) -> String {
        format!("{}/followers/synchronization", self.group.uri)
    }

    fn said(&self, url: &str, listed: &[&str]) -> String {
        let followers = self.group.followers.clone().unwrap();
        format!("collectionId=\"{followers}\", url=\"{url}\", digest=\"{}\"", digest(listed.iter().copied()))
    }

    /// The course sends something with this header: signed, or put in afterwards.
    async fn sends(&self, scheme: Scheme, said: &str, signed: bool) -> u16 {
        let number = {
            let mut sent = self.sent.lock().unwrap();
            *sent += 1;
            *sent
        };
        let uri = &self.group.uri;
        let body =
            json!({"id": format!("{uri}/a/{number}"), "type": "Like", "actor": uri, "object": "https://us.test/o/1"});
        let body = body.to_string();
        let key = SigningKey::from_pem(&self.town.world.keys().private_pem).unwrap();
        let signer = Signer { key_id: format!("{uri}#main-key"), key };
        let url = Url::parse("https://us.test/inbox").unwrap();
        let load = Load { body: body.as_bytes(), synchronization: signed.then_some(said) };
        let mut headers = sign_post(&signer, scheme, &url, load, self.town.app.now().system()).unwrap();
        headers.insert(header::HOST, "us.test".parse().unwrap());
        headers.insert(SYNCHRONIZATION, said.parse().unwrap());
        self.town.send(headers, body).await.as_u16()
    }

    /// Whether it is planned to ask for the list; not any more then.
    fn planned(&self) -> bool {
        let id = self.group.id.0;
        let planned = self.town.world.read(|db| {
            use crate::db::{Run, schema::jobs};
            use diesel::{ExpressionMethods, QueryDsl};
            let all = jobs::table.filter(jobs::kind.eq(JobKind::FollowersCompare)).filter(jobs::subject.eq(id));
            Ok(all.count().get_result::<i64>(db)?)
        });
        self.town.world.tx(move |tx| jobs::forget(tx, JobKind::FollowersCompare, id));
        planned == 1
    }

    fn planned_at(&self) -> crate::clock::Time {
        let id = self.group.id.0;
        self.town.world.read(|db| {
            use crate::db::{Run, schema::jobs};
            use diesel::{ExpressionMethods, QueryDsl};
            Ok(jobs::table.filter(jobs::subject.eq(id)).select(jobs::run_at).first(db)?)
        })
    }

    async fn compare(&self) {
        compare(&self.town.config, ActorId(self.group.id.0)).await.unwrap();
    }

    fn uri(&self, who: usize) -> &str {
        &self.people[who].uri
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_that_differs_is_looked_into_when_it_is_signed_and_about_their_own_followers() {
    for scheme in [Scheme::Cavage, Scheme::Rfc9421] {
        let there = There::open().await;
        let (url, both) = (there.url(), [there.uri(0), there.uri(1)]);
        assert_eq!(there.sends(scheme, &there.said(&url, &both), true).await, 202);
        assert!(!there.planned(), "both count the same");
        let differs = there.said(&url, &both[..1]);
        assert_eq!(there.sends(scheme, &differs, false).await, 202);
        assert!(!there.planned(), "nobody signed it");
        for wrong in [
            there.said("https://evil.test/u/quiet/followers/synchronization", &both[..1]),
            there.said("file:///etc/passwd", &both[..1]),
            differs.replace("quiet/followers\"", "other/followers\""),
            "nonsense".to_owned(),
        ] {
            assert_eq!(there.sends(scheme, &wrong, true).await, 202, "what is sent is taken in all the same");
            assert!(!there.planned(), "{wrong}");
        }
        assert_eq!(there.sends(scheme, &differs, true).await, 202);
        assert!(there.planned());
        assert_eq!(there.sends(scheme, &differs, true).await, 202);
        assert!(!there.planned(), "it is planned once");
        assert!(there.town.asked().is_empty(), "nothing is fetched while somebody waits for an answer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_was_changed_on_the_way_makes_the_signature_wrong() {
    for scheme in [Scheme::Cavage, Scheme::Rfc9421] {
        let there = There::open().await;
        let uri = &there.group.uri;
        let body = json!({"id": format!("{uri}/a/1"), "type": "Like", "actor": uri, "object": "https://us.test/o/1"});
        let body = body.to_string();
        let key = SigningKey::from_pem(&there.town.world.keys().private_pem).unwrap();
        let signer = Signer { key_id: format!("{uri}#main-key"), key };
        let said = there.said(&there.url(), &[there.uri(0), there.uri(1)]);
        let load = Load { body: body.as_bytes(), synchronization: Some(&said) };
        let address = Url::parse("https://us.test/inbox").unwrap();
        let mut headers = sign_post(&signer, scheme, &address, load, there.town.app.now().system()).unwrap();
        headers.insert(header::HOST, "us.test".parse().unwrap());
        headers.insert(SYNCHRONIZATION, there.said(&there.url(), &[]).parse().unwrap());
        assert_eq!(there.town.send(headers, body).await, 401);
        assert!(!there.planned());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_the_home_counts_when_it_is_whole() {
    let there = There::open().await;
    let list = |items: Value, more: Value| {
        let mut list = json!({"id": there.url(), "type": "OrderedCollection", "orderedItems": items});
        list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        there.town.serve(&there.url(), 200, &list);
    };
    let differs = there.said(&there.url(), &[]);
    assert_eq!(there.sends(Scheme::Cavage, &differs, true).await, 202);
    assert!(there.planned());
    // What is no list, or not a whole one, changes nothing.
    there.town.serve(&there.url(), 200, &json!({"id": there.url(), "type": "Note"}));
    there.compare().await;
    list(json!([]), json!({"totalItems": 2}));
    there.compare().await;
    list(json!([]), json!({"next": "https://evil.test/more"}));
    there.compare().await;
    there.town.serve(&there.url(), 404, &json!({}));
    there.compare().await;
    assert_eq!((there.state(0), there.state(1)), (Some(FollowState::Accepted), Some(FollowState::Accepted)));
    // Not again within the hour.
    there.sends(Scheme::Cavage, &differs, true).await;
    let at = there.planned_at();
    assert!(at.since(there.town.now()) >= Duration::from_secs(3599), "{at:?}");
    // Bo is not in it, Zoe is and never asked, and nobody here is called nil.
    list(
        json!([there.uri(0), there.uri(2), "https://us.test/u/nil", "https://evil.test/u/x"]),
        json!({"totalItems": 4}),
    );
    there.compare().await;
    assert_eq!((there.state(0), there.state(1), there.state(2)), (Some(FollowState::Accepted), None, None));
    let undone: Vec<Value> = sent_from(&there.town.world).into_iter().map(|(said, _)| said).collect();
    assert_eq!(undone.len(), 1, "{undone:?}");
    assert_eq!((&undone[0]["type"], &undone[0]["actor"]), (&json!("Undo"), &json!(there.uri(2))));
    assert_eq!(undone[0]["object"]["object"], there.group.uri.as_str());
    // Who waits and is in it was agreed to; the answer got lost.
    there.follows(1, FollowState::Pending);
    list(json!([there.uri(0), there.uri(1)]), json!({}));
    there.compare().await;
    assert_eq!(there.state(1), Some(FollowState::Accepted));
    // Nobody at all.
    list(json!([]), json!({"totalItems": 0}));
    there.compare().await;
    assert_eq!((there.state(0), there.state(1)), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_often_and_how_much_is_compared_can_be_set() {
    let mut config = Config::default();
    (config.federation.followers_compared_minutes, config.federation.largest_followers_list) = (5, 1);
    let there = There::with(config).await;
    let differs = there.said(&there.url(), &[]);
    assert_eq!(there.sends(Scheme::Cavage, &differs, true).await, 202);
    assert!(there.planned());
    there.town.serve(
        &there.url(),
        200,
        &json!({"id": there.url(), "type": "OrderedCollection",
        "orderedItems": [there.uri(0), "https://us.test/u/nil"], "totalItems": 2}),
    );
    there.compare().await;
    assert_eq!(there.state(1), Some(FollowState::Accepted), "of a longer list nothing is taken");
    there.town.serve(
        &there.url(),
        200,
        &json!({"id": there.url(), "type": "OrderedCollection",
        "orderedItems": [there.uri(0)], "totalItems": 1}),
    );
    there.compare().await;
    assert_eq!((there.state(0), there.state(1)), (Some(FollowState::Accepted), None));
    assert_eq!(there.sends(Scheme::Cavage, &differs, true).await, 202);
    let at = there.planned_at();
    assert!((299..=300).contains(&at.since(there.town.now()).as_secs()), "{at:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_of_whom_nobody_here_knows() {
    let there = There::open().await;
    for who in [0, 1] {
        let (person, group) = (there.people[who].id, there.group.id);
        there.town.world.tx(move |tx| follow::remove(tx, person, group).map(drop));
    }
    let differs = there.said(&there.url(), &["https://us.test/u/zoe"]);
    assert_eq!(there.sends(Scheme::Cavage, &differs, true).await, 202);
    assert!(!there.planned());
    there.follows(2, FollowState::Pending);
    assert_eq!(there.sends(Scheme::Cavage, &differs, true).await, 202);
    assert!(there.planned(), "somebody waits for an answer");
}
