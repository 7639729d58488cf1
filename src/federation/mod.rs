//! How do servers talk to each other? Knows actors, but no feature.

pub mod address;
pub mod announce;
pub mod fetch;
pub mod object;
pub mod outbox;
pub mod received;
pub mod signature;
pub mod wire;

pub use received::{Context, Received};
