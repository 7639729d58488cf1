//! Is nobody led astray, and are missed answers found?

use super::*;
use crate::actor::{ActorKind, NewActor};
use crate::course::CourseState;
use crate::db::schema::courses;
use crate::discussion::NewPost;

#[tokio::test]
async fn net_07_collections_that_loop_lie_or_never_end_are_left() {
    let far = Far::new().await;
    let course = far.meet().await;
    let (id, item) = (format!("{}/changes", far.group), far.post(("good", "one"), None, ("one", EARLY)));
    let page = |id: &str, items: Value, next: &str| json!({"id": id, "type": "OrderedCollectionPage", "orderedItems": items, "next": next});
    // A page that is its own next one, with a collection and nonsense among its items.
    let inner = json!({"id": format!("{id}/inner"), "type": "Collection", "items": [far.uri("evil", "trap")]});
    let items = json!([inner, 5, null, {"x": 1}, changed(item, 7)]);
    let own = format!("{id}/page");
    far.town.serve(&own, 200, &page(&own, items, &own));
    far.town.serve(&id, 200, &json!({"id": id, "type": "OrderedCollection", "first": own}));
    far.pull(&course).await;
    assert!(far.find(("good", "one")).is_some());
    assert_eq!(far.town.asked().iter().filter(|address| **address == own).count(), 1, "a page is read once");
    assert!(!far.town.asked().iter().any(|address| address.contains("inner") || address.contains("trap")));
    // A next page on another host.
    let evil = far.uri("evil", "page");
    far.town.serve(&id, 200, &json!({"id": id, "type": "OrderedCollection", "first": page(&own, json!([]), &evil)}));
    far.pull(&course).await;
    assert!(!far.town.asked().contains(&evil));
    // Pages without end.
    for number in 0..80 {
        let (this, next) = (format!("{id}/p{number}"), format!("{id}/p{}", number + 1));
        far.town.serve(&this, 200, &page(&this, json!([]), &next));
    }
    far.town.serve(&id, 200, &json!({"id": id, "type": "OrderedCollection", "first": format!("{id}/p0")}));
    let before = far.town.asked().len();
    far.pull(&course).await;
    let asked = far.town.asked().len() - before;
    assert!((40..=52).contains(&asked), "{asked} fetches");
    // No collection at all.
    far.town.serve(&id, 200, &json!({"id": id, "type": "Note"}));
    far.pull(&course).await;
}

#[tokio::test]
async fn net_07_a_pull_ends_after_so_many_servers_that_do_not_answer() {
    let far = Far::new().await;
    let course = far.meet().await;
    far.follow(&course);
    let items: Vec<Value> = (0..60)
        .map(|number| {
            let uri = far.uri("evil", &format!("down{number}"));
            far.town.serve(&uri, 503, &json!({}));
            changed(json!({"id": uri, "type": "Page", "updated": EARLY}), far.town.now().0 - number)
        })
        .collect();
    far.serve_changes(&items);
    let before = far.town.asked().len();
    assert_eq!(far.pull(&course).await, Some(PAUSE), "it goes on later");
    assert!(far.town.asked().len() - before < 30);
}

/// A course here, with a thread in which bob of good.test wrote.
pub(super) fn thread_here(far: &Far) -> (Course, Post) {
    let keys = far.town.world.keys();
    let (bo, bob, eve) = (far.town.world.person("bo"), far.town.known("good", "bob"), far.town.known("evil", "eve"));
    drop(eve);
    far.town.world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust", name: "Rust", summary: "", keys: &keys };
        let group = actor::create(tx, &new)?;
        let row = (
            courses::actor_id.eq(group.id),
            courses::state.eq(CourseState::Listed),
            courses::tagline.eq(""),
            courses::description_md.eq(""),
            courses::description_html.eq(""),
            courses::language.eq("en"),
            courses::license.eq("CC-BY-4.0"),
            courses::answer.eq(""),
            courses::created_at.eq(tx.now()),
        );
        let id: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
        for who in [bo.id, bob.id] {
            follow::put(tx, who, group.id, &format!("https://x.test/f/{}", who.0), FollowState::Accepted)?;
        }
        let new = NewPost {
            course_id: id,
            uri: None,
            in_reply_to: None,
            anchor: None,
            title: "Root".into(),
            body_md: "x".into(),
            body_html: "<p>x</p>".into(),
            published_at: tx.now(),
        };
        let root = discussion::write(tx, &bo, new)?;
        Ok((course::get(tx, id)?, root))
    })
}

#[tokio::test]
async fn missed_answers_are_asked_of_the_servers_of_those_who_wrote() {
    let far = Far::new().await;
    let (course, root) = thread_here(&far);
    let known = far.uri("good", "known");
    let (bob, uri, above, id) = (far.town.known("good", "bob"), known.clone(), root.uri.clone(), course.id);
    far.town.world.tx(move |tx| {
        let new = NewPost {
            course_id: id,
            uri: Some(uri),
            in_reply_to: Some(above),
            anchor: None,
            title: String::new(),
            body_md: String::new(),
            body_html: "<p>known</p>".into(),
            published_at: tx.now(),
        };
        discussion::write(tx, &bob, new)
    });
    assert_eq!(far.planned(), [JobKind::ThreadPull], "somebody elsewhere wrote");
    far.post(("good", "known"), Some(&root.uri), ("known", EARLY));
    let list = format!("{known}/replies");
    let mut document = json!({
        "id": known, "type": "Note", "attributedTo": far.town.uri("good", "bob"), "to": [wire::PUBLIC], "cc": [],
        "inReplyTo": root.uri, "content": "known", "published": EARLY,
    });
    document["replies"] = json!({"id": list, "type": "Collection", "first": {
        "type": "CollectionPage", "id": format!("{list}?page=1"), "items": [
            far.uri("good", "missed"), far.uri("evil", "stranger"), root.uri, far.uri("good", "missing"),
        ],
    }});
    far.town.serve(&known, 200, &document);
    far.town.serve(&list, 200, &document["replies"]);
    far.post(("good", "missed"), Some(&known), ("missed", EARLY));
    far.post(("evil", "stranger"), Some(&known), ("from nobody here", EARLY));
    let again = apub::pull_thread(&far.town.config, root.id).await.unwrap();
    assert_eq!(again, Some(PATIENCE));
    assert_eq!(far.find(("good", "missed")).unwrap().thread_id, Some(root.id));
    assert!(far.find(("evil", "stranger")).is_none(), "only people of the course");
    // The quieter it is the later, and at last never.
    let root = far.town.world.read(|db| discussion::get(db, root.id));
    assert!(root.pulled_at.is_some());
    let last = root.active_at.unwrap();
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(next_thread_pull(&root, last.plus(day)), Some(last.plus(day + day / 4)));
    assert_eq!(next_thread_pull(&root, last.plus(15 * day)), None);
}

#[tokio::test]
async fn what_we_list_is_what_a_mirror_reads() {
    let far = Far::new().await;
    let (course, root) = thread_here(&far);
    let (bo, id) = (far.town.world.read(|db| actor::get(db, root.author_id)), course.id);
    let above = root.uri.clone();
    far.town.world.tx(move |tx| {
        for number in 0..PAGE + 20 {
            let new = NewPost {
                course_id: id,
                uri: None,
                in_reply_to: Some(above.clone()),
                anchor: None,
                title: String::new(),
                body_md: "x".into(),
                body_html: "<p>x</p>".into(),
                published_at: tx.now(),
            };
            let post = discussion::write(tx, &bo, new)?;
            if number == 7 {
                discussion::delete(tx, &bo, post.id, "")?;
            }
        }
        Ok(())
    });
    let (status, whole) = far.town.get("/c/rust/changes", None).await;
    assert_eq!(status, 200);
    let next = whole["first"]["next"].as_str().unwrap().replace("https://us.test", "");
    let (_, second) = far.town.get(&next, None).await;
    let both = [&whole["first"], &second].map(|page| page["orderedItems"].as_array().unwrap().clone()).concat();
    assert_eq!(i64::try_from(both.len()).unwrap(), PAGE + 21, "all of them, the root and the deleted one included");
    assert_eq!(both.iter().filter(|item| item["type"] == "Tombstone").count(), 1);
    assert!(both.iter().all(|item| item["learning"]["changed"].is_i64()));
    let (_, group) = far.town.get("/c/rust", None).await;
    assert_eq!(group["learning"]["changes"], "https://us.test/c/rust/changes");
    assert_eq!(far.town.get("/c/none/changes", None).await.0, 404);
}
