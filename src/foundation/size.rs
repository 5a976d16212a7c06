//! Numbers of bytes in words, written and read.

use std::fmt;

use unit_prefix::NumberPrefix;

/// The units of sizes, each with its number of bytes.
const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// A number of bytes for people, as in `15 B` and `1.46 KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanBytes(pub u64);

impl fmt::Display for HumanBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
        let number = self.0 as f64;
        match NumberPrefix::binary(number) {
            NumberPrefix::Standalone(number) => write!(formatter, "{number:.0} B"),
            NumberPrefix::Prefixed(prefix, number) => write!(formatter, "{number:.2} {prefix}B"),
        }
    }
}

/// Parses a number of bytes, as in `500MB`, `5 GiB` or `1.5GiB`.
///
/// # Errors
/// A sentence with the form of a size.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: write it as `500MB` or `5GiB`");
    let trimmed = text.trim();
    let end = trimmed
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return Err(wrong());
    }
    let digits = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let scale = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let whole = digits(whole)?.checked_mul(*factor).ok_or_else(wrong)?;
    let part = u128::from(digits(fraction)?) * u128::from(*factor) / u128::from(scale);
    let part = u64::try_from(part).map_err(|_| wrong())?;
    whole.checked_add(part).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("500MB", 500_000_000),
            ("5 GiB", 5 << 30),
            ("1.5gib", 3 << 29),
            ("2tb", 2_000_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "GiB",
            "-1",
            "5 G",
            "1.",
            ".5GB",
            "1.2.3MB",
            "99999999TiB",
            "5GiBs",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
