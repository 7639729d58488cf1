//! Which moment does an organizer mean who types a day and an hour?

use crate::clock::Time;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// What a browser's date and time field sends (`2026-10-03T18:00`), meant in this zone. An hour that is skipped in
/// spring is no time; of an hour that comes twice in autumn the later one counts, because nobody shall be cut short.
pub fn read(text: &str, zone: &str) -> Result<Time, &'static str> {
    let typed: DateTime = text.parse().map_err(|_| "Please enter a day and a time, such as 2026-10-03T18:00.")?;
    let zone = TimeZone::get(zone).map_err(|_| "The zone of this run is not known.")?;
    let meant = zone.to_ambiguous_zoned(typed);
    if matches!(meant.offset(), AmbiguousOffset::Gap { .. }) {
        return Err("The clocks are put forward then, so this time does not exist. Please choose another.");
    }
    let moment = meant.later().map_err(|_| "This time is out of range.")?;
    Ok(Time(moment.timestamp().as_millisecond()))
}

/// The moment as such a field shows it.
pub fn write(time: Time, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    time.timestamp().to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// For people who are nowhere in particular: `3 Oct 2026, 18:00 UTC`.
pub fn in_utc(time: Time) -> String {
    time.timestamp().strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// For people in this zone: `Sat 3 Oct 2026, 18:00`.
pub fn in_zone(time: Time, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    time.timestamp().to_zoned(zone).strftime("%a %-d %b %Y, %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_meant_where_the_run_is() {
        let read = read("2026-10-03T18:00", "Europe/Berlin").unwrap();
        assert_eq!(read.rfc3339(), "2026-10-03T16:00:00Z");
        assert_eq!(write(read, "Europe/Berlin"), "2026-10-03T18:00");
        assert_eq!(in_utc(read), "3 Oct 2026, 16:00 UTC");
    }

    #[test]
    fn skipped_hours_are_refused_and_doubled_ones_are_the_later() {
        assert!(read("2026-03-29T02:30", "Europe/Berlin").unwrap_err().contains("does not exist"));
        assert_eq!(read("2026-10-25T02:30", "Europe/Berlin").unwrap().rfc3339(), "2026-10-25T01:30:00Z");
        assert!(read("tomorrow", "UTC").is_err());
    }
}
