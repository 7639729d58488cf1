//! Are dates, zone and seats of a cohort usable, and how are they shown? Pure.

use super::Enrolling;
use crate::error::{Error, Problems, Result};
use jiff::civil::Date;

/// What an organizer plans.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What the run is called: "Autumn 2026".
    pub name: String,
    /// First day, as 2026-09-15.
    pub starts_on: String,
    /// Last day.
    pub ends_on: String,
    /// IANA zone of the days.
    pub zone: String,
    /// How many learners.
    pub seats: String,
    /// `open` or `moderated`.
    pub enrolling: String,
}

/// A plan that was read.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) seats: i64,
    pub(super) enrolling: Enrolling,
}

impl Plan {
    /// Refuses what cannot be used, field by field.
    pub(super) fn check(&self) -> Result<Checked> {
        let mut wrong = Problems::default();
        let name = self.name.chars().count();
        wrong.add_if(!(1..=100).contains(&name), "name", "Please name the run, such as Autumn 2026.");
        let (starts, ends) = (day(&self.starts_on), day(&self.ends_on));
        wrong.add_if(starts.is_none(), "starts_on", "Please give the first day.");
        wrong.add_if(ends.is_none(), "ends_on", "Please give the last day.");
        if let (Some(starts), Some(ends)) = (starts, ends) {
            wrong.add_if(ends < starts, "ends_on", "The last day cannot be before the first.");
        }
        let zone = jiff::tz::TimeZone::get(&self.zone);
        wrong.add_if(zone.is_err(), "zone", "Please give a zone such as Europe/Berlin or UTC.");
        let seats = self.seats.parse::<i64>().ok().filter(|seats| (1..=10_000).contains(seats));
        wrong.add_if(seats.is_none(), "seats", "Please give 1 to 10,000 seats.");
        let enrolling = self.enrolling.parse::<Enrolling>().ok();
        wrong.add_if(enrolling.is_none(), "enrolling", "Please choose who gets a seat.");
        wrong.check()?;
        match (seats, enrolling) {
            (Some(seats), Some(enrolling)) => Ok(Checked { seats, enrolling }),
            _ => Err(Error::internal("a plan passed without its parts")),
        }
    }
}

/// A calendar day of four, two and two digits; nothing when it is something else.
pub(super) fn day(text: &str) -> Option<Date> {
    if text.len() != 10 {
        return None;
    }
    text.parse().ok()
}

/// A calendar day for people: `Tue 15 Sep 2026`. What is no day is shown as it is.
pub fn show_day(text: &str) -> String {
    day(text).map_or_else(|| text.to_owned(), |day| day.strftime("%a %-d %b %Y").to_string())
}

/// First to last day for people.
pub fn range(starts_on: &str, ends_on: &str) -> String {
    format!("{} to {}", show_day(starts_on), show_day(ends_on))
}
