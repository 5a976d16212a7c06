//! OpenSSH's `allowed_signers` files (ssh-keygen(1), ALLOWED SIGNERS).
//!
//! Off-spec: for ssh-keygen, a time without `Z` is in the reader's time zone. The same file would
//! have different meanings on different machines, so here it is an error.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::signer::{Entry, Signer};
use crate::release::signature::{KeyError, NAMESPACE, TrustedKey, is_key_type};

/// The longest file that is read.
const MAXIMUM_SIZE: usize = 1024 * 1024;

/// The options of a line, as in ssh-keygen.
#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

/// A mistake in an `allowed_signers` file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}the allowed_signers file {reason}", line_prefix(*line))]
pub struct AllowedSignersError {
    /// The line, counted from 1; 0 is the file as a whole.
    pub line: usize,
    /// The problem with it.
    pub reason: String,
}

/// The number of a line, as the start of a sentence.
fn line_prefix(line: usize) -> String {
    match line {
        0 => String::new(),
        line => format!("line {line} of "),
    }
}

/// The entries whose keys may sign in the namespace of releases.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, AllowedSignersError> {
    if text.len() > MAXIMUM_SIZE {
        let reason = format!(
            "has {} bytes; at most {MAXIMUM_SIZE} are allowed",
            text.len()
        );
        return Err(AllowedSignersError { line: 0, reason });
    }
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let refuse = |reason: String| AllowedSignersError {
            line: index + 1,
            reason,
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        entries.extend(parse_line(line).map_err(|reason| {
            refuse(if line.split([' ', '\t']).next().is_some_and(is_key_type) {
                "begins with a key, but needs the name of a signer before it".to_owned()
            } else {
                reason
            })
        })?);
    }
    Ok(entries)
}

/// One line: `principals [options] type key [comment]`. `None` for a valid line that allows no
/// signature here.
fn parse_line(line: &str) -> Result<Option<Entry>, String> {
    let (principals, rest) = word(line).ok_or("has a quotation mark that is not closed")?;
    let principals = principals.trim_matches('"');
    if principals.is_empty() || principals.chars().any(char::is_control) {
        return Err("has no principal, or one with a control character".to_owned());
    }
    let (mut first, mut after) = word(rest).ok_or("has a quotation mark that is not closed")?;
    let mut options = Options::default();
    let mut key = rest;
    if !is_key_type(first) {
        options = parse_options(first)?;
        key = after;
        (first, after) = word(key).ok_or("has a quotation mark that is not closed")?;
    }
    if !is_key_type(first) || after.is_empty() {
        return Err("has no key".to_owned());
    }
    if let (Some(from), Some(to)) = (options.valid_after, options.valid_before)
        && to <= from
    {
        return Err("has a valid-before that is not after its valid-after".to_owned());
    }
    let key = match key.replace('\t', " ").parse::<TrustedKey>() {
        Ok(trusted) => trusted.key,
        Err(KeyError::Algorithm(_)) => return Ok(None),
        Err(error) => return Err(format!("has an invalid key: {error}")),
    };
    if !options
        .namespaces
        .is_none_or(|patterns| matches_list(NAMESPACE, &patterns))
    {
        return Ok(None);
    }
    Ok(Some(Entry {
        signer: Signer {
            key,
            name: principals.to_owned(),
        },
        valid_after: options.valid_after,
        valid_before: options.valid_before,
    }))
}

/// The first word, which may contain spaces between quotation marks, and the rest; `None` if a
/// quotation mark is not closed.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut within = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => within = !within,
            b' ' | b'\t' if !within => return Some((&text[..index], text[index..].trim_start())),
            _ => {}
        }
    }
    (!within).then_some((text, ""))
}

/// Comma-separated options; names in upper or lower case, values between quotation marks.
fn parse_options(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let name = name.to_ascii_lowercase();
        let (value, tail) = match tail.strip_prefix("=\"").map(|tail| tail.split_once('"')) {
            Some(Some((value, tail))) => (Some(value), tail),
            Some(None) => {
                return Err(format!(
                    "has the option {name} without a closing quotation mark"
                ));
            }
            None => (None, tail),
        };
        let twice = || format!("has the option {name} twice");
        match (name.as_str(), value) {
            ("cert-authority", _) => {
                return Err(
                    "has cert-authority, but certificates are not supported: list the keys \
                            themselves"
                        .to_owned(),
                );
            }
            ("no-touch-required", _) => {
                return Err(
                    "has no-touch-required, but a signature of a hardware key counts only \
                            with a touch"
                        .to_owned(),
                );
            }
            ("namespaces", Some(value)) => {
                if options.namespaces.replace(value.to_owned()).is_some() {
                    return Err(twice());
                }
            }
            ("valid-after", Some(value)) => {
                if options
                    .valid_after
                    .replace(parse_time(&name, value)?)
                    .is_some()
                {
                    return Err(twice());
                }
            }
            ("valid-before", Some(value)) => {
                if options
                    .valid_before
                    .replace(parse_time(&name, value)?)
                    .is_some()
                {
                    return Err(twice());
                }
            }
            ("namespaces" | "valid-after" | "valid-before", None) => {
                return Err(format!(
                    "has the option {name} without a value between quotation marks"
                ));
            }
            _ => {
                return Err(format!(
                    "has {name:?} where an option or a type of key is expected"
                ));
            }
        }
        rest = match tail.strip_prefix(',') {
            Some("") => return Err("has a comma after its last option".to_owned()),
            Some(next) => next,
            None if tail.is_empty() => "",
            None => return Err(format!("has {tail:?} after the option {name}")),
        };
    }
    Ok(options)
}

/// `YYYYMMDDZ`, `YYYYMMDDHHMMZ` or `YYYYMMDDHHMMSSZ`.
fn parse_time(name: &str, text: &str) -> Result<Timestamp, String> {
    let Some(digits) = text.strip_suffix(['Z', 'z']) else {
        return Err(format!(
            "has {name}={text:?} in an unnamed time zone: write \"{text}Z\" for UTC"
        ));
    };
    let complete =
        matches!(digits.len(), 8 | 12 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let time = complete.then(|| DateTime::strptime("%Y%m%d%H%M%S", format!("{digits:0<14}")));
    match time {
        Some(Ok(time)) => time
            .to_zoned(TimeZone::UTC)
            .map(|time| time.timestamp())
            .map_err(|_| format!("has {name}={text:?}, which is out of range")),
        _ => Err(format!(
            "has {name}={text:?}, which is not a time such as 20261120Z"
        )),
    }
}

/// Whether a text matches a list of patterns (`ssh_config(5)`, PATTERNS): comma-separated, with `*`
/// and `?`; if one that begins with `!` matches, the list does not.
fn matches_list(text: &str, patterns: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(text.as_bytes(), pattern.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches(text.as_bytes(), pattern.as_bytes()),
        }
    }
    found
}

/// Linear in text times pattern: on a mismatch only the last `*` is tried again.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while at < text.len() {
        match pattern.get(place) {
            Some(b'*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[at] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((star_place, star_at)) => {
                    star = Some((star_place, star_at + 1));
                    at = star_at + 1;
                    place = star_place + 1;
                }
                None => return false,
            },
        }
    }
    pattern[place..].iter().all(|byte| *byte == b'*')
}
