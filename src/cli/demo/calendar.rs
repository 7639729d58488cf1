//! How do three weeks pass within seconds? Both schools read one clock, which is moved from day to day up to today.

use crate::clock::{Clock, Time};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The clock of both schools (`development.clock_file`), and what day it really is.
pub struct Calendar {
    file: PathBuf,
    today: Time,
}

impl Calendar {
    /// Shows the real time.
    pub fn open(folder: &Path) -> Result<Self> {
        let calendar = Self { file: folder.join("clock"), today: Clock::System.now() };
        calendar.turn_back(Duration::ZERO)?;
        Ok(calendar)
    }

    /// What schools read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// When the demonstration was started.
    pub fn today(&self) -> Time {
        self.today
    }

    /// The full hour before it, as people choose deadlines.
    pub fn full_hour(time: Time) -> Time {
        let hour = i64::try_from(HOUR.as_millis()).unwrap_or(i64::MAX);
        Time(time.0 - time.0.rem_euclid(hour))
    }

    /// From now on it is so long before the real time.
    pub fn turn_back(&self, span: Duration) -> Result<()> {
        let failed = |e: std::io::Error| Error::Unavailable(format!("the clock cannot be set: {e}"));
        // Renamed into place, so that nobody reads half a number.
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("-{}", span.as_millis())).map_err(failed)?;
        std::fs::rename(&next, &self.file).map_err(failed)
    }
}
