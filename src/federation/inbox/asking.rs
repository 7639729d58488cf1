//! Who asks by a signed GET?

use super::authority::owner_of_key;
use super::proof::{is_by_known_key, prove_anew};
use crate::actor::{self, Actor};
use crate::domain;
use crate::error::Result;
use crate::federation::received::Context;
use crate::http::client::Client;
use crate::link::{host_of, same_host};
use crate::net::signature::{Incoming, Unverified};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use std::convert::Infallible;

/// What a request tells of who asks.
pub struct Asked {
    /// Its headers.
    pub headers: HeaderMap,
    target: Uri,
    network: String,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let network = parts.extensions.get::<Client>().map(Client::network).unwrap_or_default();
        Ok(Self { headers: parts.headers.clone(), target: parts.uri.clone(), network })
    }
}

/// Who asks, when they may ask anything here; otherwise nobody: what they may not see is then not there, and is answered
/// alike (PRV-01, PRV-13).
pub async fn asker(context: &Context, asked: &Asked) -> Result<Option<Actor>> {
    match signer(context, asked).await {
        Err(error) if !error.is_transient() => Ok(None),
        known => known,
    }
}

/// Who signed this GET, for what not everyone may see. Nobody when it is not signed, or not rightly; refused when the
/// signer or their server may not ask anything here (MOD-01, PRV-13).
async fn signer(context: &Context, Asked { headers, target, network }: &Asked) -> Result<Option<Actor>> {
    if !headers.contains_key("signature") {
        return Ok(None);
    }
    let app = context.app_data();
    let target = target.path_and_query().map_or("/", |target| target.as_str());
    let incoming = Incoming { method: &Method::GET, target, headers, origin: app.links().origin() };
    let Ok(signature) = Unverified::read(incoming, &[], app.now().system()) else { return Ok(None) };
    let host = host_of(signature.key_url()).unwrap_or_default();
    let (asked, key_id) = (host.clone(), signature.key_id().to_owned());
    let known = app.look_up(move |db| {
        domain::check(db, &asked)?;
        match actor::find_key(db, &key_id)? {
            Some(key) => Ok(Some((actor::get(db, key.actor_id)?, key))),
            None => Ok(None),
        }
    });
    let signer = match known.await? {
        Some((signer, key)) if is_by_known_key(app, &signature, Some(&key), signer.id).unwrap_or(false) => signer,
        known => {
            let uri = known.map_or_else(|| owner_of_key(signature.key_id()), |(signer, _)| signer.uri);
            match prove_anew(context, &uri, &signature, (network, &host)).await {
                Ok(signer) => signer,
                Err(_) => return Ok(None),
            }
        }
    };
    signer.may_act()?;
    Ok(same_host(&signer.uri, signature.key_id()).then_some(signer))
}
