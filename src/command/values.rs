//! Parsers for option values that several commands share. Values are words of a list; help and
//! completions show them, and errors name the nearest one.

use std::num::NonZeroUsize;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipwhl_unixfs::Profile;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A parser of profile names. Errors name the nearest one.
pub(super) fn profiles() -> impl TypedValueParser<Value = Profile> {
    let names = PossibleValuesParser::new(Profile::ALL.map(Profile::as_str));
    names.try_map(|name| name.parse())
}

/// Parses a number of parallel jobs.
pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "write a whole number that is at least 1".to_owned())
}

/// Parses a time, or a date, which begins at midnight UTC.
pub(super) fn start_of_day(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write it as in `2026-03-01` or `2026-03-01T12:00:00Z`".to_owned();
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date = Date::strptime("%Y-%m-%d", text).map_err(|_| wrong())?;
    if text.len() != "2026-03-01".len() {
        return Err(wrong());
    }
    let start = date.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(start.timestamp())
}

/// A moment, such as `2026-03-01T12:00:00Z`.
pub(super) fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse()
        .map_err(|_| "write it as in `2026-03-01T12:00:00Z`".to_owned())
}
