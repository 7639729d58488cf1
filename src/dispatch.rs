//! Which door does an activity that came in go through? By its type and the type of its object.

use crate::error::{Error, Result};
use crate::federation::{Context, Received, wire};

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub async fn dispatch(context: &Context, got: &Received) -> Result<()> {
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let about = wire::kind(got.object()).unwrap_or_default();
    match (kind, about) {
        // Features add their lines here, one for each pair of types.
        _ => got.settle(context, |_| Ok::<(), Error>(())).await,
    }
}
