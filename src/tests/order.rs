//! Does it matter in which order the acts of different people arrive, or how often?

use super::study::Study;
use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::clock::Time;
use crate::db::Run;
use crate::db::schema::{actors, enrollments, follows, inbox, posts, revisions, submissions};
use crate::federation::peer;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

const PEOPLE: usize = 3;
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// A course here, and people of other servers who take part in it.
struct Scene {
    study: Study,
    assignment: Assignment,
    people: Vec<Actor>,
}

impl Scene {
    fn new() -> Self {
        let study = Study::new();
        let assignment = study.open();
        let people: Vec<Actor> =
            (0..PEOPLE).map(|n| study.world.person_elsewhere("dov", &format!("east{n}.test"))).collect();
        for who in &people {
            study.enroll(who);
            let (host, id, join) = (who.host.clone(), who.id, format!("{}/join", who.uri));
            study.world.tx(move |tx| {
                // Asked for by a Join, so that it does not end with the following.
                let place = enrollments::table.filter(enrollments::actor_id.eq(id));
                diesel::update(place).set(enrollments::join_uri.eq(Some(join))).execute(tx)?;
                peer::learn(tx, &host, Some("mastodon"), None)
            });
        }
        Self { study, assignment, people }
    }

    /// All that one of them does, in order.
    fn acts(&self, n: usize) -> Vec<Value> {
        let (by, group) = (&self.people[n].uri, &self.study.group.uri);
        let act = |at: usize, kind: &str, object: Value| {
            json!({
                "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{by}/acts/{at}"), "type": kind,
                "actor": by, "to": [PUBLIC], "cc": [group], "object": object,
            })
        };
        let note = |at: usize, text: &str, updated: &str| {
            json!({
                "id": format!("{by}/notes/{at}"), "type": "Note", "attributedTo": by, "to": [PUBLIC], "cc": [group],
                "content": format!("<p>{text}</p>"), "published": "2026-08-31T08:00:00Z", "updated": updated,
            })
        };
        let work = |text: &str| {
            json!({
                "id": format!("{by}/notes/9"), "type": "Note", "attributedTo": by, "to": [group],
                "inReplyTo": self.assignment.uri, "content": format!("<p>{text}</p>"),
            })
        };
        let gone = |at: usize| json!({"id": format!("{by}/notes/{at}"), "type": "Tombstone"});
        let follow = json!({"id": format!("{by}/acts/0"), "type": "Follow", "actor": by, "object": group});
        let mut all = vec![
            act(0, "Follow", group.clone().into()),
            act(1, "Create", note(1, "one", "2026-08-31T08:00:00Z")),
            act(2, "Update", note(1, "good", "2026-08-31T08:30:00Z")),
            act(3, "Update", note(1, "better", "2026-08-31T08:45:00Z")),
            act(4, "Create", note(2, "two", "2026-08-31T08:00:00Z")),
            act(5, "Update", note(2, "two and more", "2026-08-31T08:30:00Z")),
            act(6, "Delete", gone(2)),
            act(7, "Create", work("mine")),
        ];
        if n == 1 {
            all.push(act(8, "Delete", gone(9)));
        } else {
            all.extend([act(8, "Update", work("mine, better")), act(9, "Undo", follow)]);
        }
        all
    }

    fn take(&self, n: usize, activity: &Value) {
        self.study.arrives(&self.people[n], activity);
    }

    fn work_off(&self) {
        self.study.work_off();
    }

    /// What is left of it all: posts, followers and work that are there. What is gone is as if it had never come.
    fn state(&self) -> Vec<String> {
        self.study.world.read(|db| {
            let some = posts::table.filter(posts::deleted_at.is_null()).order(posts::uri);
            let some: Vec<(String, String, Option<Time>)> =
                some.select((posts::uri, posts::body_html, posts::edited_at)).load(db)?;
            let mut all: Vec<String> =
                some.into_iter().map(|(uri, text, edited)| format!("{uri} {text} {edited:?}")).collect();
            let who = follows::table.inner_join(actors::table.on(actors::id.eq(follows::follower_id)));
            let who: Vec<(String, String)> = who.select((actors::uri, follows::uri)).order(actors::uri).load(db)?;
            all.extend(who.into_iter().map(|(who, uri)| format!("{who} follows by {uri}")));
            let work = revisions::table.inner_join(submissions::table.on(submissions::id.eq(revisions::submission_id)));
            let work = work.filter(submissions::state.ne("withdrawn")).order((submissions::uri, revisions::number));
            let work: Vec<(String, String)> = work.select((submissions::uri, revisions::body_html)).load(db)?;
            // Earlier versions are kept as they arrive; what counts is the last.
            let last: std::collections::BTreeMap<_, _> = work.into_iter().collect();
            all.extend(last.into_iter().map(|(uri, text)| format!("{uri} handed in {text}")));
            let stuck = inbox::table.filter(inbox::state.eq_any(["pending", "failed"])).select(inbox::activity_uri);
            all.extend(stuck.load::<String>(db)?.into_iter().map(|uri| format!("{uri} is stuck")));
            Ok(all)
        })
    }
}

/// One after the other, each once.
fn canonical() -> &'static [String] {
    static CANONICAL: OnceLock<Vec<String>> = OnceLock::new();
    CANONICAL.get_or_init(|| {
        let scene = Scene::new();
        for n in 0..PEOPLE {
            scene.acts(n).iter().for_each(|act| scene.take(n, act));
            scene.work_off();
        }
        scene.state()
    })
}

/// Who does which act, in any order, some of them several times; with true under another id.
fn arrivals() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    let each: Vec<_> =
        (0..PEOPLE).flat_map(|n| (0..if n == 1 { 9 } else { 10 }).map(move |at| (n, at, false))).collect();
    let again = proptest::collection::vec((0..PEOPLE, 0_usize..9, any::<bool>()), 0..10);
    again.prop_flat_map(move |again| Just([each.clone(), again].concat()).prop_shuffle())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Delete before Create, Update before Create, Undo before Follow, an old Update after a newer one, each of them twice.
    #[test]
    fn r_09_any_order_and_any_repetition_come_to_the_same(arrivals in arrivals(), pause in 1_usize..6) {
        let scene = Scene::new();
        for (at, (n, which, renamed)) in arrivals.into_iter().enumerate() {
            let mut act = scene.acts(n)[which].clone();
            // A second Follow under another id would be another Follow.
            if renamed && which != 0 {
                act["id"] = format!("{}/again/{at}", act["id"].as_str().unwrap()).into();
            }
            scene.take(n, &act);
            if at.is_multiple_of(pause) {
                scene.work_off();
            }
        }
        scene.work_off();
        prop_assert_eq!(scene.state(), canonical());
    }
}

#[test]
fn r_09_the_end_of_it_is_what_each_meant() {
    let state = canonical().join("\n");
    assert_eq!(state.matches("<p>better</p>").count(), 3, "R-09: the newest text of each: {state}");
    assert_eq!(state.matches("two").count(), 0, "R-09: what was deleted is gone: {state}");
    assert_eq!(state.matches(" follows by ").count(), 1, "R-09: the others undid it: {state}");
    assert_eq!(state.matches("handed in <p>mine, better</p>").count(), 2, "R-09: {state}");
    assert!(!state.contains("stuck"), "R-09: {state}");
}

#[test]
fn r_09_nobody_ends_beforehand_what_others_will_say() {
    let scene = Scene::new();
    let post = scene.acts(0)[1].clone();
    let delete = json!({
        "id": format!("{}/acts/77", scene.people[1].uri), "type": "Delete", "actor": scene.people[1].uri, "to": [PUBLIC],
        "object": post["object"]["id"],
    });
    scene.take(1, &delete);
    scene.work_off();
    scene.take(0, &post);
    scene.work_off();
    assert!(scene.state().concat().contains("<p>one</p>"), "R-09: {:#?}", scene.state());
}
