//! How do servers talk to each other? Knows actors, but no feature.

pub mod announce;
pub mod collection;
pub mod confined;
pub mod delivery;
pub mod document;
pub mod early;
pub mod fetch;
pub mod inbox;
pub mod integrity;
pub mod object;
pub mod outbox;
pub mod peer;
pub mod received;
pub mod rotation;
pub mod run;
pub mod synchronization;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod town;
pub mod web;
pub mod webfinger;
pub mod wire;

pub use received::{Context, Received};
pub use run::{Dispatch, Documents, start};
