//! How are Ed25519 keys made, kept as PEM, shown as Multikey, and used to sign documents?

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey},
};

use super::key::{KeyError, from_pem, to_pem};

/// What stands before the 32 bytes of the key in an SPKI document (RFC 8410 4).
const SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// `ed25519-pub` in the table of multicodecs, as a varint.
const CODEC: [u8; 2] = [0xed, 0x01];
/// Longest Multikey that is looked at, in bytes; one of Ed25519 has 48.
const LONGEST: usize = 128;

/// Both halves of a fresh pair as PEM: private, then public.
pub(super) fn generate() -> Result<(String, String), KeyError> {
    let key = Ed25519KeyPair::generate().map_err(|_| KeyError::Generate)?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| KeyError::Generate)?;
    Ok((to_pem("PRIVATE KEY", private.as_ref())?, public_pem(key.public_key().as_ref())?))
}

/// A private key that signs documents, parsed once; cloning it copies a pointer.
#[derive(Clone)]
pub struct ProofKey(Arc<Ed25519KeyPair>);

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey")
    }
}

impl ProofKey {
    /// Reads a PKCS#8 `PRIVATE KEY` PEM with an Ed25519 key (RFC 8410 7).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, der) = from_pem(text)?;
        if label != "PRIVATE KEY" {
            return Err(KeyError::NotPem);
        }
        Ed25519KeyPair::from_pkcs8(&der).map(|key| Self(Arc::new(key))).map_err(|_| KeyError::NotEd25519)
    }

    /// Signs (RFC 8032 5.1.6); 64 bytes, always the same for the same message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

/// The key in an SPKI document, when it is one of Ed25519.
pub(super) fn parse_spki(der: &[u8]) -> Option<Result<ParsedPublicKey, KeyError>> {
    let raw = der.strip_prefix(SPKI)?;
    Some(ParsedPublicKey::new(&ED25519, raw).map_err(|_| KeyError::NotEd25519))
}

fn public_pem(raw: &[u8]) -> Result<String, KeyError> {
    to_pem("PUBLIC KEY", &[SPKI, raw].concat())
}

/// A public key as `publicKeyMultibase` of a Multikey (FEP-521a).
pub fn to_multikey(public_pem: &str) -> Result<String, KeyError> {
    let (_, der) = from_pem(public_pem)?;
    let raw = der.strip_prefix(SPKI).ok_or(KeyError::NotEd25519)?;
    let bytes = [CODEC.as_slice(), raw].concat();
    Ok(format!("z{}", bs58::encode(bytes).into_string()))
}

/// The SPKI PEM of the Ed25519 key that a `publicKeyMultibase` holds: base58btc alone, as FEP-521a says.
pub fn from_multikey(text: &str) -> Result<String, KeyError> {
    let encoded = text.strip_prefix('z').filter(|rest| rest.len() < LONGEST).ok_or(KeyError::NotEd25519)?;
    let bytes = bs58::decode(encoded).into_vec().map_err(|_| KeyError::NotEd25519)?;
    let raw = bytes.strip_prefix(&CODEC).filter(|raw| raw.len() == 32).ok_or(KeyError::NotEd25519)?;
    ParsedPublicKey::new(&ED25519, raw).map_err(|_| KeyError::NotEd25519)?;
    public_pem(raw)
}
