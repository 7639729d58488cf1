//! What is fetched of others because of what came in, and what do they get of ours, over the network?

use super::*;
use crate::federation::collection::PAGE;
use crate::federation::town::Town;

/// Our program among other servers, with a course that bob of good.test follows.
struct Far {
    town: Town,
    group: Actor,
    course: Course,
    bob: Actor,
    bo: Actor,
}

async fn far() -> Far {
    let town = Town::real(crate::routes::routes()).await;
    let keys = town.world.keys();
    let group = town.world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust_101", name: "Rust 101", summary: "", keys: &keys };
        crate::actor::create(tx, &new)
    });
    let course = course_of(&town.world, &group, None);
    town.serve_actor("good", "bob", &town.world.keys());
    let (bob, bo) = (town.known("good", "bob"), town.world.person("bo"));
    let (followers, followed) = ([bob.id, bo.id], group.id);
    town.world.tx(move |tx| {
        for who in followers {
            let uri = format!("https://x.test/follow/{}", who.0);
            follow::put(tx, who, followed, &uri, follow::FollowState::Accepted)?;
        }
        Ok(())
    });
    Far { town, group, course, bob, bo }
}

impl Far {
    /// A public note of bob's at an address of good.test.
    fn note(&self, id: &str, answers: Option<&str>) -> Value {
        let uri = self.town.uri("good", id);
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "Note",
            "attributedTo": self.bob.uri, "to": [plain_wire::PUBLIC], "cc": [], "content": format!("<p>{id}</p>"),
            "inReplyTo": answers, "published": "2026-09-01T07:00:00Z",
        })
    }

    fn create(&self, object: Value) -> Value {
        let id = format!("{}/create", object["id"].as_str().unwrap());
        plain_wire::activity("Create", &id, &self.bob.uri, &[plain_wire::PUBLIC.into()], &[], object)
    }

    async fn arrives(&self, activity: &Value) {
        assert_eq!(self.town.post(activity).await, 202);
        self.town.work(crate::dispatch::dispatch).await;
    }

    fn say(&self, title: &str, answers: Option<&Post>) -> Post {
        let (bo, new) = (self.bo.clone(), new_post(self.course.id, title, "text", answers));
        self.town.world.tx(move |tx| write(tx, &bo, new))
    }

    fn post(&self, id: &str) -> Option<Post> {
        let uri = self.town.uri("good", id);
        self.town.world.read(move |db| find_by_uri(db, &uri))
    }
}

#[tokio::test]
async fn checklist_48_parents_of_an_answer_are_fetched_until_one_is_known() {
    let far = far().await;
    let root = far.say("Root", None);
    for (id, answers) in [("a", root.uri.clone()), ("b", far.town.uri("good", "a")), ("c", far.town.uri("good", "b"))] {
        let note = far.note(id, Some(&answers));
        far.town.serve(&far.town.uri("good", id), 200, &note);
        if id == "c" {
            far.arrives(&far.create(note)).await;
        }
    }
    for id in ["a", "b", "c"] {
        assert_eq!(far.post(id).unwrap().thread_id, Some(root.id), "{id}");
    }
}

#[tokio::test]
async fn ori_01_and_09_a_redirect_puts_no_word_into_the_mouth_of_another() {
    let far = far().await;
    let (root, eve, followed) = (far.say("Root", None), far.town.known("evil", "eve"), far.group.id);
    let follower = eve.id;
    far.town
        .world
        .tx(move |tx| follow::put(tx, follower, followed, "https://x.test/follow/eve", follow::FollowState::Accepted));
    let (lie, liar) = (far.town.uri("evil", "lie"), far.town.uri("evil", "liar"));
    far.town.redirect(&liar, &far.bob.uri);
    let note = |id: &str, by: &str, answers: &str| {
        let mut note = far.note("x", Some(answers));
        (note["id"], note["attributedTo"], note["cc"]) = (json!(id), json!(by), json!([far.group.uri]));
        note
    };
    far.town.serve(&lie, 200, &note(&lie, &liar, &root.uri));
    let own = far.town.uri("evil", "own");
    let mut create = far.create(note(&own, &eve.uri, &lie));
    (create["id"], create["actor"]) = (json!(format!("{own}/create")), json!(eve.uri));
    far.arrives(&create).await;
    let bob = far.bob.id;
    assert!(far.town.asked().contains(&lie), "it was climbed to");
    let said = far.town.world.read(move |db| find_by_uri(db, &lie));
    assert!(said.is_none_or(|post| post.author_id != bob));
}

#[tokio::test]
async fn net_07_a_chain_without_end_costs_a_few_fetches_and_leads_nowhere() {
    let far = far().await;
    far.say("Root", None);
    for number in 0..60 {
        let above = far.town.uri("good", &format!("n{}", number + 1));
        far.town.serve(
            &far.town.uri("good", &format!("n{number}")),
            200,
            &far.note(&format!("n{number}"), Some(&above)),
        );
    }
    let before = far.town.asked().len();
    let mut first = far.note("first", Some(&far.town.uri("good", "n0")));
    first["cc"] = json!([far.group.uri]);
    far.arrives(&far.create(first)).await;
    let asked = far.town.asked().len() - before;
    assert!((1..=20).contains(&asked), "{asked} fetches for one activity");
    assert!(far.post("first").is_none() && far.post("n0").is_none());
    assert_eq!(far.town.inbox().last().unwrap().1, "refused");
    // Checklist 30: an id with a fragment is never fetched.
    let voted = far.town.uri("good", "x#votes/1");
    far.arrives(&far.create(far.note("vote", Some(&voted)))).await;
    assert!(!far.town.asked().iter().any(|address| address.ends_with("/u/x")));
}

#[tokio::test]
async fn net_07_strangers_make_us_ask_nobody_and_tries_share_one_bound() {
    let far = far().await;
    let (root, chain) = (far.say("Root", None), |number: u32| far.town.uri("good", &format!("n{number}")));
    for number in 0..6 {
        let above = if number == 5 { root.uri.clone() } else { chain(number + 1) };
        far.town.serve(&chain(number), 200, &far.note(&format!("n{number}"), Some(&above)));
    }
    let eve = far.town.known("evil", "eve").uri;
    let own = far.town.uri("evil", "own");
    let mut note = far.note("x", Some(&chain(0)));
    (note["id"], note["attributedTo"]) = (json!(own), json!(eve));
    let mut create = far.create(note);
    (create["id"], create["actor"]) = (json!(format!("{own}/create")), json!(eve));
    far.arrives(&create).await;
    assert!(far.town.asked().is_empty(), "{:?}", far.town.asked());
    assert_eq!(far.town.inbox().last().unwrap().1, "refused");
    // The last one cannot be had now: each try asks for all again.
    far.town.serve(&chain(5), 503, &json!({}));
    far.arrives(&far.create(far.note("first", Some(&chain(0))))).await;
    for _ in 0..12 {
        far.town.world.pass(Duration::from_secs(600));
        far.town.work(crate::dispatch::dispatch).await;
    }
    let asked = far.town.asked().len();
    assert!((12..=20).contains(&asked), "{asked} fetches for one activity");
    assert_eq!(far.town.inbox().last().unwrap().1, "failed");
}

#[tokio::test]
async fn checklist_54_collections_are_paged_whole_and_without_what_is_not_public() {
    let far = far().await;
    let root = far.say("Root", None);
    let many = usize::try_from(PAGE).unwrap() * 2 + 7;
    let (bo, course) = (far.bo.clone(), far.course.id);
    let above = root.clone();
    far.town.world.tx(move |tx| {
        for number in 0..many {
            let mut new = new_post(course, "", &format!("answer {number}"), Some(&above));
            new.published_at = Time(above.published_at.0 - i64::try_from(number % 3).unwrap());
            let post = write(tx, &bo, new)?;
            if number == 5 {
                delete(tx, &bo, post.id, "")?;
            }
        }
        Ok(())
    });
    for (name, expected) in [("replies", many - 1), ("context", many + 1)] {
        let path = root.uri.replace("https://us.test", "");
        let (status, whole) = far.town.get(&format!("{path}/{name}"), None).await;
        assert_eq!((status.as_u16(), whole["totalItems"].as_u64()), (200, Some(expected as u64)), "{name}");
        let mut seen: Vec<String> = Vec::new();
        let mut page = whole["first"].clone();
        assert_eq!(far.town.get(&local(&page["id"]), None).await.1["orderedItems"], page["orderedItems"]);
        loop {
            let items = page["orderedItems"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item.as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            page = far.town.get(&local(&json!(next)), None).await.1;
            if seen.len() < 600 {
                // What is written meanwhile shifts nothing.
                far.say("", Some(&root));
            }
        }
        let before = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), before >= expected), (before, true), "{name}: none twice, none missing");
    }
    let (status, context) = far.town.get(&format!("{}/context", root.uri.replace("https://us.test", "")), None).await;
    assert_eq!((status.as_u16(), &context["attributedTo"]), (200, &json!(far.group.uri)), "FEP-f228");
}

fn local(id: &Value) -> String {
    id.as_str().unwrap().replace("https://us.test", "")
}

#[tokio::test]
async fn checklist_9_and_10_collections_of_a_course_are_there_only_when_it_is() {
    let far = far().await;
    for number in 0..3 {
        let root = far.say(&format!("Thread {number}"), None);
        for _ in 0..60 {
            far.say("", Some(&root));
        }
        if number == 1 {
            let (bo, id) = (far.bo.clone(), root.id);
            far.town.world.tx(move |tx| delete(tx, &bo, id, ""));
        }
    }
    let (_, outbox) = far.town.get("/c/rust_101/outbox", None).await;
    let items = outbox["orderedItems"].as_array().unwrap();
    assert_eq!((outbox["totalItems"].as_u64(), items.len()), (Some(2), 2), "however many answers there are");
    for item in items {
        assert_eq!(
            (&item["type"], &item["object"]["type"], &item["object"]["object"]["type"]),
            (&json!("Announce"), &json!("Create"), &json!("Page"))
        );
        assert_eq!(far.town.get(&local(&item["id"]), None).await.0, 200, "dereferenceable");
    }
    for name in ["members", "followers", "following"] {
        let (status, document) = far.town.get(&format!("/c/rust_101/{name}"), None).await;
        assert_eq!((status.as_u16(), document["totalItems"].is_u64()), (200, true), "{name}");
        assert!(document.get("orderedItems").is_none(), "{name}: nobody is named");
    }
    let id = far.course.id;
    far.town.world.tx(move |tx| {
        diesel::update(courses::table.find(id)).set(courses::state.eq("withdrawn")).execute(tx)?;
        Ok(())
    });
    let unknown = far.town.get("/c/nothing/outbox", None).await;
    for name in ["outbox", "followers", "following", "members", "moderators", "featured"] {
        assert_eq!(far.town.get(&format!("/c/rust_101/{name}"), None).await, unknown, "{name}");
    }
}
