//! Does any field of any activity lead to a blocked server, or show what somebody suspended wrote? With every door of the
//! program, and first without a rule, so that the sink would see it.

use crate::actor::{self, Actor, ActorState};
use crate::db::Run;
use crate::db::schema::posts;
use crate::domain::{self, NewRule, Severity};
use crate::federation::town::Town;
use crate::federation::wire::PUBLIC;
use crate::{catalogue, course};
use diesel::QueryDsl;
use serde_json::{Value, json};

/// A course of good.test that is mirrored here.
fn mirrored(town: &Town) -> Actor {
    let group = catalogue::tests::group_elsewhere(&town.world, &town.host("good"));
    let said = catalogue::read::group(&catalogue::tests::fixture(&group.uri)).unwrap();
    let stored = group.clone();
    town.world.tx(move |tx| catalogue::store(tx, &stored, None, &said));
    group
}

/// A note at evil.test, by eve, in the course.
fn serve_evil(town: &Town, group: &Actor) -> Value {
    let (note, eve) = (town.uri("evil", "note"), town.uri("evil", "eve"));
    town.serve_actor("evil", "eve", &town.world.keys());
    let document = json!({
        "id": note, "type": "Page", "attributedTo": eve, "name": "Hello", "content": "<p>Hello</p>",
        "published": "2026-09-01T07:00:00Z", "to": [PUBLIC, group.uri], "cc": [],
    });
    town.serve(&note, 200, &document);
    document
}

async fn play(town: &Town, activity: &Value) {
    town.post(activity).await;
    town.work(crate::dispatch::dispatch).await;
    town.deliver().await;
}

/// Every activity that knows a way to name something at evil.test.
#[expect(clippy::too_many_lines, reason = "a table of every type of activity")]
fn activities(town: &Town, group: &Actor, document: &Value) -> Vec<Value> {
    let evil = |path: &str| town.uri("evil", path);
    let (by, note) = (&group.uri, evil("note"));
    let act =
        |kind: &str, object: Value| json!({"type": kind, "actor": by, "object": object, "to": [PUBLIC], "cc": []});
    let create = json!({"id": evil("create"), "type": "Create", "actor": evil("eve"), "object": document});
    let mut all = vec![
        act("Announce", json!(note)),
        act("Announce", create.clone()),
        act("Announce", json!({"id": evil("update"), "type": "Update", "actor": evil("eve"), "object": document})),
        act("Announce", json!({"id": evil("delete"), "type": "Delete", "actor": evil("eve"), "object": note})),
        act("Announce", json!({"id": evil("again"), "type": "Announce", "actor": evil("eve"), "object": create})),
    ];
    for kind in
        ["Like", "Follow", "Join", "Leave", "Accept", "Reject", "Block", "Flag", "Undo", "Remove", "Add", "Delete"]
    {
        all.push(act(kind, json!(note)));
        let mut targeted = act(kind, json!(format!("{by}/x")));
        targeted["target"] = json!(evil("collection"));
        all.push(targeted);
    }
    all.push(json!({"type": "Move", "actor": by, "object": by, "target": evil("eve")}));
    let fields = [
        ("inReplyTo", json!(note)),
        ("quoteUrl", json!(note)),
        ("quoteUri", json!(note)),
        ("context", json!(evil("context"))),
        ("replies", json!({"id": evil("replies"), "type": "Collection", "first": evil("replies?page=1")})),
        ("attachment", json!([{"type": "Image", "mediaType": "image/png", "url": evil("a.png")}])),
        ("icon", json!({"type": "Image", "mediaType": "image/png", "url": evil("icon.png")})),
        ("image", json!({"type": "Image", "mediaType": "image/png", "url": evil("image.png")})),
        ("tag", json!([{"type": "Mention", "href": evil("eve"), "name": "@eve@evil.test"}])),
        ("tag", json!([{"type": "Link", "mediaType": "application/activity+json", "href": note}])),
        ("audience", json!(evil("group"))),
        ("url", json!([{"type": "Link", "href": note}])),
        ("generator", json!(evil("generator"))),
        ("likes", json!(evil("likes"))),
        ("to", json!([PUBLIC, by, evil("eve"), evil("eve/followers")])),
    ];
    for (number, (field, value)) in fields.into_iter().enumerate() {
        let id = format!("{by}/o/{number}");
        let mut object = json!({
            "id": id, "type": "Page", "attributedTo": by, "name": "x", "content": "<p>x</p>",
            "published": "2026-09-01T07:00:00Z", "to": [PUBLIC, by], "cc": [],
        });
        object[field] = value.clone();
        for kind in ["Create", "Update", "Announce"] {
            let mut whole = act(kind, object.clone());
            whole[field] = value.clone();
            all.push(whole);
        }
        let mut profile =
            json!({"id": by, "type": "Group", "preferredUsername": "knots", "inbox": format!("{by}/inbox")});
        profile[field] = value;
        all.push(act("Update", profile));
    }
    for (number, activity) in all.iter_mut().enumerate() {
        activity["id"] = json!(format!("{by}/a/{number}"));
    }
    all
}

#[tokio::test]
async fn mod_02_no_field_of_any_activity_leads_to_a_blocked_server() {
    for blocked in [false, true] {
        let town = Town::new().await;
        let group = mirrored(&town);
        let document = serve_evil(&town, &group);
        if blocked {
            let rule = NewRule::of("evil.test", Severity::Suspend);
            town.world.tx(move |tx| domain::put(tx, None, &rule));
        }
        for activity in activities(&town, &group, &document) {
            play(&town, &activity).await;
        }
        let touched = town.touched("evil");
        assert_eq!(touched.is_empty(), blocked, "{touched:?}");
        let shown = town.world.read(|db| {
            let course = course::find_by_actor(db, group.id)?.unwrap();
            let all = crate::discussion::threads(db, course.id, 1)?;
            Ok(all.into_iter().filter(|thread| thread.author.host.starts_with("evil")).count())
        });
        assert_eq!(shown == 0, blocked, "{shown} posts of evil.test are shown");
    }
}

#[tokio::test]
async fn mod_04_what_somebody_suspended_wrote_comes_in_through_no_announcement() {
    for suspended in [false, true] {
        let town = Town::new().await;
        let group = mirrored(&town);
        serve_evil(&town, &group);
        let eve = town.known("evil", "eve");
        if suspended {
            town.world.tx(move |tx| actor::move_to(tx, eve.id, ActorState::Suspended));
        }
        let note = town.uri("evil", "note");
        let id = format!("{}/a/1", group.uri);
        play(&town, &json!({"id": id, "type": "Announce", "actor": group.uri, "object": note, "to": [PUBLIC]})).await;
        let stored: i64 = town.world.read(|db| Ok(posts::table.count().get_result(db)?));
        assert_eq!(stored, i64::from(!suspended));
    }
}
