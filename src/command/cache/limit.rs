//! How large the cache may become. It is this machine's matter, and all repositories share it, so no
//! `ipwhl.toml` says it: a set that somebody looks at does not decide about their disk.

use std::io::ErrorKind;

use toml_edit::DocumentMut;

use super::super::context::Context;
use super::super::exit::Failure;

/// The variable that goes before the file.
pub(super) const LIMIT: &str = "IPWHL_CACHE_LIMIT";

/// The units, each with the bytes that it stands for.
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

/// The limit that is set, by the variable or in the user's own settings.
pub(super) fn configured(context: &Context<'_>) -> Result<Option<u64>, Failure> {
    if let Some(value) = context.environment.variable(LIMIT) {
        let text = value.to_string_lossy();
        let size = parse_size(&text).map_err(|error| Failure::usage(format!("`{LIMIT}`: {error}")));
        return size.map(Some);
    }
    let Some(home) = &context.environment.configuration_home else {
        return Ok(None);
    };
    let path = home.join("ipwhl").join("config.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::world(format!(
                "`{}` cannot be read: {error}",
                path.display()
            )));
        }
    };
    of_settings(&text).map_err(|reason| Failure::usage(format!("`{}`: {reason}", path.display())))
}

/// The limit in the text of the user's settings, which have nothing else.
fn of_settings(text: &str) -> Result<Option<u64>, String> {
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let mut limit = None;
    for (key, item) in document.iter() {
        let cache = (key == "cache").then(|| item.as_table_like()).flatten();
        let cache = cache.ok_or_else(|| format!("`{key}` is no table of these settings"))?;
        for (key, item) in cache.iter() {
            let text = (key == "limit").then(|| item.as_str()).flatten();
            let text = text.ok_or_else(|| {
                format!("`cache.{key}`: these settings have `limit` alone, as in `\"5 GiB\"`")
            })?;
            limit = Some(parse_size(text)?);
        }
    }
    Ok(limit)
}

/// Reads a number of bytes, as in `500MB`, `5 GiB` or `1.5GiB`.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: write it as `500MB` or `5GiB`");
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

    #[test]
    fn settings_have_a_limit_and_nothing_else() {
        assert_eq!(of_settings(""), Ok(None));
        assert_eq!(of_settings("[cache]\nlimit = \"2 KiB\"\n"), Ok(Some(2048)));
        for text in [
            "[cach]\n",
            "cache = 1\n",
            "[cache]\nlimit = 5\n",
            "[cache]\nlimits = \"5GiB\"\n",
            "[cache]\nlimit = \"much\"\n",
            "[cache",
        ] {
            assert!(of_settings(text).is_err(), "{text}");
        }
    }
}
