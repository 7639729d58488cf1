//! Which door does an activity that came in go through? By its type and the type of its object.

use crate::error::{Error, Result};
use crate::federation::{Context, Received, wire};

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub async fn dispatch(context: &Context, got: &Received) -> Result<()> {
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let about = wire::kind(got.object()).unwrap_or_default();
    match (kind, about) {
        ("Create", "Page" | "Note" | "Article") => crate::discussion::apub::create(context, got).await,
        ("Update", "Page" | "Note" | "Article") => crate::discussion::apub::update(context, got).await,
        ("Delete", _) => crate::discussion::apub::delete(context, got).await,
        ("Announce", _) => crate::discussion::apub::announced(context, got).await,
        // Features add their lines here, one for each pair of types.
        _ => got.settle(context, |_| Ok::<(), Error>(())).await,
    }
}
