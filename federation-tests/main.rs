//! Do real servers keep what the whole product promises? Each story starts its own and drives them only over HTTP.

mod browser;
mod mia;
mod server;
mod story;
