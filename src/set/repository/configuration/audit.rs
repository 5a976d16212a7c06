//! `[audit]`: the comparison of declared versions with a database of advisories (format 2).

use std::fmt;

use crate::foundation::diagnostic::{Code, Finding, without_credentials};
use crate::foundation::time::Cooldown;
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{FormatVersion, Spanned};

/// The words of `error-from`, from the mildest.
const RATINGS: [&str; 5] = ["none", "low", "medium", "high", "critical"];

/// The settings of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSettings {
    /// The database.
    pub database: Option<Spanned<DatabasePlace>>,
    /// The age from which on a database is reported as old; `None` for the default.
    pub maximum_age: Option<Cooldown>,
    /// The severity from which on a vulnerability is an error, as a word of CVSS.
    pub error_from: Option<&'static str>,
}

/// The place of an advisory database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabasePlace {
    /// A folder or a ZIP archive, by its path from the repository's folder.
    Path(String),
    /// A ZIP archive at a web address.
    Web(url::Url),
}

impl DatabasePlace {
    /// Reads a place.
    ///
    /// # Errors
    /// When it is empty, or an address that cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the place of an advisory database is empty".to_owned());
        }
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(Self::Web(url))
            }
            _ if text.contains("://") => Err(format!(
                "`{}` is not an address with `https` or `http`",
                without_credentials(text)
            )),
            _ => Ok(Self::Path(text.to_owned())),
        }
    }
}

impl fmt::Display for DatabasePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => formatter.write_str(path),
            Self::Web(url) => formatter.write_str(&without_credentials(url.as_str())),
        }
    }
}

/// Reads `[audit]`.
pub(super) fn audit(reader: &Reader, top: &Table<'_, '_>, format: FormatVersion) -> AuditSettings {
    let mut settings = AuditSettings::default();
    if format < FormatVersion::V2 {
        top.refuse_later(&["audit"]);
        return settings;
    }
    let Some(table) = top.table("audit", "`[audit]`") else {
        return settings;
    };
    if let Some(text) = table.string("database") {
        match DatabasePlace::parse(text.value) {
            Ok(place) => settings.database = Some(Spanned::new(place, text.span)),
            Err(message) => reader.report(Code::InvalidValue, message, &text.span),
        }
    }
    if let Some(text) = table.string("maximum-age") {
        match text.value.parse() {
            Ok(age) => settings.maximum_age = Some(age),
            Err(error) => reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is not an age: {error}", text.value),
                )
                .at(&reader.file, text.span, "")
                .help("write it as in `maximum-age = \"14 days\"`"),
            ),
        }
    }
    if let Some(text) = table.string("error-from") {
        settings.error_from = RATINGS.into_iter().find(|word| *word == text.value);
        if settings.error_from.is_none() {
            let finding = Finding::new(
                Code::InvalidValue,
                format!("`{}` is not a severity of CVSS", text.value),
            );
            let words = RATINGS.map(|word| format!("`{word}`")).join(", ");
            reader.push(
                finding
                    .at(&reader.file, text.span, "")
                    .help(format!("the severities are {words}")),
            );
        }
    }
    table.finish();
    settings
}
