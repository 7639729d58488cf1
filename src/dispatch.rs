//! Which door does an activity that came in go through, and who makes the document of an object that is asked for?

use crate::error::{Error, Result};
use crate::federation::{Context, Documents, Received, wire};
use crate::{catalogue, enrollment};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Makes the documents of objects here, feature by feature.
pub const DOCUMENTS: Documents = &[];

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub fn dispatch<'a>(context: &'a Context, got: &'a Received) -> BoxFuture<'a, Result<()>> {
    by_type(context, got).boxed()
}

async fn by_type(context: &Context, got: &Received) -> Result<()> {
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let about = wire::kind(got.object()).unwrap_or_default();
    match (kind, about) {
        ("Follow", _) => enrollment::apub::follow(context, got).await,
        ("Join", _) => enrollment::apub::join(context, got).await,
        ("Leave", _) => enrollment::apub::leave(context, got).await,
        ("Undo", "Follow" | "Join" | "") => enrollment::apub::undo(context, got).await,
        ("Accept", _) => enrollment::apub::accept(context, got).await,
        ("Reject", _) => enrollment::apub::reject(context, got).await,
        ("Remove", _) => enrollment::apub::remove(context, got).await,
        ("Update", "Group") => catalogue::apub::update(context, got).await,
        ("Create", "Note") if enrollment::apub::answer_words(context, got).await? => Ok(()),
        _ => {
            tracing::debug!(kind, about, "no feature knows this activity");
            got.settle(context, |_| Ok::<(), Error>(())).await
        }
    }
}
