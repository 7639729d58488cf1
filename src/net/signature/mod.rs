//! Was this request really sent by the holder of the key it names, for us, just now?
//!
//! Two ways of signing are understood, draft-cavage-12 and RFC 9421. A request with `Signature-Input` is read by the
//! RFC and never by the draft, so that nobody can have the weaker of two checked (SIG-20).
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
mod fresh;
mod headers;
mod message;
mod sign;
mod structured;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http::{HeaderMap, Method};
use url::Url;

use crate::{
    crypto::{Algorithm, VerifyingKey},
    words,
};

pub use cavage::parameters;
pub use digest::{content_digest_header, digest_header};
pub use error::SignatureError;
pub use headers::check as check_headers;
pub use sign::{ACTIVITY_JSON, Load, SYNCHRONIZATION, Signer, sign_get, sign_post};

/// The parts of a received request that a signature speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its method; only `GET` and `POST` can be signed.
    pub method: &'a Method,
    /// Path and query as they stood in the request line.
    pub target: &'a str,
    /// All headers, untouched.
    pub headers: &'a HeaderMap,
    /// Our own public address without a path, `https://north.test`, as it is configured: what a request says about
    /// where it was sent proves nothing.
    pub origin: &'a str,
}

words! {
    /// The ways of signing that are understood.
    pub enum Scheme {
        /// draft-cavage-http-signatures-12 with RSA and SHA-256.
        Cavage = "cavage",
        /// HTTP Message Signatures (RFC 9421) with RSA PKCS#1 v1.5 and SHA-256; what comes in may be by Ed25519.
        Rfc9421 = "rfc9421",
    }
}

impl Scheme {
    /// What to try when a server does not take this one.
    pub fn other(self) -> Self {
        match self {
            Self::Cavage => Self::Rfc9421,
            Self::Rfc9421 => Self::Cavage,
        }
    }
}

/// An RSA signature has as many bytes as its modulus: 2048 to 8192 bits.
const SIGNATURE_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// An Ed25519 signature (RFC 8032).
const ED25519_BYTES: usize = 64;
const MAX_KEY_ID_BYTES: usize = 2048;

fn key_url(key_id: &str) -> Result<Url, SignatureError> {
    if key_id.len() > MAX_KEY_ID_BYTES {
        return Err(SignatureError::KeyId);
    }
    Url::parse(key_id)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
        .ok_or(SignatureError::KeyId)
}

/// A request whose signature is well formed, covers what it must, is fresh and fits the body; whether
/// the named key made it is not known yet.
#[derive(Debug, Clone)]
pub struct Unverified {
    scheme: Scheme,
    claim: Claim,
    /// Further signatures of the same request (RFC 9421 alone allows them), each as complete as the first.
    others: Vec<Claim>,
}

/// One signature, and what it says.
#[derive(Debug, Clone)]
struct Claim {
    key_id: String,
    key_url: Url,
    algorithm: Algorithm,
    /// The names of what it covers, lower case.
    covered: Vec<String>,
    /// What may have been signed: with the query in the request target, and without.
    messages: Vec<String>,
    signature: Vec<u8>,
}

impl Unverified {
    /// Does everything that needs neither key nor network.
    ///
    /// By draft-cavage a `POST` must cover `(request-target)`, `host`, `digest` and `date` or `(created)`; by RFC 9421
    /// `@method`, `@target-uri` (or `@authority` with path and query) and `content-digest`, and say when it was
    /// `created`. The digest must fit `body`. A `GET` the same without the digest. `now` decides freshness: at most
    /// 1 h in the future, at most 1 h 5 min old, or with a covered `(expires)` at most 1 h after
    /// that and 13 h old (SIG-09).
    ///
    /// # Errors
    /// The first thing found wrong, cheapest checks first.
    pub fn read(request: Incoming<'_>, body: &[u8], now: SystemTime) -> Result<Self, SignatureError> {
        headers::check(request.headers, request.method)?;
        let unverified = match headers::scheme(request.headers) {
            Scheme::Cavage => cavage::read(request, now)?,
            Scheme::Rfc9421 => message::read(request, now)?,
        };
        digest::check(request, body)?;
        Ok(unverified)
    }

    /// How it was signed.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Where several signatures were made by different keys, looks at one whose key is at such an address, if there
    /// is one: a proxy may have signed as well as the sender.
    pub fn prefer(&mut self, is_wanted: impl Fn(&Url) -> bool) {
        if is_wanted(&self.claim.key_url) {
            return;
        }
        if let Some(wanted) = self.others.iter_mut().find(|claim| is_wanted(&claim.key_url)) {
            std::mem::swap(&mut self.claim, wanted);
        }
    }

    /// The key id as it stood in the request: for comparison with the id in an actor document.
    pub fn key_id(&self) -> &str {
        &self.claim.key_id
    }

    /// The key id as an address to fetch: `…/actor#main-key`, `…/actor/main-key`, `…/actor?id=1`.
    ///
    /// That the document found there names its owner, and the owner names the key, is for the
    /// caller to check (SIG-12).
    pub fn key_url(&self) -> &Url {
        &self.claim.key_url
    }

    /// Whether this header is signed: by every signature of the key that counts.
    pub fn covers(&self, header: &str) -> bool {
        let same_key = |claim: &&Claim| claim.key_id == self.claim.key_id;
        let mut claims = std::iter::once(&self.claim).chain(self.others.iter().filter(same_key));
        claims.all(|claim| claim.covered.iter().any(|covered| covered == header))
    }

    /// Whether `key` made a signature that names [`Unverified::key_id`].
    ///
    /// # Errors
    /// [`SignatureError::Wrong`]. The caller may refetch the key once and try again (SIG-14).
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let same_key = |claim: &&Claim| claim.key_id == self.claim.key_id;
        let mut claims = std::iter::once(&self.claim).chain(self.others.iter().filter(same_key));
        let right = |claim: &Claim| {
            let signed = |message: &String| key.verify(claim.algorithm, message.as_bytes(), &claim.signature);
            claim.messages.iter().any(signed)
        };
        match claims.any(right) {
            true => Ok(()),
            false => Err(SignatureError::Wrong),
        }
    }
}
