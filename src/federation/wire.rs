//! What do documents look like on the wire, and how are those of others read?

use crate::app::App;
use serde_json::{Value, json};

/// Everyone. The full form, because snac matches no other (AP 5.6).
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The names of the course extension; an identifier that nobody fetches.
pub const STUDY: &str = "https://w3id.org/hedgeschool/ns#";

/// The `@context` of our documents: inline, so that nothing depends on a remote one being up.
pub fn context() -> Value {
    json!([
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/v1",
        "https://w3id.org/security/data-integrity/v1",
        {
            "oer": "https://oerschema.org/", "schema": "https://schema.org/", "study": STUDY,
            "lemmy": "https://join-lemmy.org/ns#", "litepub": "http://litepub.social/ns#",
            "mz": "https://joinmobilizon.org/ns#", "toot": "http://joinmastodon.org/ns#",
            "sm": "http://smithereen.software/ns#", "gts": "https://gotosocial.org/ns#",
            "learning": {"@id": "study:learning", "@type": "@json"},
            "discoverable": "toot:discoverable", "indexable": "toot:indexable",
            "featured": {"@id": "toot:featured", "@type": "@id"},
            "postingRestrictedToMods": "lemmy:postingRestrictedToMods", "removeData": "lemmy:removeData",
            "capabilities": "litepub:capabilities", "acceptsJoins": "litepub:acceptsJoins",
            "openness": "mz:openness", "members": {"@id": "mz:members", "@type": "@id"},
            "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
            "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
        }
    ])
}

/// The `@context` of actors here: that of all documents, with the words for their keys (FEP-521a).
pub fn actor_context() -> Value {
    const SECURITY: &str = "https://w3id.org/security#";
    let mut context = context();
    let terms = context.as_array_mut().and_then(|parts| parts.last_mut()).and_then(Value::as_object_mut);
    if let Some(terms) = terms {
        let to = |name: &str| json!({"@id": format!("{SECURITY}{name}"), "@type": "@id"});
        terms.insert("Multikey".into(), format!("{SECURITY}Multikey").into());
        terms.insert("assertionMethod".into(), to("assertionMethod"));
        terms.insert("controller".into(), to("controller"));
        let multibase =
            json!({"@id": format!("{SECURITY}publicKeyMultibase"), "@type": format!("{SECURITY}multibase")});
        terms.insert("publicKeyMultibase".into(), multibase);
    }
    context
}

/// An activity as all of ours are: `to` and `cc` always arrays, `cc` always there.
#[expect(clippy::too_many_arguments, reason = "the six properties that every activity has")]
pub fn activity(kind: &str, id: &str, actor: &str, to: &[String], cc: &[String], object: Value) -> Value {
    json!({"@context": context(), "id": id, "type": kind, "actor": actor, "to": to, "cc": cc, "object": object})
}

/// Who may answer and quote, as GoToSocial reads it: everyone, or nobody when it is closed.
pub fn policy(locked: bool) -> Value {
    let whom: &[&str] = if locked { &[] } else { &[PUBLIC] };
    json!({"canReply": {"automaticApproval": whom}, "canQuote": {"automaticApproval": []}})
}

/// A text of a document; the first of a language map, which may also stand beside it (`contentMap`, AS2 4.7); nothing
/// when it is something else.
pub fn text<'a>(document: &'a Value, key: &str) -> Option<&'a str> {
    let first = |value: &'a Value| match value {
        Value::String(text) => Some(text.as_str()),
        Value::Object(map) => map.values().next()?.as_str(),
        _ => None,
    };
    document.get(key).and_then(first).or_else(|| first(document.get(format!("{key}Map"))?))
}

/// The `type`; of several the first that is a word of the standard and not of some extension.
pub fn kind(document: &Value) -> Option<&str> {
    match document.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| !kind.contains(':')),
        _ => None,
    }
}

/// The one id that stands in a property; nothing when there are several, because nobody then could say which is meant
/// (ORI-03).
pub fn sole_id<'a>(document: &'a Value, key: &str) -> Option<&'a str> {
    match document.get(key)? {
        Value::Array(list) => match list.as_slice() {
            [one] => id_of(one),
            _ => None,
        },
        one => id_of(one),
    }
}

/// A value, or the only one of a list (checklist 29).
pub fn only(value: &Value) -> &Value {
    match value {
        Value::Array(list) => match list.as_slice() {
            [one] => one,
            _ => value,
        },
        one => one,
    }
}

/// The id of a value that is an id or an object that has one.
pub fn id_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(id) => Some(id),
        Value::Object(map) => map.get("id")?.as_str(),
        _ => None,
    }
}

/// The id that stands in a property, whether bare or inside an object; the first of several.
pub fn id<'a>(document: &'a Value, key: &str) -> Option<&'a str> {
    match document.get(key)? {
        Value::Array(list) => list.first().and_then(id_of),
        one => id_of(one),
    }
}

/// All ids of a property that is one or many (AS2 allows both everywhere).
pub fn ids<'a>(document: &'a Value, key: &str) -> Vec<&'a str> {
    match document.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(id_of).collect(),
        Some(one) => id_of(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// All objects of a property that is one or many, such as `tag` and `attachment`.
pub fn objects<'a>(document: &'a Value, key: &str) -> Vec<&'a Value> {
    match document.get(key) {
        Some(Value::Array(list)) => list.iter().filter(|item| item.is_object()).collect(),
        Some(one) if one.is_object() => vec![one],
        _ => Vec::new(),
    }
}

/// Whether this address means everyone, in any of its three spellings.
pub fn means_public(address: &str) -> bool {
    matches!(address, PUBLIC | "as:Public" | "Public")
}

/// Whether `to` or `cc` names everyone.
pub fn is_public(document: &Value) -> bool {
    ["to", "cc"].iter().any(|key| ids(document, key).into_iter().any(means_public))
}

/// The ids of everyone mentioned by a `Mention` tag.
pub fn mentions(document: &Value) -> Vec<&str> {
    objects(document, "tag")
        .into_iter()
        .filter(|tag| kind(tag) == Some("Mention"))
        .filter_map(|t| text(t, "href"))
        .collect()
}

/// A `Mention` tag. Its name has the host, because GoToSocial stores nothing otherwise.
pub fn mention(actor: &crate::actor::Actor) -> Value {
    json!({"type": "Mention", "href": actor.uri, "name": actor.acct()})
}

/// Takes out whom nobody else may see among the addressees, here and in what is embedded (AP 6; PRV-10).
pub fn drop_blind(document: &mut Value) {
    let mut next = Some(document);
    while let Some(fields) = next.and_then(Value::as_object_mut) {
        fields.shift_remove("bto");
        fields.shift_remove("bcc");
        next = fields.get_mut("object");
    }
}

/// Takes everyone out of the addressees, here and in what is embedded.
pub fn drop_public(document: &mut Value) {
    let mut next = Some(document);
    while let Some(fields) = next.and_then(Value::as_object_mut) {
        for key in ["to", "cc"] {
            if let Some(Value::Array(list)) = fields.get_mut(key) {
                list.retain(|id| !id.as_str().is_some_and(means_public));
            }
        }
        next = fields.get_mut("object");
    }
}

/// The same on a copy, when there are any.
pub fn without_blind(document: &Value) -> Option<Value> {
    let mut next = Some(document);
    while let Some(fields) = next.and_then(Value::as_object) {
        if fields.contains_key("bto") || fields.contains_key("bcc") {
            let mut clean = document.clone();
            drop_blind(&mut clean);
            return Some(clean);
        }
        next = fields.get("object");
    }
    None
}

/// How large a document that is read may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Deepest nesting.
    pub depth: usize,
    /// Most values: what keys hold, and entries of lists.
    pub values: usize,
}

impl Bounds {
    /// As set.
    pub fn of(app: &App) -> Self {
        let set = &app.config().federation;
        Self { depth: set.largest_depth, values: set.largest_values }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 32, values: 10_000 }
    }
}

/// Whether a document stays within these bounds.
pub fn is_bounded(document: &Value, bounds: Bounds) -> bool {
    fn walk(value: &Value, deeper: usize, left: &mut usize) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        let mut inside = |item: &Value| deeper > 0 && walk(item, deeper - 1, left);
        match value {
            Value::Array(list) => list.iter().all(&mut inside),
            Value::Object(map) => map.values().all(&mut inside),
            _ => true,
        }
    }
    let mut left = bounds.values;
    walk(document, bounds.depth, &mut left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_read_alike() {
        for to in [json!("https://a.test/1"), json!(["https://a.test/1"]), json!({"id": "https://a.test/1"})] {
            assert_eq!(ids(&json!({"to": to}), "to"), ["https://a.test/1"]);
        }
        assert!(ids(&json!({"to": null}), "to").is_empty());
        assert!(ids(&json!({"to": 5}), "to").is_empty());
    }

    #[test]
    fn everyone_has_three_spellings() {
        for name in [PUBLIC, "as:Public", "Public"] {
            assert!(is_public(&json!({"to": [], "cc": name})), "{name}");
        }
        assert!(!is_public(&json!({"to": ["https://a.test/followers"]})));
    }

    #[test]
    fn deep_and_wide_documents_are_out_of_bounds() {
        let mut deep = json!("x");
        for _ in 0..40 {
            deep = json!([deep]);
        }
        let usual = Bounds::default();
        assert!(!is_bounded(&deep, usual));
        assert!(is_bounded(&deep, Bounds { depth: 40, ..usual }));
        assert!(!is_bounded(&json!(vec![0; 20_000]), usual));
        assert!(is_bounded(&json!({"a": [1, 2, {"b": null}]}), usual));
        assert!(!is_bounded(&json!({"a": [1, 2, {"b": null}]}), Bounds { values: 5, ..usual }));
    }
}
