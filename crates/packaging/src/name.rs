//! Names of projects, extras and dependency groups, stored in their normalised form only.
//!
//! Specification: "Names and normalization"; core metadata 2.3 applies the same rules to extras,
//! and "Dependency Groups" to groups.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that is not the name of a project, an extra or a dependency group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.sentence())]
pub struct InvalidName {
    /// The intended kind of name, such as "project".
    kind: &'static str,
    name: String,
}

impl InvalidName {
    fn sentence(&self) -> String {
        let Self { kind, name } = self;
        if name.is_empty() {
            return format!("the {kind} name is empty");
        }
        format!(
            "{name:?} is not a valid {kind} name: only ASCII letters, digits, `.`, `-` and `_`, \
             with a letter or digit first and last"
        )
    }
}

/// Whether `name` has the form that the specification requires, in any spelling.
pub(super) fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().copied().all(is_name_byte)
}

/// Whether a byte is allowed inside a name.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// The normalised form: lower case, each run of `-`, `_` and `.` as one `-`.
///
/// Any text is accepted, even if invalid: a marker may compare `extra` with any text.
pub(super) fn normalise(name: &str) -> String {
    let mut normalised = String::with_capacity(name.len());
    let mut in_run = false;
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !in_run {
                normalised.push('-');
            }
            in_run = true;
        } else {
            normalised.extend(character.to_lowercase());
            in_run = false;
        }
    }
    normalised
}

macro_rules! name_type {
    ($(#[$documentation:meta])* $name:ident, $kind:literal) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The normalised name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_valid(text) {
                    Ok(Self(normalise(text)))
                } else {
                    Err(InvalidName { kind: $kind, name: text.to_owned() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// The name of a project, normalised: `Zope.Interface` becomes `zope-interface`.
    ProjectName, "project"
}

name_type! {
    /// The name of an extra, normalised like the name of a project.
    ExtraName, "extra"
}

name_type! {
    /// The name of a dependency group, normalised like the name of a project.
    GroupName, "dependency group"
}
