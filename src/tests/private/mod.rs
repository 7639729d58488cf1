//! Is what is in a private course there for those who are in it, and not there at all for everybody else?

mod doors;
mod followers;
mod plans;

use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor, ActorKind, ActorState, RemoteActor};
use crate::assignment::{self, Assignment};
use crate::config::Config;
use crate::course;
use crate::db::Run;
use crate::db::schema::courses;
use crate::discussion::{self, NewPost, Post};
use crate::dispatch::dispatch;
use crate::enrollment::{self, Ask, EnrollmentState};
use crate::federation::peer::{self, OWN_KIND};
use crate::federation::town::Town;
use crate::federation::wire;
use crate::sign_in::web::recognise::session_cookie;
use crate::tests::study::sent_from;
use crate::tests::{Browser, Study};
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

/// The private course `rust` with an assignment and a post; Dov of good.test takes part.
struct Scene {
    town: Town,
    ada: Actor,
    bo: Actor,
    dov: Actor,
    /// Who asks for Dov's server.
    good: Actor,
    /// Somebody of another server, and who asks for it.
    evil: [Actor; 2],
    group: Actor,
    cohort: crate::cohort::Cohort,
    post: Post,
    assignment: Assignment,
}

impl Scene {
    async fn open() -> Self {
        let Study { world, ada, bo, group, course, cohort, .. } = {
            let study = Study::new();
            let id = study.course.id;
            study.world.tx(move |tx| {
                diesel::update(courses::table.find(id)).set(courses::private.eq(true)).execute(tx)?;
                Ok(())
            });
            study
        };
        let town = Town::around(Config::default(), world, crate::routes::routes()).await;
        let dov = town.known("good", "dov");
        let instance = |host: &str| RemoteActor { kind: ActorKind::Instance, ..town.remote(host, "actor") };
        let good = town.world.put(instance("good"));
        let evil = [town.known("evil", "mallory"), town.world.put(instance("evil"))];
        let (by, who, run, id) = (ada.clone(), dov.clone(), cohort.id, course.id);
        let now = town.now();
        let (post, assignment) = town.world.tx(move |tx| {
            peer::learn(tx, &who.host, Some(OWN_KIND), None)?;
            let place = enrollment::enroll(tx, &who, run, &Ask::default())?;
            assert_eq!(place.state, EnrollmentState::Applied, "a private course lets nobody in by itself");
            enrollment::accept(tx, &by, place.id)?;
            let new = NewPost {
                course_id: id,
                uri: None,
                in_reply_to: None,
                anchor: None,
                title: "Marzipan".into(),
                body_md: "Marzipan among us.".into(),
                body_html: "<p>Marzipan among us.</p>".into(),
                published_at: now,
            };
            let post = discussion::write(tx, &by, new)?;
            let draft = assignment::Draft {
                title: "Marzipan exercise".into(),
                summary: "Bake some and say how it went.".into(),
                body_md: "Bake.".into(),
                rubric: crate::tests::study::rubric(),
                reviews_each: 1,
                visibility: assignment::Visibility::Private,
                due_at: now.plus(2 * crate::tests::study::DAY),
                review_due_at: now.plus(4 * crate::tests::study::DAY),
            };
            let task = assignment::draft(tx, &by, run, &draft)?;
            assignment::open(tx, &by, task)?;
            Ok((post, assignment::get(tx, task)?))
        });
        Self { town, ada, bo, dov, good, evil, group, cohort, post, assignment }
    }

    /// The browser of somebody here.
    fn browser(&self, who: &Actor) -> Browser<'_> {
        let mut browser = Browser::new(&self.town.world).at(&self.town.app);
        let id = who.id;
        let token = self.town.world.tx(move |tx| {
            let account = crate::account::find_by_actor(tx, id)?.unwrap();
            crate::account::session::open(tx, &account, "Test/1.0", "192.0.2.1")
        });
        browser.set_cookie(session_cookie(&self.town.app), Some(token.reveal()));
        browser
    }

    /// What is in the course, as pages, and what there would be if it were not: each with a twin that does not exist.
    fn pages(&self) -> Vec<(String, String)> {
        let none = "00000000000000000000000000000000";
        let of = |start: &str, id: &str, end: &str| (format!("{start}{id}{end}"), format!("{start}{none}{end}"));
        let mut all: Vec<(String, String)> = ["people", "syllabus", "discussion", "assignments"]
            .iter()
            .map(|page| (format!("/c/rust/{page}"), format!("/c/nil/{page}")))
            .collect();
        all.push(of("/posts/", &self.post.public_id, ""));
        all.push(of("/assignments/", &self.assignment.public_id, ""));
        all.push(of("/assignments/", &self.assignment.public_id, "/comments"));
        all.push(of("/cohorts/", &self.cohort.public_id, ""));
        all.push(of("/o/", &self.post.public_id, ""));
        all
    }

    /// The same for other servers.
    fn documents(&self) -> Vec<(String, String)> {
        let none = "00000000000000000000000000000000";
        let of = |start: &str, id: &str, end: &str| (format!("{start}{id}{end}"), format!("{start}{none}{end}"));
        let collections = ["outbox", "featured", "followers", "following", "members", "moderators", "changes"];
        let mut all: Vec<(String, String)> =
            collections.iter().map(|name| (format!("/c/rust/{name}"), format!("/c/nil/{name}"))).collect();
        for end in ["", "/replies", "/context"] {
            all.push(of("/o/", &self.post.public_id, end));
            all.push(of("/o/", self.assignment.uri.rsplit('/').next().unwrap(), end));
        }
        for (sent, _) in sent_from(&self.town.world) {
            let said = sent.to_string();
            if said.contains("Marzipan") {
                all.push(of("/a/", sent["id"].as_str().unwrap().rsplit('/').next().unwrap(), ""));
            }
        }
        all
    }

    /// The page of the course for somebody outside: what they may ask for, and nothing of what is inside.
    fn front_for(&self, name: &str, browser: &mut Browser<'_>) {
        let front = browser.get("/c/rust").ok();
        assert!(front.contains("This course is private") && !front.contains("Marzipan"), "{name}");
        assert!(!front.contains(&self.cohort.name) && !front.contains(&self.ada.name), "{name}");
        assert!(!front.text.to_lowercase().contains("enroll in") && !front.contains("to enroll"), "{name}");
        assert_eq!(front.contains(">Ask for a place</button>"), name == "zoe", "{name} may ask for a place once");
        assert_eq!(front.contains("Sign in to ask for a place"), name == "anybody", "{name}");
        for said in ["You asked for a place; an organizer answers.", "What you asked for", ">Take it back<"] {
            assert_eq!(front.contains(said), name == "applicant", "{name}: {said}");
        }
    }

    fn suspend(&self, who: &Actor) {
        let id = who.id;
        self.town.world.tx(move |tx| actor::move_to(tx, id, ActorState::Suspended));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_what_is_in_a_private_course_is_for_people_outside_as_if_it_were_not() {
    let scene = Scene::open().await;
    let zoe = Browser::of(&scene.town.world, "zoe").actor();
    let mut waits = Browser::of(&scene.town.world, "waits");
    let (who, run) = (waits.actor(), scene.cohort.id);
    scene.town.world.tx(move |tx| enrollment::enroll(tx, &who, run, &Ask::default()).map(drop));
    waits = scene.browser(&waits.actor());
    let mut outside = [
        ("anybody", Browser::new(&scene.town.world).at(&scene.town.app)),
        ("zoe", scene.browser(&zoe)),
        ("applicant", waits),
    ];
    let mut inside = [("bo", scene.browser(&scene.bo)), ("ada", scene.browser(&scene.ada))];
    for (page, twin) in scene.pages() {
        for (name, browser) in &mut outside {
            browser.follows = false;
            let (hidden, nothing) = (browser.get(&page), browser.get(&twin));
            assert_eq!((hidden.status.as_u16(), nothing.status.as_u16()), (404, 404), "{name} {page}");
            assert_eq!(hidden.text.replace(&page, "X"), nothing.text.replace(&twin, "X"), "{name} {page}");
        }
        for (name, browser) in &mut inside {
            assert!(page.starts_with("/o/") || browser.get(&page).status == 200, "{name} {page}");
        }
    }
    let of = |start: &str, id: &str, end: &str| format!("{start}{id}{end}");
    let none = "00000000000000000000000000000000";
    for (start, id, end) in [
        ("/posts/", &scene.post.public_id, "/edit"),
        ("/posts/", &scene.post.public_id, "/deletion"),
        ("/posts/", &scene.post.public_id, "/report"),
        ("/assignments/", &scene.assignment.public_id, "/results"),
        ("/assignments/", &scene.assignment.public_id, "/deadline"),
    ] {
        for (name, browser) in &mut outside {
            let (hidden, nothing) = (browser.get(&of(start, id, end)), browser.get(&of(start, none, end)));
            assert_eq!(hidden.status, nothing.status, "{name} {start}{end}");
            assert_eq!(hidden.text.replace(id.as_str(), none), nothing.text, "{name} {start}{end}");
        }
    }
    for (name, browser) in &mut outside {
        for list in ["/courses", "/search?q=Rust", "/u/ada"] {
            assert!(!browser.get(list).contains("Rust from the ground up"), "{name} {list}");
        }
        scene.front_for(name, browser);
    }
    assert!(inside[0].1.get("/c/rust").ok().contains("Marzipan exercise"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_01_and_prv_13_other_servers_get_what_is_in_it_for_their_members_alone() {
    let scene = Scene::open().await;
    let documents = scene.documents();
    assert!(documents.len() >= 7 + 6 + 2, "{documents:?}");
    for (path, twin) in &documents {
        for by in [None, Some(&scene.evil[0].uri), Some(&scene.evil[1].uri)] {
            let hidden = scene.town.get(path, by.map(String::as_str)).await;
            let nothing = scene.town.get(twin, by.map(String::as_str)).await;
            assert_eq!((hidden.0.as_u16(), &hidden), (404, &nothing), "{path} by {by:?}");
        }
        for by in [&scene.dov.uri, &scene.good.uri] {
            let (status, _) = scene.town.get(path, Some(by)).await;
            assert_eq!(status.as_u16(), 200, "{path} by {by}");
        }
    }
    // Lemmy's question, for a member, a stranger, and by a server without members.
    let (dov, group) = (scene.dov.id, scene.group.id);
    let known = scene.town.world.read(|db| follow::find(db, dov, group));
    assert!(known.is_none(), "a place is no following");
    scene
        .town
        .world
        .tx(move |tx| follow::put(tx, dov, group, "https://good.test/f/1", FollowState::Accepted).map(drop));
    let ask = |who: &Actor| format!("/c/rust/followers?is_follower={}", who.uri);
    for (who, by, status) in
        [(&scene.dov, &scene.good, 200), (&scene.evil[0], &scene.good, 404), (&scene.dov, &scene.evil[1], 404)]
    {
        assert_eq!(scene.town.get(&ask(who), Some(&by.uri)).await.0.as_u16(), status, "{} by {}", who.uri, by.uri);
    }
    // PRV-13: whoever is suspended reads nothing, and nothing is read for them.
    scene.suspend(&scene.dov);
    for (path, _) in &documents {
        for by in [&scene.dov.uri, &scene.good.uri] {
            let (status, _) = scene.town.get(path, Some(by)).await;
            assert!(matches!(status.as_u16(), 403 | 404), "{path} by {by}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prv_09_nothing_of_a_private_course_names_everyone_or_goes_where_nobody_is_in_it() {
    let scene = Scene::open().await;
    let sent = sent_from(&scene.town.world);
    assert!(sent.iter().any(|(said, to)| said.to_string().contains("Marzipan") && !to.is_empty()));
    for (said, inboxes) in &sent {
        let text = said.to_string();
        assert!(!text.contains(wire::PUBLIC), "{text}");
        assert!(!text.contains("/u/ada/followers"), "those who follow its author are others: {text}");
        assert!(said.get("proof").is_none(), "nobody can show others that it is genuine: {text}");
        assert!(inboxes.iter().all(|inbox| inbox.contains("//good.test")), "{inboxes:?} {text}");
    }
    let (_, outside) = scene.town.get("/c/rust", None).await;
    assert_eq!((&outside["manuallyApprovesFollowers"], &outside["discoverable"]), (&json!(true), &json!(false)));
    assert_eq!((&outside["indexable"], &outside["learning"]["syllabus"]), (&json!(false), &Value::Null));
    assert!(outside["learning"].get("cohorts").is_none() && !outside.to_string().contains("Starts"));
    let (_, inside) = scene.town.get("/c/rust", Some(&scene.good.uri)).await;
    assert!(inside["learning"]["cohorts"].is_array(), "{inside}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follow_of_a_private_course_waits_for_an_organizer() {
    let scene = Scene::open().await;
    let mia = scene.town.known("good", "mia");
    let lea = scene.town.known("good", "lea");
    let before = sent_from(&scene.town.world).len();
    for who in [&mia, &lea] {
        let follow =
            json!({"id": format!("{}/f/1", who.uri), "type": "Follow", "actor": who.uri, "object": scene.group.uri});
        assert_eq!(scene.town.post(&follow).await, 202);
    }
    scene.town.work(dispatch).await;
    let kinds = |from: usize| -> Vec<String> {
        let sent = sent_from(&scene.town.world);
        sent[from..].iter().map(|(said, _)| said["type"].as_str().unwrap().to_owned()).collect()
    };
    assert!(kinds(before).is_empty(), "no answer yet: {:?}", kinds(before));
    let place = |who: &Actor| scene.town.world.read(|db| enrollment::find(db, scene.cohort.id, who.id)).unwrap();
    assert_eq!((place(&mia).state, place(&lea).state), (EnrollmentState::Applied, EnrollmentState::Applied));
    let people = scene.browser(&scene.ada).get("/c/rust/people?list=applications").ok();
    assert!(people.contains("Asks to follow the course."), "{}", people.text);
    let (ada, yes, no) = (scene.ada.clone(), place(&mia).id, place(&lea).id);
    scene.town.world.tx(move |tx| {
        enrollment::accept(tx, &ada, yes)?;
        enrollment::decline(tx, &ada, no).map(drop)
    });
    let state = |who: &Actor| {
        let (who, group) = (who.id, scene.group.id);
        scene.town.world.read(|db| Ok(follow::find(db, who, group)?.map(|known| known.state)))
    };
    assert_eq!((state(&mia), state(&lea)), (Some(FollowState::Accepted), None));
    let answered = kinds(before);
    assert!(answered.contains(&"Accept".into()) && answered.contains(&"Reject".into()), "{answered:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_of_a_member_elsewhere_is_taken_when_it_is_for_all_who_are_in_it_alone() {
    let scene = Scene::open().await;
    let followers = scene.group.followers.clone().unwrap();
    let note = |id: u8, to: Value| {
        let uri = format!("{}/o/{id}", scene.dov.uri);
        json!({
            "id": format!("{uri}/create"), "type": "Create", "actor": scene.dov.uri, "to": to, "cc": [],
            "object": {"id": uri, "type": "Note", "attributedTo": scene.dov.uri, "to": to, "cc": [],
                "audience": scene.group.uri, "inReplyTo": scene.post.uri, "content": "<p>Almonds.</p>"},
        })
    };
    let before = sent_from(&scene.town.world).len();
    assert_eq!(scene.town.post(&note(1, json!([scene.group.uri, followers]))).await, 202);
    // For the course alone: a private word, which is passed on to nobody.
    assert_eq!(scene.town.post(&note(2, json!([scene.group.uri]))).await, 202);
    scene.town.work(dispatch).await;
    let found = |id: u8| {
        let uri = format!("{}/o/{id}", scene.dov.uri);
        scene.town.world.read(move |db| discussion::find_by_uri(db, &uri))
    };
    assert!(found(1).is_some() && found(2).is_none());
    for (said, _) in &sent_from(&scene.town.world)[before..] {
        assert!(!said.to_string().contains("/o/2"), "{said}");
    }
}

#[test]
fn a_course_is_made_private_by_the_form_until_it_is_listed() {
    let study = Study::new();
    let mut ada = study.browser(&study.ada);
    let page = ada.get("/propose").ok();
    assert!(page.contains("Only those who take part") && page.contains("cannot be changed once a moderator agreed"));
    let fields = [
        ("title", "Among us"),
        ("handle", "among"),
        ("tagline", "Quietly"),
        ("description", "We talk."),
        ("language", "en"),
        ("license", "CC-BY-4.0"),
        ("private", "yes"),
    ];
    ada.submit_form("/propose", "/courses", &fields).ok();
    let (course, group) = study.world.read(|db| course::named(db, "among"));
    assert!(course.private && group.summary.contains("Follow to ask for a place"), "{}", group.summary);
    assert!(ada.get("/c/among/edit").ok().contains("value=\"yes\" checked"));
    let (by, id) = (study.ada.clone(), study.course.id);
    let changed = study.world.attempt(move |tx| course::set_private(tx, &by, id, true));
    assert!(changed.is_err(), "a listed course stays as it is");
}
