//! Are requests taken that are signed by RFC 9421 with Ed25519, and by no other key or name of it?

use super::knock::{GET, Knock, PLAIN};
use super::*;
use crate::crypto::ProofKey;

/// The request of a peer, with this name of the algorithm, and whose signature is by the other key.
fn read(knock: &Knock) -> Result<Unverified, SignatureError> {
    let (input, base) = knock.base();
    let signature = ProofKey::from_pem(&keys().pair.proof_private_pem).unwrap().sign(base.as_bytes());
    let signature = STANDARD.encode(signature);
    let headers = knock.headers_with(&format!("sig1={input}"), &format!("sig1=:{signature}:"));
    let request = Incoming { method: &knock.method, target: &knock.target, headers: &headers, origin: ORIGIN };
    Unverified::read(request, knock.body, now())
}

fn key() -> VerifyingKey {
    VerifyingKey::from_pem(&keys().pair.proof_public_pem).unwrap()
}

#[test]
fn checklist_12_ed25519_is_taken_with_its_name_and_without() {
    for more in ["", ";alg=\"ed25519\""] {
        for knock in [Knock::post(PLAIN), Knock::get(GET)] {
            let read = read(&Knock { more: more.into(), ..knock }).unwrap();
            assert_eq!(read.verify(&key()), Ok(()), "{more}");
        }
    }
}

#[test]
fn sig_11_and_20_one_algorithm_never_stands_for_the_other() {
    let by_ed25519 = read(&Knock::post(PLAIN)).unwrap();
    assert_eq!(by_ed25519.verify(&keys().verifying), Err(SignatureError::Wrong), "an RSA key");
    let other = VerifyingKey::from_pem(&Keypair::generate().unwrap().proof_public_pem).unwrap();
    assert_eq!(by_ed25519.verify(&other), Err(SignatureError::Wrong), "another key");
    let rsa = Knock::post(PLAIN).headers();
    let request = Incoming { method: &Method::POST, target: TARGET, headers: &rsa, origin: ORIGIN };
    let by_rsa = Unverified::read(request, BODY, now()).unwrap();
    assert_eq!(by_rsa.verify(&key()), Err(SignatureError::Wrong), "an Ed25519 key");
    let named = |more: &str| read(&Knock { more: more.into(), ..Knock::post(PLAIN) }).err();
    assert_eq!(named(";alg=\"rsa-v1_5-sha256\""), Some(SignatureError::Malformed));
    assert_eq!(named(";alg=\"hmac-sha256\""), Some(SignatureError::Algorithm));
    let mut headers = Knock::post(PLAIN).headers();
    for length in [0, 63, 65, 255] {
        let short = STANDARD.encode(vec![7; length]);
        set(&mut headers, "signature", &format!("sig1=:{short}:"));
        assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Algorithm), "{length} bytes");
    }
}

#[test]
fn sig_20_the_draft_takes_no_ed25519() {
    for algorithm in ["ed25519", "hs2019"] {
        let mut headers = Peer::post().headers();
        let signed = ProofKey::from_pem(&keys().pair.proof_private_pem).unwrap().sign(b"x");
        let said = format!(
            "keyId=\"{KEY_ID}\",algorithm=\"{algorithm}\",headers=\"(request-target) host date digest\",signature=\"{}\"",
            STANDARD.encode(signed)
        );
        set(&mut headers, "signature", &said);
        assert!(post_outcome(&headers, BODY).is_err(), "{algorithm}");
    }
}
