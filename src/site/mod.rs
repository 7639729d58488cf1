//! What is this instance? Its front page, what it says about itself, and its administration.

pub mod admin;
pub mod web;

use crate::account;
use crate::actor::Actor;
use crate::db::Tx;
use crate::error::Result;
use crate::setting::{self, Settings};

/// Changes what is set for the instance. For administrators.
pub fn change(tx: &mut Tx<'_>, by: &Actor, settings: &Settings) -> Result<()> {
    account::may_administer(tx, by)?;
    setting::change(tx, Some(by.id), settings)
}

/// A course on the front page: what a course that people can join looks like from outside.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What it is called.
    pub title: String,
    /// Path of its page here.
    pub path: String,
    /// One or two lines.
    pub tagline: String,
    /// State of the run that can be joined: `open`, `full`, `running`, `planned`.
    pub state: String,
    /// Its home, when that is elsewhere; else empty.
    pub host: String,
    /// Such as `From 12 Jan, 6 weeks`; may be empty.
    pub when: String,
    /// Such as `7 of 20 seats left`; may be empty.
    pub seats: String,
}

#[cfg(test)]
mod tests;
