//! Do our proofs agree with the published examples, and does nothing changed pass?

use super::*;
use crate::crypto::{Keypair, from_multikey, to_multikey};
use proptest::prelude::*;

/// The pair of both standards' examples: the public half as Multikey, the private half as PKCS#8 of its seed.
const PUBLIC: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const SECRET: &str = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq";

fn secret() -> ProofKey {
    let bytes = bs58::decode(SECRET.strip_prefix('z').unwrap()).into_vec().unwrap();
    let seed = bytes.strip_prefix(&[0x80, 0x26]).unwrap();
    let prefix = data_encoding::HEXLOWER.decode(b"302e020100300506032b657004220420").unwrap();
    let der = data_encoding::BASE64.encode(&[prefix.as_slice(), seed].concat());
    ProofKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")).unwrap()
}

fn public() -> VerifyingKey {
    VerifyingKey::from_pem(&from_multikey(PUBLIC).unwrap()).unwrap()
}

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

const CREATED: &str = "2023-02-24T23:36:38Z";

/// The example of FEP-8b32.
fn create() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"],
        "type": "Create", "actor": "https://server.example/users/alice",
        "object": {"type": "Note", "content": "Hello world"},
    })
}

#[test]
fn checklist_21_the_example_of_the_proposal_is_read() {
    let mut document = create();
    attach(&mut document, "https://server.example/users/alice#ed25519-key", &secret(), time(CREATED)).unwrap();
    // The example does not repeat the context; we do, as the standard says.
    document["proof"].as_object_mut().unwrap().shift_remove("@context").unwrap();
    let value = "z3sXaxjKs4M3BRicwWA9peyNPJvJqxtGsDmpt1jjoHCjgeUf71TRFz56osPSfDErszyLp5Ks1EhYSgpDaNM977Rg2";
    document["proof"]["proofValue"] = value.into();
    let proof = read(&document, time(CREATED)).unwrap().unwrap();
    assert_eq!(proof.method, "https://server.example/users/alice#ed25519-key");
    assert!(proof.is_by(&public()));
    let pem = from_multikey(PUBLIC).unwrap();
    assert_eq!(to_multikey(&pem).unwrap(), PUBLIC);
}

/// The credential of the standard (vc-di-eddsa B.2), whose proof repeats the context.
fn credential() -> Value {
    let context = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"];
    let did = format!("did:key:{PUBLIC}#{PUBLIC}");
    json!({
        "@context": context,
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential", "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678", "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
        "proof": {
            "type": "DataIntegrityProof", "cryptosuite": SUITE, "created": CREATED, "verificationMethod": did,
            "proofPurpose": "assertionMethod", "@context": context,
            "proofValue":
                "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
        },
    })
}

#[test]
fn checklist_21_the_example_of_the_standard_is_made_and_read() {
    let document = credential();
    let mut made = document.clone();
    made.as_object_mut().unwrap().shift_remove("proof").unwrap();
    attach(&mut made, &format!("did:key:{PUBLIC}#{PUBLIC}"), &secret(), time(CREATED)).unwrap();
    assert_eq!(made["proof"], document["proof"]);
    assert!(read(&document, time(CREATED)).unwrap().unwrap().is_by(&public()));
    // More context at the end changes no word that was signed; another at the beginning might.
    let mut longer = document.clone();
    longer["@context"].as_array_mut().unwrap().push(json!("https://more.example/"));
    assert!(read(&longer, time(CREATED)).unwrap().unwrap().is_by(&public()));
    let mut other = document.clone();
    other["@context"].as_array_mut().unwrap().insert(0, json!("https://other.example/"));
    assert_eq!(read(&other, time(CREATED)).err(), Some(Unfit));
    let rsa = VerifyingKey::from_pem(&Keypair::generate().unwrap().public_pem).unwrap();
    assert!(!read(&document, time(CREATED)).unwrap().unwrap().is_by(&rsa));
}

#[test]
fn a_proof_that_is_not_one_is_told_from_none() {
    let now = time(CREATED);
    assert!(read(&create(), now).unwrap().is_none());
    let mut linked = create();
    linked["signature"] = json!({"type": "RsaSignature2017", "creator": "x", "signatureValue": "AAAA"});
    assert!(read(&linked, now).unwrap().is_none(), "ORI-19: signatures of linked data are not looked at");
    let mut good = create();
    attach(&mut good, "https://server.example/a#k", &secret(), now).unwrap();
    for (key, value) in [
        ("proofPurpose", json!("authentication")),
        ("proofPurpose", json!(null)),
        ("created", json!("yesterday")),
        ("created", json!("2023-02-25T01:36:39Z")),
        ("created", json!("2023-02-01T00:00:00Z")),
        ("expires", json!("2023-02-24T23:36:37Z")),
        ("expires", json!(5)),
        ("verificationMethod", json!(["https://server.example/a#k"])),
        ("verificationMethod", json!("x".repeat(3000))),
        ("proofValue", json!("u1234")),
        ("proofValue", json!("z0OIl")),
        ("proofValue", json!(format!("z{}", "1".repeat(5000)))),
        ("previousProof", json!("urn:1")),
    ] {
        let mut bad = good.clone();
        bad["proof"][key] = value;
        assert_eq!(read(&bad, now).err(), Some(Unfit), "{key}");
    }
    let mut twice = good.clone();
    twice["proof"] = json!([good["proof"], good["proof"]]);
    assert_eq!(read(&twice, now).err(), Some(Unfit));
    // Of another kind beside it: that one is not ours to judge.
    let mut beside = good.clone();
    beside["proof"] = json!([good["proof"], {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-jcs-2019"}]);
    assert!(read(&beside, now).unwrap().unwrap().is_by(&public()));
}

/// Every value in a document, by its pointer.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| pointers(value, &format!("{at}/{n}"), out)),
        _ => out.push(at.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    /// Whatever is changed, added or taken away, the proof holds no more.
    #[test]
    fn nothing_changed_passes(which in any::<prop::sample::Index>(), with in "[a-z]{1,8}", extra in "[a-z]{1,8}") {
        let now = time(CREATED);
        let mut good = create();
        attach(&mut good, "https://server.example/a#k", &secret(), now).unwrap();
        let mut all = Vec::new();
        pointers(&good, "", &mut all);
        let mut changed = good.clone();
        *changed.pointer_mut(which.get(&all).as_str()).unwrap() = json!(with);
        let mut more = good.clone();
        more[format!("x{extra}")] = json!(1);
        let mut option = good.clone();
        option["proof"][format!("x{extra}")] = json!(1);
        for bad in [changed, more, option] {
            let passes = read(&bad, now).ok().flatten().is_some_and(|proof| proof.is_by(&public()));
            prop_assert!(!passes, "{bad}");
        }
        let turned: serde_json::Map<_, _> = good.as_object().unwrap().clone().into_iter().rev().collect();
        prop_assert!(read(&Value::Object(turned), now).unwrap().unwrap().is_by(&public()), "order means nothing");
    }
}
