//! Which door does an activity that came in go through, and who makes the document of an object that is asked for?

use crate::error::{Error, Result};
use crate::federation::{Context, Documents, Received, wire};
use crate::review;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Makes the documents of objects here, feature by feature.
pub const DOCUMENTS: Documents = &[];

/// Hands an activity to its feature. What no feature knows is done with, without effect (checklist 31).
pub fn dispatch<'a>(context: &'a Context, got: &'a Received) -> BoxFuture<'a, Result<()>> {
    by_type(context, got).boxed()
}

async fn by_type(context: &Context, got: &Received) -> Result<()> {
    if review::apub::receive(context, got).await? {
        return Ok(());
    }
    let kind = wire::kind(&got.activity).unwrap_or_default();
    let about = wire::kind(got.object()).unwrap_or_default();
    tracing::debug!(kind, about, "no feature knows this activity");
    got.settle(context, |_| Ok::<(), Error>(())).await
}
