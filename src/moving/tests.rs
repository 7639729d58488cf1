//! Does somebody who moves take along what is theirs, once, and nobody else's?

use super::*;
use crate::actor::follow::{self, FollowState};
use crate::actor::{ActorState, RemoteActor};
use crate::config::Config;
use crate::dispatch::dispatch;
use crate::enrollment::EnrollmentState;
use crate::federation::document;
use crate::federation::peer::{self, OWN_KIND};
use crate::federation::town::Town;
use crate::tests::browser::PASSWORD;
use crate::tests::study::{DAY, sent_from};
use crate::tests::{Browser, Study};
use serde_json::{Value, json};

/// A course here, and other servers.
struct Scene {
    town: Town,
    ada: Actor,
    group: Actor,
    course: Course,
    cohort: crate::cohort::Cohort,
}

impl Scene {
    async fn open() -> Self {
        let Study { world, ada, group, course, cohort, .. } = Study::new();
        let town = Town::around(Config::default(), world, crate::routes::routes()).await;
        Self { town, ada, group, course, cohort }
    }

    /// Somebody elsewhere who follows the course and takes part.
    fn learner(&self, host: &str, name: &str) -> Actor {
        let who = self.town.known(host, name);
        let (id, group, cohort) = (who.clone(), self.group.id, self.cohort.id);
        self.town.world.tx(move |tx| {
            follow::put(tx, id.id, group, &format!("{}/follow", id.uri), FollowState::Accepted)?;
            enrollment::enroll(tx, &id, cohort, &enrollment::Ask::default()).map(drop)
        });
        who
    }

    /// Serves somebody elsewhere who names these other accounts.
    fn serve(&self, who: &RemoteActor, kind: &str, more: Value) {
        let mut document = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": who.uri, "type": kind,
            "preferredUsername": who.handle, "inbox": who.inbox,
            "publicKey": {"id": format!("{}#main-key", who.uri), "owner": who.uri,
                "publicKeyPem": self.town.world.keys().public_pem},
        });
        for (key, value) in more.as_object().unwrap() {
            document[key] = value.clone();
        }
        self.town.serve(&who.uri, 200, &document);
    }

    /// A Move arrives and is worked off. Says how that ended.
    async fn move_arrives(&self, number: u8, by: &Actor, object: &str, target: &str) -> String {
        let id = format!("{}/move/{number}", by.uri);
        let activity = json!({"id": id, "type": "Move", "actor": by.uri, "object": object, "target": target});
        let status = self.town.post(&activity).await;
        self.town.work(dispatch).await;
        let states = self.town.inbox();
        states.into_iter().find(|(uri, _)| *uri == id).map_or_else(|| status.as_str().to_owned(), |(_, state)| state)
    }

    fn follows(&self, who: &Actor) -> Option<FollowState> {
        self.town.world.read(|db| Ok(follow::find(db, who.id, self.group.id)?.map(|known| known.state)))
    }

    fn place(&self, who: &Actor) -> Option<EnrollmentState> {
        self.town.world.read(|db| Ok(enrollment::find(db, self.cohort.id, who.id)?.map(|place| place.state)))
    }

    fn find(&self, uri: &str) -> Actor {
        self.town.world.read(|db| actor::find_by_uri(db, uri)).unwrap()
    }

    fn sent(&self, kind: &str) -> Vec<(Value, Vec<String>)> {
        sent_from(&self.town.world).into_iter().filter(|(activity, _)| activity["type"] == kind).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_elsewhere_moves_and_takes_place_and_following_along_once() {
    let scene = Scene::open().await;
    let bob = scene.learner("good", "bob");
    let new = scene.town.remote("new", "bob");
    scene.serve(&new, "Person", json!({"alsoKnownAs": [bob.uri]}));
    assert_eq!(scene.move_arrives(1, &bob, &bob.uri, &new.uri).await, "done");
    let moved = scene.find(&new.uri);
    assert_eq!((scene.follows(&bob), scene.follows(&moved)), (None, Some(FollowState::Accepted)));
    let states = (scene.place(&bob), scene.place(&moved));
    assert_eq!(states, (Some(EnrollmentState::Left), Some(EnrollmentState::Active)));
    let led = scene.town.world.read(|db| moves::moved_to(db, bob.id)).unwrap();
    assert_eq!(led.id, moved.id);
    // The organizer sees it, and a server of unknown kind gets an Offer and words.
    let mut ada = Browser::new(&scene.town.world).at(&scene.town.app);
    let (id, app) = (scene.ada.id, scene.town.app.clone());
    let token = scene.town.world.tx(move |tx| {
        let account = crate::account::find_by_actor(tx, id)?.unwrap();
        crate::account::session::open(tx, &account, "Test/1.0", "192.0.2.1")
    });
    ada.set_cookie(crate::sign_in::web::recognise::session_cookie(&app), Some(token.reveal()));
    let people = ada.get("/c/rust/people").ok();
    assert!(people.contains(&format!("before: {}", bob.acct())), "{}", people.text);
    let offers = scene.sent("Offer");
    assert_eq!((offers.len(), &offers[0].1), (1, &vec![new.inbox.clone()]));
    assert_eq!((&offers[0].0["origin"], &offers[0].0["object"]["actor"]), (&json!(bob.uri), &json!(new.uri)));
    // A repetition under another id changes nothing: also not when the new account left meanwhile.
    let leaving = moved.clone();
    let course = scene.course.clone();
    scene.town.world.tx(move |tx| enrollment::leave_course(tx, &leaving, &course).map(drop));
    assert_eq!(scene.move_arrives(2, &bob, &bob.uri, &new.uri).await, "done");
    assert_eq!((scene.place(&moved), scene.sent("Offer").len()), (Some(EnrollmentState::Left), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ori_17_nobody_is_moved_by_others_and_nobody_moves_to_who_does_not_say_so() {
    let scene = Scene::open().await;
    let bob = scene.learner("good", "bob");
    let mallory = scene.town.known("evil", "mallory");
    scene.serve(&scene.town.remote("evil", "mallory"), "Person", json!({"alsoKnownAs": [bob.uri]}));
    // Move{object B, target M} by M, who even names B.
    assert_eq!(scene.move_arrives(1, &mallory, &bob.uri, &mallory.uri).await, "403");
    // Move by B to somebody who does not name them.
    let silent = scene.town.remote("new", "bob");
    for (number, aliases) in [(2, json!([])), (3, json!(null)), (4, json!(["https://good.test/u/other"]))] {
        scene.serve(&silent, "Person", json!({"alsoKnownAs": aliases}));
        assert_eq!(scene.move_arrives(number, &bob, &bob.uri, &silent.uri).await, "refused", "{aliases}");
    }
    // To a course, to nobody, to somebody whose document has another id, and to a person here who does not say so.
    let group = scene.town.remote("new", "course");
    scene.serve(&group, "Group", json!({"alsoKnownAs": [bob.uri]}));
    assert_eq!(scene.move_arrives(5, &bob, &bob.uri, &group.uri).await, "refused");
    assert_eq!(scene.move_arrives(6, &bob, &bob.uri, &scene.town.uri("new", "nobody")).await, "refused");
    assert_eq!(scene.move_arrives(7, &bob, &bob.uri, "https://us.test/u/ada").await, "refused");
    assert_eq!(scene.move_arrives(8, &bob, &bob.uri, &bob.uri).await, "refused");
    assert_eq!((scene.follows(&bob), scene.place(&bob)), (Some(FollowState::Accepted), Some(EnrollmentState::Active)));
    assert!(scene.town.world.read(|db| moves::last_move(db, bob.id)).is_none());
    assert!(scene.sent("Offer").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_or_suspended_gets_nothing_by_moving() {
    let scene = Scene::open().await;
    let bob = scene.learner("good", "bob");
    let new = scene.town.remote("new", "bob");
    scene.serve(&new, "Person", json!({"alsoKnownAs": bob.uri}));
    let known = scene.town.world.put(new.clone());
    let id = known.id;
    scene.town.world.tx(move |tx| actor::move_to(tx, id, ActorState::Suspended));
    assert_eq!(scene.move_arrives(1, &bob, &bob.uri, &new.uri).await, "refused", "MOD-04");
    assert_eq!(scene.place(&bob), Some(EnrollmentState::Active));
    scene.town.world.tx(move |tx| actor::move_to(tx, id, ActorState::Limited));
    assert_eq!(scene.move_arrives(2, &bob, &bob.uri, &new.uri).await, "done");
    assert_eq!(
        (scene.place(&known), scene.follows(&known)),
        (Some(EnrollmentState::Applied), Some(FollowState::Pending))
    );
}

/// Lets zoe be found at the new server; gives her handle there.
fn finger(town: &Town, new: &RemoteActor) -> String {
    let host = town.host("new");
    let finger = format!("http://{host}/.well-known/webfinger?resource=acct%3Azoe%40{}", host.replace(':', "%3A"));
    let said = json!({"subject": format!("acct:zoe@{host}"),
        "links": [{"rel": "self", "type": "application/activity+json", "href": new.uri}]});
    town.serve_as(&finger, "application/jrd+json", &said);
    format!("@zoe@{host}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_here_moves_away_by_the_form_and_everyone_is_told() {
    let scene = Scene::open().await;
    let (mut zoe, town) = (Browser::new(&scene.town.world).at(&scene.town.app), &scene.town);
    zoe.sign_up("zoe");
    let me = zoe.actor();
    let fan = town.known("good", "fan");
    let (id, follower, cohort) = (me.clone(), fan.id, scene.cohort.id);
    town.world.tx(move |tx| {
        follow::put(tx, follower, id.id, "https://good.test/f/1", FollowState::Accepted)?;
        enrollment::enroll(tx, &id, cohort, &enrollment::Ask::default()).map(drop)
    });
    let new = town.remote("new", "zoe");
    let handle = finger(town, &new);
    scene.serve(&new, "Person", json!({}));
    let page = zoe.get("/settings/moving").ok();
    assert!(page.contains("None is named.") && page.contains("@zoe@us.test"), "{}", page.text);
    let go = |zoe: &mut Browser<'_>, password: &str| {
        let fields = [("target", handle.as_str()), ("password", password)];
        zoe.submit_form("/settings/moving", "/settings/moving/departure", &fields)
    };
    assert!(go(&mut zoe, "not this one").contains("This is not your password."));
    let refused = go(&mut zoe, PASSWORD);
    assert!(refused.status == 422 && refused.contains("does not name @zoe@us.test yet"), "{}", refused.text);
    assert!(scene.sent("Move").is_empty());
    scene.serve(&new, "Person", json!({"alsoKnownAs": [me.uri]}));
    let done = go(&mut zoe, PASSWORD).ok();
    assert!(done.contains("The move is under way") && done.contains("moved to"), "{}", done.text);
    let moves_sent = scene.sent("Move");
    assert_eq!(moves_sent.len(), 1);
    let (activity, inboxes) = &moves_sent[0];
    assert_eq!((&activity["object"], &activity["target"]), (&json!(me.uri), &json!(new.uri)));
    assert!(inboxes.contains(&fan.shared_inbox.unwrap()), "{inboxes:?}");
    let updates = scene.sent("Update");
    assert_eq!(updates.last().unwrap().0["object"]["movedTo"], new.uri);
    let moved = scene.find(&new.uri);
    let states = (scene.place(&me), scene.place(&moved));
    assert_eq!(states, (Some(EnrollmentState::Left), Some(EnrollmentState::Active)));
    assert!(zoe.get("/u/zoe").ok().contains("moved to"));
    let document = town.world.read(|db| {
        let me = actor::get(db, me.id)?;
        document::to_wire(db, &me)
    });
    assert_eq!(document["movedTo"], new.uri);
    // Not again soon; called off it leads nowhere, and the rest goes on.
    assert!(zoe.get("/settings/moving").contains("It can move again from"));
    let stays = zoe.submit_form("/settings/moving", "/settings/moving/end", &[]).ok();
    assert!(stays.contains("It can move again from") && !stays.contains("Its page here says so"), "{}", stays.text);
    let until = town.world.read(|db| rests_until(db, &me)).unwrap();
    assert_eq!(until, town.now().plus(30 * DAY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_accounts_are_named_and_taken_away_by_the_form() {
    let scene = Scene::open().await;
    let town = &scene.town;
    let mut zoe = Browser::new(&town.world).at(&town.app);
    zoe.sign_up("zoe");
    let bob = town.remote("good", "bob");
    scene.serve(&bob, "Person", json!({}));
    let name = |zoe: &mut Browser<'_>, handle: &str| {
        zoe.submit_form("/settings/moving", "/settings/moving/aliases", &[("alias", handle)])
    };
    assert!(name(&mut zoe, "@zoe@us.test").contains("This is the account itself."));
    assert!(name(&mut zoe, "").contains("Nobody can be found there."));
    let named = name(&mut zoe, &bob.uri).ok();
    assert!(named.contains("@bob@good.test"), "shown as people write it: {}", named.text);
    let me = zoe.actor();
    let document = town.world.read(|db| document::to_wire(db, &me));
    assert_eq!(document["alsoKnownAs"], json!([bob.uri]));
    assert_eq!(document["@context"].as_array().unwrap().last().unwrap()["alsoKnownAs"]["@id"], "as:alsoKnownAs");
    // Now they move here, and the place in the course comes along.
    let bob = scene.learner("good", "bob");
    assert_eq!(scene.move_arrives(1, &bob, &bob.uri, &me.uri).await, "done");
    assert_eq!((scene.place(&me), scene.follows(&me)), (Some(EnrollmentState::Active), Some(FollowState::Accepted)));
    let gone = zoe.submit_form("/settings/moving", "/settings/moving/aliases/removal", &[("uri", &bob.uri)]).ok();
    assert!(gone.contains("None is named."), "{}", gone.text);
}

/// A Group elsewhere as its server describes it.
fn group_at(town: &Town, host: &str, name: &str) -> RemoteActor {
    RemoteActor { kind: ActorKind::Course, ..town.remote(host, name) }
}

/// What a course elsewhere says of itself.
fn listed() -> course::Mirrored {
    course::Mirrored {
        state: CourseState::Listed,
        tagline: String::new(),
        description: String::new(),
        language: "en".into(),
        license: String::new(),
        indexable: true,
        private: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_moves_away_with_its_followers_and_places() {
    let scene = Scene::open().await;
    let town = &scene.town;
    let bob = scene.learner("good", "bob");
    let fan = town.world.person("fan");
    let (group, follower) = (scene.group.id, fan.id);
    town.world.tx(move |tx| {
        follow::put(tx, follower, group, "https://us.test/a/f", FollowState::Accepted)?;
        Ok(())
    });
    let new = group_at(town, "new", "rust");
    let to = town.world.put(new.clone());
    let (ada, from) = (scene.ada.clone(), scene.group.clone());
    town.world.tx({
        let to = to.clone();
        move |tx| {
            course::mirrored(tx, &to, None, &listed())?;
            move_away(tx, &ada, &from, &to)
        }
    });
    let led = town.world.read(|db| moves::moved_to(db, group)).unwrap();
    assert_eq!(led.id, to.id);
    let follows: Vec<_> = scene.sent("Follow");
    assert_eq!(
        (follows.len(), &follows[0].0["object"]),
        (1, &json!(to.uri)),
        "who follows from here follows the new one"
    );
    assert!(scene.follows(&fan).is_none());
    let moved = scene.sent("Move");
    assert_eq!((moved.len(), &moved[0].0["target"]), (1, &json!(to.uri)));
    assert!(moved[0].1.iter().any(|inbox| inbox.contains("good.test")), "{moved:?}");
    // The new home is offered bob and bo; the organizer is not carried.
    let offered: Vec<Value> =
        scene.sent("Offer").into_iter().map(|(offer, _)| offer["object"]["actor"].clone()).collect();
    assert_eq!(offered, [json!("https://us.test/u/bo"), json!(bob.uri)]);
    let mut nobody = Browser::new(&town.world).at(&town.app);
    let page = nobody.get("/c/rust").ok();
    assert!(page.contains("This course moved to") && page.contains("archived"), "{}", page.text);
    // What is asked of the old course is answered by where it is.
    let carol = town.known("good", "carol");
    let join =
        json!({"id": format!("{}/j/1", carol.uri), "type": "Join", "actor": carol.uri, "object": scene.group.uri});
    let ask =
        json!({"id": format!("{}/f/1", carol.uri), "type": "Follow", "actor": carol.uri, "object": scene.group.uri});
    for activity in [join, ask] {
        assert_eq!(town.post(&activity).await, 202);
    }
    town.work(dispatch).await;
    let rejected = scene.sent("Reject");
    assert_eq!(rejected.len(), 2);
    assert!(rejected.iter().all(|(said, _)| said["summary"].as_str().unwrap().contains("moved to @rust@new.test")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_moves_here_and_those_who_took_part_get_seats_by_the_word_of_its_old_home_alone() {
    let scene = Scene::open().await;
    let town = &scene.town;
    let old = town.world.put(group_at(town, "good", "rust"));
    let (name, number) = (old.clone(), std::cell::Cell::new(0));
    let offer = |by: &Actor, person: &str| {
        number.set(number.get() + 1);
        json!({
            "id": format!("{}/offer/{}", by.uri, number.get()), "type": "Offer", "actor": by.uri,
            "target": scene.group.uri, "origin": by.uri,
            "object": {"type": "Member", "actor": person, "object": scene.group.uri},
        })
    };
    let carol = town.known("good", "carol");
    // LIF-01: nobody here said that the course came from there.
    assert_eq!(town.post(&offer(&old, &carol.uri)).await, 202);
    town.work(dispatch).await;
    assert_eq!(scene.place(&carol), None);
    let (ada, group) = (scene.ada.clone(), scene.group.clone());
    town.world.tx(move |tx| {
        name_alias(tx, &ada, &group, &name)?;
        course::mirrored(tx, &name, None, &listed()).map(drop)
    });
    assert_eq!(scene.move_arrives(1, &old, &old.uri, &scene.group.uri).await, "done");
    let dov = town.known("good", "dov");
    let other = town.world.put(group_at(town, "evil", "rust"));
    assert_eq!(town.post(&offer(&other, &dov.uri)).await, 202, "another course");
    assert_eq!(town.post(&offer(&old, &carol.uri)).await, 202);
    let host = dov.host.clone();
    town.world.tx(move |tx| peer::learn(tx, &host, Some(OWN_KIND), None));
    town.work(dispatch).await;
    assert_eq!((scene.place(&carol), scene.place(&dov)), (Some(EnrollmentState::Active), None));
    let told = scene.sent("Offer");
    assert_eq!((told.len(), &told[0].0["origin"]), (1, &json!(old.uri)), "her server hears of her place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crs_02_a_place_that_nobody_here_wanted_is_not_taken() {
    let study = Study::mirrored();
    let Study { world, bo, group, cohort, .. } = study;
    let town = Town::around(Config::default(), world, crate::routes::routes()).await;
    let offer = |origin: &str, id: u8| {
        json!({
            "id": format!("{}/offer/{id}", group.uri), "type": "Offer", "actor": group.uri, "origin": origin,
            "object": {"type": "Member", "actor": "https://us.test/u/zoe", "object": group.uri},
            "learning": {"cohort": cohort.public_id, "state": "active"},
        })
    };
    let zoe = town.world.person("zoe");
    let context = town.config.to_request_data();
    let (signer, now) = (group.clone(), town.now());
    let got = |activity: Value| crate::federation::Received::new(crate::id::InboxId(0), signer.clone(), activity, now);
    // LIF-01, CRS-02: no request, no consent.
    dispatch(&context, &got(offer("https://old.test/u/zoe", 1))).await.unwrap();
    dispatch(&context, &got(offer(&bo.uri, 2))).await.unwrap();
    // Anyone may read what she named as hers; whether she moved, its own server says.
    let (by, former) = (zoe.clone(), town.known("good", "zoe"));
    let old = former.clone();
    town.world.tx(move |tx| name_alias(tx, &by, &by, &old));
    town.serve_actor("good", "zoe", &town.world.keys());
    dispatch(&context, &got(offer(&former.uri, 3))).await.unwrap();
    assert!(town.world.read(|db| enrollment::find(db, cohort.id, zoe.id)).is_none());
    town.serve(&former.uri, 200, &json!({"id": former.uri, "type": "Person", "movedTo": zoe.uri}));
    dispatch(&context, &got(offer(&former.uri, 4))).await.expect_err("the course is looked up, and not there");
}
