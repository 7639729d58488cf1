//! Who may do what with a post?

use super::*;

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
    assert_eq!((gone[0].post.removal.as_str(), gone[0].post.body_html.as_str(), gone.len()), ("Spam", "<p>x</p>", 2));
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
