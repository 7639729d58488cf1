//! What does a mirror believe?

use super::*;
use crate::db::schema::inbox;
use crate::id::InboxId;

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

#[tokio::test]
async fn what_a_home_announces_all_at_once_is_taken_one_by_one() {
    let scene = scene();
    let (group, _) = mirrored(&scene);
    let create = |id: &str| activity("Create", &scene.dov, note(&scene.dov, &group, id, "<p>x</p>"));
    let forged = activity("Create", &scene.dov, note(&scene.dov, &scene.group, "62", "x"));
    let batch = activity("Announce", &group, json!([create("61"), forged, create("63"), create("61")]));
    let (by, body) = (group.id, batch.clone());
    let id = scene.world.tx(move |tx| {
        let row = (
            inbox::activity_uri.eq(body["id"].as_str().unwrap()),
            inbox::signer_id.eq(by),
            inbox::vouched.eq("signature"),
            inbox::type_.eq("Announce"),
            inbox::body.eq(body.to_string()),
            inbox::received_at.eq(tx.now()),
            inbox::state.eq("pending"),
            inbox::attempts.eq(0),
            inbox::next_at.eq(tx.now()),
            inbox::leased_until.eq(Time(0)),
        );
        Ok(diesel::insert_into(inbox::table).values(row).returning(inbox::id).get_result::<InboxId>(tx)?)
    });
    let config = crate::federation::run::config(&scene.world.app()).await.unwrap();
    let worked = crate::federation::inbox::worker::work_off(&config, crate::dispatch::dispatch).await.unwrap();
    assert_eq!(worked, 5, "the batch and its four parts");
    let states: Vec<(InboxId, String)> =
        scene.world.read(|db| Ok(inbox::table.order(inbox::id).select((inbox::id, inbox::state)).load(db)?));
    assert_eq!(states[0], (id, "done".to_owned()));
    let states: Vec<&str> = states.iter().map(|(_, state)| state.as_str()).collect();
    assert_eq!(states, ["done", "done", "refused", "done", "done"]);
    for (id, there) in [("61", true), ("62", false), ("63", true)] {
        assert_eq!(scene.post(&format!("https://south.test/o/{id}")).is_some(), there, "{id}");
    }
    let many: Vec<Value> = (0..101).map(|_| json!("https://south.test/o/61")).collect();
    let result = scene.arrives(&group, activity("Announce", &group, many.into())).await;
    assert!(matches!(result, Err(Error::Denied(_))));
}

/// Nobody but a course that is mirrored here puts anything into it, and nothing of another one (checklist 47).
#[tokio::test]
async fn checklist_47_only_a_mirrored_group_announces_and_only_its_own() {
    let scene = scene();
    let (group, _) = mirrored(&scene);
    let unknown = scene.world.put(RemoteActor {
        kind: ActorKind::Course,
        uri: "https://south.test/c/knots".into(),
        url: "https://south.test/c/knots".into(),
        handle: "knots".into(),
        host: "south.test".into(),
        name: "Knots".into(),
        summary: String::new(),
        inbox: "https://south.test/c/knots/inbox".into(),
        shared_inbox: None,
        outbox: None,
        followers: None,
        keys: Vec::new(),
    });
    let inside = |id: &str, of: &Actor| activity("Create", &scene.dov, note(&scene.dov, of, id, "<p>x</p>"));
    let refused = [
        ("a Group that nobody here follows", &unknown, inside("21", &unknown)),
        ("a Group of another course", &unknown, inside("22", &group)),
        ("what is in another course", &group, inside("23", &unknown)),
        ("what is in a course here", &group, inside("24", &scene.group)),
        ("a person", &scene.dov, inside("25", &group)),
    ];
    for (what, by, inner) in refused {
        let uri = inner["object"]["id"].as_str().unwrap().to_owned();
        let result = scene.arrives(by, activity("Announce", by, inner)).await;
        assert!(matches!(result, Err(Error::Denied(_))), "checklist 47: {what}: {result:?}");
        assert!(scene.post(&uri).is_none(), "checklist 47: {what}");
    }
    scene.arrives(&group, activity("Announce", &group, inside("26", &group))).await.unwrap();
    assert!(scene.post("https://south.test/o/26").is_some(), "its own is taken");
}
