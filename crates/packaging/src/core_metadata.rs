//! Core metadata: the fields of METADATA that an index and its checks need.
//!
//! Specification: "Core metadata". Other fields may contain any text in UTF-8, because pip installs
//! no other encoding. The needed fields must follow the specification, or are refused.

mod headers;

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::Version;

use super::name::{self, ExtraName, ProjectName};
use super::requirement::Requirement;
use super::specifier::{self, VersionSpecifiers};
use headers::Headers;

/// The contents of METADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreMetadata {
    /// Metadata-Version, such as `2.4`.
    pub metadata_version: String,
    /// Name, as written.
    pub name: String,
    /// Name, normalised.
    pub project: ProjectName,
    /// Version.
    pub version: Version,
    /// Requires-Python; an empty one counts as absent.
    pub requires_python: Option<VersionSpecifiers>,
    /// Each Requires-Dist, in the order of the file; repeated ones are repeated.
    pub requires_dist: Vec<Requirement>,
    /// Each Provides-Extra, normalised.
    pub provides_extra: BTreeSet<ExtraName>,
    /// What it says about its licence and its people, as written.
    pub about: AboutFields,
}

/// Fields for people, as written and unchecked; a missing or empty field is `None`. Any text in UTF-8
/// can be in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AboutFields {
    /// License-Expression (PEP 639).
    pub license_expression: Option<String>,
    /// License, which often holds a name or a whole text.
    pub license: Option<String>,
    /// Each Classifier, in the order of the file.
    pub classifiers: Vec<String>,
    /// Author.
    pub author: Option<String>,
    /// Author-email.
    pub author_email: Option<String>,
    /// Maintainer.
    pub maintainer: Option<String>,
    /// Maintainer-email.
    pub maintainer_email: Option<String>,
}

impl AboutFields {
    fn of(headers: &Headers) -> Self {
        let field = |name| headers.optional(name).filter(|text| !text.is_empty());
        Self {
            license_expression: field("License-Expression"),
            license: field("License"),
            classifiers: headers.all("Classifier"),
            author: field("Author"),
            author_email: field("Author-email"),
            maintainer: field("Maintainer"),
            maintainer_email: field("Maintainer-email"),
        }
    }
}

/// The specification marks all other fields as multiple use.
const SINGLE_USE: [&str; 16] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Summary",
    "Description",
    "Description-Content-Type",
    "Keywords",
    "Home-page",
    "Download-URL",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
    "License",
    "License-Expression",
    "Requires-Python",
];

/// From this version on a Provides-Extra must be a valid name (PEP 685).
const STRICT_EXTRAS: (u64, u64) = (2, 3);

/// A field that older tools accepted and the current specification refuses, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyField {
    /// The field's name: `Requires-Dist`, `Requires-Python` or `Provides-Extra`.
    pub field: &'static str,
    /// One sentence.
    pub reason: String,
}

const REQUIRES_PYTHON: &str = "Requires-Python";
const REQUIRES_DIST: &str = "Requires-Dist";
const PROVIDES_EXTRA: &str = "Provides-Extra";

impl CoreMetadata {
    /// Reads METADATA; each error is a sentence about a violation of the specification.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<String>> {
        let (metadata, legacy) = Self::parse_with_legacy(bytes)?;
        if legacy.is_empty() {
            Ok(metadata)
        } else {
            Err(legacy.into_iter().map(|field| field.reason).collect())
        }
    }

    /// Reads METADATA, and leaves out requirements and extras that the current specification
    /// refuses; the project and its version are known nevertheless.
    ///
    /// # Errors
    /// All violations of the specification, a sentence each, if there are others.
    pub fn parse_with_legacy(bytes: &[u8]) -> Result<(Self, Vec<LegacyField>), Vec<String>> {
        let Ok(text) = str::from_utf8(bytes) else {
            return Err(vec![
                "it is not UTF-8, so pip does not install it".to_owned(),
            ]);
        };
        let headers = Headers::parse(text);
        let mut legacy = Vec::new();
        let mut errors = headers.disputed();
        for field in SINGLE_USE {
            let times = headers.count(field);
            if times > 1 {
                errors.push(format!(
                    "{field} is given {times} times, and may be given once"
                ));
            }
        }
        let metadata_version = headers.required("Metadata-Version", &mut errors);
        let version_numbers = metadata_version.as_deref().and_then(|text| {
            let numbers = parse_metadata_version(text);
            if numbers.is_none() {
                errors.push(format!(
                    "Metadata-Version {text:?} is neither a 1.x nor a 2.x version"
                ));
            }
            numbers
        });
        let name = headers.required("Name", &mut errors);
        if headers.has_blank_end("Name") {
            // Neither pip nor uv recognises such a name.
            errors.push("Name has a blank at its end".to_owned());
        }
        let project = name
            .as_deref()
            .and_then(|name| read("Name", name.parse(), &mut errors));
        let version = headers
            .required("Version", &mut errors)
            .and_then(|version| read_version(&version, &mut errors));
        let requires_python = headers
            .optional("Requires-Python")
            .and_then(|text| {
                let specifiers = specifier::parse_specifiers(&text);
                leave(REQUIRES_PYTHON, &mut legacy, |errors| {
                    read(REQUIRES_PYTHON, specifiers, errors)
                })
            })
            .filter(|specifiers| !specifiers.is_empty());
        let requires_dist = headers
            .all("Requires-Dist")
            .iter()
            .filter_map(|text| {
                leave(REQUIRES_DIST, &mut legacy, |errors| {
                    read_requirement(text, errors)
                })
            })
            .collect();
        let strict = version_numbers.is_some_and(|numbers| numbers >= STRICT_EXTRAS);
        let provides_extra = headers
            .all("Provides-Extra")
            .iter()
            .filter_map(|text| {
                leave(PROVIDES_EXTRA, &mut legacy, |errors| {
                    read_extra(text, strict, errors)
                })
            })
            .collect();
        match (metadata_version, name, project, version) {
            (Some(metadata_version), Some(name), Some(project), Some(version))
                if errors.is_empty() =>
            {
                let metadata = Self {
                    metadata_version,
                    name,
                    project,
                    version,
                    requires_python,
                    requires_dist,
                    provides_extra,
                    about: AboutFields::of(&headers),
                };
                Ok((metadata, legacy))
            }
            _ => {
                errors.extend(legacy.into_iter().map(|field| field.reason));
                Err(errors)
            }
        }
    }
}

/// Reads a value of a field; an invalid value is left out.
fn leave<T>(
    field: &'static str,
    legacy: &mut Vec<LegacyField>,
    read: impl FnOnce(&mut Vec<String>) -> Option<T>,
) -> Option<T> {
    let mut errors = Vec::new();
    let value = read(&mut errors);
    let reasons = errors.into_iter();
    legacy.extend(reasons.map(|reason| LegacyField { field, reason }));
    value
}

/// The value, or its error with the name of its field.
fn read<T, E: std::fmt::Display>(
    field: &str,
    result: Result<T, E>,
    errors: &mut Vec<String>,
) -> Option<T> {
    result
        .map_err(|error| errors.push(format!("{field} is invalid: {error}")))
        .ok()
}

fn parse_metadata_version(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(major, "1" | "2") || !digits(minor) {
        return None;
    }
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn read_version(text: &str, errors: &mut Vec<String>) -> Option<Version> {
    Version::from_str(text)
        .map_err(|_| errors.push(format!("Version is invalid: {text:?} is not a version")))
        .ok()
}

fn read_requirement(text: &str, errors: &mut Vec<String>) -> Option<Requirement> {
    text.parse()
        .map_err(|error| errors.push(format!("Requires-Dist {text:?} is invalid: {error}")))
        .ok()
}

/// Reads a Provides-Extra. Before metadata 2.3 there was no rule for the names of extras; an
/// invalid name is converted like in the tools of that time, with each run of other characters as
/// one `_`.
fn read_extra(text: &str, strict: bool, errors: &mut Vec<String>) -> Option<ExtraName> {
    if strict || name::is_valid(text) {
        return read("Provides-Extra", text.parse(), errors);
    }
    let mut made = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '.' | '-') {
            made.push(character);
        } else if !made.ends_with('_') {
            made.push('_');
        }
    }
    let made = made.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if made.is_empty() {
        errors.push(format!(
            "Provides-Extra {text:?} has no letter and no digit"
        ));
        return None;
    }
    read("Provides-Extra", made.parse(), errors)
}
