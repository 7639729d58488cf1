//! How is a password kept, and how is a guess compared with it?

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use rand::RngCore;

/// Longest password that is accepted, in bytes; nothing is ever cut off (ACC-06).
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Memory in KiB, passes, and lanes: the OWASP figures for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);
const SALT_BYTES: usize = 16;

/// A hash of the right cost that no password is known for; see [`Password::verify_nobody`].
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("a password may have at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The hash could not be computed (no memory).
    #[error("the password could not be hashed")]
    Hash,
}

/// Argon2id with the parameters of this program.
///
/// Each call takes some 20 ms and 19 MiB: run it off the async workers, and behind a limit.
#[derive(Debug, Clone, Copy)]
pub struct Password;

impl Password {
    /// Hashes a new password with a salt drawn from `chance`; the result is a PHC string to store.
    pub fn hash(password: &str, chance: &mut dyn RngCore) -> Result<String, PasswordError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        let mut salt = [0; SALT_BYTES];
        chance.fill_bytes(&mut salt);
        let hash = argon()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
        Ok(hash.to_string())
    }

    /// Whether `password` is the one behind the stored PHC string. False for anything unusable.
    pub fn verify(password: &str, stored: &str) -> bool {
        // An over-long guess cannot be right, but takes as long as any other.
        let (guess, possible) = match password.len() {
            0..=MAX_PASSWORD_BYTES => (password, true),
            _ => ("", false),
        };
        let Ok(argon) = argon() else { return false };
        argon.verify_password(guess.as_bytes(), stored).is_ok() && possible
    }

    /// Spends the time of [`Password::verify`] for a name that does not exist, then says no.
    ///
    /// Otherwise the answer's speed would tell which names exist (ACC-01).
    pub fn verify_nobody(password: &str) -> bool {
        let _ = Self::verify(password, NOBODY);
        false
    }

    /// Whether a stored hash was made with other parameters than today's, so that it should be
    /// replaced at the next successful sign-in.
    pub fn is_outdated(stored: &str) -> bool {
        let (memory, passes, lanes) = COST;
        !stored.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
    }
}

fn argon() -> Result<Argon2<'static>, PasswordError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
