//! Moments as an index and a declaration state them, and the age that a file needs (FORMATS 1, 2).

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// A moment in UTC, with microseconds, as PEP 700 has it: `2023-08-17T17:29:11.123456Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(Timestamp);

/// A text that is not a moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a time in UTC since 1970, as in `2023-08-17T17:29:11Z`, with at most 6 decimals"
)]
pub struct NotUtcTime;

impl UtcTime {
    /// The moment of a timestamp. Parts of a microsecond are cut off.
    pub fn of(timestamp: Timestamp) -> Self {
        let microseconds = timestamp.as_microsecond();
        Self(Timestamp::from_microsecond(microseconds).unwrap_or(timestamp))
    }

    /// The moment without its decimals: the second that it is in.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(Timestamp::from_second(self.0.as_second()).unwrap_or(self.0))
    }

    /// The text on index pages, always with six decimals (PEP 700). Older Pythons read no other
    /// number of decimals.
    pub fn on_pages(self) -> String {
        format!("{:.6}", self.0)
    }
}

impl FromStr for UtcTime {
    type Err = NotUtcTime;

    /// RFC 3339, in UTC and with a four-digit year. There are at most six decimals. No file is older
    /// than 1970.
    fn from_str(text: &str) -> Result<Self, NotUtcTime> {
        let clock = text.strip_suffix('Z').and_then(|text| text.get(11..));
        let decimals = clock.and_then(|clock| clock.split_once('.'));
        let is_exact = decimals.is_none_or(|(_, decimals)| (1..=6).contains(&decimals.len()));
        let is_whole = clock.is_some_and(|clock| clock.split('.').next().map(str::len) == Some(8));
        // A leap second would be read as the second before it.
        let is_leap = clock.is_some_and(|clock| clock.get(6..8) == Some("60"));
        let has_year = text.bytes().take(4).all(|digit| digit.is_ascii_digit());
        if !is_exact || !is_whole || is_leap || !has_year || text.as_bytes().get(10) != Some(&b'T')
        {
            return Err(NotUtcTime);
        }
        let time: Timestamp = text.parse().map_err(|_| NotUtcTime)?;
        if time < Timestamp::UNIX_EPOCH {
            return Err(NotUtcTime);
        }
        Ok(Self::of(time))
    }
}

impl fmt::Display for UtcTime {
    /// RFC 3339 with as few decimals as the moment needs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// The age that a file must have reached: a whole number of hours, days or weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    count: u32,
    unit: Unit,
}

/// The unit of a [`Cooldown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
}

/// A text that is not a cooldown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a whole number, above 0, of `hours`, `days` or `weeks`")]
pub struct NotCooldown;

impl Cooldown {
    /// The longest cooldown: a hundred years.
    const MOST_HOURS: u32 = 100 * 366 * 24;

    /// A number of days.
    pub(crate) const fn days(count: u32) -> Self {
        Self {
            count,
            unit: Unit::Days,
        }
    }

    /// The cooldown in hours.
    pub fn hours(self) -> u32 {
        self.count * self.unit.hours()
    }
}

impl Unit {
    fn hours(self) -> u32 {
        match self {
            Self::Hours => 1,
            Self::Days => 24,
            Self::Weeks => 7 * 24,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
        }
    }
}

impl FromStr for Cooldown {
    type Err = NotCooldown;

    /// A number, a space and a unit, as in `7 days`. `1 day` is also read.
    fn from_str(text: &str) -> Result<Self, NotCooldown> {
        let (count, unit) = text.split_once(' ').ok_or(NotCooldown)?;
        let unit = match unit {
            "hours" | "hour" => Unit::Hours,
            "days" | "day" => Unit::Days,
            "weeks" | "week" => Unit::Weeks,
            _ => return Err(NotCooldown),
        };
        let is_number = count.bytes().all(|digit| digit.is_ascii_digit());
        let count = count.parse().ok().filter(|count| is_number && *count > 0);
        let count: u32 = count.ok_or(NotCooldown)?;
        let hours = count.checked_mul(unit.hours());
        hours
            .filter(|hours| *hours <= Self::MOST_HOURS)
            .map(|_| Self { count, unit })
            .ok_or(NotCooldown)
    }
}

impl fmt::Display for Cooldown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.as_str();
        match self.count {
            1 => write!(formatter, "1 {}", unit.trim_end_matches('s')),
            count => write!(formatter, "{count} {unit}"),
        }
    }
}

/// Whether a file that was uploaded at this time is younger than the cooldown. A file of unknown
/// age counts as too young, and so does a file from the future.
pub fn is_too_young(uploaded: Option<UtcTime>, now: Timestamp, cooldown: Cooldown) -> bool {
    let age = SignedDuration::from_hours(i64::from(cooldown.hours()));
    uploaded.is_none_or(|uploaded| now.duration_since(uploaded.0) < age)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written_exactly() {
        for (text, plain, on_pages) in [
            (
                "2023-08-17T17:29:11Z",
                "2023-08-17T17:29:11Z",
                "2023-08-17T17:29:11.000000Z",
            ),
            (
                "2023-08-17T17:29:11.120000Z",
                "2023-08-17T17:29:11.12Z",
                "2023-08-17T17:29:11.120000Z",
            ),
            (
                "2023-08-17T17:29:11.000001Z",
                "2023-08-17T17:29:11.000001Z",
                "2023-08-17T17:29:11.000001Z",
            ),
        ] {
            let time: UtcTime = text.parse().unwrap();
            assert_eq!(time.to_string(), plain);
            assert_eq!(time.on_pages(), on_pages);
            assert_eq!(plain.parse(), Ok(time));
            assert_eq!(on_pages.parse(), Ok(time));
        }
        for text in [
            "",
            "2023-08-17",
            "2023-08-17T17:29Z",
            "2023-08-17T17:29:11",
            "2023-08-17T17:29:11z",
            "2023-08-17 17:29:11Z",
            "2023-08-17T17:29:11+00:00",
            "2023-08-17T17:29:11.Z",
            "2023-08-17T17:29:11.1234567Z",
            "2023-02-30T17:29:11Z",
            "+002023-08-17T17:29:11Z",
            "2023-08-17T17:29:11,5Z",
            "2023-06-30T23:59:60Z",
            "1969-12-31T23:59:59.999999Z",
            "0000-01-01T00:00:00Z",
            "2023-08-17T17:29:11Z[UTC]Z",
            "\u{661}\u{662}23-08-17T17:29:11Z",
        ] {
            assert_eq!(text.parse::<UtcTime>(), Err(NotUtcTime), "{text}");
        }
    }

    #[test]
    fn a_cooldown_is_a_whole_number_with_a_unit() {
        for (text, hours, written) in [
            ("7 days", 168, "7 days"),
            ("1 day", 24, "1 day"),
            ("1 days", 24, "1 day"),
            ("36 hours", 36, "36 hours"),
            ("2 weeks", 336, "2 weeks"),
        ] {
            let cooldown: Cooldown = text.parse().unwrap();
            assert_eq!(
                (cooldown.hours(), cooldown.to_string().as_str()),
                (hours, written)
            );
        }
        for text in [
            "",
            "7",
            "days",
            "7days",
            "7  days",
            "0 days",
            "-1 days",
            "+1 days",
            "1.5 days",
            "7 months",
            "7 Days",
            " 7 days",
            "4000000 weeks",
            "99999999999 hours",
        ] {
            assert_eq!(text.parse::<Cooldown>(), Err(NotCooldown), "{text}");
        }
    }

    #[test]
    fn a_file_is_old_enough_from_the_exact_moment_on() {
        let uploaded: UtcTime = "2024-01-01T00:00:00Z".parse().unwrap();
        let cooldown: Cooldown = "1 day".parse().unwrap();
        let at = |text: &str| is_too_young(Some(uploaded), text.parse().unwrap(), cooldown);
        assert!(at("2024-01-01T23:59:59.999Z"));
        assert!(!at("2024-01-02T00:00:00Z"));
        assert!(at("2023-06-01T00:00:00Z"), "a file from the future");
        assert!(is_too_young(
            None,
            "2024-06-01T00:00:00Z".parse().unwrap(),
            cooldown
        ));
    }
}
