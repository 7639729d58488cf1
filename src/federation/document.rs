//! How does an actor look on the wire, and what is believed of the documents of others?

use super::wire;
use crate::actor::{self, Actor, ActorKind, RemoteActor, moves};
use crate::crypto::{VerifyingKey, from_multikey, to_multikey};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::link::{host_of_uri, same_host};
use crate::text;
use serde_json::{Value, json};

/// The document of an actor here, to which a feature may add (federation.md A1, A3).
pub fn to_wire(db: &mut Db, actor: &Actor) -> Result<Value> {
    let keys = Keys::of(db, actor)?;
    let kind = match actor.kind {
        ActorKind::Person => "Person",
        ActorKind::Course => "Group",
        ActorKind::Bot => "Service",
        ActorKind::Instance => "Application",
    };
    let mut document = json!({
        "@context": wire::actor_context(), "id": actor.uri, "type": kind,
        "preferredUsername": actor.handle, "name": actor.name, "summary": actor.summary, "url": actor.url,
        "inbox": actor.inbox, "outbox": actor.outbox, "followers": actor.followers,
        "following": format!("{}/following", actor.uri),
        "endpoints": {"sharedInbox": actor.shared_inbox},
        "manuallyApprovesFollowers": actor.kind == ActorKind::Instance,
        "webfinger": format!("{}@{}", actor.handle, actor.host),
        "discoverable": false, "indexable": false, "published": actor.created_at.rfc3339(),
        "publicKey": keys.public_key, "assertionMethod": keys.assertion_method,
    });
    let fields = document.as_object_mut().ok_or_else(|| Error::internal("a document is an object"))?;
    if actor.kind == ActorKind::Instance {
        fields.insert("generator".into(), generator());
    }
    if actor.updated_at > actor.created_at {
        fields.insert("updated".into(), actor.updated_at.rfc3339().into());
    }
    add_moves(db, actor, &mut document)?;
    Ok(document)
}

/// Says as whom else an actor here is known, and where it moved (FEP-7628): nothing of most.
pub fn add_moves(db: &mut Db, actor: &Actor, document: &mut Value) -> Result<()> {
    let (aliases, moved) = (moves::aliases_of(db, actor.id)?, moves::moved_to(db, actor.id)?);
    if aliases.is_empty() && moved.is_none() {
        return Ok(());
    }
    let Some(fields) = document.as_object_mut() else { return Ok(()) };
    let terms = fields.get_mut("@context").and_then(Value::as_array_mut).and_then(|parts| parts.last_mut());
    if let Some(terms) = terms.and_then(Value::as_object_mut) {
        for name in ["alsoKnownAs", "movedTo"] {
            terms.insert(name.into(), json!({"@id": format!("as:{name}"), "@type": "@id"}));
        }
    }
    if !aliases.is_empty() {
        fields.insert("alsoKnownAs".into(), aliases.into());
    }
    if let Some(moved) = moved {
        fields.insert("movedTo".into(), moved.uri.into());
    }
    Ok(())
}

/// The keys of an actor here, as its document shows them.
pub struct Keys {
    /// `publicKey`: with which its requests are signed.
    pub public_key: Value,
    /// `assertionMethod`: with which its documents are signed, newest first (FEP-521a).
    pub assertion_method: Value,
}

impl Keys {
    /// Reads them.
    pub fn of(db: &mut Db, actor: &Actor) -> Result<Self> {
        let key = actor::signing_key_of(db, actor.id)?;
        let multikey = |key: actor::Key| {
            let shown = to_multikey(&key.public_pem).map_err(|e| Error::Internal(Box::new(e)))?;
            Ok(json!({"id": key.uri, "type": "Multikey", "controller": actor.uri, "publicKeyMultibase": shown}))
        };
        let proofs: Result<Vec<Value>> = actor::proof_keys_of(db, actor.id)?.into_iter().map(multikey).collect();
        Ok(Self {
            public_key: json!({"id": key.uri, "owner": actor.uri, "publicKeyPem": key.public_pem}),
            assertion_method: proofs?.into(),
        })
    }
}

/// What the instance actor says that it can do (FEP-844e).
fn generator() -> Value {
    json!({
        "type": "Application", "name": concat!("hedgeschool ", env!("CARGO_PKG_VERSION")),
        "implements": [
            {"href": "https://w3id.org/fep/1b12", "name": "FEP-1b12"},
            {"href": "https://w3id.org/fep/3b86", "name": "FEP-3b86"},
            {"href": "https://w3id.org/fep/8b32", "name": "FEP-8b32"},
            {"href": "https://datatracker.ietf.org/doc/html/rfc9421", "name": "RFC-9421"},
        ],
    })
}

/// Longest handle of others, in characters.
const HANDLE: usize = 64;
/// Longest name of others, in characters.
const NAME: usize = 200;
/// Longest description of others, in bytes before cleaning.
const SUMMARY: usize = 16 * 1024;
/// Longest id of others, in bytes.
const ID: usize = 2048;
/// Most keys of one actor of either kind.
const KEYS: usize = 4;

/// What a document of somebody elsewhere says, as far as it may: everything that grants authority lives on the host of
/// its id (FEP-fe34), texts are cleaned and cut (DOS-10), what is unknown is ignored.
pub fn read(document: &Value) -> Result<RemoteActor> {
    let wrong = |what: &str| Error::denied(format!("The actor document has no usable {what}."));
    let uri = wire::text(document, "id").filter(|id| id.len() <= ID).ok_or_else(|| wrong("id"))?;
    let host = host_of_uri(uri).ok_or_else(|| wrong("id"))?;
    let kind = kind_of(document).ok_or_else(|| wrong("type"))?;
    let ours = |address: &str| address.len() <= ID && same_host(address, uri);
    let inbox = wire::id(document, "inbox").filter(|inbox| ours(inbox)).ok_or_else(|| wrong("inbox"))?;
    let handle = handle(document, uri).ok_or_else(|| wrong("name"))?;
    let own = |key: &str| wire::id(document, key).filter(|id| ours(id)).map(str::to_owned);
    let shared = document.get("endpoints").and_then(|ends| wire::id(ends, "sharedInbox"));
    let name = wire::text(document, "name").map(plain_name).filter(|name| !name.is_empty());
    let summary = wire::text(document, "summary").unwrap_or_default();
    Ok(RemoteActor {
        kind,
        uri: uri.to_owned(),
        url: page(document).filter(|url| ours(url)).unwrap_or(uri).to_owned(),
        name: name.unwrap_or_else(|| handle.clone()),
        handle,
        host,
        summary: text::clean_html(text::truncate(summary, SUMMARY)).unwrap_or_default(),
        inbox: inbox.to_owned(),
        shared_inbox: shared.filter(|inbox| ours(inbox)).map(str::to_owned),
        outbox: own("outbox"),
        followers: own("followers"),
        keys: keys(document, uri),
    })
}

/// The first known type: some servers add types of their own.
fn kind_of(document: &Value) -> Option<ActorKind> {
    let known = |kind: &str| match kind {
        "Person" | "Organization" => Some(ActorKind::Person),
        "Group" => Some(ActorKind::Course),
        "Service" => Some(ActorKind::Bot),
        "Application" => Some(ActorKind::Instance),
        _ => None,
    };
    match document.get("type")? {
        Value::String(kind) => known(kind),
        Value::Array(list) => list.iter().filter_map(Value::as_str).find_map(known),
        _ => None,
    }
}

/// What stands before the host of a handle. Somebody without `preferredUsername` (AP 4.1 does not ask for one) has no
/// handle: what is shown then begins with a sign that no WebFinger account has, so that it is nobody else's (NRM-01).
fn handle(document: &Value, uri: &str) -> Option<String> {
    if document.get("preferredUsername").is_some_and(|name| !name.is_null()) {
        return wire::text(document, "preferredUsername").filter(|h| is_handle(h)).map(str::to_owned);
    }
    let last = uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let short: String = last.chars().filter(|c| c.is_alphanumeric()).take(HANDLE - 1).collect();
    Some(format!("~{short}"))
}

fn is_handle(handle: &str) -> bool {
    // A colon, because an instance is named by its host, which may have a port.
    let sound = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '!' | ':');
    !handle.is_empty() && handle.chars().count() <= HANDLE && handle.chars().all(sound)
}

fn plain_name(name: &str) -> String {
    let flat = text::plain(text::truncate(name, 4 * NAME)).unwrap_or_default();
    text::excerpt(&flat, NAME)
}

/// `url` as a text, a `Link`, or the first of several.
fn page(document: &Value) -> Option<&str> {
    let one = match document.get("url")? {
        Value::Array(list) => list.first()?,
        one => one,
    };
    let url = one.as_str().or_else(|| one.get("href").and_then(Value::as_str))?;
    let fits = url.len() <= 2048 && (url.starts_with("https://") || url.starts_with("http://"));
    fits.then_some(url)
}

/// Keys that name this actor as their owner, live on its host and can be read (SIG-12): `publicKey` in PEM, Multikeys
/// of Ed25519 among `assertionMethod` (FEP-521a). Keys for anything else than assertions are not looked at.
fn keys(document: &Value, uri: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for key in wire::objects(document, "publicKey").into_iter().take(KEYS) {
        let owner = wire::id(key, "owner").or_else(|| wire::id(key, "controller"));
        let pem = wire::text(key, "publicKeyPem").map(str::to_owned);
        found.extend(sound_key(uri, key, (owner, pem)));
    }
    for key in wire::objects(document, "assertionMethod").into_iter().take(KEYS) {
        if wire::kind(key) == Some("Multikey") {
            let pem = wire::text(key, "publicKeyMultibase").and_then(|text| from_multikey(text).ok());
            found.extend(sound_key(uri, key, (wire::id(key, "controller"), pem)));
        }
    }
    found
}

fn sound_key(uri: &str, key: &Value, (owner, pem): (Option<&str>, Option<String>)) -> Option<(String, String)> {
    let id = wire::text(key, "id").filter(|id| owner == Some(uri) && id.len() <= ID && same_host(id, uri))?;
    let pem = pem.filter(|pem| VerifyingKey::from_pem(pem).is_ok())?;
    Some((id.to_owned(), pem))
}
