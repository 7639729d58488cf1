//! Did an author make what somebody else passes on? By `eddsa-jcs-2022` (FEP-8b32), written once more.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use rsa::sha2::{Digest, Sha256};
use serde_json::Value;

/// Whether the proof in an activity is by a key that its author's document shows.
pub fn holds(activity: &Value, author: &Value) -> bool {
    check(activity, author).is_some()
}

fn check(activity: &Value, author: &Value) -> Option<()> {
    let (mut document, mut options) = (activity.clone(), activity.get("proof")?.clone());
    document.as_object_mut()?.remove("proof");
    let value = options.as_object_mut()?.remove("proofValue")?;
    let is_known = options["type"] == "DataIntegrityProof" && options["cryptosuite"] == "eddsa-jcs-2022";
    let keys = author["assertionMethod"].as_array()?;
    let key =
        keys.iter().find(|key| key["id"] == options["verificationMethod"] && key["controller"] == author["id"])?;
    let key = decode(&key["publicKeyMultibase"])?;
    let key = key.strip_prefix(&[0xed, 0x01]).filter(|_| is_known)?;
    let digest = |value: &Value| Some(Sha256::digest(serde_json_canonicalizer::to_vec(value).ok()?).to_vec());
    let message = [digest(&options)?, digest(&document)?].concat();
    UnparsedPublicKey::new(&ED25519, key).verify(&message, &decode(&value)?).ok()
}

fn decode(multibase: &Value) -> Option<Vec<u8>> {
    bs58::decode(multibase.as_str()?.strip_prefix('z')?).into_vec().ok()
}
