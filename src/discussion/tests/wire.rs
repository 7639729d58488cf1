//! What goes out for a post, and what is taken in at the home of a course?

use super::*;

#[test]
fn the_wire_forms_of_posts_stay_as_they_are() {
    // Without effects, so that the ids do not depend on what else draws lots.
    let scene = scene_in(World::with_effects(|_, _| Ok(())));
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
    let mut foreign = note(&scene.dov, &scene.group, "1", "forged");
    foreign["updated"] = json!("2026-09-01T08:00:00Z");
    let mut hidden = note(&scene.dov, &scene.group, "3", "psst");
    hidden["to"] = json!([scene.group.uri]);
    let tombstone = json!({"id": "https://south.test/o/1", "type": "Tombstone"});
    for (by, activity) in [
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
    assert!(scene.post("https://south.test/o/3").is_none());
}

#[test]
fn what_microblogs_were_shown_is_taken_back() {
    let scene = scene();
    let root = scene.say(&scene.bo, "Title", "one", None);
    let (group, dov, uri) = (scene.group.clone(), scene.dov.clone(), root.uri.clone());
    scene.world.tx(move |tx| {
        let to = [plain_wire::PUBLIC.to_owned()];
        let boost = plain_wire::activity("Announce", "https://us.test/a/boost", &group.uri, &to, &[], json!(uri));
        outbox::send(tx, &group, &boost, &uri, &Audience::people([&dov])).map(drop)
    });
    let (ada, id) = (scene.ada.clone(), root.id);
    scene.world.tx(move |tx| delete(tx, &ada, id, "Spam"));
    let sent = scene.sent();
    let undone = |(activity, to): &&(Value, Vec<String>)| {
        activity["type"] == "Undo" && activity["object"]["id"] == "https://us.test/a/boost" && *to == [dov_inbox()]
    };
    assert_eq!(sent.iter().filter(undone).count(), 1, "{sent:#?}");
    let removal = sent.iter().find(|(activity, _)| activity["object"]["type"] == "Delete").unwrap();
    let removal = &removal.0["object"];
    assert_eq!((removal["actor"].as_str(), removal["summary"].as_str()), (Some("https://us.test/u/ada"), Some("Spam")));
}

fn dov_inbox() -> String {
    "https://south.test/u/dov/inbox".into()
}
