//! How do other servers find out who is here, and what this is? WebFinger (RFC 7033) and NodeInfo (FEP-f1d5).

use crate::actor::{self, Actor, ActorKind, ActorState};
use crate::app::App;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::confined;
use crate::federation::peer::OWN_KIND;
use crate::http::negotiate::wire_with;
use crate::http::{Answer, WIRE_TYPE};
use crate::setting::{self, SignUp};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Longest `resource`, in bytes.
const LONGEST: usize = 512;

#[derive(Deserialize)]
pub(super) struct Asked {
    resource: Option<String>,
}

/// Whose handle is it? Only an exact one of somebody here is answered (NRM-05); 410 for who is gone.
pub(super) async fn webfinger(State(app): State<App>, Query(asked): Query<Asked>) -> Answer {
    let resource = asked.resource.filter(|text| text.len() <= LONGEST).ok_or(Error::NotFound)?;
    let host = app.links().host().to_owned();
    let found = match resource.strip_prefix("acct:").and_then(|acct| acct.split_once('@')) {
        Some((handle, at)) if at == host => {
            let handle = handle.to_owned();
            app.read(move |db| actor::find_here(db, &handle)).await?
        }
        Some(_) => None,
        None => app.read(move |db| actor::find_by_uri(db, &resource)).await?.filter(|actor| actor.here),
    };
    let actor = app.read(move |db| shown(db, found)).await?.ok_or(Error::NotFound)?;
    match actor.state {
        ActorState::Active | ActorState::Limited => Ok(json_as("application/jrd+json", &descriptor(&app, &actor))),
        ActorState::Gone => Ok(wire_with(StatusCode::GONE, &super::tombstone(&actor.uri))),
        // Suspended, or waiting for approval: not there.
        ActorState::Suspended | ActorState::Blocked => Err(Error::NotFound),
    }
}

/// Without whose course is not shown to everyone.
pub(super) fn shown(db: &mut Db, found: Option<Actor>) -> Result<Option<Actor>> {
    Ok(match found {
        Some(actor) if confined::is_hidden(db, &actor)? => None,
        other => other,
    })
}

fn descriptor(app: &App, actor: &Actor) -> Value {
    let acct = actor.acct();
    let mut links = vec![
        json!({"rel": "self", "type": WIRE_TYPE, "href": actor.uri}),
        json!({"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": actor.url}),
    ];
    if actor.kind == ActorKind::Person {
        links.extend(intents(app));
    }
    json!({
        "subject": format!("acct:{}", acct.trim_start_matches('@')),
        "aliases": [actor.uri],
        "links": links,
    })
}

/// Where people here act on what lives elsewhere: the older link that all know, and FEP-3b86, whose links some read as
/// `href` and some as `template`.
fn intents(app: &App) -> Vec<Value> {
    let at = |word: &str| app.links().absolute(&format!("/authorize_interaction?uri={{{word}}}"));
    let mut links = vec![json!({"rel": "http://ostatus.org/schema/1.0/subscribe", "template": at("uri")})];
    for act in ["Follow", "Join", "Object"] {
        let rel = format!("https://w3id.org/fep/3b86/{act}");
        links.push(json!({"rel": rel, "href": at("object"), "template": at("object")}));
    }
    links
}

/// Where NodeInfo is, and who signs our fetches (FEP-2677).
pub(super) async fn nodeinfo_index(State(app): State<App>) -> Response {
    let index = json!({"links": [
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": app.links().absolute("/nodeinfo/2.1")},
        {"rel": "https://www.w3.org/ns/activitystreams#Application", "href": app.links().instance()},
    ]});
    json_as("application/json", &index)
}

/// What this is. How many people are here is the only number.
pub(super) async fn nodeinfo(State(app): State<App>) -> Result<Response> {
    let (people, settings) = app.read(|db| Ok((actor::count_people(db)?, setting::load(db)?))).await?;
    let software = software(app.config().server.source_url.as_ref());
    let document = json!({
        "version": "2.1",
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": settings.sign_up == SignUp::Open,
        "usage": {"users": {"total": people}},
        "metadata": {"nodeName": settings.name, "nodeDescription": settings.description},
    });
    Ok(json_as("application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.1#\"", &document))
}

/// Which program this is, and where its source is when that is known.
fn software(source: Option<&Url>) -> Value {
    let mut software = json!({"name": OWN_KIND, "version": env!("CARGO_PKG_VERSION")});
    if let (Some(fields), Some(source)) = (software.as_object_mut(), source) {
        fields.insert("repository".into(), source.as_str().into());
    }
    software
}

fn json_as(kind: &'static str, document: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, document.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checklist_05_nodeinfo_names_where_the_source_is_when_that_is_set() {
        let source = Url::parse("https://git.example.org/hedgeschool").unwrap();
        assert_eq!(software(Some(&source))["repository"], "https://git.example.org/hedgeschool");
        assert_eq!(software(Some(&source))["name"], "hedgeschool");
        assert!(software(None).get("repository").is_none());
    }
}
