//! What a marker says about a target of which not everything is known.
//!
//! Specification: "Dependency specifiers", section "Environment markers": comparisons by the type
//! of the variable.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier};

use super::expression::{Comparison, MarkerOperator, Node, Operand, Variable, VariableType};
use super::truth::Truth;
use crate::name::ExtraName;
use crate::platform::{Patches, Platform};
use crate::specifier::{is_arbitrary, is_same_text, specifier_contains};

/// What is known of a target: the value of some variables.
///
/// `extra` is no part of it, each evaluation is asked for one extra or for none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkerEnvironment {
    values: BTreeMap<Variable, Value>,
}

/// What is known of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    /// Some version of an interval, nobody says which.
    Patches(Patches),
}

impl MarkerEnvironment {
    /// An environment of which nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// What is known of a platform.
    ///
    /// `python_full_version`, and with `CPython` `implementation_version`, are any final version
    /// from the floor of the platform up to the next minor version. What depends on the single
    /// machine stays unknown: `platform_release`, `platform_version`, and `platform_machine` of
    /// 32-bit systems, which is that of the kernel.
    pub fn for_platform(platform: &Platform) -> Self {
        let mut environment = Self::unknown();
        for (variable, text) in platform.marker_values() {
            environment = environment.with(variable, text);
        }
        let patches = platform.patches();
        environment
            .values
            .insert(Variable::PythonFullVersion, Value::Patches(patches));
        if platform.implementation_follows_python() {
            environment
                .values
                .insert(Variable::ImplementationVersion, Value::Patches(patches));
        }
        environment
    }

    /// The same environment with one more variable known.
    #[must_use]
    pub fn with(mut self, variable: Variable, value: impl Into<String>) -> Self {
        self.values.insert(variable, Value::Text(value.into()));
        self
    }

    pub(super) fn evaluate(&self, node: &Node, extra: Option<&ExtraName>) -> Truth {
        match node {
            Node::Compare(comparison) => self.compare(comparison, extra),
            Node::All(nodes) => nodes.iter().fold(Truth::True, |truth, node| {
                if truth == Truth::False {
                    return truth;
                }
                truth.and(self.evaluate(node, extra))
            }),
            Node::Any(nodes) => nodes.iter().fold(Truth::False, |truth, node| {
                if truth == Truth::True {
                    return truth;
                }
                truth.or(self.evaluate(node, extra))
            }),
        }
    }

    fn compare(&self, comparison: &Comparison, extra: Option<&ExtraName>) -> Truth {
        let Some(asked) = Asked::of(comparison) else {
            return Truth::Unknown;
        };
        if asked.is_undefined() {
            return Truth::Unknown;
        }
        self.answer(&asked, extra)
    }

    fn answer(&self, asked: &Asked<'_>, extra: Option<&ExtraName>) -> Truth {
        if asked.variable == Variable::Extra {
            // "No extra" is the empty text, as installers have it.
            return asked.of_text(extra.map_or("", ExtraName::as_str));
        }
        match self.values.get(&asked.variable) {
            None => Truth::Unknown,
            Some(Value::Text(value)) => asked.of_text(value),
            Some(Value::Patches(patches)) => asked.of_patches(*patches),
        }
    }
}

/// Whether the specification leaves a comparison undefined.
pub(super) fn is_undefined(comparison: &Comparison) -> bool {
    Asked::of(comparison).is_none_or(|asked| asked.is_undefined())
}

/// Whether uv answers a comparison otherwise than pip and the specification in one of these
/// environments, or may anywhere; observed with uv 0.13.
pub(super) fn is_disputed(comparison: &Comparison, environments: &[MarkerEnvironment]) -> bool {
    let Some(asked) = Asked::of(comparison) else {
        return false;
    };
    if asked.is_undefined() {
        return false;
    }
    if asked.is_read_otherwise() {
        return true;
    }
    // uv compares with the release, without what makes a literal a pre-release or another one.
    let Some(release) = asked.release() else {
        return false;
    };
    let of_release = Asked {
        literal: &release,
        ..asked
    };
    environments.iter().any(|environment| {
        environment.answer(&asked, None) != environment.answer(&of_release, None)
    })
}

/// Whether `literal operator variable` and its mirror image always say the same.
///
/// For versions that is so when the literal is a final release: the rules for pre-releases,
/// post-releases and wildcards are about the right side only.
pub(super) fn mirrors_exactly(variable: Variable, operator: MarkerOperator, literal: &str) -> bool {
    match variable.value_type() {
        VariableType::Text => true,
        VariableType::Set => false,
        VariableType::Version | VariableType::VersionOrText
            if operator == MarkerOperator::Identical =>
        {
            literal.trim() == literal
        }
        VariableType::Version | VariableType::VersionOrText => Version::from_str(literal)
            .is_ok_and(|version| version.only_release() == version && !version.is_local()),
    }
}

/// A comparison of one variable with one literal.
#[derive(Clone, Copy)]
struct Asked<'a> {
    variable: Variable,
    operator: MarkerOperator,
    literal: &'a str,
    /// The literal is on the left.
    reversed: bool,
}

impl<'a> Asked<'a> {
    fn of(comparison: &'a Comparison) -> Option<Self> {
        let (variable, literal, reversed) = match (&comparison.left, &comparison.right) {
            (Operand::Variable(variable), Operand::Literal(literal)) => (*variable, literal, false),
            (Operand::Literal(literal), Operand::Variable(variable)) => (*variable, literal, true),
            _ => return None,
        };
        Some(Self {
            variable,
            operator: comparison.operator,
            literal,
            reversed,
        })
    }

    fn is_membership(&self) -> bool {
        matches!(self.operator, MarkerOperator::In | MarkerOperator::NotIn)
    }

    fn is_equality(&self) -> bool {
        matches!(
            self.operator,
            MarkerOperator::Equal | MarkerOperator::NotEqual
        )
    }

    fn is_undefined(&self) -> bool {
        match self.variable.value_type() {
            VariableType::Set => true,
            _ if self.is_membership() => false,
            VariableType::Text => !self.is_equality(),
            // "3.*" on the left is no version, and read as text it would silently never match.
            VariableType::Version | VariableType::VersionOrText if self.reversed => {
                Version::from_str(self.literal).is_err()
            }
            VariableType::Version | VariableType::VersionOrText => match self.operator {
                // "Arbitrary equality" takes any text that can stand in a list of specifiers.
                MarkerOperator::Identical => !is_arbitrary(self.literal.trim()),
                _ => !self.is_equality() && self.clause().is_none(),
            },
        }
    }

    /// Whether uv gives it another meaning than pip and the specification, wherever it is asked: it
    /// takes what it does not understand for true.
    fn is_read_otherwise(&self) -> bool {
        if self.variable == Variable::Extra {
            return self.is_membership() || self.literal.parse::<ExtraName>().is_err();
        }
        if self.variable.value_type() != VariableType::Version {
            return false;
        }
        match self.operator {
            MarkerOperator::In | MarkerOperator::NotIn => {
                self.reversed || !are_versions(self.literal, self.variable)
            }
            MarkerOperator::Identical => true,
            MarkerOperator::Compatible if self.reversed => true,
            _ => match self.literal.trim().strip_suffix(".*") {
                Some(release) => {
                    let parts = release.split('.').count();
                    self.reversed
                        || self.clause().is_none()
                        || self.variable == Variable::PythonVersion && parts > 2
                }
                None => Version::from_str(self.literal)
                    .map_or(true, |version| version.is_local() || version.epoch() > 0),
            },
        }
    }

    /// The literal as a release, where it is a version that is more than that.
    fn release(&self) -> Option<String> {
        if self.variable.value_type() != VariableType::Version || self.is_membership() {
            return None;
        }
        let version = Version::from_str(self.literal).ok()?;
        let release = version.only_release();
        (release != version).then(|| release.to_string())
    }

    /// The operator and the literal as a clause, where they make one.
    fn clause(&self) -> Option<VersionSpecifier> {
        clause(self.operator, self.literal)
    }

    /// The answer where the value is known.
    fn of_text(&self, value: &str) -> Truth {
        if self.is_membership() {
            let found = if self.reversed {
                value.contains(self.literal)
            } else {
                self.literal.contains(value)
            };
            return Truth::from(found == (self.operator == MarkerOperator::In));
        }
        if self.variable.value_type() != VariableType::Text
            && let Ok(version) = Version::from_str(value)
            && let Some(answer) = self.of_version(&version)
        {
            return answer.into();
        }
        // "If both sides are not expressible as a version": exact equality.
        match self.operator {
            MarkerOperator::Equal => Truth::from(value == self.literal),
            MarkerOperator::NotEqual => Truth::from(value != self.literal),
            MarkerOperator::Identical => Truth::from(is_same_text(self.literal.trim(), value)),
            _ => Truth::Unknown,
        }
    }

    /// The answer by the rules for versions, where both sides are versions.
    fn of_version(&self, version: &Version) -> Option<bool> {
        if self.operator == MarkerOperator::Identical {
            // Not even that `v3.11` is 3.11 plays a part.
            let literal = if self.reversed {
                self.literal
            } else {
                self.literal.trim()
            };
            Some(is_same_text(literal, &version.to_string()))
        } else if self.reversed {
            let literal = Version::from_str(self.literal).ok()?;
            let clause = clause(self.operator, &version.to_string())?;
            Some(specifier_contains(&clause, &literal))
        } else {
            Some(specifier_contains(&self.clause()?, version))
        }
    }

    /// The answer where the value is one of an interval of versions.
    fn of_patches(&self, patches: Patches) -> Truth {
        if self.is_membership() {
            let found = if self.reversed {
                patches.may_contain_text(self.literal)
            } else {
                patches.may_be_inside_text(self.literal)
            };
            return if self.operator == MarkerOperator::In {
                found
            } else {
                !found
            };
        }
        let boundary = Version::from_str(self.literal.trim_end_matches(".*"));
        if let Ok(boundary) = boundary
            && let Some(answers) = patches
                .around(&boundary)
                .map(|version| self.of_version(&version))
                .collect::<Option<Vec<_>>>()
        {
            return Truth::of_all(answers);
        }
        // The literal is no version, and so equal to none.
        match self.operator {
            MarkerOperator::Equal | MarkerOperator::Identical => Truth::False,
            MarkerOperator::NotEqual => Truth::True,
            _ => Truth::Unknown,
        }
    }
}

/// Whether a text is a list of such versions as the variable can have, with blanks between. pip
/// looks for the value anywhere in the text: of versions as long as these none is a part of another
/// one.
fn are_versions(text: &str, variable: Variable) -> bool {
    let is_one = |word: &str| {
        let parts: Vec<&str> = word.split('.').collect();
        let is_number = |part: &str, longest: usize| {
            (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        match (variable, parts.as_slice()) {
            (Variable::PythonVersion, [major, minor]) => is_number(major, 1) && is_number(minor, 2),
            (Variable::PythonVersion, _) => false,
            (_, [major, minor, patch]) => {
                is_number(major, 1) && is_number(minor, 2) && is_number(patch, 1)
            }
            _ => false,
        }
    };
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek().is_some() && words.all(is_one)
}

fn clause(operator: MarkerOperator, version: &str) -> Option<VersionSpecifier> {
    // What begins with `=` would make another operator of this one.
    if version.trim_start().starts_with(['=', '<', '>', '!', '~']) {
        return None;
    }
    VersionSpecifier::from_str(&format!("{}{version}", operator.as_str())).ok()
}
