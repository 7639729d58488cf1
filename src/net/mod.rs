//! How are other servers reached, and what do signatures prove? Knows no actors.

pub mod address;
pub mod signature;
