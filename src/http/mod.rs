//! How does a request become a page or a document, and an error an answer?
//!
//! Knows no feature: who is visiting is put into the request by `sign_in`, as a [`Visitor`].

pub mod answer;
pub mod client;
mod files;
pub mod form;
pub mod health;
pub mod layers;
pub mod negotiate;
pub mod page;
pub mod serve;
pub mod limit;
pub mod password;
pub mod visitor;

pub use answer::{Answer, redirect, redirect_with, redirect_without};
pub use client::Client;
pub use form::{Form, Upload};
pub use negotiate::{WIRE_TYPE, wants_wire, wire};
pub use page::{Page, Pages, render};
pub use visitor::{SignedIn, Visitor};

#[cfg(test)]
mod tests;
