//! Values of options that several commands have: words of a list, which are shown, completed and
//! answered with the nearest one.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipwhl_unixfs::Profile;

/// The names of profiles.
pub(super) fn profiles() -> impl TypedValueParser<Value = Profile> {
    let names = PossibleValuesParser::new(Profile::ALL.map(Profile::as_str));
    names.try_map(|name| name.parse())
}
