//! How is something of another server looked up?

use super::received::Context;
use crate::actor::Actor;
use crate::error::{Error, Result};
use serde_json::Value;

/// The actor with this id: from the database when it is fresh, otherwise from its server.
pub async fn actor(context: &Context, uri: &str) -> Result<Actor> {
    let app: &crate::app::App = context.app_data();
    let asked = uri.to_owned();
    let found = app.read(move |db| crate::actor::find_by_uri(db, &asked)).await?;
    found.ok_or_else(|| Error::Unavailable("not connected yet".into()))
}

/// The document with this id, from its own server; its `id` is this id.
pub async fn document(context: &Context, uri: &str) -> Result<Value> {
    let _ = (context, uri);
    Err(Error::Unavailable("not connected yet".into()))
}

/// The actor whom `@name@host` means, by WebFinger (RFC 7033), also when it is not known yet.
pub async fn acct(context: &Context, acct: &str) -> Result<Actor> {
    let _ = (context, acct);
    Err(Error::Unavailable("not connected yet".into()))
}
