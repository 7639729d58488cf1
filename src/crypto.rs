//! How are keys made, until the whole of the arithmetic is here?
/// A public and a private key in PEM, made before the transaction because that takes long.
#[derive(Clone)]
pub struct KeyPair {
    /// SPKI.
    pub public_pem: String,
    /// PKCS#8.
    pub private_pem: String,
}

/// stub
pub fn generate_keys() -> crate::error::Result<KeyPair> {
    use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048)
        .map_err(|e| crate::error::Error::Internal(Box::new(e)))?;
    let f = |e: String| crate::error::Error::internal(e);
    Ok(KeyPair {
        public_pem: key.to_public_key().to_public_key_pem(LineEnding::LF).map_err(|e| f(e.to_string()))?,
        private_pem: key.to_pkcs8_pem(LineEnding::LF).map_err(|e| f(e.to_string()))?.to_string(),
    })
}
