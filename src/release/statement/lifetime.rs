//! The lifetime of a statement: the argument of `--expires`.

use jiff::SignedDuration;
use thiserror::Error;

/// The longest lifetime: a hundred years.
const MAXIMUM_HOURS: i64 = 100 * 366 * 24;

/// A text that is not a lifetime.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a lifetime such as 180d, 26w or 36h: {reason}")]
pub struct LifetimeError {
    text: String,
    reason: &'static str,
}

/// Reads a lifetime: a whole number and `h`, `d` or `w`, for hours, days of 24 hours, and weeks.
pub fn parse_lifetime(text: &str) -> Result<SignedDuration, LifetimeError> {
    let refuse = |reason| LifetimeError {
        text: text.to_owned(),
        reason,
    };
    let text = text.trim();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(refuse("it does not start with a number"));
    }
    let hours_per_unit = match unit.trim_start() {
        "h" | "hour" | "hours" => 1,
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 7 * 24,
        "" => return Err(refuse("the unit is missing")),
        "m" | "month" | "months" => return Err(refuse("months differ in length; use days")),
        "y" | "year" | "years" => return Err(refuse("years differ in length; use days")),
        _ => return Err(refuse("the units are h, d and w")),
    };
    // A number that does not fit exceeds the longest lifetime in any case.
    let number = number.parse::<i64>().unwrap_or(i64::MAX);
    let hours = number.saturating_mul(hours_per_unit);
    match hours {
        0 => Err(refuse("a lifetime cannot be zero")),
        1..=MAXIMUM_HOURS => Ok(SignedDuration::from_hours(hours)),
        _ => Err(refuse("it is longer than a hundred years")),
    }
}
