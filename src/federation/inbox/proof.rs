//! Did the key of the one who says so make this signature?

use super::authority::{self, Facts};
use super::refusal::{Refusal, unproven};
use super::shape::Shape;
use crate::actor::{self, Actor};
use crate::app::App;
use crate::crypto::VerifyingKey;
use crate::domain;
use crate::error::Result;
use crate::federation::fetch;
use crate::federation::received::Context;
use crate::id::ActorId;
use crate::link::{host_of, same_host};
use crate::net::signature::{Incoming, Unverified};
use axum::http::{HeaderMap, Method};
use std::time::Duration;

/// Somebody whose fetched key did not fit may cause another fetch only after this long (NET-11).
const SUSPICION: Duration = Duration::from_secs(60);

/// Holds the signature against the actor's key: from memory, else from the database, else fetched once; when it does
/// not fit, the actor is fetched anew once (SIG-14). Gives the actor.
pub(super) async fn prove(
    context: &Context,
    shape: &Shape,
    facts: Facts,
    signature: &Unverified,
    address: &str,
) -> Result<ActorId, Refusal> {
    let app = context.app_data();
    // A key elsewhere cannot speak for this actor, so it is not even looked at (SIG-11, SIG-12).
    if host_of(signature.key_url()).as_ref() != Some(&shape.host) {
        return Err(unproven("key-of-another"));
    }
    let known = known_key(app, signature.key_id(), &facts)?;
    if let (Some(signer), Some((owner, key))) = (&facts.signer, known) {
        if owner != signer.id {
            return Err(unproven("key-of-another"));
        }
        if signature.verify(&key).is_ok() {
            return Ok(signer.id);
        }
    }
    let suspect = format!("suspect {address} {}", shape.host);
    if app.net().memory.was_tried(&suspect, app.now(), SUSPICION) {
        return Err(unproven("wrong-signature"));
    }
    app.net().memory.note_try(&suspect, app.now());
    let fetched = fetch::refresh(context, &shape.actor).await?;
    let signer = fetched.ok_or(unproven("wrong-signature"))?;
    signer.may_act().map_err(|_| super::refusal::forbidden("suspended"))?;
    verify_with(app, signature, &signer).await?;
    app.net().memory.forget_try(&suspect);
    // Now that the actor is known, what it may do is known as well.
    authority::authorise(shape, &Facts { signer: Some(signer.clone()), ..facts })?;
    Ok(signer.id)
}

fn known_key(app: &App, key_id: &str, facts: &Facts) -> Result<Option<(ActorId, VerifyingKey)>, Refusal> {
    if let Some(found) = app.net().memory.verifying(key_id) {
        return Ok(Some(found));
    }
    let Some(key) = &facts.key else { return Ok(None) };
    let parsed = VerifyingKey::from_pem(&key.public_pem).map_err(|_| unproven("unusable-key"))?;
    app.net().memory.keep_verifying(key_id, key.actor_id, parsed.clone());
    Ok(Some((key.actor_id, parsed)))
}

async fn verify_with(app: &App, signature: &Unverified, signer: &Actor) -> Result<(), Refusal> {
    let key_id = signature.key_id().to_owned();
    let key = app.look_up(move |db| actor::find_key(db, &key_id)).await?.ok_or(unproven("unknown-key"))?;
    if key.actor_id != signer.id {
        return Err(unproven("key-of-another"));
    }
    let parsed = VerifyingKey::from_pem(&key.public_pem).map_err(|_| unproven("unusable-key"))?;
    signature.verify(&parsed)?;
    app.net().memory.keep_verifying(&key.uri, signer.id, parsed);
    Ok(())
}

/// Who signed this GET, for what not everyone may see. Nobody when it is not signed, or not rightly; refused when the
/// signer or their server may not ask anything here (MOD-01, PRV-13). `target` is path and query as they were asked.
pub async fn signer_of_get(context: &Context, headers: &HeaderMap, target: &str) -> Result<Option<Actor>> {
    if !headers.contains_key("signature") {
        return Ok(None);
    }
    let app = context.app_data();
    let incoming = Incoming { method: &Method::GET, target, headers, origin: app.links().origin() };
    let Ok(signature) = Unverified::read(incoming, &[], app.now().system()) else { return Ok(None) };
    let host = host_of(signature.key_url()).unwrap_or_default();
    app.look_up(move |db| domain::check(db, &host)).await?;
    let key_id = signature.key_id().to_owned();
    let known = app.look_up(move |db| match actor::find_key(db, &key_id)? {
        Some(key) => Ok(Some(actor::get(db, key.actor_id)?)),
        None => Ok(None),
    });
    let known = known.await?;
    let signer = match known {
        Some(signer) if verify_with(app, &signature, &signer).await.is_ok() => Some(signer),
        Some(signer) => fetch::refresh(context, &signer.uri).await.unwrap_or_default(),
        None => fetch::refresh(context, &owner_of(&signature)).await.unwrap_or_default(),
    };
    let Some(signer) = signer else { return Ok(None) };
    signer.may_act()?;
    if !same_host(&signer.uri, signature.key_id()) || verify_with(app, &signature, &signer).await.is_err() {
        return Ok(None);
    }
    Ok(Some(signer))
}

/// The actor to whom a key most likely belongs: its id without fragment, query or `/main-key` (SIG-13).
fn owner_of(signature: &Unverified) -> String {
    let mut url = signature.key_url().clone();
    url.set_fragment(None);
    url.set_query(None);
    let text = url.to_string();
    text.strip_suffix("/main-key").unwrap_or(&text).to_owned()
}
