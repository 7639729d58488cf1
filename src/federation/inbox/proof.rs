//! Did the key of the one who says so make this signature?

use super::authority::{self, Facts};
use super::refusal::{Refusal, unproven};
use super::shape::Shape;
use crate::actor::{self, Actor, Key, RemoteActor};
use crate::app::App;
use crate::crypto::VerifyingKey;
use crate::domain;
use crate::error::Result;
use crate::federation::fetch;
use crate::federation::received::Context;
use crate::id::ActorId;
use crate::link::{host_of, same_host};
use crate::net::signature::{Incoming, Unverified};
use axum::http::{HeaderMap, Method, Uri};
use std::time::Duration;

/// Somebody whose fetched key did not fit may cause another fetch only after this long (NET-11).
const SUSPICION: Duration = Duration::from_secs(60);

/// Holds the signature against the actor's key: from memory, else from the database, else fetched once; when it does
/// not fit, the actor is fetched anew once (SIG-14). Gives the actor. Somebody who was not known is stored only when the
/// signature holds.
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
    if let Some(signer) = &facts.signer
        && is_by_known_key(app, signature, facts.key.as_ref(), signer.id)?
    {
        return Ok(signer.id);
    }
    let signer = prove_anew(context, &shape.actor, signature, (address, &shape.host)).await?;
    // Now that the actor is known, what it may do is known as well.
    authority::authorise(shape, &Facts { signer: Some(signer.clone()), ..facts })?;
    Ok(signer.id)
}

/// Holds the signature against the keys of the one who brings something of somebody else.
pub(super) async fn hold(
    context: &Context,
    forwarder: &Actor,
    signature: &Unverified,
    address: &str,
) -> Result<(), Refusal> {
    let app = context.app_data();
    let key_id = signature.key_id().to_owned();
    let key = app.look_up(move |db| actor::find_key(db, &key_id)).await?;
    if is_by_known_key(app, signature, key.as_ref(), forwarder.id)? {
        return Ok(());
    }
    prove_anew(context, &forwarder.uri, signature, (address, &forwarder.host)).await?;
    Ok(())
}

fn is_by_known_key(app: &App, signature: &Unverified, key: Option<&Key>, signer: ActorId) -> Result<bool, Refusal> {
    match known_key(app, signature.key_id(), key)? {
        Some((owner, _)) if owner != signer => Err(unproven("key-of-another")),
        Some((_, key)) => Ok(signature.verify(&key).is_ok()),
        None => Ok(false),
    }
}

/// Asks the actor's server for their keys, though not again at once for somebody who was wrong (NET-11).
async fn prove_anew(
    context: &Context,
    uri: &str,
    signature: &Unverified,
    (address, host): (&str, &str),
) -> Result<Actor, Refusal> {
    let app = context.app_data();
    let suspect = format!("suspect {address} {host}");
    if app.net().memory.was_tried(&suspect, app.now(), SUSPICION) {
        return Err(unproven("wrong-signature"));
    }
    app.net().memory.note_try(&suspect, app.now());
    let sighted = fetch::sight(context, uri).await?.ok_or(unproven("wrong-signature"))?;
    let signer = keep_if_by(app, sighted, signature).await?;
    signer.may_act().map_err(|_| super::refusal::forbidden("suspended"))?;
    app.net().memory.forget_try(&suspect);
    Ok(signer)
}

/// Stores somebody as their server shows them, if one of their keys made this signature.
async fn keep_if_by(app: &App, sighted: RemoteActor, signature: &Unverified) -> Result<Actor, Refusal> {
    let pem = sighted.keys.iter().find(|(id, _)| id == signature.key_id()).map(|(_, pem)| pem);
    let key = VerifyingKey::from_pem(pem.ok_or(unproven("unknown-key"))?).map_err(|_| unproven("unusable-key"))?;
    signature.verify(&key)?;
    let signer = fetch::store(app, sighted).await?;
    app.net().memory.keep_verifying(signature.key_id(), signer.id, key);
    Ok(signer)
}

fn known_key(app: &App, key_id: &str, key: Option<&Key>) -> Result<Option<(ActorId, VerifyingKey)>, Refusal> {
    if let Some(found) = app.net().memory.verifying(key_id) {
        return Ok(Some(found));
    }
    let Some(key) = key else { return Ok(None) };
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

/// Who asks by a signed GET, when they may ask anything here; otherwise nobody: what they may not see is then not there,
/// and is answered alike (PRV-01, PRV-13).
pub async fn asker(context: &Context, headers: &HeaderMap, target: &Uri) -> Result<Option<Actor>> {
    let target = target.path_and_query().map_or("/", |target| target.as_str());
    match signer_of_get(context, headers, target).await {
        Err(error) if !error.is_transient() => Ok(None),
        known => known,
    }
}

/// Who signed this GET, for what not everyone may see. Nobody when it is not signed, or not rightly; refused when the
/// signer or their server may not ask anything here (MOD-01, PRV-13). `target` is path and query as they were asked.
async fn signer_of_get(context: &Context, headers: &HeaderMap, target: &str) -> Result<Option<Actor>> {
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
        Some(signer) if verify_with(app, &signature, &signer).await.is_ok() => signer,
        known => {
            let uri = known.map_or_else(|| authority::owner_of_key(signature.key_id()), |signer| signer.uri);
            let Ok(Some(sighted)) = fetch::sight(context, &uri).await else { return Ok(None) };
            match keep_if_by(app, sighted, &signature).await {
                Ok(signer) => signer,
                Err(_) => return Ok(None),
            }
        }
    };
    signer.may_act()?;
    Ok(same_host(&signer.uri, signature.key_id()).then_some(signer))
}
