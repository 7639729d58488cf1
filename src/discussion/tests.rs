//! Are posts written, passed on, changed and deleted as the rules say, here and between servers?

use super::*;
use crate::actor::{ActorKind, NewActor, RemoteActor};
use crate::app::App;
use crate::config::Config;
use crate::db::schema::{activities, course_organizers, courses, deliveries, notices};
use crate::federation::{Context, Received, wire as plain_wire};
use crate::http::visitor::{SignedIn, Visitor};
use crate::id::{AccountId, InboxId, SessionId};
use crate::tests::World;
use activitypub_federation::config::FederationConfig;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// A course row for a Group.
fn course_of(world: &World, group: &Actor, organizer: Option<ActorId>) -> Course {
    let group = group.id;
    world.tx(move |tx| {
        let row = (
            courses::actor_id.eq(group),
            courses::state.eq("listed"),
            courses::tagline.eq(""),
            courses::description_md.eq(""),
            courses::description_html.eq(""),
            courses::language.eq("en"),
            courses::license.eq("CC-BY-4.0"),
            courses::answer.eq(""),
            courses::created_at.eq(tx.now()),
        );
        let id: CourseId =
            diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(&mut **tx)?;
        if let Some(actor) = organizer {
            let row = (
                course_organizers::course_id.eq(id),
                course_organizers::actor_id.eq(actor),
                course_organizers::created_at.eq(tx.now()),
            );
            diesel::insert_into(course_organizers::table).values(row).execute(&mut **tx)?;
        }
        course::get(tx, id)
    })
}

struct Scene {
    world: World,
    ada: Actor,
    bo: Actor,
    dov: Actor,
    group: Actor,
    course: Course,
}

/// Ada organizes, Bo and Dov follow, Dov from elsewhere.
fn scene() -> Scene {
    let world = World::new();
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let dov = world.person_elsewhere("dov", "south.test");
    let keys = world.keys();
    let group = world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust_101", name: "Rust 101", summary: "", keys: &keys };
        crate::actor::create(tx, &new)
    });
    let course = course_of(&world, &group, Some(ada.id));
    let (followers, followed) = ([bo.id, dov.id], group.id);
    world.tx(move |tx| {
        for who in followers {
            let uri = format!("https://x.test/follow/{}", who.0);
            follow::put(tx, who, followed, &uri, follow::FollowState::Accepted)?;
        }
        Ok(())
    });
    Scene { world, ada, bo, dov, group, course }
}

fn new_post(course: CourseId, title: &str, body: &str, answers: Option<&Post>) -> NewPost {
    NewPost {
        course_id: course,
        uri: None,
        in_reply_to: answers.map(|post| post.uri.clone()),
        title: title.into(),
        body_md: body.into(),
        body_html: format!("<p>{body}</p>"),
        published_at: Time(i64::MAX),
    }
}

impl Scene {
    fn say(&self, by: &Actor, title: &str, body: &str, answers: Option<&Post>) -> Post {
        let (by, new) = (by.clone(), new_post(self.course.id, title, body, answers));
        self.world.tx(move |tx| write(tx, &by, new))
    }

    fn refused(&self, by: &Actor, new: NewPost) -> String {
        let by = by.clone();
        self.world.attempt(move |tx| write(tx, &by, new)).unwrap_err().to_string()
    }

    /// Every activity that was sent, with the inboxes it goes to.
    fn sent(&self) -> Vec<(Value, Vec<String>)> {
        self.world.read(|db| {
            let rows: Vec<(crate::id::ActivityId, String)> =
                activities::table.order(activities::id).select((activities::id, activities::document)).load(db)?;
            let mut all = Vec::new();
            for (id, document) in rows {
                let to = deliveries::table.filter(deliveries::activity_id.eq(id)).select(deliveries::inbox);
                all.push((serde_json::from_str(&document)?, to.order(deliveries::inbox).load::<String>(db)?));
            }
            Ok(all)
        })
    }

    fn notices_of(&self, who: &Actor) -> Vec<String> {
        let who = who.id;
        self.world.read(move |db| {
            let rows = notices::table.filter(notices::actor_id.eq(who)).order(notices::id).select(notices::text);
            Ok(rows.load(db)?)
        })
    }

    fn app(&self) -> App {
        let mut config = Config::default();
        config.server.url = url::Url::parse("https://us.test").unwrap();
        App::new(config, self.world.pool.clone())
    }

    /// An activity arrives from `signer`.
    async fn arrives(&self, signer: &Actor, activity: Value) -> Result<()> {
        let app = self.app();
        let built = FederationConfig::builder().domain("us.test").app_data(app).build().await.unwrap();
        let context: Context = built.to_request_data();
        let got = Received { id: InboxId(1), signer: signer.clone(), activity, received_at: self.world.clock.now() };
        crate::dispatch::dispatch(&context, &got).await
    }

    fn post(&self, uri: &str) -> Option<Post> {
        let uri = uri.to_owned();
        self.world.read(move |db| find_by_uri(db, &uri))
    }
}

fn note(author: &Actor, group: &Actor, id: &str, content: &str) -> Value {
    json!({
        "id": format!("https://{}/o/{id}", author.host), "type": "Note", "attributedTo": author.uri,
        "to": [plain_wire::PUBLIC], "cc": [group.uri], "content": content, "published": "2026-09-01T07:00:00Z",
        "tag": [{"type": "Mention", "href": group.uri, "name": "@rust_101"}],
    })
}

fn activity(kind: &str, by: &Actor, object: Value) -> Value {
    let id = format!("https://{}/a/{kind}", by.host);
    plain_wire::activity(kind, &id, &by.uri, &[plain_wire::PUBLIC.into()], &[], object)
}

#[test]
fn only_people_of_the_course_may_write() {
    let scene = scene();
    let stranger = scene.world.person("mallory");
    assert!(scene.refused(&stranger, new_post(scene.course.id, "Hi", "x", None)).contains("take part"));
    for by in [&scene.ada, &scene.bo, &scene.dov] {
        scene.say(by, "A title", "Some text", None);
    }
}

#[test]
fn a_thread_needs_title_and_text_of_bounded_length() {
    let scene = scene();
    let id = scene.course.id;
    assert!(scene.refused(&scene.bo, new_post(id, "", "x", None)).contains("title"));
    assert!(scene.refused(&scene.bo, new_post(id, &"a".repeat(201), "x", None)).contains("200"));
    assert!(scene.refused(&scene.bo, new_post(id, "T", " ", None)).contains("write something"));
    assert!(scene.refused(&scene.bo, new_post(id, "T", &"a".repeat(70_000), None)).contains("long"));
}

#[test]
fn threads_are_listed_by_newest_answer_and_read_oldest_first() {
    let scene = scene();
    let old = scene.say(&scene.bo, "Old", "one", None);
    scene.world.pass(Duration::from_secs(60));
    scene.say(&scene.bo, "New", "two", None);
    scene.world.pass(Duration::from_secs(60));
    let answer = scene.say(&scene.ada, "", "three", Some(&old));
    scene.say(&scene.dov, "", "four", Some(&answer));
    let id = scene.course.id;
    let list = scene.world.read(|db| threads(db, id, 1));
    let list: Vec<_> = list.iter().map(|thread| (thread.post.title.as_str(), thread.replies)).collect();
    assert_eq!(list, [("Old", 2), ("New", 0)]);
    let shown = scene.world.read(|db| thread(db, old.id, 1));
    let shown: Vec<_> = shown.iter().map(|entry| entry.post.body_md.as_str()).collect();
    assert_eq!(shown, ["one", "three", "four"]);
}

#[test]
fn an_answer_is_told_once_to_whom_it_answers_and_to_the_others_in_the_thread() {
    let scene = scene();
    let root = scene.say(&scene.bo, "Lifetimes", "one", None);
    let answer = scene.say(&scene.ada, "", "two", Some(&root));
    scene.say(&scene.dov, "", "three", Some(&answer));
    assert_eq!(scene.notices_of(&scene.bo), ["ada answered you in “Lifetimes”.", "dov wrote in “Lifetimes”."]);
    assert_eq!(scene.notices_of(&scene.ada), ["dov answered you in “Lifetimes”."]);
}

#[test]
fn only_the_author_edits_and_only_author_and_organizers_delete() {
    let scene = scene();
    let root = scene.say(&scene.bo, "Title", "one", None);
    scene.say(&scene.dov, "", "two", Some(&root));
    scene.world.pass(Duration::from_secs(5));
    let change =
        Change { title: "Other".into(), body_md: "x".into(), body_html: "<p>x</p>".into(), at: Time(i64::MAX) };
    let (id, ada, bo, dov) = (root.id, scene.ada.clone(), scene.bo.clone(), scene.dov.clone());
    let again = change.clone();
    assert!(scene.world.attempt(move |tx| edit(tx, &ada, id, again)).is_err());
    assert!(scene.world.tx(move |tx| edit(tx, &bo, id, change)).edited_at.is_some());
    assert!(scene.world.attempt(move |tx| delete(tx, &dov, id, "why not")).is_err());
    let ada = scene.ada.clone();
    assert!(scene.world.attempt(move |tx| delete(tx, &ada, id, "")).unwrap_err().to_string().contains("why"));
    let ada = scene.ada.clone();
    scene.world.tx(move |tx| delete(tx, &ada, id, "Spam"));
    let gone = scene.world.read(|db| thread(db, id, 1));
    assert_eq!((gone[0].post.removal.as_str(), gone[0].post.body_html.as_str(), gone.len()), ("Spam", "", 2));
    assert_eq!(scene.notices_of(&scene.bo).last().unwrap(), "A post of yours in Rust 101 was removed: Spam");
}

#[test]
fn a_deleted_thread_without_answers_is_gone_from_the_list() {
    let scene = scene();
    let root = scene.say(&scene.bo, "Title", "one", None);
    let (bo, id, course) = (scene.bo.clone(), root.id, scene.course.id);
    scene.world.tx(move |tx| delete(tx, &bo, id, ""));
    assert!(scene.world.read(|db| threads(db, course, 1)).is_empty());
    assert!(scene.world.read(|db| thread(db, id, 1)).is_empty());
}

#[test]
fn the_wire_forms_of_posts_stay_as_they_are() {
    let scene = scene();
    let root = scene.say(&scene.dov, "Title", "one", None);
    let top = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    let answer = scene.say(&scene.bo, "", "They end.", Some(&root));
    let (bo, id) = (scene.bo.clone(), answer.id);
    for (name, id) in [("page", top.id), ("note", answer.id)] {
        let document = scene.world.read(|db| apub::document(db, id));
        insta::assert_json_snapshot!(name, document, { "[\"@context\"]" => "CTX" });
    }
    scene.world.tx(move |tx| delete(tx, &bo, id, ""));
    let document = scene.world.read(|db| apub::document(db, id));
    insta::assert_json_snapshot!("tombstone", document, { "[\"@context\"]" => "CTX" });
}

#[test]
fn posts_from_here_are_announced_edited_and_deleted_everywhere() {
    let scene = scene();
    let root = scene.say(&scene.bo, "Title", "one", None);
    scene.world.pass(Duration::from_secs(5));
    let change = Change { title: "T".into(), body_md: "x".into(), body_html: "<p>x</p>".into(), at: Time(i64::MAX) };
    let (id, bo) = (root.id, scene.bo.clone());
    scene.world.tx(move |tx| edit(tx, &bo, id, change));
    let bo = scene.bo.clone();
    scene.world.tx(move |tx| delete(tx, &bo, id, ""));
    let sent = scene.sent();
    for kind in ["Create", "Update", "Delete"] {
        let own = sent.iter().any(|(activity, _)| plain_wire::kind(activity) == Some(kind));
        let passed = sent.iter().any(|(activity, to)| {
            plain_wire::kind(&activity["object"]) == Some(kind) && to == &["https://south.test/inbox"]
        });
        assert!(own && passed, "{kind}: {sent:#?}");
    }
    let create = &sent.iter().find(|(activity, _)| plain_wire::kind(activity) == Some("Create")).unwrap().0;
    assert_eq!((&create["to"], &create["cc"]), (&create["object"]["to"], &create["object"]["cc"]));
}

#[tokio::test]
async fn a_post_from_elsewhere_is_taken_in_and_passed_on_unchanged() {
    let scene = scene();
    let mut object = note(&scene.dov, &scene.group, "1", "<p>Hello <script>x</script>all</p>");
    object["unknown"] = json!({"kept": true});
    let create = activity("Create", &scene.dov, object.clone());
    scene.arrives(&scene.dov, create.clone()).await.unwrap();
    scene.arrives(&scene.dov, create.clone()).await.unwrap();
    let post = scene.post("https://south.test/o/1").unwrap();
    assert_eq!((post.title.as_str(), post.body_html.as_str()), ("Hello all", "<p>Hello all</p>"));
    let passed: Vec<_> = scene.sent().into_iter().filter(|(a, _)| a["object"]["type"] == "Create").collect();
    assert_eq!(passed.len(), 1);
    assert_eq!(passed[0].0["object"], create);

    object["content"] = json!("<p>Better</p>");
    object["updated"] = json!("2026-09-01T07:30:00Z");
    scene.arrives(&scene.dov, activity("Update", &scene.dov, object.clone())).await.unwrap();
    object["content"] = json!("<p>Older</p>");
    object["updated"] = json!("2026-09-01T07:10:00Z");
    scene.arrives(&scene.dov, activity("Update", &scene.dov, object)).await.unwrap();
    assert_eq!(scene.post("https://south.test/o/1").unwrap().body_html, "<p>Better</p>");

    let gone = json!({"id": "https://south.test/o/1", "type": "Tombstone"});
    scene.arrives(&scene.dov, activity("Delete", &scene.dov, gone)).await.unwrap();
    assert!(scene.post("https://south.test/o/1").unwrap().is_deleted());
}

#[tokio::test]
async fn what_others_may_not_say_is_refused_and_changes_nothing() {
    let scene = scene();
    let mallory = scene.world.person_elsewhere("mallory", "evil.test");
    let carol = scene.world.person_elsewhere("carol", "south.test");
    scene.arrives(&scene.dov, activity("Create", &scene.dov, note(&scene.dov, &scene.group, "1", "hi"))).await.unwrap();
    let mine = note(&mallory, &scene.group, "2", "spam");
    let mut foreign = note(&scene.dov, &scene.group, "1", "forged");
    foreign["updated"] = json!("2026-09-01T08:00:00Z");
    let mut hidden = note(&scene.dov, &scene.group, "3", "psst");
    hidden["to"] = json!([scene.group.uri]);
    let tombstone = json!({"id": "https://south.test/o/1", "type": "Tombstone"});
    for (by, activity) in [
        (&mallory, activity("Create", &mallory, mine)),
        (&mallory, activity("Create", &mallory, foreign.clone())),
        (&mallory, activity("Update", &mallory, foreign.clone())),
        (&carol, activity("Update", &carol, foreign)),
        (&mallory, activity("Delete", &mallory, tombstone.clone())),
        (&carol, activity("Delete", &carol, tombstone)),
        (&scene.dov, activity("Create", &scene.dov, hidden)),
        (&mallory, activity("Announce", &mallory, note(&mallory, &scene.group, "4", "x"))),
    ] {
        let refused = scene.arrives(by, activity.clone()).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{activity}: {refused:?}");
    }
    assert_eq!(scene.post("https://south.test/o/1").unwrap().body_html, "hi");
    assert!(scene.post("https://evil.test/o/2").is_none() && scene.post("https://south.test/o/3").is_none());
}

/// A course of south.test, mirrored here.
fn mirrored(scene: &Scene) -> (Actor, Course) {
    let uri = "https://south.test/c/go";
    let group = scene.world.put(RemoteActor {
        kind: ActorKind::Course,
        uri: uri.into(),
        url: uri.into(),
        handle: "go".into(),
        host: "south.test".into(),
        name: "Go".into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: Some("https://south.test/inbox".into()),
        outbox: None,
        followers: Some(format!("{uri}/followers")),
        keys: Vec::new(),
    });
    let course = course_of(&scene.world, &group, None);
    let (follower, followed) = (scene.bo.id, group.id);
    scene.world.tx(move |tx| {
        follow::put(tx, follower, followed, "https://us.test/a/f", follow::FollowState::Accepted).map(drop)
    });
    (group, course)
}

#[tokio::test]
async fn a_post_for_a_course_elsewhere_is_sent_there_until_it_is_announced_back() {
    let scene = scene();
    let (group, course) = mirrored(&scene);
    let (bo, new) = (scene.bo.clone(), new_post(course.id, "Hello", "from us", None));
    let post = scene.world.tx(move |tx| write(tx, &bo, new));
    assert!(post.announced_at.is_none());
    let (create, to) = scene.sent().pop().unwrap();
    assert_eq!((create["type"].as_str(), to), (Some("Create"), vec!["https://south.test/c/go/inbox".to_owned()]));
    scene.arrives(&group, activity("Announce", &group, create)).await.unwrap();
    assert!(scene.post(&post.uri).unwrap().announced_at.is_some());
}

#[tokio::test]
async fn a_mirror_believes_the_home_and_the_authors_server_only() {
    let scene = scene();
    let (group, _) = mirrored(&scene);
    let own = note(&scene.dov, &group, "7", "<p>from the home</p>");
    let create = activity("Create", &scene.dov, own.clone());
    scene.arrives(&group, activity("Announce", &group, create)).await.unwrap();
    assert_eq!(scene.post("https://south.test/o/7").unwrap().body_html, "<p>from the home</p>");
    // Of a third server: the embedded copy is not looked at, and that server cannot be asked here.
    let eve = scene.world.person_elsewhere("eve", "third.test");
    let forged = activity("Create", &eve, note(&eve, &group, "8", "forged"));
    let result = scene.arrives(&group, activity("Announce", &group, forged)).await;
    assert!(result.is_err() && scene.post("https://third.test/o/8").is_none());
    // Not in this course by its own word.
    let elsewhere = note(&scene.dov, &scene.group, "9", "x");
    let result = scene.arrives(&group, activity("Announce", &group, elsewhere)).await;
    assert!(matches!(result, Err(Error::Denied(_))));
    let delete = activity("Delete", &scene.dov, json!("https://south.test/o/7"));
    scene.arrives(&group, activity("Announce", &group, delete)).await.unwrap();
    assert!(scene.post("https://south.test/o/7").unwrap().is_deleted());
}

/// What a path shows to somebody.
async fn page(scene: &Scene, who: Option<&Actor>, (method, path, form): (&str, &str, &str)) -> (StatusCode, String) {
    let app = scene.app();
    let signed_in = |actor: &Actor| SignedIn {
        actor: actor.clone(),
        account: AccountId(1),
        session: SessionId(1),
        is_admin: false,
        is_moderator: false,
        zone: "Europe/Berlin".into(),
        unseen: 0,
    };
    let visitor =
        Visitor { person: who.map(|actor| Arc::new(signed_in(actor))), csrf: "c".into(), ..Visitor::default() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(visitor)
        .body(Body::from(form.to_owned()))
        .unwrap();
    let router = web::routes().merge(apub::routes()).with_state(app);
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    let to = parts.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
    (parts.status, to.unwrap_or(text))
}

#[tokio::test]
async fn people_write_answer_edit_and_delete_through_pages() {
    let scene = scene();
    let list = "/c/rust_101/discussion";
    let (_, empty) = page(&scene, None, ("GET", list, "")).await;
    assert!(empty.contains("Nobody has said anything yet") && empty.contains("Sign in"));
    let bo = Some(&scene.bo);
    let (status, again) = page(&scene, bo, ("POST", list, "csrf=c&title=&body=typed")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.contains("Please give it a title.") && again.contains("typed"));
    let (status, thread) = page(&scene, bo, ("POST", list, "csrf=c&title=Hello&body=**bold**")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, shown) = page(&scene, bo, ("GET", &thread, "")).await;
    assert!(shown.contains("<strong>bold</strong>") && shown.contains("Europe/Berlin") && shown.contains("/edit"));
    let ada = Some(&scene.ada);
    let (_, answer) = page(&scene, ada, ("POST", &format!("{thread}/replies"), "csrf=c&body=Welcome")).await;
    let (_, to) = page(&scene, ada, ("GET", &answer, "")).await;
    assert!(to.starts_with(&format!("{thread}#p-")), "{to}");
    let (_, edit) = page(&scene, bo, ("GET", &format!("{thread}/edit"), "")).await;
    assert!(edit.contains("**bold**"));
    scene.world.pass(Duration::from_secs(9));
    page(&scene, bo, ("POST", &format!("{thread}/edit"), "csrf=c&title=Hello&body=plain")).await;
    let (_, shown) = page(&scene, None, ("GET", &thread, "")).await;
    assert!(shown.contains("edited") && shown.contains("Welcome") && !shown.contains("/deletion"));
    let (_, question) = page(&scene, ada, ("GET", &format!("{thread}/deletion"), "")).await;
    assert!(question.contains("Remove the post of bo?"));
    page(&scene, bo, ("POST", &format!("{thread}/deletion"), "csrf=c")).await;
    let (_, shown) = page(&scene, None, ("GET", &thread, "")).await;
    assert!(shown.contains("deleted by its author") && shown.contains("Welcome"));
    let (_, items) = page(&scene, None, ("GET", &format!("{}/replies", thread.replace("posts", "o")), "")).await;
    assert!(items.contains("\"totalItems\":1"), "{items}");
}
