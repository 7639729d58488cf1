//! Is this an activity of the one who says so, as far as its ids tell? Pure: no key, no database.

use super::refusal::{Refusal, forbidden, malformed};
use crate::federation::wire::{self, Bounds};
use crate::link::{Links, host_of};
use serde_json::Value;
use url::Url;

/// What is read of an activity before anything is looked up.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The whole of it.
    pub activity: Value,
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Whose it is.
    pub actor: String,
    /// The host of both.
    pub host: String,
}

/// Longest id, in bytes.
const LONGEST: usize = 2048;

/// Reads an activity: one object with id, type and actor, the id on the actor's host, that host not ours (checklist 26
/// and 33).
pub fn read(body: &[u8], links: &Links, bounds: Bounds) -> Result<Shape, Refusal> {
    let activity: Value = serde_json::from_slice(body).map_err(|_| malformed("json"))?;
    if !activity.is_object() {
        return Err(malformed("shape"));
    }
    if !wire::is_bounded(&activity, bounds) {
        return Err(malformed("too-deep"));
    }
    let kind = activity.get("type").and_then(Value::as_str).ok_or(malformed("type"))?.to_owned();
    let id = activity.get("id").and_then(Value::as_str).ok_or(malformed("id"))?.to_owned();
    let actor = wire::id(&activity, "actor").ok_or(malformed("actor"))?.to_owned();
    if matches!(activity.get("actor"), Some(Value::Array(_))) {
        return Err(malformed("actor"));
    }
    let host = host(&actor).ok_or(malformed("actor"))?;
    if host != self::host(&id).ok_or(malformed("id"))? {
        return Err(forbidden("foreign-id"));
    }
    if links.is_ours(&actor) {
        return Err(forbidden("our-actor"));
    }
    let shape = Shape { activity, id, kind, actor, host };
    check_origin(&shape, links)?;
    Ok(shape)
}

/// Host of an id, when it is one that can be trusted to mean a server: no credentials, no dot at the end (ORI-08).
fn host(id: &str) -> Option<String> {
    let url = Url::parse(id).ok().filter(|_| id.len() <= LONGEST)?;
    let plain = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    host_of(&url).filter(|host| plain && !host.split(':').next().unwrap_or_default().ends_with('.'))
}

/// What the object of each type must look like. Types that are not listed are not acted upon by id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The object is there, as an id or one object.
    Given,
    /// It lives on the actor's host, which is not ours (ORI-01, 06).
    AtHome,
    /// When embedded, it is by the actor alone, or is the actor (ORI-02, 03).
    ByActor,
    /// It is the actor itself (ORI-17).
    Itself,
    /// An embedded activity is the actor's own (ORI-15).
    OwnAct,
    /// The target lives on the actor's host, or here, where the database says who may.
    TargetAtHome,
    /// It is no Announce (ORI-14).
    NotNested,
}

use Rule::{AtHome, ByActor, Given, Itself, NotNested, OwnAct, TargetAtHome};

const RULES: &[(&str, &[Rule])] = &[
    ("Create", &[Given, AtHome, ByActor]),
    ("Update", &[Given, AtHome, ByActor]),
    // Whose it may be, the database says: those who moderate a course take away what others wrote.
    ("Delete", &[Given]),
    ("Undo", &[Given, AtHome, OwnAct]),
    ("Move", &[Given, Itself]),
    ("Add", &[Given, TargetAtHome]),
    ("Remove", &[Given, TargetAtHome]),
    ("Announce", &[Given, NotNested]),
    ("Accept", &[Given]),
    ("Reject", &[Given]),
    ("TentativeAccept", &[Given]),
    ("Follow", &[Given]),
    ("Join", &[Given]),
    ("Leave", &[Given]),
    ("Like", &[Given]),
    ("Block", &[Given]),
    ("Lock", &[Given]),
    ("Flag", &[Given]),
];

fn check_origin(shape: &Shape, links: &Links) -> Result<(), Refusal> {
    let rules = RULES.iter().find(|(kind, _)| *kind == shape.kind).map_or(&[][..], |(_, rules)| *rules);
    rules.iter().try_for_each(|rule| check(*rule, shape, links))
}

fn check(rule: Rule, shape: &Shape, links: &Links) -> Result<(), Refusal> {
    let object = wire::only(shape.activity.get("object").unwrap_or(&Value::Null));
    let id = wire::id_of(object).unwrap_or_default();
    let require = |holds: bool, refusal: Refusal| if holds { Ok(()) } else { Err(refusal) };
    match rule {
        // Some announce several at once (FEP-1a11).
        Given if shape.kind == "Announce" && object.is_array() => {
            let all = object.as_array().map_or(&[][..], Vec::as_slice);
            let given = |one: &Value| wire::id_of(one).and_then(host).is_some();
            require(!all.is_empty() && all.iter().all(given), malformed("object"))
        }
        Given => require(host(id).is_some(), malformed("object")),
        AtHome => {
            require(!links.is_ours(id), forbidden("our-object"))?;
            require(host(id).as_ref() == Some(&shape.host), forbidden("foreign-object"))
        }
        ByActor => require(is_by(object, &shape.actor), forbidden("attributed-to-another")),
        Itself => require(id == shape.actor, forbidden("not-itself")),
        OwnAct => {
            let inner = wire::id(object, "actor");
            require(inner.is_none_or(|actor| actor == shape.actor), forbidden("act-of-another"))
        }
        TargetAtHome => {
            let target = wire::id(&shape.activity, "target").and_then(host);
            let ours = wire::id(&shape.activity, "target").is_some_and(|target| links.is_ours(target));
            require(ours || target.is_none_or(|host| host == shape.host), forbidden("foreign-target"))
        }
        NotNested => {
            let all = object.as_array().map_or(std::slice::from_ref(object), Vec::as_slice);
            require(all.iter().all(|one| wire::kind(one) != Some("Announce")), malformed("nested-announce"))
        }
    }
}

/// Whether an embedded object is by this actor alone. An actor's own document needs no author.
pub(super) fn is_by(object: &Value, actor: &str) -> bool {
    if !object.is_object() || wire::id_of(object) == Some(actor) {
        return true;
    }
    wire::sole_id(object, "attributedTo") == Some(actor)
}
