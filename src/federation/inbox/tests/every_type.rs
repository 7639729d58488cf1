//! Does what holds for one type of activity hold for all of them? (F15)

use super::forwarded::proven;
use super::*;

/// All types that any software sends, and one that none does.
const TYPES: [&str; 19] = [
    "Create",
    "Update",
    "Delete",
    "Undo",
    "Follow",
    "Accept",
    "Reject",
    "TentativeAccept",
    "Join",
    "Leave",
    "Announce",
    "Like",
    "Add",
    "Remove",
    "Move",
    "Block",
    "Flag",
    "EmojiReact",
    "Unheard",
];

/// An activity of each type by this actor, about something that they may speak of.
fn of_each_type(actor: &str) -> Vec<Value> {
    let object = |kind: &str| match kind {
        "Create" | "Update" => json!({"id": format!("{actor}/o/1"), "type": "Note", "attributedTo": actor}),
        "Move" => json!(actor),
        "Delete" | "Undo" => json!(format!("{actor}/o/1")),
        _ => json!("https://us.test/u/ada"),
    };
    let activity =
        |kind: &&str| json!({"id": format!("{actor}/a/{kind}"), "type": kind, "actor": actor, "object": object(kind)});
    TYPES.iter().map(activity).collect()
}

#[tokio::test]
async fn checklist_31_every_type_is_answered_202_when_it_is_honest() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    for activity in of_each_type(&bob.uri) {
        assert_eq!(town.post(&activity).await, 202, "{activity}");
    }
}

#[tokio::test]
async fn sig_11_and_checklist_17_no_type_is_taken_by_the_key_of_another() {
    let town = Town::new().await;
    let (bob, mallory, carol) = (town.known("good", "bob"), town.known("evil", "mallory"), town.known("good", "carol"));
    for activity in of_each_type(&bob.uri) {
        for (by, keys) in [(&mallory, town.world.keys()), (&carol, town.world.keys()), (&bob, other_keys())] {
            let (headers, body) = town.request(&by.uri, &keys, &activity);
            let status = town.send(headers, body).await.as_u16();
            // An answer to what nobody asked is forgotten before anybody looks at its key.
            assert!(matches!(status, 401) || (status == 202 && is_answer(&activity)), "{status} {activity}");
        }
    }
    assert!(town.inbox().is_empty());
}

fn is_answer(activity: &Value) -> bool {
    matches!(activity["type"].as_str(), Some("Accept" | "Reject" | "TentativeAccept"))
}

#[tokio::test]
async fn checklist_26_and_33_no_type_has_an_id_of_another_host_or_of_ours() {
    let town = Town::new().await;
    let mallory = town.known("evil", "mallory").uri;
    let bob = town.known("good", "bob").uri;
    for activity in of_each_type(&mallory) {
        for id in [format!("{bob}/a/1"), "https://us.test/a/1".into(), "https://US.test:443/a/1".into()] {
            let mut foreign = activity.clone();
            foreign["id"] = json!(id);
            refused(&town, &foreign, 403).await;
        }
        let mut ours = activity.clone();
        (ours["id"], ours["actor"]) = (json!("https://us.test/a/1"), json!("https://us.test/u/ada"));
        refused(&town, &ours, 403).await;
        let mut several = activity.clone();
        several["actor"] = json!([mallory, bob]);
        let (headers, body) = town.request(&mallory, &town.world.keys(), &several);
        assert_eq!(town.send(headers, body).await, 400, "several actors");
    }
}

#[tokio::test]
async fn sig_16_no_type_is_taken_of_who_is_stopped_or_gone() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    for state in [ActorState::Suspended, ActorState::Gone] {
        town.world.tx(move |tx| actor::move_to(tx, bob.id, state));
        for activity in of_each_type(&bob.uri) {
            refused(&town, &activity, 403).await;
            refused(&town, &proven(&town, activity), 403).await;
        }
    }
}

#[tokio::test]
async fn sig_17_and_checklist_22_who_is_gone_and_was_never_known_leaves_no_row() {
    let town = Town::new().await;
    let ghost = town.uri("good", "ghost");
    town.serve(&ghost, 410, &json!({}));
    for object in [json!(ghost), json!({"id": ghost, "type": "Person"})] {
        let delete = json!({"id": format!("{ghost}#delete"), "type": "Delete", "actor": ghost, "object": object});
        refused(&town, &delete, 202).await;
    }
    assert!(town.asked().is_empty(), "there is nothing to ask");
    refused(&town, &like(&town, &ghost, 1), 401).await;
    assert!(town.asked().len() <= 1);
    assert!(town.world.read(|db| actor::find_by_uri(db, &ghost)).is_none());
}

#[tokio::test]
async fn checklist_30_ids_with_fragments_are_taken_and_never_fetched() {
    let town = Town::new().await;
    let bob = town.known("good", "bob").uri;
    let note = json!({"id": format!("{bob}#votes/1"), "type": "Note", "attributedTo": bob, "name": "clear: fully"});
    let vote = json!({"id": format!("{bob}#votes/1/activity"), "type": "Create", "actor": bob, "object": note});
    assert_eq!(town.post(&vote).await, 202);
    assert_eq!(town.post(&vote).await, 202);
    assert_eq!((town.inbox().len(), town.asked().len()), (1, 0));
}

#[tokio::test]
async fn ori_08_no_spelling_of_our_name_makes_a_twin() {
    let town = Town::new().await;
    let mallory = town.known("evil", "mallory").uri;
    for ours in ["https://us.test./o/1", "https://US.TEST/o/1", "https://us.test:443/o/1", "https://us%2etest/o/1"] {
        let note = json!({"id": ours, "type": "Note", "attributedTo": mallory});
        let create = json!({"id": format!("{mallory}/a/1"), "type": "Create", "actor": mallory, "object": note});
        let (headers, body) = town.request(&mallory, &town.world.keys(), &create);
        let status = town.send(headers, body).await.as_u16();
        assert!((400..=403).contains(&status), "{status} {ours}");
        let by_us = json!({"id": ours, "type": "Like", "actor": ours, "object": ours});
        let (headers, body) = town.request(&mallory, &town.world.keys(), &by_us);
        let status = town.send(headers, body).await.as_u16();
        assert!((400..=403).contains(&status), "{status} {ours}");
    }
    // Their host is evil.test, whatever stands before the @.
    let at = mallory.replace("http://", "http://us.test@");
    let activity = json!({"id": format!("{at}/1"), "type": "Like", "actor": at, "object": mallory});
    let (headers, body) = town.request(&mallory, &town.world.keys(), &activity);
    assert_eq!(town.send(headers, body).await, 400);
    assert!(town.inbox().is_empty() && town.asked().is_empty());
}
