//! How do servers talk to each other, and whom do we believe?

pub mod address;
pub mod client;
pub mod media;
pub mod signature;
pub mod webfinger;
