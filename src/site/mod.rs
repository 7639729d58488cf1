//! What is this instance? Its front page, what it says about itself, and its administration.

pub mod peers;
mod store;
pub mod web;

use crate::account;
use crate::actor::Actor;
use crate::cohort::{self, Cohort};
use crate::course::{self, Course, Place};
use crate::db::{Db, Tx};
use crate::enrollment;
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

/// How many courses stand on the front page.
const OFFERS: usize = 6;

/// Courses with a run that people can join or that is planned, newest first: for everyone.
pub fn offers(db: &mut Db) -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for (course, group) in course::list(db, Place::Everywhere, 0)? {
        if let Some(cohort) = cohort::current(db, course.id)? {
            offers.push(offer(db, &course, &group, &cohort)?);
        }
        if offers.len() == OFFERS {
            break;
        }
    }
    Ok(offers)
}

fn offer(db: &mut Db, course: &Course, group: &Actor, cohort: &Cohort) -> Result<Offer> {
    let seats = if group.here {
        let left = (cohort.seats - enrollment::seats_taken(db, cohort.id)?).max(0);
        format!("{left} of {} seats left", cohort.seats)
    } else {
        format!("{} seats", cohort.seats)
    };
    Ok(Offer {
        title: group.name.clone(),
        path: group.path(),
        tagline: course.tagline.clone(),
        state: cohort.state.to_string(),
        host: if group.here { String::new() } else { group.host.clone() },
        when: cohort::range(&cohort.starts_on, &cohort.ends_on),
        seats,
    })
}

#[cfg(test)]
mod tests;
