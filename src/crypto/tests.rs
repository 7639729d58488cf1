//! Do our keys, passwords and tokens agree with an independent implementation?

use std::sync::OnceLock;

use proptest::prelude::*;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use rsa::{
    Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey},
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, LineEnding},
};

use super::*;

fn pair() -> &'static Keypair {
    static PAIR: OnceLock<Keypair> = OnceLock::new();
    PAIR.get_or_init(|| Keypair::generate().unwrap())
}

fn oracle() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(&pair().private_pem).unwrap()
}

/// The scheme object of the oracle, with the DigestInfo prefix of SHA-256 (RFC 8017 9.2 note 1).
fn scheme() -> Pkcs1v15Sign {
    let prefix = data_encoding::HEXLOWER.decode(b"3031300d060960864801650304020105000420").unwrap();
    Pkcs1v15Sign { hash_len: Some(32), prefix: prefix.into() }
}

#[test]
fn generated_keys_are_read_by_the_oracle_and_by_us() {
    let key = oracle();
    assert_eq!(rsa::traits::PublicKeyParts::size(&key), 256);
    let public = RsaPublicKey::from_public_key_pem(&pair().public_pem).unwrap();
    assert_eq!(public, key.to_public_key());
    let signing = SigningKey::from_pem(&pair().private_pem).unwrap();
    assert_eq!(signing.public_pem().unwrap(), pair().public_pem);
    assert_eq!(pair().public_pem, public.to_public_key_pem(LineEnding::LF).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]
    #[test]
    fn signatures_are_byte_identical_to_the_oracle(message in prop::collection::vec(any::<u8>(), 0..2000)) {
        let ours = SigningKey::from_pem(&pair().private_pem).unwrap().sign_rsa_sha256(&message);
        let theirs = oracle().sign(scheme(), &sha256(&message)).unwrap();
        prop_assert_eq!(&ours, &theirs);
        let key = VerifyingKey::from_pem(&pair().public_pem).unwrap();
        prop_assert!(key.verify_rsa_sha256(&message, &theirs));
        let mut other = message.clone();
        other.push(0);
        prop_assert!(!key.verify_rsa_sha256(&other, &theirs));
    }

    #[test]
    fn garbage_is_no_key_and_no_panic(text in "\\PC{0,200}") {
        prop_assert!(VerifyingKey::from_pem(&text).is_err());
        prop_assert!(SigningKey::from_pem(&text).is_err());
    }
}

#[test]
fn pkcs1_pem_is_read_too() {
    let key = oracle();
    let public = key.to_public_key().to_pkcs1_pem(LineEnding::CRLF).unwrap();
    let private = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    assert!(public.contains("BEGIN RSA PUBLIC KEY"));
    let signature = SigningKey::from_pem(&private).unwrap().sign_rsa_sha256(b"m");
    let verifying = VerifyingKey::from_pem(&format!("\n  {public}\n\n")).unwrap();
    assert!(verifying.verify_rsa_sha256(b"m", &signature));
    assert!(!verifying.verify_rsa_sha256(b"m", &signature[1..]));
    assert!(!verifying.verify_rsa_sha256(b"m", &[]));
}

#[test]
fn multikeys_read_back_and_nothing_else_is_one() {
    let shown = to_multikey(&pair().proof_public_pem).unwrap();
    assert!(shown.starts_with("z6Mk"), "{shown}");
    assert_eq!(from_multikey(&shown).unwrap(), pair().proof_public_pem);
    assert_eq!(to_multikey(&pair().public_pem), Err(KeyError::NotEd25519));
    let long = format!("z{}", "1".repeat(100_000));
    // Without its letter, of another base, cut, with a byte too many, of another codec, and too long to look at.
    for wrong in [
        &shown[1..],
        "uAAAA",
        &shown[..40],
        &format!("{shown}1"),
        "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        "z",
        "",
        &long,
    ] {
        assert!(from_multikey(wrong).is_err(), "{}", &wrong[..wrong.len().min(60)]);
    }
}

#[test]
fn small_keys_other_keys_and_mixed_up_kinds_are_refused() {
    let small = RsaPrivateKey::new(&mut rsa_rng(), 1024).unwrap();
    let pem = small.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    assert_eq!(VerifyingKey::from_pem(&pem).unwrap_err(), KeyError::Size);
    assert_eq!(VerifyingKey::from_pem(&pair().private_pem).unwrap_err(), KeyError::NotPem);
    assert_eq!(SigningKey::from_pem(&pair().public_pem).unwrap_err(), KeyError::NotPem);
    let ed25519 = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    let read = VerifyingKey::from_pem(ed25519).unwrap();
    assert_eq!(read.algorithm(), Algorithm::Ed25519);
    assert!(!read.verify_rsa_sha256(b"m", &[0; 256]), "never by another algorithm");
    assert_eq!(SigningKey::from_pem(&pair().proof_private_pem).unwrap_err(), KeyError::NotRsa);
    assert_eq!(ProofKey::from_pem(&pair().private_pem).unwrap_err(), KeyError::NotEd25519);
    let huge = format!("-----BEGIN PUBLIC KEY-----\n{}", "A".repeat(9000));
    assert_eq!(VerifyingKey::from_pem(&huge).unwrap_err(), KeyError::NotPem);
}

/// The oracle speaks an older generation of the randomness traits than we do.
fn rsa_rng() -> impl rsa::rand_core::CryptoRngCore {
    struct Bridge(StdRng);
    impl rsa::rand_core::RngCore for Bridge {
        fn next_u32(&mut self) -> u32 {
            self.0.next_u32()
        }
        fn next_u64(&mut self) -> u64 {
            self.0.next_u64()
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            self.0.fill_bytes(dest);
        }
        fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
            self.0.fill_bytes(dest);
            Ok(())
        }
    }
    impl rsa::rand_core::CryptoRng for Bridge {}
    Bridge(chance())
}

fn chance() -> StdRng {
    StdRng::seed_from_u64(7)
}

#[test]
fn keys_do_not_show_in_debug_output() {
    let signing = SigningKey::from_pem(&pair().private_pem).unwrap();
    let shown = format!("{signing:?} {:?} {:?}", pair(), Token::new(&mut chance()));
    assert!(!shown.contains("PRIVATE"));
    assert!(!shown.contains(Token::new(&mut chance()).reveal()));
}

#[test]
fn sha256_is_the_standard_one() {
    assert_eq!(
        data_encoding::HEXLOWER.encode(&sha256(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_password_verifies_and_its_neighbours_do_not() {
    let stored = Password::hash("grüße 🌱", &mut chance()).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert!(Password::verify("grüße 🌱", &stored));
    assert!(!Password::verify("grüße 🌱 ", &stored));
    assert!(!Password::verify("", &stored));
    assert!(!Password::verify("grüße 🌱", "not a hash"));
    assert!(!Password::is_outdated(&stored));
    assert!(Password::is_outdated("$argon2id$v=19$m=4096,t=3,p=1$x$y"));
}

#[test]
fn long_passwords_are_whole_or_refused_never_cut() {
    let long = "a".repeat(MAX_PASSWORD_BYTES);
    let stored = Password::hash(&long, &mut chance()).unwrap();
    assert!(Password::verify(&long, &stored));
    assert!(!Password::verify(&long[1..], &stored));
    let longer = format!("{long}a");
    assert_eq!(Password::hash(&longer, &mut chance()), Err(PasswordError::TooLong));
    assert!(!Password::verify(&longer, &stored));
    let empty = Password::hash("", &mut chance()).unwrap();
    assert!(!Password::verify(&longer, &empty));
    let nul = Password::hash("a\0b", &mut chance()).unwrap();
    assert!(!Password::verify("a", &nul));
}

#[test]
fn a_name_that_does_not_exist_costs_the_same_hash() {
    assert!(!Password::verify_nobody(""));
    assert!(!Password::verify_nobody("anything"));
    // The dummy must parse, or it would cost nothing: it is refused as wrong, not as malformed.
    let dummy = super::password::NOBODY.parse::<argon2::PasswordHash>();
    assert!(dummy.is_ok_and(|hash| hash.salt.is_some() && hash.hash.is_some()));
    assert!(!Password::is_outdated(super::password::NOBODY));
}

#[test]
fn tokens_have_their_shapes_and_hash_to_what_is_stored() {
    let mut chance = chance();
    let (a, b) = (Token::new(&mut chance), Token::new(&mut chance));
    assert_ne!(a, b);
    assert_eq!(a.reveal().len(), 43);
    assert_eq!(Token::shown(a.reveal()), Some(a.clone()));
    assert!(a.hash().matches(&a) && !a.hash().matches(&b));
    assert_eq!(a.hash().to_hex().len(), 64);
    assert_eq!(Token::shown("' OR 1=1"), None);
    let id = token_128(&mut chance);
    assert_eq!(id.len(), 26);
    assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    assert_eq!(handle_suffix(&mut chance).len(), 4);
}

#[test]
fn base32_spells_known_bytes() {
    struct Fixed(u8);
    impl RngCore for Fixed {
        fn next_u32(&mut self) -> u32 {
            0
        }
        fn next_u64(&mut self) -> u64 {
            0
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            dest.fill(self.0);
        }
    }
    assert_eq!(token_128(&mut Fixed(0)), "0".repeat(26));
    assert_eq!(token_128(&mut Fixed(255)), format!("{}w", "z".repeat(25)));
}
