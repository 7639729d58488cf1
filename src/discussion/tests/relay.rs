//! Who gets what of the discussion: wrapped, by id, untouched, or not at all; and what of strangers?

use super::*;
use crate::federation::peer;

/// Followers on software of every family: a microblog, a forum, a blocked microblog; and one who writes from a microblog.
fn crowd() -> (Scene, Actor) {
    let scene = scene();
    let ana = scene.world.person_elsewhere("ana", "snac.test");
    let others = ["masto.test", "lemmy.test", "evil.test"].map(|host| scene.world.person_elsewhere("x", host));
    let (followers, followed) = ([ana.id, others[0].id, others[1].id, others[2].id], scene.group.id);
    scene.world.tx(move |tx| {
        for (who, host) in followers.into_iter().zip(["snac.test", "masto.test", "lemmy.test", "evil.test"]) {
            let uri = format!("https://x.test/follow/{}", who.0);
            follow::put(tx, who, followed, &uri, follow::FollowState::Accepted)?;
            let software = host.trim_end_matches(".test");
            peer::learn(tx, host, Some(if software == "masto" { "mastodon" } else { software }), None)?;
        }
        peer::learn(tx, "evil.test", Some("mastodon"), None)?;
        let rule = crate::domain::NewRule::of("evil.test", crate::domain::Severity::Suspend);
        crate::domain::put(tx, None, &rule)?;
        Ok(())
    });
    (scene, ana)
}

/// An answer of Ana's to a post, as a microblog sends it: signed inside, with keys that nobody here knows.
fn answer(ana: &Actor, scene: &Scene, to: &Post, id: &str) -> Value {
    let mut object = note(ana, &scene.group, id, "<p>Indeed</p>");
    object["inReplyTo"] = json!(to.uri);
    object["zebra"] = json!({"b": 1, "a": [2.0, 1e3]});
    let mut create = activity("Create", ana, object);
    create["id"] = json!(format!("https://snac.test/a/{id}"));
    signed(create)
}

/// With what microblogs sign their public activities by, beside the request.
fn signed(mut activity: Value) -> Value {
    activity["signature"] = json!({"type": "RsaSignature2017", "signatureValue": "abc="});
    activity
}

/// Documents of one type that go to a host.
fn to_host(scene: &Scene, host: &str) -> Vec<Value> {
    let reaches = |to: &[String]| to.iter().any(|inbox| inbox.contains(&format!("//{host}/")));
    scene.sent().into_iter().filter(|(_, to)| reaches(to)).map(|(document, _)| document).collect()
}

#[tokio::test]
async fn checklist_42_to_45_an_answer_is_wrapped_for_forums_and_untouched_for_microblogs_once() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    // Checklist 43: a new thread by its id to microblogs; checklist 42: whole to forums.
    let masto = to_host(&scene, "masto.test");
    assert!(masto.iter().any(|d| d["type"] == "Announce" && d["object"] == root.uri.as_str()), "{masto:#?}");
    assert!(to_host(&scene, "lemmy.test").iter().any(|d| d["object"]["object"]["id"] == root.uri.as_str()));
    let create = answer(&ana, &scene, &root, "7");
    scene.arrives(&ana, create.clone()).await.unwrap();
    let mut again = create.clone();
    again["id"] = json!("https://snac.test/a/other");
    scene.arrives(&ana, again).await.unwrap();
    let wrapped: Vec<Value> = to_host(&scene, "lemmy.test").into_iter().filter(|d| d["object"] == create).collect();
    assert_eq!(wrapped.len(), 1, "checklist 45: once for each form");
    let untouched: Vec<Value> = to_host(&scene, "masto.test").into_iter().filter(|d| *d == create).collect();
    assert_eq!(untouched.len(), 1, "inbox forwarding, AP 7.1.2");
    let boosted = |d: &Value| d["type"] == "Announce" && d["object"] == "https://snac.test/o/7";
    assert!(!to_host(&scene, "masto.test").iter().any(boosted), "checklist 43: never replies");
    let kinds: Vec<Value> = to_host(&scene, "snac.test").into_iter().filter(|d| *d == create).collect();
    assert!(kinds.is_empty(), "not back to its own server");
    assert!(!to_host(&scene, "evil.test").contains(&create), "never to blocked hosts");
    // The course signs what it hands on.
    let group = scene.group.id;
    let by: Vec<ActorId> = scene.world.read(move |db| {
        let rows = activities::table.filter(activities::uri.eq("https://snac.test/a/7"));
        Ok(rows.select(activities::actor_id).load(db)?)
    });
    assert_eq!(by, [group]);
}

#[tokio::test]
async fn checklist_52_changes_of_forwarded_answers_follow_them() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    let create = answer(&ana, &scene, &root, "7");
    scene.arrives(&ana, create.clone()).await.unwrap();
    let mut object = create["object"].clone();
    object["content"] = json!("<p>Better</p>");
    object["updated"] = json!("2026-09-01T07:30:00Z");
    let update = signed(activity("Update", &ana, object));
    scene.arrives(&ana, update.clone()).await.unwrap();
    let delete = signed(activity("Delete", &ana, json!({"id": "https://snac.test/o/7", "type": "Tombstone"})));
    scene.arrives(&ana, delete.clone()).await.unwrap();
    for change in [update, delete] {
        assert!(to_host(&scene, "masto.test").contains(&change), "untouched: {change}");
        assert!(to_host(&scene, "lemmy.test").iter().any(|d| d["object"] == change), "wrapped: {change}");
    }
}

#[tokio::test]
async fn what_nothing_inside_vouches_for_is_wrapped_and_not_forwarded() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    let mut create = answer(&ana, &scene, &root, "7");
    create.as_object_mut().unwrap().shift_remove("signature").unwrap();
    scene.arrives(&ana, create.clone()).await.unwrap();
    assert!(to_host(&scene, "lemmy.test").iter().any(|d| d["object"] == create));
    assert!(to_host(&scene, "masto.test").iter().all(|d| d["id"] != create["id"]), "it would answer 401");
}

#[tokio::test]
async fn answers_from_here_and_their_changes_reach_microblogs_signed_by_their_author() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    scene.arrives(&ana, answer(&ana, &scene, &root, "7")).await.unwrap();
    let own = scene.say(&scene.ada, "", "They end.", Some(&root));
    let is_it = |d: &&Value| d["type"] == "Create" && d["object"]["id"] == own.uri.as_str();
    assert_eq!(to_host(&scene, "snac.test").iter().filter(is_it).count(), 1, "once");
    let text = "They end here.".to_owned();
    let change = Change { title: String::new(), body_md: text.clone(), body_html: text, at: Time(i64::MAX) };
    let (ada, id) = (scene.ada.clone(), own.id);
    scene.world.pass(Duration::from_secs(5));
    scene.world.tx(move |tx| edit(tx, &ada, id, change));
    // A server that reads no proofs takes it of its author alone: no other signs what goes there.
    for kind in ["Create", "Update"] {
        let masto = to_host(&scene, "masto.test");
        let found: Vec<&Value> = masto.iter().filter(|d| d["type"] == kind && d["object"]["id"] == own.uri).collect();
        assert_eq!(found.len(), 1, "{kind} once");
        assert_eq!(signers(&scene, found[0]["id"].as_str().unwrap()), [scene.ada.id], "{kind}");
    }
}

/// Who signs an activity on its ways out.
fn signers(scene: &Scene, id: &str) -> Vec<ActorId> {
    let id = id.to_owned();
    scene.world.read(move |db| {
        let ways = deliveries::table.inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)));
        let ways = ways.filter(activities::uri.eq(id));
        Ok(ways.select(activities::actor_id).distinct().load(db)?)
    })
}

#[tokio::test]
async fn dos_07_a_course_passes_on_so_much_of_one_author_and_of_all_in_a_minute() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    for number in 0..40 {
        scene.arrives(&ana, answer(&ana, &scene, &root, &number.to_string())).await.unwrap();
    }
    let relayed = |scene: &Scene| {
        let wrapped = |d: &&Value| d["object"]["actor"] == "https://snac.test/u/ana";
        let forwarded = |d: &&Value| d["actor"] == "https://snac.test/u/ana";
        let (lemmy, masto) = (to_host(scene, "lemmy.test"), to_host(scene, "masto.test"));
        (lemmy.iter().filter(wrapped).count(), masto.iter().filter(forwarded).count())
    };
    assert_eq!(relayed(&scene), (30, 30));
    let bos = scene.say(&scene.bo, "", "Others are not held up", Some(&root));
    assert!(to_host(&scene, "lemmy.test").iter().any(|d| d["object"]["object"]["id"] == bos.uri.as_str()));
    let delete = signed(activity("Delete", &ana, json!("https://snac.test/o/3")));
    scene.arrives(&ana, delete).await.unwrap();
    assert_eq!(relayed(&scene), (31, 31), "what is taken away always passes");
    scene.world.pass(Duration::from_secs(61));
    scene.arrives(&ana, answer(&ana, &scene, &root, "41")).await.unwrap();
    assert_eq!(relayed(&scene), (32, 32));
    assert_eq!(scene.world.read(|db| measure(db, Which::Thread(root.id))).0, 41, "all of it is in the course");
}

#[tokio::test]
async fn checklist_42_votes_of_members_are_wrapped_for_forums_alone() {
    let (scene, ana) = crowd();
    let root = scene.say(&scene.bo, "Lifetimes", "What are they?", None);
    let before = scene.sent().len();
    let like = |by: &Actor, n: usize| json!({"id": format!("{}/likes/{n}", by.uri), "type": "Like", "actor": by.uri, "object": root.uri});
    let mut back = activity("Undo", &ana, like(&ana, 1));
    back["id"] = json!("https://snac.test/undo/1");
    let mut down = like(&ana, 2);
    down["type"] = json!("Dislike");
    for vote in [like(&ana, 1), back, down] {
        scene.arrives(&ana, vote.clone()).await.unwrap();
        let wrapped = |d: &Value| d["type"] == "Announce" && d["object"] == vote;
        assert!(to_host(&scene, "lemmy.test").iter().any(wrapped), "{vote}");
        for host in ["masto.test", "snac.test", "south.test"] {
            assert!(!to_host(&scene, host).iter().any(wrapped), "{host}: {vote}");
        }
    }
    assert_eq!(scene.sent().len(), before + 3);
    let eve = scene.world.person_elsewhere("eve", "other.test");
    scene.arrives(&eve, like(&eve, 3)).await.unwrap();
    let mut confided = like(&ana, 4);
    confided["to"] = json!([scene.bo.uri]);
    scene.arrives(&ana, confided).await.unwrap();
    let mut astray = like(&ana, 5);
    astray["object"] = json!("https://other.test/o/1");
    scene.arrives(&ana, astray).await.unwrap();
    assert_eq!(scene.sent().len(), before + 3, "of strangers, for somebody alone, about something else");
    for n in 10..50 {
        scene.arrives(&ana, like(&ana, n)).await.unwrap();
    }
    assert_eq!(scene.sent().len(), before + 30, "no more than of answers");
}

#[tokio::test]
async fn dos_07_what_is_too_large_is_passed_on_by_its_id_or_not_at_all() {
    let (scene, ana) = crowd();
    let mut page = note(&ana, &scene.group, "1", "<p>Hello all</p>");
    page["type"] = json!("Page");
    page["name"] = json!("Hello");
    page["zebra"] = json!("x".repeat(200_000));
    scene.arrives(&ana, activity("Create", &ana, page)).await.unwrap();
    let root = scene.post("https://snac.test/o/1").expect("it is in the course all the same");
    for host in ["lemmy.test", "masto.test", "south.test"] {
        let all = to_host(&scene, host);
        assert!(all.iter().any(|d| d["type"] == "Announce" && d["object"] == root.uri.as_str()), "{host}: {all:#?}");
    }
    let mut answer = answer(&ana, &scene, &root, "2");
    answer["object"]["zebra"] = json!("x".repeat(200_000));
    scene.arrives(&ana, answer).await.unwrap();
    assert!(scene.post("https://snac.test/o/2").is_some());
    assert!(scene.sent().iter().all(|(document, _)| document.to_string().len() < 100_000));
    let group = scene.group.clone();
    let outbox = scene.world.read(move |db| crate::federation::collection::outbox(db, &group));
    assert_eq!(outbox["orderedItems"][0]["object"], root.uri.as_str());
    assert_eq!(outbox["totalItems"], 1);
}

#[tokio::test]
async fn checklist_46_a_member_begins_a_thread_by_a_mention_and_a_stranger_waits() {
    let (scene, ana) = crowd();
    scene.arrives(&ana, activity("Create", &ana, note(&ana, &scene.group, "1", "<p>Hello all</p>"))).await.unwrap();
    let top = scene.post("https://snac.test/o/1").unwrap();
    assert!(top.is_top_level() && top.title == "Hello all");
    let eve = scene.world.person_elsewhere("eve", "other.test");
    let create = activity("Create", &eve, note(&eve, &scene.group, "2", "<p>May I?</p>"));
    scene.arrives(&eve, create.clone()).await.unwrap();
    scene.arrives(&eve, create.clone()).await.unwrap();
    let sent = scene.sent().len();
    assert!(scene.post("https://other.test/o/2").is_none());
    let course = scene.course.id;
    let waiting = scene.world.read(move |db| held(db, course));
    assert_eq!(waiting.len(), 1);
    assert_eq!(scene.notices_of(&scene.ada).len(), 1, "of the first that waits");
    // Only organizers decide; for others there is nothing.
    let (bo, id) = (scene.bo.clone(), waiting[0].0.public_id.clone());
    let refused = scene.world.attempt(move |tx| let_in(tx, &bo, &id));
    assert!(matches!(refused, Err(Error::NotFound)));
    let (ada, id) = (scene.ada.clone(), waiting[0].0.public_id.clone());
    scene.world.tx(move |tx| let_in(tx, &ada, &id));
    assert!(scene.post("https://other.test/o/2").is_some());
    let passed: Vec<_> = scene.sent().split_off(sent);
    assert!(passed.iter().any(|(document, _)| document["object"] == create), "passed on as it came");
    assert_eq!(scene.world.read(move |db| count_held(db, course)), 0);
}

#[tokio::test]
async fn what_strangers_send_is_bounded_can_be_taken_back_and_refused() {
    let scene = scene();
    let eve = scene.world.person_elsewhere("eve", "other.test");
    for number in 0..8 {
        let create = activity("Create", &eve, note(&eve, &scene.group, &number.to_string(), "spam"));
        let taken = scene.arrives(&eve, create).await.is_ok();
        assert_eq!(taken, number < 5, "{number}");
    }
    let mut better = note(&eve, &scene.group, "0", "ham");
    better["updated"] = json!("2026-09-01T07:30:00Z");
    scene.arrives(&eve, activity("Update", &eve, better)).await.unwrap();
    scene.arrives(&eve, activity("Delete", &eve, json!("https://other.test/o/1"))).await.unwrap();
    let course = scene.course.id;
    let waiting = scene.world.read(move |db| held(db, course));
    assert_eq!((waiting.len(), waiting[0].0.body_html.as_str()), (4, "ham"));
    let (ada, id) = (scene.ada.clone(), waiting[0].0.public_id.clone());
    scene.world.tx(move |tx| refuse_held(tx, &ada, &id));
    assert_eq!(scene.world.read(move |db| count_held(db, course)), 3);
    assert!(scene.post("https://other.test/o/0").is_none());
}

#[test]
fn an_answer_that_came_before_its_parent_joins_its_thread() {
    let scene = scene();
    let mut early = new_post(scene.course.id, "", "early", None);
    early.uri = Some("https://south.test/o/late/answer".into());
    early.title = "early".into();
    early.in_reply_to = Some("https://south.test/o/late".into());
    early.anchor = None;
    let root = scene.say(&scene.bo, "Root", "one", None);
    early.anchor = Some(root.uri.clone());
    let dov = scene.dov.clone();
    let post = scene.world.tx(move |tx| write(tx, &dov, early));
    assert_eq!((post.thread_id, post.title.as_str()), (Some(root.id), ""));
}

#[tokio::test]
async fn checklist_29_and_32_one_or_many_and_missing_things_are_read() {
    let scene = scene();
    let mut odd = note(&scene.dov, &scene.group, "1", "x");
    odd["attributedTo"] = json!([scene.dov.uri]);
    odd["to"] = json!("as:Public");
    odd["cc"] = json!(scene.group.uri);
    odd["tag"] = json!({"type": "Mention", "href": scene.group.uri});
    odd["inReplyTo"] = Value::Null;
    odd["content"] = json!({"en": "<p>One of many languages</p>"});
    odd.as_object_mut().unwrap().remove("published");
    scene.arrives(&scene.dov, activity("Create", &scene.dov, odd)).await.unwrap();
    assert_eq!(scene.post("https://south.test/o/1").unwrap().body_html, "<p>One of many languages</p>");
    let mut two = note(&scene.dov, &scene.group, "2", "x");
    two["attributedTo"] = json!([scene.dov.uri, "https://south.test/u/other"]);
    assert!(scene.arrives(&scene.dov, activity("Create", &scene.dov, two)).await.is_err());
}

#[tokio::test]
async fn checklist_49_and_50_our_posts_mention_course_and_parent_and_replies_have_no_name() {
    let scene = scene();
    let root = scene.say(&scene.dov, "Title", "one", None);
    let reply = scene.say(&scene.bo, "", "two", Some(&root));
    let document = scene.world.read(|db| apub::document(db, reply.id));
    let mentioned = plain_wire::mentions(&document);
    assert!(mentioned.contains(&scene.group.uri.as_str()) && mentioned.contains(&scene.dov.uri.as_str()));
    assert!(document.get("name").is_none() && document["published"].is_string());
    for key in ["to", "cc"] {
        assert!(document[key].is_array(), "checklist 7");
    }
}
