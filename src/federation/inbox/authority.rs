//! May the signer do this to what is known here? One table for all types.

use super::mandate;
use super::refusal::{Refusal, forbidden};
use super::shape::Shape;
use crate::actor::{self, Actor, ActorState, Key};
use crate::db::{
    Db, Run,
    schema::{enrollments, follows, inbox},
};
use crate::domain;
use crate::error::Result;
use crate::federation::object::{self, Known};
use crate::federation::outbox;
use crate::federation::peer::{self, LineState};
use crate::federation::wire;
use crate::id::{ActorId, InboxId};
use crate::link::{Links, host_of_uri, same_host};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use serde_json::Value;
use url::Url;

/// All that the database says about an activity, read at once.
#[derive(Debug, Default)]
pub struct Facts {
    /// It came in before.
    pub is_known: bool,
    /// Its actor, when known.
    pub signer: Option<Actor>,
    /// The key that its signature names, when known.
    pub key: Option<Key>,
    /// Whether its server is blocked here.
    pub is_blocked: bool,
    /// Whose key that is, when it is not the actor's: who passes it on.
    pub forwarder: Option<Actor>,
    /// The line to its server.
    pub line: Option<LineState>,
    /// What it is about, when known.
    pub(super) object: Option<Known>,
    /// What it answers, when that was sent from here: the actor who may answer.
    pub(super) asked: Option<String>,
    /// Whether its object claims to be an activity that was sent from here, or answers nothing of ours.
    pub(super) answers_nothing: bool,
    /// Who began the following, or asked for the place, that it ends.
    pub(super) follower: Option<ActorId>,
    /// Whether its signer moderates the course here upon which it acts.
    pub(super) moderates: Option<bool>,
}

/// What becomes of an activity that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored and worked on.
    Take,
    /// It is answered as if, and forgotten: nothing can follow from it.
    Ignore,
}

/// Reads the facts.
pub fn gather(db: &mut Db, shape: &Shape, key_id: &str, links: &Links) -> Result<Facts> {
    if domain::standing(db, &shape.host)?.is_suspended() {
        return Ok(Facts { is_blocked: true, ..Facts::default() });
    }
    let known = inbox::table.filter(inbox::activity_uri.eq(&shape.id)).select(inbox::id);
    let mut facts = Facts {
        is_known: known.first::<InboxId>(db).optional()?.is_some(),
        signer: actor::find_by_uri(db, &shape.actor)?,
        key: actor::find_key(db, key_id)?,
        line: peer::line(db, &shape.host)?,
        ..Facts::default()
    };
    facts.forwarder = forwarder(db, shape, &facts, key_id)?;
    if facts.is_known {
        // Once its signature is found right, nothing more is asked.
        return Ok(facts);
    }
    let about = wire::id(&shape.activity, "object").unwrap_or_default();
    match shape.kind.as_str() {
        "Update" | "Delete" => facts.object = object::find(db, about)?,
        "Undo" => {
            let row = follows::table.filter(follows::uri.eq(about)).select(follows::follower_id);
            facts.follower = row.first(db).optional()?;
            if facts.follower.is_none() {
                let row = enrollments::table.filter(enrollments::join_uri.eq(about)).select(enrollments::actor_id);
                facts.follower = row.first(db).optional()?;
            }
        }
        "Accept" | "Reject" | "TentativeAccept" => {
            let sent = if links.is_ours(about) { outbox::find(db, about)? } else { None };
            facts.answers_nothing = sent.is_none();
            facts.asked = sent.and_then(|sent| may_answer(&sent.document));
        }
        _ => {}
    }
    let (signer, owner) = (facts.signer.as_ref().map(|actor| actor.id), facts.object.as_ref().map(|o| o.owner_id));
    facts.moderates = mandate::moderates(db, shape, signer, owner, links)?;
    Ok(facts)
}

/// Who signed it, when that is not its actor but somebody else who is known here. A key on the actor's host that is not
/// known is taken for the actor's, until their document says otherwise.
fn forwarder(db: &mut Db, shape: &Shape, facts: &Facts, key_id: &str) -> Result<Option<Actor>> {
    if let Some(key) = &facts.key {
        let is_own = facts.signer.as_ref().is_some_and(|signer| signer.id == key.actor_id);
        return if is_own { Ok(None) } else { actor::get(db, key.actor_id).map(Some) };
    }
    if key_id.is_empty() || host_of_uri(key_id).as_ref() == Some(&shape.host) {
        return Ok(None);
    }
    actor::find_by_uri(db, &owner_of_key(key_id))
}

/// The actor to whom a key most likely belongs: its id without fragment, query or `/main-key` (SIG-13).
pub(super) fn owner_of_key(key_id: &str) -> String {
    let Ok(mut url) = Url::parse(key_id) else { return String::new() };
    url.set_fragment(None);
    url.set_query(None);
    let text = url.to_string();
    text.strip_suffix("/main-key").unwrap_or(&text).to_owned()
}

/// Who may answer an activity of ours: whom it was about; of an Invite or Offer, whom it was made to.
fn may_answer(document: &str) -> Option<String> {
    let sent: Value = serde_json::from_str(document).ok()?;
    let key = if matches!(wire::kind(&sent), Some("Invite" | "Offer")) { "target" } else { "object" };
    wire::id(&sent, key).map(str::to_owned)
}

/// Refuses those of whom nothing is taken, whatever it is: before anything is fetched because of it (MOD-01, SIG-16).
pub(super) fn may_speak(facts: &Facts) -> Result<(), Refusal> {
    match facts.signer.as_ref().map(|actor| actor.state) {
        _ if facts.is_blocked => Err(forbidden("blocked")),
        Some(ActorState::Blocked) => Err(forbidden("blocked")),
        Some(ActorState::Suspended) => Err(forbidden("suspended")),
        Some(ActorState::Gone) => Err(forbidden("gone")),
        _ => Ok(()),
    }
}

/// Whether it deletes somebody unknown: of them there is nothing to delete, and their server will say 410 (SIG-17).
pub(super) fn is_of_nobody(shape: &Shape, facts: &Facts) -> bool {
    shape.kind == "Delete" && wire::id(&shape.activity, "object") == Some(&shape.actor) && facts.signer.is_none()
}

/// Whether the signer may do this, from what is known (ORI-04, 05, 15; LIF-01, 02; MOD-01; SIG-16). Only for what is
/// signed rightly: to others the answer would tell what is here.
pub fn authorise(shape: &Shape, facts: &Facts) -> Result<Verdict, Refusal> {
    may_speak(facts)?;
    if facts.is_known || is_of_nobody(shape, facts) {
        return Ok(Verdict::Ignore);
    }
    let signer = facts.signer.as_ref();
    let id = signer.map(|actor| actor.id);
    let about = wire::id(&shape.activity, "object").unwrap_or_default();
    match shape.kind.as_str() {
        "Delete" if about == shape.actor => Ok(Verdict::Take),
        "Delete" if facts.moderates == Some(true) => Ok(Verdict::Take),
        // Only somebody's own, or what those who moderate may take away (ORI-01, 05, 06).
        "Delete" if !same_host(about, &shape.actor) => Err(forbidden("foreign-object")),
        "Block" | "Add" | "Remove" | "Lock" if facts.moderates == Some(false) => Err(forbidden("not-a-moderator")),
        "Undo" if facts.moderates == Some(false) => Err(forbidden("not-a-moderator")),
        "Update" | "Delete" => match &facts.object {
            Some(known) if Some(known.owner_id) != id => Err(forbidden("not-the-owner")),
            _ => Ok(Verdict::Take),
        },
        "Undo" => match facts.follower {
            Some(follower) if Some(follower) != id => Err(forbidden("act-of-another")),
            _ => Ok(Verdict::Take),
        },
        // Everyone moves only themselves (ORI-17).
        "Move" if about != shape.actor => Err(forbidden("act-of-another")),
        "Accept" | "Reject" | "TentativeAccept" => match &facts.asked {
            _ if facts.answers_nothing => Ok(Verdict::Ignore),
            Some(asked) if *asked == shape.actor => Ok(Verdict::Take),
            _ => Err(forbidden("not-asked")),
        },
        _ => Ok(Verdict::Take),
    }
}
