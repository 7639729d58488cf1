//! Who may read an object or an activity, and what do they get?
//!
//! What is hidden and what is unknown are answered alike, byte for byte, so that nobody learns of a private thing by
//! asking for it (PRV-01).

use super::tombstone;
use crate::actor::{self, Actor, ActorKind};
use crate::app::App;
use crate::error::{Error, Result};
use crate::federation::received::Context;
use crate::federation::run::Documents;
use crate::federation::{confined, inbox, object, outbox, wire};
use crate::http::negotiate::wire_with;
use crate::http::{Answer, redirect, wants_wire};
use crate::link::same_host;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::Value;

/// An activity of ours: for everyone when it is public, otherwise for its addressees.
pub async fn activity(State(app): State<App>, context: Context, Path(id): Path<String>, asked: inbox::Asked) -> Answer {
    let uri = app.links().activity(&id);
    let (found, about) = app
        .read(move |db| {
            let found = outbox::find(db, &uri)?.ok_or(Error::NotFound)?;
            let about = object::find(db, &found.object_uri)?;
            Ok((found, about))
        })
        .await?;
    let document: Value = serde_json::from_str(&found.document)?;
    let about = about.filter(|_| holds_text(&document));
    if about.as_ref().is_some_and(|about| about.hidden_at.is_some()) {
        return Err(Error::NotFound);
    }
    if about.is_some_and(|about| about.deleted_at.is_some() && about.public) {
        return Ok(wire_with(StatusCode::GONE, &tombstone(&found.uri)));
    }
    if !found.public {
        check(&app, &document, inbox::asker(&context, &asked).await?).await?;
    }
    Ok(crate::http::wire(&document))
}

/// Whether it carries what it is about, in itself or in what it announces: that goes when the thing goes.
fn holds_text(document: &Value) -> bool {
    let object = document.get("object").unwrap_or(&Value::Null);
    [document, object].iter().any(|one| matches!(wire::kind(one), Some("Create" | "Update")))
}

/// An object that lives here: for everyone when it is public, otherwise for who wrote it and whom it is to. Who wants
/// a page is led to it.
pub async fn object(
    State(app): State<App>,
    context: Context,
    Extension(documents): Extension<Documents>,
    Path(id): Path<String>,
    asked: inbox::Asked,
) -> Answer {
    let uri = app.links().object(&id);
    let found = app
        .read(move |db| {
            let known = object::find(db, &uri)?.filter(|known| known.here && known.hidden_at.is_none());
            let Some(known) = known else { return Ok(None) };
            let mut document = None;
            if known.deleted_at.is_none() {
                for make in documents {
                    document = make(db, &known)?;
                    if document.is_some() {
                        break;
                    }
                }
            }
            let owner = actor::get(db, known.owner_id)?;
            Ok(Some((known, document, owner)))
        })
        .await?;
    let (known, document, owner) = found.ok_or(Error::NotFound)?;
    if known.deleted_at.is_some() && known.public {
        return Ok(wire_with(StatusCode::GONE, &tombstone(&known.uri)));
    }
    let document = document.ok_or(Error::NotFound)?;
    if !wants_wire(&asked.headers) && !asked.headers.contains_key("signature") {
        // Where it would lead tells that it is there.
        return if known.public { page_of(&app, &document) } else { Err(Error::NotFound) };
    }
    if !known.public {
        let signer = inbox::asker(&context, &asked).await?;
        if signer.as_ref().is_none_or(|signer| signer.id != owner.id) {
            check(&app, &document, signer).await?;
        }
    }
    Ok(crate::http::wire(&document))
}

/// To the page that the document names, if it is one of ours; pages check themselves who may see them.
fn page_of(app: &App, document: &Value) -> Answer {
    let url = wire::text(document, "url").filter(|url| app.links().is_ours(url)).ok_or(Error::NotFound)?;
    let path = url.strip_prefix(&app.links().absolute("")).filter(|path| path.starts_with('/'));
    match path {
        Some(path) if !path.starts_with("/o/") => Ok(redirect(path)),
        _ => Err(Error::NotFound),
    }
}

/// Refuses everyone but addressees, and their servers: these fetch in the name of their instance actor. What is said in
/// a private course is for all who may read that.
async fn check(app: &App, document: &Value, signer: Option<Actor>) -> Result<()> {
    let Some(signer) = signer else { return Err(Error::NotFound) };
    let addressees = ["to", "cc"].into_iter().flat_map(|key| wire::ids(document, key));
    let may = |id: &str| id == signer.uri || (signer.kind == ActorKind::Instance && same_host(id, &signer.uri));
    for id in addressees {
        if may(id) {
            return Ok(());
        }
    }
    let document = document.clone();
    let inside = app.read(move |db| confined::may_read(db, &document, &signer)).await?;
    if inside { Ok(()) } else { Err(Error::NotFound) }
}
