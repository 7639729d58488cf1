//! Does a mirror learn who organizes the course, what it shows first and what is closed, however late it comes?

use super::*;
use crate::course;
use crate::federation::object;

impl Far {
    fn list(&self, name: &str, items: &[String]) {
        let id = format!("{}/{name}", self.group);
        self.town.serve(&id, 200, &json!({"id": id, "type": "OrderedCollection", "orderedItems": items}));
    }
}

/// Organizers, pins, and whether the thread is closed.
fn standing(far: &Far, course: &Course, uri: &str) -> (Vec<String>, Vec<String>, bool) {
    let (id, uri) = (course.id, uri.to_owned());
    far.town.world.read(move |db| {
        let people = course::organizers(db, id)?.into_iter().map(|one| one.uri).collect();
        Ok((people, course::pins(db, id)?, object::is_locked(db, &uri)?))
    })
}

#[tokio::test]
async fn a_pull_brings_organizers_pins_and_locks_and_takes_them_away() {
    let far = Far::new().await;
    let root = far.post(("good", "root"), None, ("first", EARLY));
    let uri = far.uri("good", "root");
    let closed = |at: i64, locked: bool| {
        let mut item = changed(root.clone(), at);
        item["learning"]["locked"] = json!(locked);
        item
    };
    far.serve_group(|group| {
        group["attributedTo"] = json!(format!("{}/moderators", far.group));
        group["featured"] = json!(format!("{}/featured", far.group));
    });
    far.serve_changes(&[closed(10, true)]);
    let (bob, eve) = (far.town.uri("good", "bob"), far.town.uri("evil", "eve"));
    far.list("moderators", &[bob.clone(), eve.clone()]);
    far.list("featured", &[uri.clone(), far.uri("evil", "unknown")]);
    let course = far.meet().await;
    far.pull(&course).await;
    assert_eq!(standing(&far, &course, &uri), (vec![bob.clone()], vec![uri.clone()], true));
    assert!(!far.town.asked().contains(&eve), "whom a list names on other servers is not asked for");
    far.list("moderators", &[]);
    far.list("featured", &[]);
    far.serve_changes(&[closed(20, false)]);
    far.pull(&course).await;
    assert_eq!(standing(&far, &course, &uri), (vec![], vec![], false));
}

#[tokio::test]
async fn what_is_closed_is_listed_as_closed() {
    let far = Far::new().await;
    let (_, root) = super::bounds::thread_here(&far);
    let items = |whole: &Value| whole["first"]["orderedItems"].as_array().unwrap().clone();
    let (_, before) = far.town.get("/c/rust/changes", None).await;
    let uri = root.uri.clone();
    far.town.world.tx(move |tx| object::lock(tx, &uri, true).map(drop));
    let (_, after) = far.town.get("/c/rust/changes", None).await;
    let of = |all: &Value| items(all).into_iter().find(|item| item["id"] == root.uri.as_str()).unwrap();
    assert_eq!((&of(&before)["learning"]["locked"], &of(&after)["learning"]["locked"]), (&Value::Null, &json!(true)));
}
