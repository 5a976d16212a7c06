//! Requirements: a project, its extras, its versions or a URL, and a marker.
//!
//! Specification: "Dependency specifiers". The parser is our own, with `pep440_rs` for single
//! clauses: `pep508_rs` refuses trailing commas and names that look like archives, drops marker
//! comparisons that it cannot make, and panics on a name that ends with a dash.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::marker::Marker;
use super::name::{self, ExtraName, ProjectName};
use super::requirement_error::RequirementError;
use super::specifier::{self, VersionSpecifiers};

/// A requirement of one project for another.
///
/// Two requirements are equal if their normalised forms are: names and extras normalised,
/// specifiers as in [`same_specifiers`](super::same_specifiers), markers as in [`Marker`], URLs as
/// written.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The required project.
    pub name: ProjectName,
    /// Its required extras.
    pub extras: BTreeSet<ExtraName>,
    /// The allowed versions.
    pub constraint: Constraint,
    /// The marker; `None` if the requirement always applies.
    pub marker: Option<Marker>,
}

/// The allowed versions of a project.
#[derive(Debug, Clone)]
pub enum Constraint {
    /// Each version that all specifiers contain; any version if there are none.
    Specifiers(VersionSpecifiers),
    /// The distribution at this URL, as written.
    Url(String),
}

/// The comparable form of a constraint.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ComparableConstraint<'a> {
    Specifiers(BTreeSet<String>),
    Url(&'a str),
}

impl Constraint {
    fn comparable(&self) -> ComparableConstraint<'_> {
        match self {
            Self::Specifiers(specifiers) => {
                ComparableConstraint::Specifiers(specifier::comparable(specifiers))
            }
            Self::Url(url) => ComparableConstraint::Url(url),
        }
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.comparable() == other.comparable()
    }
}

impl Eq for Constraint {}

impl PartialOrd for Constraint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Constraint {
    fn cmp(&self, other: &Self) -> Ordering {
        self.comparable().cmp(&other.comparable())
    }
}

impl Hash for Constraint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.comparable().hash(state);
    }
}

type Comparable<'a> = (
    &'a ProjectName,
    &'a BTreeSet<ExtraName>,
    ComparableConstraint<'a>,
    Option<&'a Marker>,
);

impl Requirement {
    fn comparable(&self) -> Comparable<'_> {
        (
            &self.name,
            &self.extras,
            self.constraint.comparable(),
            self.marker.as_ref(),
        )
    }
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        self.comparable() == other.comparable()
    }
}

impl Eq for Requirement {}

impl PartialOrd for Requirement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Requirement {
    fn cmp(&self, other: &Self) -> Ordering {
        self.comparable().cmp(&other.comparable())
    }
}

impl Hash for Requirement {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.comparable().hash(state);
    }
}

impl fmt::Display for Requirement {
    /// The canonical text: normalised names, extras and specifiers sorted, the marker in canonical
    /// form.
    ///
    /// Trailing zeros of versions are kept, so equal requirements can differ in them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name)?;
        if !self.extras.is_empty() {
            let extras: Vec<_> = self.extras.iter().map(ExtraName::as_str).collect();
            write!(formatter, "[{}]", extras.join(","))?;
        }
        let before_marker = match &self.constraint {
            Constraint::Specifiers(specifiers) => {
                formatter.write_str(&specifier::specifiers_text(specifiers))?;
                "; "
            }
            Constraint::Url(url) => {
                write!(formatter, " @ {url}")?;
                // Without the space the semicolon would belong to the URL.
                " ; "
            }
        };
        if let Some(marker) = &self.marker {
            write!(formatter, "{before_marker}{marker}")?;
        }
        Ok(())
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    /// Parses a requirement by the rule `specification` of the grammar.
    fn from_str(text: &str) -> Result<Self, RequirementError> {
        Reader { text, position: 0 }.requirement()
    }
}

/// Parses a requirement from left to right.
struct Reader<'a> {
    text: &'a str,
    /// Bytes read so far; always on the boundary of a character.
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    /// The rule `wsp*`: only spaces and tabs.
    fn skip_whitespace(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn eat(&mut self, character: char) -> bool {
        let found = self.rest().starts_with(character);
        if found {
            self.position += character.len_utf8();
        }
        found
    }

    fn requirement(mut self) -> Result<Requirement, RequirementError> {
        if let Some((at, bad)) = self
            .text
            .char_indices()
            .find(|(_, c)| c.is_control() && *c != '\t')
        {
            return Err(RequirementError::new(
                format!("a requirement cannot contain the character {bad:?}"),
                at..at + bad.len_utf8(),
            ));
        }
        self.skip_whitespace();
        let name = self.name::<ProjectName>("a project")?;
        self.skip_whitespace();
        let extras = self.extras()?;
        self.skip_whitespace();
        let constraint = if self.eat('@') {
            Constraint::Url(self.url()?)
        } else {
            Constraint::Specifiers(self.specifiers()?)
        };
        self.skip_whitespace();
        let marker = if self.eat(';') {
            Some(Marker::parse_at(self.text, self.position)?)
        } else if self.rest().is_empty() {
            None
        } else {
            let what = match constraint {
                Constraint::Url(_) => "a space and `;` before the marker",
                Constraint::Specifiers(_) => "a version specifier or `;`",
            };
            return Err(self.unexpected(what));
        };
        Ok(Requirement {
            name,
            extras,
            constraint,
            marker,
        })
    }

    /// "expected …, found `x`" about the next character.
    fn unexpected(&self, wanted: &str) -> RequirementError {
        match self.rest().chars().next() {
            Some(found) => RequirementError::new(
                format!("expected {wanted}, found {found:?}"),
                self.position..self.position + found.len_utf8(),
            ),
            None => RequirementError::new(
                format!("expected {wanted}, found the end of the requirement"),
                self.text.len()..self.text.len(),
            ),
        }
    }

    /// The rule `identifier`.
    fn name<T: FromStr<Err = name::InvalidName>>(
        &mut self,
        kind: &str,
    ) -> Result<T, RequirementError> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .position(|byte| !name::is_name_byte(byte))
            .unwrap_or(rest.len());
        if length == 0 {
            return Err(self.unexpected(&format!("the name of {kind}")));
        }
        let span = self.position..self.position + length;
        self.position = span.end;
        self.text[span.clone()]
            .parse()
            .map_err(|error: name::InvalidName| RequirementError::new(error.to_string(), span))
    }

    /// The rule `extras`.
    fn extras(&mut self) -> Result<BTreeSet<ExtraName>, RequirementError> {
        let mut extras = BTreeSet::new();
        if !self.eat('[') {
            return Ok(extras);
        }
        self.skip_whitespace();
        if self.eat(']') {
            return Ok(extras);
        }
        loop {
            extras.insert(self.name("an extra")?);
            self.skip_whitespace();
            if self.eat(']') {
                return Ok(extras);
            }
            if !self.eat(',') {
                return Err(self.unexpected("`,` or `]` after the name of an extra"));
            }
            self.skip_whitespace();
        }
    }

    /// The rule `urlspec`: a URL ends at white space only.
    fn url(&mut self) -> Result<String, RequirementError> {
        self.skip_whitespace();
        let rest = self.rest();
        let url = rest.split([' ', '\t']).next().unwrap_or_default();
        if url.is_empty() {
            return Err(self.unexpected("a URL after `@`"));
        }
        let span = self.position..self.position + url.len();
        self.position = span.end;
        if let Some(bad) = url.chars().find(|c| c.is_whitespace()) {
            return Err(RequirementError::new(
                format!("the URL contains the character {bad:?}"),
                span,
            ));
        }
        if url.ends_with(';') && !self.rest().trim().is_empty() {
            return Err(RequirementError::new(
                "the `;` before a marker needs a space between it and the URL",
                span.end - 1..span.end,
            ));
        }
        Ok(url.to_owned())
    }

    /// The rule `versionspec`: clauses, in parentheses or not.
    fn specifiers(&mut self) -> Result<VersionSpecifiers, RequirementError> {
        let open = self.position;
        let parenthesised = self.eat('(');
        let rest = self.rest();
        let length = rest
            .find(if parenthesised {
                [')', ';']
            } else {
                [';', ';']
            })
            .unwrap_or(rest.len());
        let start = self.position;
        self.position += length;
        if parenthesised && !self.eat(')') {
            return Err(RequirementError::new(
                "the parenthesis around the version specifiers is never closed",
                open..open + 1,
            ));
        }
        Self::clauses(&rest[..length], start)
    }

    fn clauses(text: &str, start: usize) -> Result<VersionSpecifiers, RequirementError> {
        let mut specifiers = Vec::new();
        let mut clauses = specifier::clauses(text).peekable();
        while let Some((span, clause)) = clauses.next() {
            let span = start + span.start..start + span.end;
            if clause.is_empty() {
                // The grammar allows a comma after the last clause, and no clause at all.
                if clauses.peek().is_none() && (!specifiers.is_empty() || !text.contains(',')) {
                    break;
                }
                return Err(RequirementError::new(
                    "expected a version specifier beside the comma",
                    span,
                ));
            }
            if !clause.starts_with(['<', '>', '=', '!', '~']) {
                let first = clause.chars().next().map_or(0, char::len_utf8);
                return Err(RequirementError::new(
                    format!("expected a version specifier such as `>=1.0`, found {clause:?}"),
                    span.start..span.start + first,
                ));
            }
            let specifier = specifier::parse_clause(clause, span)
                .map_err(|error| RequirementError::new(error.message, error.span))?;
            specifiers.push(specifier);
        }
        Ok(specifiers.into_iter().collect())
    }
}
