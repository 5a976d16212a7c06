//! The licence that the metadata of a wheel states.

use std::collections::BTreeSet;
use std::fmt;

use ipwhl_packaging::AboutFields;

use super::classifiers::{is_licence_classifier, spdx_id};
use super::expression::{ExpressionError, LicenceExpression, shortened};

/// The most classifiers that a reason names.
const MOST_NAMED: usize = 5;

/// The licence of a wheel.
#[derive(Debug, Clone, PartialEq)]
pub enum Licence {
    /// An expression, and where it comes from.
    Known(LicenceExpression, LicenceOrigin),
    /// No expression, and why not.
    Unknown(UnknownLicence),
}

/// The place in METADATA that states a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenceOrigin {
    /// License-Expression.
    Expression,
    /// A classifier with one meaning.
    Classifier,
    /// License, if it is an expression.
    LegacyField,
}

/// The reason why a licence is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownLicence {
    /// METADATA says nothing about it.
    Unstated,
    /// License-Expression is none: its beginning, and the error.
    InvalidExpression(String, ExpressionError),
    /// Classifiers with no meaning that is clear, or with several.
    Classifiers(Vec<String>),
    /// License is a text for people, and not an expression: its first line, shortened.
    FreeText(String),
}

impl Licence {
    /// The licence in the fields of METADATA: License-Expression; without it the classifiers, if they
    /// have one meaning; without that License, if it is an expression.
    pub fn of(fields: &AboutFields) -> Self {
        if let Some(text) = &fields.license_expression {
            // A broken expression must not be replaced by an older field that says something else.
            return match LicenceExpression::parse(text) {
                Ok(expression) => Self::Known(expression, LicenceOrigin::Expression),
                Err(error) => {
                    Self::Unknown(UnknownLicence::InvalidExpression(shortened(text), error))
                }
            };
        }
        let classifiers = licence_classifiers(&fields.classifiers);
        if let Some(expression) = meaning(&classifiers) {
            return Self::Known(expression, LicenceOrigin::Classifier);
        }
        // Older tools write `UNKNOWN` for an absent field.
        let text = fields.license.as_deref().filter(|text| *text != "UNKNOWN");
        if let Some(Ok(expression)) = text.map(LicenceExpression::parse) {
            return Self::Known(expression, LicenceOrigin::LegacyField);
        }
        Self::Unknown(match text {
            _ if !classifiers.is_empty() => {
                UnknownLicence::Classifiers(classifiers.iter().map(|one| shortened(one)).collect())
            }
            Some(text) => {
                let line = text.lines().next().unwrap_or_default();
                UnknownLicence::FreeText(shortened(line))
            }
            None => UnknownLicence::Unstated,
        })
    }

    /// The expression, if it is known.
    pub fn expression(&self) -> Option<&LicenceExpression> {
        match self {
            Self::Known(expression, _) => Some(expression),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Licence {
    /// The expression, or `unknown`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(expression, _) => expression.fmt(formatter),
            Self::Unknown(_) => formatter.write_str("unknown"),
        }
    }
}

/// The classifiers about licences, sorted, each once, without those that others make more precise.
fn licence_classifiers(classifiers: &[String]) -> BTreeSet<&str> {
    let classifiers = classifiers.iter().map(|one| one.trim());
    let all: BTreeSet<&str> = classifiers
        .filter(|one| is_licence_classifier(one))
        .collect();
    let is_parent = |one: &&str| {
        let below = format!("{one} ::");
        all.iter().any(|other| other.starts_with(&below))
    };
    all.iter().copied().filter(|one| !is_parent(one)).collect()
}

/// The one licence that classifiers mean. The relation between several is unknown: all may apply, or
/// any.
fn meaning(classifiers: &BTreeSet<&str>) -> Option<LicenceExpression> {
    let ids: BTreeSet<Option<&str>> = classifiers.iter().map(|one| spdx_id(one)).collect();
    match Vec::from_iter(ids)[..] {
        [Some(id)] => LicenceExpression::parse(id).ok(),
        _ => None,
    }
}

impl fmt::Display for UnknownLicence {
    /// The reason, as half a sentence.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstated => formatter.write_str("METADATA states no licence"),
            Self::InvalidExpression(text, error) => {
                write!(formatter, "License-Expression is `{text}`: {error}")
            }
            Self::Classifiers(all) => {
                let named: Vec<String> = all
                    .iter()
                    .take(MOST_NAMED)
                    .map(|one| format!("`{one}`"))
                    .collect();
                let named = named.join(", ");
                match all.len() {
                    1 => write!(
                        formatter,
                        "the classifier {named} does not mean one licence"
                    ),
                    more if more > MOST_NAMED => write!(
                        formatter,
                        "{more} classifiers do not say how they belong together: {named} and others"
                    ),
                    _ => write!(
                        formatter,
                        "the classifiers do not say how they belong together: {named}"
                    ),
                }
            }
            Self::FreeText(line) => write!(
                formatter,
                "License is a text for people, not an expression: `{line}`"
            ),
        }
    }
}
