//! How are unguessable tokens made, shown, and kept so that a stolen database does not reveal them?

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngCore;

use super::{same_secret, sha256};

/// Crockford's alphabet in lower case: no letter that is mistaken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A secret of 256 bits that its holder shows again: a session, a link in a mail.
///
/// Only its [`TokenHash`] is stored. It has no `Display` so that it reaches no log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// Draws a new token from `chance`, which must be a cryptographic source.
    pub fn new(chance: &mut dyn RngCore) -> Self {
        Self(token_256(chance))
    }

    /// Takes what somebody showed; anything that is not the shape of a token is `None`.
    pub fn shown(text: &str) -> Option<Self> {
        let shape = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        shape.then(|| Self(text.to_owned()))
    }

    /// The text for a cookie or a link: 43 characters of base64url.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> TokenHash {
        TokenHash(sha256(self.0.as_bytes()))
    }
}

/// SHA-256 of a [`Token`]. Unsalted, because 256 random bits cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The 32 bytes as stored.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lower-case hexadecimal, 64 characters, for text columns.
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// Whether `token` hashes to this, in constant time.
    pub fn matches(&self, token: &Token) -> bool {
        same_secret(&self.0, &token.hash().0)
    }
}

/// 128 random bits as 26 lower-case base32 characters: public ids that must tell nothing.
pub fn token_128(chance: &mut dyn RngCore) -> String {
    let mut bytes = [0; 16];
    chance.fill_bytes(&mut bytes);
    base32(&bytes)
}

/// 256 random bits as 43 characters of base64url without padding: secrets.
pub fn token_256(chance: &mut dyn RngCore) -> String {
    let mut bytes = [0; 32];
    chance.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// 20 random bits as four characters, to make a taken handle free again (`rust-7k2q`).
pub fn handle_suffix(chance: &mut dyn RngCore) -> String {
    let mut bytes = [0; 3];
    chance.fill_bytes(&mut bytes);
    base32(&bytes).chars().take(4).collect()
}

fn base32(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::new(), 0u32, 0u32);
    let mut push = |index: u32| {
        if let Some(&letter) = ALPHABET.get((index & 31) as usize) {
            out.push(char::from(letter));
        }
    };
    for &byte in bytes {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    out
}
