//! Environment markers: when a requirement applies.
//!
//! Specification: "Dependency specifiers", section "Environment markers". Results are three-valued,
//! because a platform does not determine every variable.

mod evaluate;
pub(super) mod expression;
mod parse;
mod platforms;
mod selection;
mod truth;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use evaluate::MarkerEnvironment;
pub use expression::Variable;
pub use selection::SelectedMarker;
pub use truth::Truth;

use expression::{Comparison, MarkerOperator, Node, Operand};

use super::name::ExtraName;
use super::requirement_error::RequirementError;

/// A marker, such as `python_version < "3.11" and extra == "toml"`.
///
/// Two markers are equal if their canonical forms are: legacy spellings of variables resolved, the
/// variable on the left if that means the same, extras normalised, parentheses only where
/// necessary. The order of operands of `and` and `or` is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(Node);

impl Marker {
    /// Reads the marker in `text` from byte `start` to the end.
    pub(super) fn parse_at(text: &str, start: usize) -> Result<Self, RequirementError> {
        parse::parse(text, start).map(Self)
    }

    /// Whether the marker holds in `environment`, for `extra` or for no extra.
    ///
    /// A comparison with an unknown variable is unknown, and so is one that the specification
    /// leaves undefined.
    pub fn evaluate(&self, environment: &MarkerEnvironment, extra: Option<&ExtraName>) -> Truth {
        environment.evaluate(&self.0, extra)
    }

    /// The number of comparisons in the marker.
    pub fn comparisons(&self) -> usize {
        let mut count = 0;
        self.0.each(&mut |_| count += 1);
        count
    }

    /// The extras that the marker names. For any other extra it has the same result as without one;
    /// `None` if it compares `extra` by another operator than `==`, so that this is not certain.
    pub fn named_extras(&self) -> Option<BTreeSet<&str>> {
        let mut names = Some(BTreeSet::new());
        self.0.each(&mut |comparison| {
            let is_extra = |operand: &Operand| *operand == Operand::Variable(Variable::Extra);
            let literal = match (&comparison.left, &comparison.right) {
                (left, right) if !is_extra(left) && !is_extra(right) => return,
                (Operand::Literal(text), _) | (_, Operand::Literal(text)) => Some(text.as_str()),
                _ => None,
            };
            match literal.filter(|text| !text.is_empty()) {
                Some(text) if comparison.operator == MarkerOperator::Equal => {
                    if let Some(names) = &mut names {
                        names.insert(text);
                    }
                }
                _ => names = None,
            }
        });
        names
    }

    /// The comparisons of the marker that the specification leaves undefined, as text.
    ///
    /// They are: `<`, `<=`, `>`, `>=`, `~=` and `===` with a value that is not a version (revisions
    /// of the specification disagree about the first four, and tools may refuse them); comparisons
    /// of two variables or of two texts; the variables that only lock files define.
    pub fn undefined_comparisons(&self) -> Vec<String> {
        self.comparisons_that(evaluate::is_undefined)
    }

    /// The comparisons of the marker that the specification defines but installers evaluate
    /// differently, as text: a version compared with a text that is not a version, or searched in a
    /// text that is not a list of versions; `===`; and invalid names of extras. In these
    /// environments also literals that are more than a release, such as `3.11.0a6`.
    pub fn disputed_comparisons(&self, environments: &[MarkerEnvironment]) -> Vec<String> {
        self.comparisons_that(|comparison| evaluate::is_disputed(comparison, environments))
    }

    fn comparisons_that(&self, are: impl Fn(&Comparison) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        self.0.each(&mut |comparison| {
            if are(comparison) {
                found.push(comparison.to_string());
            }
        });
        found
    }
}

impl FromStr for Marker {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        Self::parse_at(text, 0)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
