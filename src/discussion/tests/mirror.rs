//! What does a mirror believe?

use super::*;

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
