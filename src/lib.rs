//! What is Hedgeschool made of? The modules in the order in which they may use each other; see `src/README.md`.

// Ground: knows nobody.
pub mod chance;
pub mod clock;
pub mod error;
pub mod stop;
pub mod measure;
pub mod word;
pub mod id;
pub mod link;
pub mod crypto;
pub mod text;
pub mod event;
pub mod db;
pub mod config;
pub mod net;
pub mod app;

// Mechanics: know no feature, only actors.
pub mod actor;
pub mod domain;
pub mod setting;
pub mod http;
pub mod federation;
pub mod jobs;
pub mod mail;

// Features: each may use those above it.
pub mod notice;
pub mod note;
pub mod account;
pub mod sign_in;
pub mod media;
pub mod course;
pub mod syllabus;
pub mod cohort;
pub mod enrollment;
pub mod assignment;
pub mod submission;
pub mod discussion;
pub mod catalogue;
pub mod review;
pub mod moderation;
pub mod history;
pub mod moving;
pub mod interaction;
pub mod learning;
pub mod site;

// Top: knows everyone.
pub mod cli;
pub mod dispatch;
pub mod effects;
pub mod routes;
pub mod schedule;
#[cfg(test)]
mod tests;
