//! Which door does an activity that came in go through, and who makes the document of an object that is asked for?

use crate::error::{Error, Result};
use crate::federation::object::{self, ObjectKind};
use crate::federation::{Context, Documents, Received, wire};
use crate::{assignment, catalogue, enrollment, review, submission};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

/// Makes the documents of objects here, feature by feature.
pub const DOCUMENTS: Documents = &[assignment::apub::object, submission::apub::object];

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub fn dispatch<'a>(context: &'a Context, got: &'a Received) -> BoxFuture<'a, Result<()>> {
    by_type(context, got).boxed()
}

async fn by_type(context: &Context, got: &Received) -> Result<()> {
    if review::apub::receive(context, got).await? {
        return Ok(());
    }
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let object = got.object();
    let about = wire::kind(object).unwrap_or_default();
    let inner = object.get("object").unwrap_or(&Value::Null);
    match (kind, about) {
        ("Follow", _) => enrollment::apub::follow(context, got).await,
        ("Join", _) => enrollment::apub::join(context, got).await,
        ("Leave", _) => enrollment::apub::leave(context, got).await,
        ("Undo", "Follow" | "Join" | "") => enrollment::apub::undo(context, got).await,
        ("Accept", _) => enrollment::apub::accept(context, got).await,
        ("Reject", _) => enrollment::apub::reject(context, got).await,
        ("Remove", _) => enrollment::apub::remove(context, got).await,
        ("Update", "Group") => catalogue::apub::update(context, got).await,
        ("Announce", "Create" | "Update") if assignment::apub::is_assignment(inner) => {
            assignment::apub::mirrored(context, got).await
        }
        ("Create", "Note") if submission::apub::is_submission(object) => submission::apub::create(context, got).await,
        ("Create", "Note") if kind_of(context, submission::apub::about(object)).await? == SUBMISSION => {
            submission::apub::answered(context, got).await
        }
        ("Create", "Note") if replies_to(context, object).await? == Some(ObjectKind::Assignment) => {
            submission::apub::reply(context, got).await
        }
        ("Update", "Note") if submission::apub::is_submission(object) => submission::apub::update(context, got).await,
        ("Update", "Note") if kind_of(context, own_id(object)).await? == SUBMISSION => {
            submission::apub::update(context, got).await
        }
        ("Update", "Note") if replies_to(context, object).await? == Some(ObjectKind::Assignment) => {
            submission::apub::update(context, got).await
        }
        ("Delete", _) if kind_of(context, own_id(object)).await? == SUBMISSION => {
            submission::apub::delete(context, got).await
        }
        ("Create", "Note") if enrollment::apub::answer_words(context, got).await? => Ok(()),
        _ => {
            tracing::debug!(kind, about, "no feature knows this activity");
            got.settle(context, |_| Ok::<(), Error>(())).await
        }
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
    context.app_data().read(move |db| Ok(object::find(db, &uri)?.map(|known| known.kind))).await
}
