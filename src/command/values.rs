//! Values of options that are a list of words: shown, completed, and answered with the nearest one.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::dag::Profile;

/// The names of profiles.
pub(super) fn profiles() -> impl TypedValueParser<Value = Profile> {
    let names = PossibleValuesParser::new(Profile::ALL.map(Profile::as_str));
    names.try_map(|name| name.parse())
}
