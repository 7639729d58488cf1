//! What does the network-and-arithmetic part of the program consist of?

pub mod crypto;
pub mod federation;
pub mod text;
