//! Do real servers keep what the whole product promises? Each story starts its own and drives them only over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall stop and say where"
)]

mod accounts;
mod browser;
mod crawl;
mod lab;
mod demo;
mod mia;
mod microblog;
mod server;
mod story;
