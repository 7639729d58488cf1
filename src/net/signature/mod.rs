//! Was this request really sent by the holder of the key it names, for us, just now?
//!
//! Reading a request is split from verifying it, so that everything that costs nothing is checked
//! before an unknown key is fetched: [`Unverified::read`] checks headers, coverage, freshness and
//! digest; [`Unverified::verify`] does the arithmetic once the caller has the key.
//!
//! What is left to the caller: that `Host` is ours (421 before anything else, SIG-03), that the
//! key's owner is the actor of the activity (SIG-11), and that the owner is on the key's host.

mod cavage;
mod digest;
mod error;
mod headers;
mod sign;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http::{HeaderMap, Method};
use url::Url;

use crate::crypto::VerifyingKey;

pub use digest::digest_header;
pub use error::SignatureError;
pub use headers::check as check_headers;
pub use sign::{ACTIVITY_JSON, Signer, sign_get, sign_post};

/// The parts of a received request that a signature speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its method; only `GET` and `POST` can be signed.
    pub method: &'a Method,
    /// Path and query as they stood in the request line.
    pub target: &'a str,
    /// All headers, untouched.
    pub headers: &'a HeaderMap,
}

/// The ways of signing that are understood. RFC 9421 gets its place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// draft-cavage-http-signatures-12 with RSA and SHA-256.
    Cavage,
}

impl Scheme {
    /// Its name in metrics and in what is remembered of a peer.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Cavage => "cavage",
        }
    }
}

/// A request whose signature is well formed, covers what it must, is fresh and fits the body; whether
/// the named key made it is not known yet.
#[derive(Debug, Clone)]
pub struct Unverified {
    scheme: Scheme,
    key_id: String,
    key_url: Url,
    /// What may have been signed: with the query in the request target, and without.
    messages: Vec<String>,
    signature: Vec<u8>,
}

impl Unverified {
    /// Does everything that needs neither key nor network.
    ///
    /// A `POST` must cover `(request-target)`, `host`, `digest` and `date` or `(created)`, and its
    /// digest must fit `body`; a `GET` the same without the digest. `now` decides freshness: at most
    /// 1 h in the future, at most 1 h 5 min old, or with a covered `(expires)` at most 1 h after
    /// that and 13 h old (SIG-09).
    ///
    /// # Errors
    /// The first thing found wrong, cheapest checks first.
    pub fn read(request: Incoming<'_>, body: &[u8], now: SystemTime) -> Result<Self, SignatureError> {
        headers::check(request.headers, request.method)?;
        let unverified = cavage::read(request, now)?;
        if request.method == Method::POST || request.headers.contains_key("digest") {
            digest::check(request.headers, body)?;
        }
        Ok(unverified)
    }

    /// How it was signed.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key id as it stood in the request: for comparison with the id in an actor document.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key id as an address to fetch: `…/actor#main-key`, `…/actor/main-key`, `…/actor?id=1`.
    ///
    /// That the document found there names its owner, and the owner names the key, is for the
    /// caller to check (SIG-12).
    pub fn key_url(&self) -> &Url {
        &self.key_url
    }

    /// Whether `key` made the signature, over the request target with or without its query.
    ///
    /// # Errors
    /// [`SignatureError::Wrong`]. The caller may refetch the key once and try again (SIG-14).
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let right = |message: &String| key.verify_rsa_sha256(message.as_bytes(), &self.signature);
        match self.messages.iter().any(right) {
            true => Ok(()),
            false => Err(SignatureError::Wrong),
        }
    }
}
