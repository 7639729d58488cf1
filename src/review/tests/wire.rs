//! What exactly goes out, what comes in, and through which hands in tests?

use super::cast::Cast;
use crate::actor::Actor;
use crate::db::Run;
use crate::db::schema::{activities, deliveries};
use crate::federation::{Context, Received};
use crate::id::InboxId;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Everything that was sent to this actor's own inbox, oldest first.
pub(super) fn sent_to(cast: &Cast, who: &Actor) -> Vec<Value> {
    let inbox = who.inbox.clone();
    let documents: Vec<String> = cast.world.read(|db| {
        let query = deliveries::table
            .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
            .filter(deliveries::inbox.eq(inbox))
            .order(deliveries::id);
        Ok(query.select(activities::document).load(db)?)
    });
    documents.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// Those of them whose note means this.
pub(super) fn sent_as(cast: &Cast, who: &Actor, kind: &str) -> Vec<Value> {
    sent_to(cast, who).into_iter().filter(|sent| sent["object"]["learning"]["type"] == kind).collect()
}

/// Random ids become `id1`, `id2` by their first appearance, and the context a word.
pub(super) fn steady(document: &Value) -> Value {
    let mut document = document.clone();
    document["@context"] = json!("CTX");
    document["object"]["@context"] = json!("CTX");
    let text = document.to_string();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut out = String::new();
    let is_id = |word: &str| word.len() == 26 && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_id(bare) {
            let next = known.len() + 1;
            out.push_str(&format!("id{}", known.entry(bare.to_owned()).or_insert(next)));
            out.push_str(&word[bare.len()..]);
        } else {
            out.push_str(word);
        }
    }
    serde_json::from_str(&out).unwrap()
}

/// What doors are handed.
pub(super) async fn context(cast: &Cast) -> Context {
    let app = cast.world.app();
    let mut builder = activitypub_federation::config::FederationConfig::builder();
    builder.domain("us.test").app_data(app).build().await.unwrap().to_request_data()
}

/// An activity that came in.
pub(super) fn received(cast: &Cast, signer: &Actor, activity: Value) -> Received {
    Received::new(InboxId(1), signer.clone(), activity, cast.world.clock.now())
}

/// A note by somebody, wrapped in its Create.
pub(super) fn create(by: &Actor, to: &str, more: Value) -> Value {
    let mut note = json!({
        "id": format!("{}/notes/1", by.uri), "type": "Note", "attributedTo": by.uri, "to": [to], "cc": [],
        "published": "2026-09-02T09:00:00Z",
    });
    for (key, value) in more.as_object().unwrap() {
        note[key] = value.clone();
    }
    json!({"id": format!("{}/activities/1", by.uri), "type": "Create", "actor": by.uri, "to": [to], "cc": [], "object": note})
}
