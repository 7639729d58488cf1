//! Did the key of the one who says so make this signature?

use super::authority::{self, Facts, Verdict};
use super::refusal::{Refusal, unproven};
use super::shape::Shape;
use crate::actor::{self, Actor, Key, RemoteActor};
use crate::app::App;
use crate::crypto::VerifyingKey;
use crate::federation::fetch;
use crate::federation::received::Context;
use crate::id::ActorId;
use crate::link::host_of;
use crate::net::signature::Unverified;
use std::time::Duration;

/// Somebody whose fetched key did not fit may cause another fetch only after this long (NET-11).
const SUSPICION: Duration = Duration::from_secs(60);

/// Holds the signature against the actor's key: from memory, else from the database, else fetched once; when it does
/// not fit, the actor is fetched anew once (SIG-14). Gives the actor, or nobody when nothing can follow from what they say.
/// Somebody who was not known is stored only when the signature holds.
pub(super) async fn prove(
    context: &Context,
    shape: &Shape,
    facts: Facts,
    signature: &Unverified,
    network: &str,
) -> Result<Option<ActorId>, Refusal> {
    let app = context.app_data();
    // A key elsewhere cannot speak for this actor, so it is not even looked at (SIG-11, SIG-12).
    if host_of(signature.key_url()).as_ref() != Some(&shape.host) {
        return Err(unproven("key-of-another"));
    }
    let signer = match &facts.signer {
        Some(signer) if is_by_known_key(app, signature, facts.key.as_ref(), signer.id)? => signer.clone(),
        _ => prove_anew(context, &shape.actor, signature, (network, &shape.host)).await?,
    };
    let id = signer.id;
    // Now that the actor is known, what it may do is known as well.
    let verdict = authority::authorise(shape, &Facts { signer: Some(signer), ..facts })?;
    Ok((verdict == Verdict::Take).then_some(id))
}

/// Holds the signature against the keys of the one who brings something of somebody else.
pub(super) async fn hold(
    context: &Context,
    forwarder: &Actor,
    signature: &Unverified,
    network: &str,
) -> Result<(), Refusal> {
    let app = context.app_data();
    let key_id = signature.key_id().to_owned();
    let key = app.look_up(move |db| actor::find_key(db, &key_id)).await?;
    if is_by_known_key(app, signature, key.as_ref(), forwarder.id)? {
        return Ok(());
    }
    prove_anew(context, &forwarder.uri, signature, (network, &forwarder.host)).await?;
    Ok(())
}

pub(super) fn is_by_known_key(
    app: &App,
    signature: &Unverified,
    key: Option<&Key>,
    signer: ActorId,
) -> Result<bool, Refusal> {
    match known_key(app, signature.key_id(), key)? {
        Some((owner, _)) if owner != signer => Err(unproven("key-of-another")),
        Some((_, key)) => Ok(signature.verify(&key).is_ok()),
        None => Ok(false),
    }
}

/// Asks the actor's server for their keys, though not again at once for a network that was wrong, nor more often for one
/// than strangers of a domain are met (NET-11). What their server said a moment ago is held against the signature first:
/// who signs wrongly in somebody's name keeps nobody out.
pub(super) async fn prove_anew(
    context: &Context,
    uri: &str,
    signature: &Unverified,
    (network, host): (&str, &str),
) -> Result<Actor, Refusal> {
    let app = context.app_data();
    let suspect = format!("suspect {network} {host}");
    let sighted = match fetch::sighted(app, uri) {
        Some(sighted) => sighted,
        None => {
            if app.net().memory.was_tried(&suspect, app.now(), SUSPICION) {
                return Err(unproven("wrong-signature"));
            }
            fetch::may_ask(app, network, uri).await?;
            app.net().memory.note_try(&suspect, app.now());
            fetch::sight(context, uri).await?.ok_or(unproven("wrong-signature"))?
        }
    };
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
    let signer = fetch::keep(app, sighted).await?;
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
