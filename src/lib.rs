//! What is Hedgeschool made of? The modules in the order in which they may use each other; see `src/README.md`.

// Ground: knows nobody.
pub mod app;
pub mod chance;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod event;
pub mod id;
pub mod link;
pub mod text;
pub mod word;

// Mechanics: know no feature, only actors.
pub mod actor;
pub mod federation;
pub mod http;
pub mod jobs;

// Features: each may use those above it.
pub mod assignment;
pub mod cohort;
pub mod course;
pub mod discussion;
pub mod enrollment;
pub mod learning;
pub mod note;
pub mod notice;
pub mod submission;

// Top: knows everyone.
pub mod dispatch;
pub mod effects;
pub mod routes;
#[cfg(test)]
mod tests;
