//! Who answers for it that an activity is its actor's?
//!
//! The one who signed the request, when that is the actor. Somebody else who passes it on answers for nothing: then it
//! takes a proof by the actor (FEP-8b32), or what the actor's own server says, which alone counts. To ask there, the
//! one who passes it on must have to do with a course (NET-11), and be allowed to pass on, as the actor must be allowed
//! to act (MOD-02).

use super::authority::{self, Facts, Verdict};
use super::refusal::{Refusal, forbidden, unproven};
use super::shape::{self, Shape};
use super::{proof, store};
use crate::actor::{self, Actor, ActorState};
use crate::app::App;
use crate::crypto::{VerifyingKey, sha256};
use crate::domain;
use crate::error::Error;
use crate::federation::integrity::{self, Proof};
use crate::federation::received::Context;
use crate::federation::{fetch, wire};
use crate::id::ActorId;
use crate::link::same_host;
use crate::net::signature::Unverified;
use crate::words;
use axum::http::StatusCode;
use serde_json::{Value, json};

words! {
    /// How an activity is known to be its actor's.
    pub enum Vouching {
        /// The actor signed the request.
        Signature = "signature",
        /// The actor signed the activity (FEP-8b32), and somebody else brought it.
        Proof = "proof",
        /// Somebody else spoke of it, and the actor's server says so.
        Origin = "origin",
    }
}

/// An activity for which somebody answers.
pub(super) struct Vouched {
    /// Its ids; with [`Vouching::Origin`] an activity of our own making, with what the origin says.
    pub(super) shape: Shape,
    /// Whose it is.
    pub(super) actor: ActorId,
    pub(super) how: Vouching,
    /// Who brought it, when that is somebody else.
    pub(super) forwarder: Option<ActorId>,
    /// The server that sent it.
    pub(super) sender: String,
}

/// Finds out who answers for it. Nothing when there is nothing to be done about it.
pub(super) async fn vouch(
    context: &Context,
    shape: Shape,
    facts: Facts,
    signature: &Unverified,
    network: &str,
) -> Result<Option<Vouched>, Refusal> {
    match facts.forwarder.clone() {
        None => {
            let is_known = facts.is_known;
            let Some(actor) = proof::prove(context, &shape, facts, signature, network).await? else {
                note_duplicate(is_known);
                return Ok(None);
            };
            let sender = shape.host.clone();
            Ok(Some(Vouched { shape, actor, how: Vouching::Signature, forwarder: None, sender }))
        }
        Some(forwarder) => {
            check(context.app_data(), &forwarder).await?;
            proof::hold(context, &forwarder, signature, network).await?;
            Forwarded { context, shape, facts, forwarder }.vouch().await
        }
    }
}

fn note_duplicate(is_known: bool) {
    if is_known {
        metrics::counter!("hedgeschool_inbox_duplicates_total").increment(1);
    }
}

/// Refuses who may not act here, as a bringer of things of others too.
async fn check(app: &App, forwarder: &Actor) -> Result<(), Refusal> {
    let host = forwarder.host.clone();
    let standing = app.look_up(move |db| domain::standing(db, &host)).await?;
    match forwarder.state {
        _ if standing.is_suspended() => Err(forbidden("blocked")),
        ActorState::Blocked => Err(forbidden("blocked")),
        ActorState::Suspended => Err(forbidden("suspended")),
        ActorState::Gone => Err(forbidden("gone")),
        ActorState::Active | ActorState::Limited => Ok(()),
    }
}

/// An activity that somebody else brings, who did sign the request.
struct Forwarded<'a> {
    context: &'a Context,
    shape: Shape,
    facts: Facts,
    forwarder: Actor,
}

impl Forwarded<'_> {
    async fn vouch(self) -> Result<Option<Vouched>, Refusal> {
        let app = self.context.app_data();
        let (forwarder, shape) = (self.forwarder.clone(), self.shape.clone());
        let trusted = app.look_up(move |db| store::may_make_us_ask(db, &forwarder, &shape)).await?;
        match integrity::read(&self.shape.activity, app.now()) {
            Err(integrity::Unfit) => Err(unproven("wrong-proof")),
            Ok(Some(proof)) => self.by_proof(proof, trusted).await,
            Ok(None) if trusted && self.is_idle()? => Ok(None),
            Ok(None) if trusted => self.by_origin().await,
            Ok(None) => Err(unproven("key-of-another")),
        }
    }

    /// The key must be the actor's own. Who is not known here is looked up only for those who may make us ask.
    async fn by_proof(self, proof: Proof, trusted: bool) -> Result<Option<Vouched>, Refusal> {
        if !same_host(&proof.method, &self.shape.actor) {
            return Err(unproven("key-of-another"));
        }
        let app = self.context.app_data();
        let method = proof.method.clone();
        let key = app.look_up(move |db| actor::find_key(db, &method)).await?;
        let actor = match (key, &self.facts.signer) {
            (Some(key), Some(signer)) if key.actor_id == signer.id => {
                let parsed = VerifyingKey::from_pem(&key.public_pem).map_err(|_| unproven("unusable-key"))?;
                proof.is_by(&parsed).then_some(signer.id).ok_or(unproven("wrong-proof"))?
            }
            (Some(_), _) => return Err(unproven("key-of-another")),
            (None, _) if !trusted => return Err(unproven("unknown-key")),
            (None, _) => self.look_up(&proof).await?,
        };
        if self.is_idle()? { Ok(None) } else { Ok(Some(self.vouched(actor, Vouching::Proof))) }
    }

    /// Whether nothing can follow from it; refused when its actor may not do it.
    fn is_idle(&self) -> Result<bool, Refusal> {
        note_duplicate(self.facts.is_known);
        Ok(authority::authorise(&self.shape, &self.facts)? == Verdict::Ignore)
    }

    /// Stores the actor when their server shows the key and the proof holds.
    async fn look_up(&self, proof: &Proof) -> Result<ActorId, Refusal> {
        self.may_ask()?;
        let sighted = fetch::sight(self.context, &self.shape.actor).await?.ok_or(BUSY)?;
        let pem = sighted.keys.iter().find(|(id, _)| *id == proof.method).map(|(_, pem)| pem);
        let key = VerifyingKey::from_pem(pem.ok_or(unproven("unknown-key"))?).map_err(|_| unproven("unusable-key"))?;
        if !proof.is_by(&key) {
            return Err(unproven("wrong-proof"));
        }
        Ok(fetch::keep(self.context.app_data(), sighted).await?.id)
    }

    /// What is at the origin counts, not what was brought.
    async fn by_origin(self) -> Result<Option<Vouched>, Refusal> {
        let about = wire::id(&self.shape.activity, "object").unwrap_or_default().to_owned();
        if about == self.shape.actor {
            return Err(unproven("key-of-another"));
        }
        let activity = match self.shape.kind.as_str() {
            "Create" | "Update" => self.as_at_origin(&about).await?,
            "Delete" => self.gone_at_origin(&about).await?,
            _ => return Err(unproven("key-of-another")),
        };
        let app = self.context.app_data();
        let shape = shape::read(activity.to_string().as_bytes(), app.links(), wire::Bounds::of(app))?;
        let (asked, links) = (shape.clone(), app.links().clone());
        let facts = app.look_up(move |db| authority::gather(db, &asked, "", &links)).await?;
        if facts.is_known {
            return Ok(None);
        }
        let author = fetch::actor(self.context, &shape.actor).await?;
        let facts = Facts { signer: Some(author.clone()), ..facts };
        if authority::authorise(&shape, &facts)? == Verdict::Ignore {
            return Ok(None);
        }
        Ok(Some(Self { shape, ..self }.vouched(author.id, Vouching::Origin)))
    }

    /// The object as its server shows it to everyone; the same however often and by whomever it is brought.
    async fn as_at_origin(&self, about: &str) -> Result<Value, Refusal> {
        self.may_ask()?;
        let object = fetch::document(self.context, about).await?;
        let is_theirs = shape::is_by(&object, &self.shape.actor) && wire::id_of(&object) == Some(about);
        if !is_theirs || !wire::is_public(&object) {
            return Err(unproven("not-at-origin"));
        }
        let digest = data_encoding::HEXLOWER.encode(&sha256(object.to_string().as_bytes()));
        Ok(self.activity(&format!("{about}#{digest}"), object))
    }

    /// Only what is known here, and was public, can be found gone: what is private looks gone to us.
    async fn gone_at_origin(&self, about: &str) -> Result<Value, Refusal> {
        let is_public = |known: &crate::federation::object::Known| known.public && !known.here;
        if !self.facts.object.as_ref().is_some_and(is_public) {
            return Err(unproven("key-of-another"));
        }
        self.may_ask()?;
        match fetch::document(self.context, about).await {
            Err(Error::NotFound) => {}
            Ok(object) if wire::kind(&object) == Some("Tombstone") => {}
            Ok(_) => return Err(unproven("not-at-origin")),
            Err(error) => return Err(error.into()),
        }
        Ok(self.activity(&format!("{about}#gone"), about.into()))
    }

    fn activity(&self, id: &str, object: Value) -> Value {
        let of = |key: &str| object.get(key).cloned().unwrap_or_else(|| json!([]));
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": self.shape.kind,
            "actor": self.shape.actor, "to": of("to"), "cc": of("cc"), "object": object,
        })
    }

    fn may_ask(&self) -> Result<(), Refusal> {
        match self.context.app_data().net().memory.may_ask_for(&self.forwarder.host) {
            true => Ok(()),
            false => Err(Refusal { status: StatusCode::TOO_MANY_REQUESTS, reason: "too-many-forwarded" }),
        }
    }

    fn vouched(self, actor: ActorId, how: Vouching) -> Vouched {
        metrics::counter!("hedgeschool_inbox_forwarded_total", "vouched" => how.as_str()).increment(1);
        let Self { shape, forwarder, .. } = self;
        Vouched { shape, actor, how, forwarder: Some(forwarder.id), sender: forwarder.host }
    }
}

/// Their server was asked a moment ago: later, please.
const BUSY: Refusal = Refusal { status: StatusCode::SERVICE_UNAVAILABLE, reason: "busy" };

/// Whether one of those whom it is to or who are mentioned in it is one of `ours`.
pub(super) fn names(activity: &Value, ours: impl Fn(&str) -> bool) -> bool {
    let object = activity.get("object").unwrap_or(&Value::Null);
    [activity, object].into_iter().any(|document| {
        let named = ["to", "cc", "audience"].into_iter().flat_map(|key| wire::ids(document, key));
        named.chain(wire::mentions(document)).any(&ours)
    })
}
