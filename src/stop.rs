//! When shall work end? One signal that everyone who runs for long listens to.

use tokio::sync::watch;

/// Gives the signal, once.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Hears the signal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Who gives the signal, and who hears it.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Whether to take on nothing new.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is asked for, or when nobody is left who could ask.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        // An error means that the other side is gone: time to end as well.
        drop(receiver.wait_for(|asked| *asked).await);
    }
}

impl Stopper {
    /// Everyone finishes what they are at and begins nothing new.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
