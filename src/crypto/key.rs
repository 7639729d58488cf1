//! How are keys made, kept as PEM, and used to sign and to verify?

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKey},
    signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use rsa::{
    pkcs1,
    pkcs8::der::pem::{self, LineEnding},
};

use super::ed25519;
use crate::words;

/// Longest PEM text that is looked at, in bytes. An 8192-bit private key needs about 6.5 KiB.
const MAX_PEM_BYTES: usize = 8 * 1024;
/// Sizes of keys that are accepted, in bytes of the modulus (2048 to 8192 bits).
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Why a key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not one PEM block of a kind that is known here.
    #[error("not a PEM block with an RSA key")]
    NotPem,
    /// The PEM block holds something else than an RSA key, or a damaged one.
    #[error("not a usable RSA key")]
    NotRsa,
    /// The key is smaller than 2048 or larger than 8192 bits.
    #[error("RSA keys must have 2048 to 8192 bits")]
    Size,
    /// Not an Ed25519 key, or one that is no point of the curve.
    #[error("not a usable Ed25519 key")]
    NotEd25519,
    /// The operating system gave no randomness.
    #[error("no key could be generated")]
    Generate,
}

/// Fresh keys as text: what is stored for a local actor. RSA signs requests, Ed25519 documents.
#[derive(Clone)]
pub struct Keypair {
    /// PKCS#8 `PRIVATE KEY` PEM of the RSA key; secret.
    pub private_pem: String,
    /// SPKI `PUBLIC KEY` PEM, as `publicKeyPem` of an actor shows it.
    pub public_pem: String,
    /// PKCS#8 `PRIVATE KEY` PEM of the Ed25519 key; secret.
    pub proof_private_pem: String,
    /// SPKI `PUBLIC KEY` PEM of the Ed25519 key.
    pub proof_public_pem: String,
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair").field("public_pem", &self.public_pem).finish_non_exhaustive()
    }
}

impl Keypair {
    /// Makes an RSA-2048 and an Ed25519 pair from the operating system's randomness; takes some 80 ms.
    ///
    /// Chance is not an argument here: the provider generates keys only from its own source.
    pub fn generate() -> Result<Self, KeyError> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| KeyError::Generate)?;
        let (proof_private_pem, proof_public_pem) = ed25519::generate()?;
        let (private_pem, public_pem) = (to_pem("PRIVATE KEY", private.as_ref())?, public_pem(&key)?);
        Ok(Self { private_pem, public_pem, proof_private_pem, proof_public_pem })
    }

    /// Makes an Ed25519 pair alone, private and public PEM; takes no time worth mentioning.
    pub fn generate_proof() -> Result<(String, String), KeyError> {
        ed25519::generate()
    }
}

/// A private key, parsed once; cloning it copies a pointer.
#[derive(Clone)]
pub struct SigningKey(Arc<KeyPair>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads a PKCS#8 `PRIVATE KEY` or PKCS#1 `RSA PRIVATE KEY` PEM of 2048 to 8192 bits.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = from_pem(text)?;
        let key = match label {
            "PRIVATE KEY" => KeyPair::from_pkcs8(&der),
            "RSA PRIVATE KEY" => KeyPair::from_der(&der),
            _ => return Err(KeyError::NotPem),
        }
        .map_err(|_| KeyError::NotRsa)?;
        if !MODULUS_BYTES.contains(&key.public_modulus_len()) {
            return Err(KeyError::Size);
        }
        Ok(Self(Arc::new(key)))
    }

    /// Signs by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2); the result is as long as the modulus.
    pub fn sign_rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed =
            self.0.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        // A key that was parsed and checked cannot fail to sign into a buffer of its own length.
        // Should it ever, the peer refuses the empty signature and the delivery is reported.
        if signed.is_err() {
            signature.clear();
        }
        signature
    }

    /// The public half as SPKI `PUBLIC KEY` PEM.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        public_pem(&self.0)
    }
}

words! {
    /// What a key is for, and how it signs.
    pub enum Algorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rsa = "rsa",
        /// Ed25519 (RFC 8032).
        Ed25519 = "ed25519",
    }
}

/// A public key, parsed once; for peers' signatures. It verifies by its own algorithm and no other, whatever a
/// signature says of itself.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

impl VerifyingKey {
    /// Reads an SPKI `PUBLIC KEY` PEM with an Ed25519 key or an RSA key of 2048 to 8192 bits, or a PKCS#1
    /// `RSA PUBLIC KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = from_pem(text)?;
        if !matches!(label, "PUBLIC KEY" | "RSA PUBLIC KEY") {
            return Err(KeyError::NotPem);
        }
        if let Some(key) = ed25519::parse_spki(&der) {
            return Ok(Self { algorithm: Algorithm::Ed25519, key: key? });
        }
        let key = PublicKey::from_der(&der).map_err(|_| KeyError::NotRsa)?;
        let parts = pkcs1::RsaPublicKey::try_from(key.as_ref()).map_err(|_| KeyError::NotRsa)?;
        if !MODULUS_BYTES.contains(&parts.modulus.as_bytes().len()) {
            return Err(KeyError::Size);
        }
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref()).map_err(|_| KeyError::NotRsa)?;
        Ok(Self { algorithm: Algorithm::Rsa, key })
    }

    /// How it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` over `message` is this key's, by the algorithm that the signature is of.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        algorithm == self.algorithm && self.key.verify_sig(message, signature).is_ok()
    }

    /// Whether `signature` over `message` is this key's, by RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn verify_rsa_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(Algorithm::Rsa, message, signature)
    }
}

fn public_pem(key: &KeyPair) -> Result<String, KeyError> {
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()).map_err(|_| KeyError::NotRsa)?;
    to_pem("PUBLIC KEY", der.as_ref())
}

pub(super) fn to_pem(label: &'static str, der: &[u8]) -> Result<String, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map_err(|_| KeyError::NotPem)
}

/// One PEM block, forgiving about what real actor documents do: blank lines and spaces around it.
pub(super) fn from_pem(text: &str) -> Result<(&str, Vec<u8>), KeyError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyError::NotPem);
    }
    pem::decode_vec(text.trim().as_bytes()).map_err(|_| KeyError::NotPem)
}
