//! Which door does an activity that came in go through? By its type and the type of its object.

use crate::catalogue;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::federation::{Context, Received, wire};

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub async fn dispatch(context: &Context, got: &Received) -> Result<()> {
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let about = wire::kind(got.object()).unwrap_or_default();
    match (kind, about) {
        // Features add their lines here, one for each pair of types.
        ("Follow", _) => enrollment::apub::follow(context, got).await,
        ("Join", _) => enrollment::apub::join(context, got).await,
        ("Leave", _) => enrollment::apub::leave(context, got).await,
        ("Undo", "Follow" | "Join" | "") => enrollment::apub::undo(context, got).await,
        ("Accept", _) => enrollment::apub::accept(context, got).await,
        ("Reject", _) => enrollment::apub::reject(context, got).await,
        ("Remove", _) => enrollment::apub::remove(context, got).await,
        ("Update", "Group") => catalogue::apub::update(context, got).await,
        ("Create", "Note") if enrollment::apub::answer_words(context, got).await? => Ok(()),
        _ => got.settle(context, |_| Ok::<(), Error>(())).await,
    }
}
