//! Parsers for option values that several commands share. Values are words of a list; help and
//! completions show them, and errors name the nearest one.

use std::num::NonZeroUsize;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipwhl_unixfs::Profile;

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
