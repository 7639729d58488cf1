//! How is something of another server looked up?

use super::received::Context;
use crate::actor::Actor;
use crate::error::{Error, Result};
use serde_json::Value;

/// The actor with this id: from the database when it is fresh, otherwise from its server.
pub async fn actor(context: &Context, uri: &str) -> Result<Actor> {
    let _ = (context, uri);
    Err(Error::Unavailable("not connected yet".into()))
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

/// The bytes at this address, asked for in the name of the instance, and at most so many of them.
pub async fn file(context: &Context, url: &str, most: usize) -> Result<bytes::Bytes> {
    let _ = (context, url, most);
    Err(Error::Unavailable("not connected yet".into()))
}
