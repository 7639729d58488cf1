//! How is a password hashed and checked without stopping other requests? On a thread that may work, two at once.

use crate::app::App;
use crate::crypto::Password;
use crate::error::{Error, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Argon2 takes 19 MiB and a processor; more at once would let guessing stop everything else.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// The hash to store for a new password. The password's own rules are checked by the form's verb.
pub async fn hash(app: &App, password: &str) -> Result<String> {
    let (password, seed) = (password.to_owned(), app.chance().bytes::<32>());
    work(app, move || {
        Password::hash(&password, &mut StdRng::from_seed(seed))
            .map_err(|error| Error::invalid("password", format!("Please choose another: {error}.")))
    })
    .await?
}

/// Whether the password is the one behind `stored`; without `stored` it takes as long and says no (ACC-01).
pub async fn verify(app: &App, password: &str, stored: Option<String>) -> Result<bool> {
    let password = password.to_owned();
    work(app, move || match stored {
        Some(stored) => Password::verify(&password, &stored),
        None => Password::verify_nobody(&password),
    })
    .await
}

async fn work<T: Send + 'static>(app: &App, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turns = app.kept::<Turns>();
    let turn = tokio::time::timeout(PATIENCE, turns.0.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Error::Unavailable("too many passwords are being checked".into())) };
    Ok(tokio::task::spawn_blocking(job).await?)
}
