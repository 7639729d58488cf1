//! Does a mirror come here whole, stay right after an outage, and believe nobody but the home and the authors' servers?

mod bounds;
mod standing;

use super::*;
use crate::actor::Actor;
use crate::actor::follow::{self, FollowState};
use crate::catalogue;
use crate::db::Run;
use crate::db::schema::jobs as planned;
use crate::federation::town::Town;
use crate::federation::wire;
use crate::{cohort, syllabus};
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

/// Our program, and a course of good.test as its home serves it.
struct Far {
    town: Town,
    /// The Group's id.
    group: String,
}

impl Far {
    async fn new() -> Self {
        let town = Town::real(crate::routes::routes()).await;
        let group = town.uri("good", "knots").replace("/u/", "/c/");
        for (host, name) in [("good", "bob"), ("evil", "eve")] {
            town.serve_actor(host, name, &town.world.keys());
        }
        let far = Self { town, group };
        far.serve_group(|_| {});
        far.serve_changes(&[]);
        far
    }

    fn serve_group(&self, change: impl FnOnce(&mut Value)) {
        let mut document = catalogue::tests::fixture(&self.group);
        document["inbox"] = json!(format!("{}/inbox", self.group));
        document["outbox"] = json!(format!("{}/outbox", self.group));
        document["learning"]["changes"] = json!(format!("{}/changes", self.group));
        document["learning"].as_object_mut().unwrap().remove("bot");
        change(&mut document);
        self.town.serve(&self.group, 200, &document);
    }

    /// What the home says changed, newest first.
    fn serve_changes(&self, items: &[Value]) {
        let id = format!("{}/changes", self.group);
        let first = json!({"id": format!("{id}/after/first"), "type": "OrderedCollectionPage", "orderedItems": items});
        self.town.serve(&id, 200, &json!({"id": id, "type": "OrderedCollection", "first": first}));
    }

    /// Serves a public post to the course, and gives what its home lists of it.
    fn post(&self, (host, id): (&str, &str), answers: Option<&str>, (text, updated): (&str, &str)) -> Value {
        let uri = self.uri(host, id);
        let author = self.town.uri(host, if host == "good" { "bob" } else { "eve" });
        let document = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": uri,
            "type": if answers.is_some() { "Note" } else { "Page" }, "name": answers.is_none().then_some(id),
            "attributedTo": author, "to": [wire::PUBLIC, self.group], "cc": [], "inReplyTo": answers,
            "content": format!("<p>{text}</p>"), "published": "2026-08-30T07:00:00Z", "updated": updated,
        });
        self.town.serve(&uri, 200, &document);
        json!({"id": uri, "type": document["type"], "updated": updated})
    }

    fn uri(&self, host: &str, id: &str) -> String {
        self.town.uri(host, id).replace("/u/", "/o/")
    }

    /// Somebody here looks the course up.
    async fn meet(&self) -> Course {
        let context = self.town.config.to_request_data();
        catalogue::apub::mirror(&context, &self.group).await.unwrap()
    }

    async fn pull(&self, course: &Course) -> Option<Duration> {
        apub::pull_course(&self.town.config, course.id).await.unwrap()
    }

    fn find(&self, (host, id): (&str, &str)) -> Option<Post> {
        let uri = self.uri(host, id);
        self.town.world.read(move |db| discussion::find_by_uri(db, &uri))
    }

    fn text(&self, of: (&str, &str)) -> String {
        self.find(of).map(|post| post.body_html).unwrap_or_default()
    }

    fn follow(&self, course: &Course) -> Actor {
        let (bo, followed) = (self.town.world.person("bo"), course.actor_id);
        let id = bo.id;
        self.town.world.tx(move |tx| follow::put(tx, id, followed, "https://us.test/a/f", FollowState::Accepted));
        bo
    }

    /// The kinds of planned errands.
    fn planned(&self) -> Vec<JobKind> {
        self.town.world.read(|db| {
            let kinds: Vec<JobKind> = planned::table.order(planned::id).select(planned::kind).load(db)?;
            Ok(kinds.into_iter().filter(|kind| JobKind::ERRANDS.contains(kind)).collect())
        })
    }
}

/// An item of the changes.
fn changed(mut item: Value, at: i64) -> Value {
    item["learning"] = json!({"type": "study:Change", "changed": at});
    item
}

const EARLY: &str = "2026-08-30T07:00:00Z";
const LATE: &str = "2026-08-31T07:00:00Z";

#[tokio::test]
async fn a_newcomer_gets_what_was_said_before_it_came() {
    let far = Far::new().await;
    let root = far.post(("good", "root"), None, ("first", EARLY));
    let answer = far.post(("evil", "answer"), Some(&far.uri("good", "root")), ("second", EARLY));
    let below = far.post(("good", "below"), Some(&far.uri("evil", "answer")), ("third", EARLY));
    // Newest first, so that answers come before what they answer.
    far.serve_changes(&[changed(below, 30), changed(answer, 20), changed(root, 10)]);
    let course = far.meet().await;
    assert_eq!(far.planned(), [JobKind::CoursePull], "the first look-up plans it");
    assert_eq!(far.pull(&course).await, None, "nobody here wants it again");
    let root = far.find(("good", "root")).unwrap();
    for id in [("evil", "answer"), ("good", "below")] {
        assert_eq!(far.find(id).unwrap().thread_id, Some(root.id), "{id:?}");
    }
    far.follow(&course);
    assert_eq!(far.pull(&course).await, Some(EVERY));
    let mark = far.town.world.read(|db| mark(db, course.id));
    assert_eq!(mark.change, Some(Time(30)));
}

#[tokio::test]
async fn a_mirror_heals_after_days_out_of_reach() {
    let far = Far::new().await;
    let kept = far.post(("good", "kept"), None, ("as it was", EARLY));
    let edited = far.post(("evil", "edited"), None, ("before", EARLY));
    let gone = far.post(("good", "gone"), None, ("soon gone", EARLY));
    let removed = far.post(("evil", "removed"), None, ("spam", EARLY));
    far.serve_changes(&[changed(removed, 4), changed(gone, 3), changed(edited, 2), changed(kept, 1)]);
    let course = far.meet().await;
    far.follow(&course);
    far.pull(&course).await;
    assert_eq!(far.text(("evil", "edited")), "<p>before</p>");

    // Days pass; nothing is delivered.
    far.town.world.pass(Duration::from_secs(9 * 24 * 3600));
    let edited = far.post(("evil", "edited"), None, ("after", LATE));
    let fresh = far.post(("good", "fresh"), Some(&far.uri("evil", "edited")), ("new", LATE));
    let gone = json!({"id": far.uri("good", "gone"), "type": "Tombstone", "updated": EARLY});
    let removed = json!({"id": far.uri("evil", "removed"), "type": "Tombstone", "updated": EARLY, "summary": "Spam"});
    far.serve_changes(&[changed(removed, 14), changed(gone, 13), changed(fresh, 12), changed(edited, 11)]);
    far.serve_group(|group| {
        group["name"] = json!("Knots anew");
        group["learning"]["syllabus"]["version"] = json!(4);
        group["learning"]["syllabus"]["units"][0]["title"] = json!("Sheepshank");
        let old = group["learning"]["cohort"].clone();
        group["learning"]["cohort"]["id"] = json!("def456");
        group["learning"]["cohorts"] = json!([old]);
        group["learning"]["cohorts"][0]["state"] = json!("completed");
    });
    let before = far.town.asked().len();
    far.pull(&course).await;
    assert_eq!(far.text(("evil", "edited")), "<p>after</p>", "checklist 51: fetched, and it advances");
    let thread = far.find(("evil", "edited")).unwrap().id;
    assert_eq!(far.find(("good", "fresh")).unwrap().thread_id, Some(thread));
    assert!(far.find(("good", "gone")).unwrap().is_deleted());
    assert_eq!(far.find(("evil", "removed")).unwrap().removal, "Spam");
    assert_eq!(far.text(("good", "kept")), "<p>as it was</p>");
    assert!(far.town.asked().len() - before < 12, "what did not change is not fetched");
    let name = far.town.world.read(|db| actor::get(db, course.actor_id)).name;
    let outline = far.town.world.read(|db| syllabus::current(db, course.id)).unwrap().outline().unwrap();
    assert_eq!((name.as_str(), outline.units[0].title.as_str()), ("Knots anew", "Sheepshank"));
    let mut runs: Vec<_> = far.town.world.read(|db| cohort::list_of(db, course.id));
    runs.sort_by_key(|run| run.public_id.clone());
    let states: Vec<_> = runs.iter().map(|run| (run.public_id.as_str(), run.state.as_str())).collect();
    assert_eq!(states, [("abc123", "completed"), ("def456", "open")]);
}

#[tokio::test]
async fn checklist_51_an_older_document_changes_nothing() {
    let far = Far::new().await;
    let item = far.post(("good", "post"), None, ("newer", LATE));
    far.serve_changes(&[changed(item, 5)]);
    let course = far.meet().await;
    far.pull(&course).await;
    // The same server says something older, as after a restored backup; the list says that it changed.
    far.post(("good", "post"), None, ("older", EARLY));
    let item = json!({"id": far.uri("good", "post"), "type": "Page", "updated": "2026-09-01T07:00:00Z"});
    far.serve_changes(&[changed(item, 9)]);
    far.pull(&course).await;
    assert_eq!(far.text(("good", "post")), "<p>newer</p>");
}

#[tokio::test]
async fn ori_12_and_crs_19_a_home_lists_only_what_says_itself_that_it_is_there() {
    let far = Far::new().await;
    let mut honest = far.post(("evil", "elsewhere"), None, ("not for the course", EARLY));
    far.town.serve(
        &far.uri("evil", "elsewhere"),
        200,
        &json!({
            "id": far.uri("evil", "elsewhere"), "type": "Page", "attributedTo": far.town.uri("evil", "eve"),
            "to": [wire::PUBLIC], "cc": [], "name": "x", "content": "not for the course", "published": EARLY,
        }),
    );
    // What the home says of the text is not looked at: the author's server alone is asked.
    honest["content"] = json!("forged by the home");
    honest["to"] = json!([wire::PUBLIC, far.group]);
    let stolen = far.uri("evil", "stolen");
    far.town.serve(
        &stolen,
        200,
        &json!({
            "id": stolen, "type": "Page", "attributedTo": far.town.uri("good", "bob"), "to": [wire::PUBLIC, far.group],
            "cc": [], "name": "x", "content": "by another", "published": EARLY,
        }),
    );
    let ours = json!({"id": "https://us.test/o/none", "type": "Note", "updated": EARLY});
    let stolen_item = json!({"id": stolen, "type": "Page", "updated": EARLY});
    far.serve_changes(&[changed(honest, 3), changed(stolen_item, 2), changed(ours, 1)]);
    let course = far.meet().await;
    far.pull(&course).await;
    assert!(far.find(("evil", "elsewhere")).is_none() && far.find(("evil", "stolen")).is_none());
    // The list moves on all the same.
    assert_eq!(far.town.world.read(|db| mark(db, course.id)).change, Some(Time(3)));
}

#[tokio::test]
async fn a_course_of_other_software_is_pulled_by_its_outbox_and_threads() {
    let far = Far::new().await;
    let outbox = format!("{}/outbox", far.group);
    far.serve_group(|group| drop(group.as_object_mut().unwrap().remove("learning")));
    far.post(("good", "root"), None, ("first", EARLY));
    far.post(("evil", "answer"), Some(&far.uri("good", "root")), ("second", EARLY));
    let list = format!("{}/context", far.uri("good", "root"));
    let mut root = json!({
        "id": far.uri("good", "root"), "type": "Page", "attributedTo": far.town.uri("good", "bob"), "name": "root",
        "to": [far.group, wire::PUBLIC], "cc": [], "content": "first", "published": EARLY, "context": list,
    });
    far.town.serve(&far.uri("good", "root"), 200, &root);
    root["content"] = json!("as it was once");
    let create = wire::activity("Create", "https://x.test/c", &far.town.uri("good", "bob"), &[], &[], root);
    let announce = wire::activity("Announce", "https://x.test/a", &far.group, &[wire::PUBLIC.into()], &[], create);
    far.town.serve(&outbox, 200, &json!({"id": outbox, "type": "OrderedCollection", "orderedItems": [announce]}));
    let ids = [far.uri("good", "root"), far.uri("evil", "answer")];
    far.town.serve(&list, 200, &json!({"id": list, "type": "OrderedCollection", "orderedItems": ids}));
    let course = far.meet().await;
    far.pull(&course).await;
    assert_eq!(far.text(("good", "root")), "first");
    assert!(far.find(("evil", "answer")).unwrap().thread_id.is_some());
}

#[tokio::test]
async fn a_pull_is_planned_when_something_is_heard_after_a_silence_or_looked_at() {
    let far = Far::new().await;
    let course = far.meet().await;
    far.pull(&course).await;
    let clear = |far: &Far| {
        far.town.world.tx(|tx| {
            diesel::delete(planned::table).execute(tx)?;
            Ok(())
        });
    };
    let id = course.id;
    clear(&far);
    far.town.world.tx(move |tx| heard(tx, id));
    assert!(far.planned().is_empty(), "it was pulled a moment ago");
    far.town.world.pass(SILENCE);
    far.town.world.tx(move |tx| heard(tx, id));
    assert_eq!(far.planned(), [JobKind::CoursePull]);
    far.pull(&course).await;
    clear(&far);
    far.town.world.pass(PATIENCE);
    let now = far.town.now();
    assert!(far.town.world.read(move |db| is_stale(db, id, now)));
    far.town.world.tx(move |tx| looked_at(tx, id));
    far.town.world.tx(move |tx| looked_at(tx, id));
    assert_eq!(far.planned(), [JobKind::CoursePull]);
    clear(&far);
    far.town.world.pass(SILENCE);
    far.town.world.tx(plan_all);
    assert_eq!(far.planned(), [JobKind::CoursePull], "after a start");
}
