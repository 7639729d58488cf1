//! Which arithmetic do signatures, passwords and tokens rest on, and how is it called?
//!
//! One provider does all RSA, Ed25519 and hashing (`aws-lc-rs`); passwords are Argon2id. Nothing here knows
//! about requests, actors or the database.

mod ed25519;
mod key;
mod password;
#[cfg(test)]
mod tests;
mod token;

pub use ed25519::{ProofKey, from_multikey, to_multikey};
pub use key::{Algorithm, KeyError, Keypair, SigningKey, VerifyingKey};
pub use password::{MAX_PASSWORD_BYTES, Password, PasswordError};
pub use token::{Token, TokenHash, handle_suffix, token_128, token_256};

/// SHA-256 of `bytes`, 32 bytes long (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// SHA-256 of what comes in pieces.
pub struct Sha256(aws_lc_rs::digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }
}

impl Sha256 {
    /// The next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// In hexadecimal, of all pieces.
    pub fn hex(self) -> String {
        data_encoding::HEXLOWER.encode(self.0.finish().as_ref())
    }
}

/// Whether both byte strings are the same, in a time that depends on their lengths only.
///
/// For secrets: a comparison that stops at the first difference tells how much of a guess was right.
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
