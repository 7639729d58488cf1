//! Did the one whom a document names make it, whoever brings it? By a proof inside it (FEP-8b32, `eddsa-jcs-2022`).
//!
//! The proof signs the canonical JSON (RFC 8785) of the document without it. Signatures of linked data, which go by
//! what words mean in contexts that others may change, are not looked at (ORI-19).

use super::wire;
use crate::clock::Time;
use crate::crypto::{Algorithm, ProofKey, VerifyingKey, sha256};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// The one way of proving that is made and understood.
const SUITE: &str = "eddsa-jcs-2022";
/// A proof is taken this long after it was made: longer than anyone tries to deliver, and shorter than ids of
/// activities are remembered here, so that nothing old can be brought a second time.
const LIFE: Duration = Duration::from_secs(14 * 24 * 3600);
/// How far ahead another server's clock may be.
const SKEW: Duration = Duration::from_secs(3600);
/// Longest id of a key, in bytes.
const LONGEST: usize = 2048;

/// Puts a proof into a document that has none, by this key of its author.
pub fn attach(document: &mut Value, key_id: &str, key: &ProofKey, now: Time) -> Result<()> {
    let mut options = json!({
        "type": "DataIntegrityProof", "cryptosuite": SUITE, "verificationMethod": key_id,
        "proofPurpose": "assertionMethod", "created": now.rfc3339(),
    });
    // Fedify signs the context of the document with the proof, whether it stands there or not (vc-di-eddsa 3.3.1).
    if let (Some(context), Some(options)) = (document.get("@context"), options.as_object_mut()) {
        options.insert("@context".into(), context.clone());
    }
    let signature = key.sign(&message(document, &options)?);
    let fields = document.as_object_mut().ok_or_else(|| Error::internal("a document is an object"))?;
    if let Some(options) = options.as_object_mut() {
        options.insert("proofValue".into(), format!("z{}", bs58::encode(signature).into_string()).into());
    }
    fields.insert("proof".into(), options);
    Ok(())
}

/// A proof that is well formed and of these days; whether the key made it is not known yet.
pub struct Proof {
    /// The id of the key.
    pub method: String,
    messages: Vec<Vec<u8>>,
    signature: Vec<u8>,
}

impl Proof {
    /// Whether this key made it, with the context of the document signed beside it or not: both are done where the proof
    /// does not repeat it. Keys of other algorithms never did.
    pub fn is_by(&self, key: &VerifyingKey) -> bool {
        self.messages.iter().any(|message| key.verify(Algorithm::Ed25519, message, &self.signature))
    }
}

/// Something claims to be a proof, and cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit;

/// The proof of a document; nothing when it has none of a kind that is understood. Of several of that kind none is
/// believed: it would not be clear which of them speaks.
pub fn read(document: &Value, now: Time) -> Result<Option<Proof>, Unfit> {
    let ours = |proof: &&Value| {
        wire::kind(proof) == Some("DataIntegrityProof") && proof.get("cryptosuite").is_some_and(|suite| suite == SUITE)
    };
    let mut proofs = wire::objects(document, "proof").into_iter().filter(ours);
    let Some(proof) = proofs.next() else { return Ok(None) };
    if proofs.next().is_some() || proof.get("previousProof").is_some() {
        return Err(Unfit);
    }
    let text = |key: &str| proof.get(key).and_then(Value::as_str);
    let time = |key: &str| text(key).and_then(Time::parse_rfc3339);
    if text("proofPurpose") != Some("assertionMethod") || !is_prefix(proof.get("@context"), document) {
        return Err(Unfit);
    }
    let created = time("created").ok_or(Unfit)?;
    let is_over = proof.get("expires").is_some() && time("expires").is_none_or(|end| end.0 < now.0);
    if is_over || created.0 > now.plus(SKEW).0 || now.since(created) > LIFE {
        return Err(Unfit);
    }
    let method = text("verificationMethod").filter(|id| id.len() <= LONGEST).ok_or(Unfit)?.to_owned();
    let encoded = text("proofValue").and_then(|value| value.strip_prefix('z')).filter(|value| value.len() <= LONGEST);
    let signature = bs58::decode(encoded.ok_or(Unfit)?).into_vec().map_err(|_| Unfit)?;
    let mut messages = vec![message(document, proof).map_err(|_| Unfit)?];
    if let (None, Some(context)) = (proof.get("@context"), document.get("@context")) {
        let mut options = proof.clone();
        if let Some(options) = options.as_object_mut() {
            options.insert("@context".into(), context.clone());
        }
        messages.push(message(document, &options).map_err(|_| Unfit)?);
    }
    Ok(Some(Proof { method, messages, signature }))
}

/// A proof may repeat the context of its document; then it must be how that begins (vc-di-eddsa 3.3.2).
fn is_prefix(context: Option<&Value>, document: &Value) -> bool {
    let list = |value: Option<&Value>| match value {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    context.is_none() || list(document.get("@context")).starts_with(&list(context))
}

/// What is signed: the digest of the proof without its value, then that of the document without the proof.
fn message(document: &Value, options: &Value) -> Result<Vec<u8>> {
    let (mut document, mut options) = (document.clone(), options.clone());
    if let (Some(fields), Some(said)) = (document.as_object_mut(), options.as_object_mut()) {
        fields.shift_remove("proof");
        said.shift_remove("proofValue");
        if let Some(context) = said.get("@context") {
            fields.insert("@context".into(), context.clone());
        }
    }
    Ok([canonical_digest(&options)?, canonical_digest(&document)?].concat())
}

fn canonical_digest(value: &Value) -> Result<[u8; 32]> {
    let canonical = serde_json_canonicalizer::to_vec(value).map_err(|e| Error::Internal(Box::new(e)))?;
    Ok(sha256(&canonical))
}

#[cfg(test)]
mod tests;
