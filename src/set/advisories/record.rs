//! One entry of a database, as it is written: the fields of the OSV schema that an audit needs.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use thiserror::Error;

use super::yaml;

/// The format of an entry's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFormat {
    /// A file `*.json`.
    Json,
    /// A file `*.yaml` or `*.yml`.
    Yaml,
}

impl EntryFormat {
    /// The format by the ending of a file's name; `None` for a file that is no entry.
    pub fn of(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// An entry, with its fields unchecked. Fields that an audit does not need are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// The identifier, as in `PYSEC-2024-1`.
    pub id: String,
    /// The time of its last change.
    #[serde(default)]
    pub modified: Option<String>,
    /// The time of its withdrawal.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// The identifiers of the same vulnerability in other databases.
    #[serde(default)]
    pub aliases: Option<Vec<String>>,
    /// One line of text.
    #[serde(default)]
    pub summary: Option<String>,
    /// The severities by several methods.
    #[serde(default)]
    pub severity: Option<Vec<SeverityRecord>>,
    /// The affected packages.
    #[serde(default)]
    pub affected: Option<Vec<AffectedRecord>>,
    /// Values of the database itself.
    #[serde(default)]
    pub database_specific: Option<DatabaseSpecific>,
}

/// A severity by one method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SeverityRecord {
    /// The vector, or another text.
    #[serde(default)]
    pub score: Option<String>,
}

/// An affected package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AffectedRecord {
    /// The package; `None` for commits of a repository.
    #[serde(default)]
    pub package: Option<PackageRecord>,
    /// The severities for this package.
    #[serde(default)]
    pub severity: Option<Vec<SeverityRecord>>,
    /// The ranges of affected versions.
    #[serde(default)]
    pub ranges: Option<Vec<RangeRecord>>,
    /// The affected versions.
    #[serde(default)]
    pub versions: Option<VersionList>,
}

/// The end of each version in a list: a character that no version has, and that JSON does not escape.
const SEPARATOR: char = ' ';

/// Versions as written, in one text: a database has a million of them, and an audit reads few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionList(String);

impl VersionList {
    /// Adds a text. One with a space inside, or a character that JSON escapes, is no version.
    fn push(&mut self, text: &str) {
        let text = text.trim();
        let is_word = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if !text.is_empty() && text.bytes().all(is_word) {
            self.0.push_str(text);
            self.0.push(SEPARATOR);
        }
    }

    /// The text of all, in one line.
    pub(super) fn as_text(&self) -> &str {
        &self.0
    }

    /// The list of a text that `as_text` gave.
    pub(super) fn of_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Adds the versions of another list.
    pub(super) fn extend(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
        } else {
            self.0.push_str(&other.0);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(SEPARATOR)
    }
}

impl<'de> Deserialize<'de> for VersionList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        struct Text<'l>(&'l mut VersionList);

        impl<'de> Visitor<'de> for Texts {
            type Value = VersionList;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<VersionList, A::Error> {
                let mut versions = VersionList::default();
                while list.next_element_seed(Text(&mut versions))?.is_some() {}
                Ok(versions)
            }
        }

        impl<'de> DeserializeSeed<'de> for Text<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_str(self)
            }
        }

        impl Visitor<'_> for Text<'_> {
            type Value = ();

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a version")
            }

            fn visit_str<E>(self, text: &str) -> Result<(), E> {
                self.0.push(text);
                Ok(())
            }
        }

        deserializer.deserialize_seq(Texts)
    }
}

/// A package of an ecosystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PackageRecord {
    /// The ecosystem, as in `PyPI`.
    #[serde(default)]
    pub ecosystem: String,
    /// The package's name.
    #[serde(default)]
    pub name: String,
}

/// A range of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RangeRecord {
    /// `ECOSYSTEM`, `SEMVER` or `GIT`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The events, in any order.
    #[serde(default)]
    pub events: Option<Vec<EventRecord>>,
}

/// An event of a range. Exactly one field is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct EventRecord {
    /// The first affected version.
    #[serde(default)]
    pub introduced: Option<String>,
    /// The first version that is not affected any more.
    #[serde(default)]
    pub fixed: Option<String>,
    /// The last version that is known to be affected.
    #[serde(default)]
    pub last_affected: Option<String>,
    /// The version from which on the range says nothing.
    #[serde(default)]
    pub limit: Option<String>,
}

/// Values of the database itself. Their types are not specified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct DatabaseSpecific {
    /// The severity in a word.
    #[serde(default)]
    pub severity: Option<serde_json::Value>,
}

/// The reason why an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// It is not JSON, or has a value of another type.
    #[error("it is not an entry in JSON: {0}")]
    Json(String),
    /// It is not YAML, or has a value of another type.
    #[error("it is not an entry in YAML: {0}")]
    Yaml(String),
    /// Its identifier cannot be one.
    #[error("its `id` is empty, too long, or has spaces or hidden characters")]
    Identifier,
}

/// The longest identifier, in bytes.
const LONGEST_IDENTIFIER: usize = 100;

/// Whether a text can be an identifier: one short word of visible characters.
pub(super) fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_IDENTIFIER
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'`')
}

impl Record {
    /// Reads an entry.
    ///
    /// # Errors
    /// When it is not an entry in this format.
    pub fn parse(bytes: &[u8], format: EntryFormat) -> Result<Self, RecordError> {
        let record: Self = match format {
            EntryFormat::Json => serde_json::from_slice(bytes)
                .map_err(|error| RecordError::Json(error.to_string()))?,
            EntryFormat::Yaml => {
                let value = yaml::value(bytes).map_err(RecordError::Yaml)?;
                serde_json::from_value(value)
                    .map_err(|error| RecordError::Yaml(error.to_string()))?
            }
        };
        if is_identifier(&record.id) {
            Ok(record)
        } else {
            Err(RecordError::Identifier)
        }
    }
}
