//! Which door does an activity that came in go through, and who makes the document of an object that is asked for?

use crate::actor::ActorKind;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::federation::object::{self, Known, ObjectKind};
use crate::federation::{Context, Documents, Received, early, fetch, wire};
use crate::id::PostId;
use crate::{assignment, catalogue, course, discussion, enrollment, moderation, moving, note, review, submission};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

/// Makes the documents of objects here, feature by feature.
pub const DOCUMENTS: Documents = &[assignment::apub::object, submission::apub::object, post, direct_note];

fn post(db: &mut Db, known: &Known) -> Result<Option<Value>> {
    match known.kind {
        ObjectKind::Post => discussion::apub::document(db, PostId(known.local_id)).map(Some),
        _ => Ok(None),
    }
}

/// Welcome, receipt, task, feedback: as it was sent.
fn direct_note(db: &mut Db, known: &Known) -> Result<Option<Value>> {
    match known.kind {
        ObjectKind::Note | ObjectKind::ReviewTask => {
            Ok(note::find_document(db, &known.uri)?.map(|(document, _)| document))
        }
        _ => Ok(None),
    }
}

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub fn dispatch<'a>(context: &'a Context, got: &'a Received) -> BoxFuture<'a, Result<()>> {
    by_type(context, got).boxed()
}

async fn by_type(context: &Context, got: &Received) -> Result<()> {
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let unfolded = if matches!(kind, "Create" | "Update") { got.unfolded(context).await? } else { None };
    let got = unfolded.as_ref().unwrap_or(got);
    let about = wire::kind(got.object()).unwrap_or_default();
    if is_over(context, got, kind).await? {
        return got.settle(context, |_| Ok::<(), Error>(())).await;
    }
    match (kind, about) {
        ("Follow", _) => enrollment::apub::follow(context, got).await,
        ("Join", _) => enrollment::apub::join(context, got).await,
        ("Leave", _) => enrollment::apub::leave(context, got).await,
        ("Undo", "Follow" | "Join" | "") => enrollment::apub::undo(context, got).await,
        ("Undo", "Block" | "Delete" | "Lock") => moderation::apub::undo(context, got).await,
        ("Like" | "Dislike", _) | ("Undo", "Like" | "Dislike") => discussion::apub::vote(context, got).await,
        ("Block", _) => moderation::apub::block(context, got).await,
        ("Lock", _) => moderation::apub::stand(context, got).await,
        ("Add" | "Remove", _) if moderation::apub::is_about_course(&got.activity) => {
            moderation::apub::stand(context, got).await
        }
        ("Delete", _) if wire::id(&got.activity, "object") == Some(got.signer.uri.as_str()) => {
            moderation::apub::gone(context, got).await
        }
        ("Move", _) => moving::apub::moved(context, got).await,
        ("Offer", "Member") => moving::apub::offered(context, got).await,
        ("Flag", _) => moderation::apub::flag(context, got).await,
        ("Accept", _) => enrollment::apub::accept(context, got).await,
        ("TentativeAccept", _) => enrollment::apub::consider(context, got).await,
        ("Reject", _) => enrollment::apub::reject(context, got).await,
        ("Remove", _) => enrollment::apub::remove(context, got).await,
        ("Update", "Group") => catalogue::apub::update(context, got).await,
        ("Update", "Person" | "Organization" | "Service" | "Application") => {
            fetch::updated(context, got, |_, _| Ok(())).await
        }
        ("Announce", _) => announced(context, got).await,
        ("Create", "Note" | "Page" | "Article") => created(context, got).await,
        ("Update", "Note" | "Page" | "Article") => updated(context, got).await,
        ("Delete", _) => deleted(context, got).await,
        _ => {
            tracing::debug!(kind, about, "no feature knows this activity");
            got.settle(context, |_| Ok::<(), Error>(())).await
        }
    }
}

/// Whether it begins, or changes, what its author ended before it came here.
async fn is_over(context: &Context, got: &Received, kind: &str) -> Result<bool> {
    let about = match kind {
        "Follow" | "Join" => own_id(&got.activity),
        "Create" | "Update" => own_id(got.object()),
        _ => None,
    };
    let (Some(uri), by) = (about, got.signer.id) else { return Ok(false) };
    context.app_data().look_up(move |db| early::is_over(db, &uri, by)).await
}

/// What a mirrored course passed on; several things at once are worked on one by one (FEP-1a11).
async fn announced(context: &Context, got: &Received) -> Result<()> {
    if got.object().is_array() {
        let group = got.signer.id;
        let is_mirrored = move |db: &mut Db| Ok(course::find_by_actor(db, group)?.is_some());
        if got.signer.here || !context.app_data().look_up(is_mirrored).await? {
            return Err(Error::denied("Only a course that is mirrored here may announce."));
        }
        return got.unpack(context).await;
    }
    if got.signer.kind != ActorKind::Course && got.object().is_string() {
        // Somebody boosts something, which is theirs to do and nothing to us.
        return got.settle(context, |_| Ok::<(), Error>(())).await;
    }
    let inner = got.object().get("object").unwrap_or(&Value::Null);
    let is_assignment = matches!(wire::kind(got.object()), Some("Create" | "Update"));
    if moderation::apub::is_act(got.object()) {
        return moderation::apub::mirrored(context, got).await;
    }
    if is_assignment && assignment::apub::is_assignment(inner) {
        assignment::apub::mirrored(context, got).await
    } else {
        discussion::apub::announced(context, got).await
    }
}

/// Something new: a review, a submission, an answer to one, a word to the course, or else a post.
async fn created(context: &Context, got: &Received) -> Result<()> {
    let object = got.object();
    if review::apub::receive(context, got).await? {
        return Ok(());
    }
    if assignment::apub::is_assignment(object) {
        // The same comes from its course, which alone is believed.
        return got.settle(context, |_| Ok::<(), Error>(())).await;
    }
    if submission::apub::is_submission(object) {
        return submission::apub::create(context, got).await;
    }
    if kind_of(context, submission::apub::about(object)).await? == SUBMISSION {
        return submission::apub::answered(context, got).await;
    }
    if replies_to(context, object).await? == Some(ObjectKind::Assignment) {
        return submission::apub::reply(context, got).await;
    }
    if enrollment::apub::answer_words(context, got).await? {
        return Ok(());
    }
    discussion::apub::create(context, got).await
}

async fn updated(context: &Context, got: &Received) -> Result<()> {
    let object = got.object();
    if review::apub::receive(context, got).await? {
        return Ok(());
    }
    let known = kind_of(context, own_id(object)).await?;
    let hands_in = submission::apub::is_submission(object)
        || known == SUBMISSION
        || (known.is_none() && replies_to(context, object).await? == Some(ObjectKind::Assignment));
    if hands_in { submission::apub::update(context, got).await } else { discussion::apub::update(context, got).await }
}

async fn deleted(context: &Context, got: &Received) -> Result<()> {
    if kind_of(context, own_id(got.object())).await? == SUBMISSION {
        submission::apub::delete(context, got).await
    } else {
        discussion::apub::delete(context, got).await
    }
}

const SUBMISSION: Option<ObjectKind> = Some(ObjectKind::Submission);

fn own_id(object: &Value) -> Option<String> {
    wire::id_of(object).map(str::to_owned)
}

async fn replies_to(context: &Context, object: &Value) -> Result<Option<ObjectKind>> {
    kind_of(context, wire::id(object, "inReplyTo").map(str::to_owned)).await
}

/// What an id stands for here.
async fn kind_of(context: &Context, uri: Option<String>) -> Result<Option<ObjectKind>> {
    let Some(uri) = uri else { return Ok(None) };
    context.app_data().look_up(move |db| Ok(object::find(db, &uri)?.map(|known| known.kind))).await
}
