//! Environment markers: when a requirement applies.
//!
//! Specification: "Dependency specifiers", section "Environment markers". Values are three-valued:
//! a platform does not say everything that a marker may ask.

mod evaluate;
mod parse;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use evaluate::{MarkerEnvironment, Truth};

use super::name::ExtraName;
use super::requirement::RequirementError;

/// A marker, such as `python_version < "3.11" and extra == "toml"`.
///
/// Two markers are equal when their canonical forms are: legacy spellings of variables resolved,
/// the variable on the left wherever that means the same, extras normalised, parentheses only where
/// they are needed. The order of what `and` and `or` join stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(Node);

/// An expression. `All` and `Any` have two members or more, and none of their own kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Node {
    Compare(Comparison),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Comparison {
    left: Operand,
    operator: MarkerOperator,
    right: Operand,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Operand {
    Variable(Variable),
    Literal(String),
}

/// The rule `marker_op` of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum MarkerOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Compatible,
    Identical,
    In,
    NotIn,
}

impl MarkerOperator {
    fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Compatible => "~=",
            Self::Identical => "===",
            Self::In => "in",
            Self::NotIn => "not in",
        }
    }

    /// The operator that says the same with its sides exchanged, where there is one.
    fn mirrored(self) -> Option<Self> {
        Some(match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Identical => Self::Identical,
            Self::Compatible | Self::In | Self::NotIn => return None,
        })
    }
}

/// What kind of values a variable has, by the table of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VariableType {
    Version,
    /// `platform_release`: a version where it can be read as one.
    VersionOrText,
    Text,
    /// Defined in lock files only.
    Set,
}

macro_rules! variables {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal $(| $legacy:literal)*: $type:ident,)*) => {
        /// A variable of the marker grammar.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variable {
            $($(#[$documentation])* $variant,)*
        }

        impl Variable {
            /// The variable's name in the specification.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The variable of this name; legacy spellings, such as `os.name`, are known too.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $legacy)* => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn value_type(self) -> VariableType {
                match self {
                    $(Self::$variant => VariableType::$type,)*
                }
            }
        }
    };
}

variables! {
    /// Major and minor version of Python, such as `3.12`.
    PythonVersion = "python_version": Version,
    /// The version of Python, such as `3.12.4`.
    PythonFullVersion = "python_full_version": Version,
    /// `os.name`, such as `posix`.
    OsName = "os_name" | "os.name": Text,
    /// `sys.platform`, such as `linux`.
    SysPlatform = "sys_platform" | "sys.platform": Text,
    /// `platform.release()`, such as `5.14.0`.
    PlatformRelease = "platform_release": VersionOrText,
    /// `platform.system()`, such as `Linux`.
    PlatformSystem = "platform_system": Text,
    /// `platform.version()`, a text of any form.
    PlatformVersion = "platform_version" | "platform.version": Text,
    /// `platform.machine()`, such as `x86_64`.
    PlatformMachine = "platform_machine" | "platform.machine": Text,
    /// `platform.python_implementation()`, such as `CPython`.
    PlatformPythonImplementation = "platform_python_implementation"
        | "platform.python_implementation"
        | "python_implementation": Text,
    /// `sys.implementation.name`, such as `cpython`.
    ImplementationName = "implementation_name": Text,
    /// The version of the implementation; for `CPython` that of Python.
    ImplementationVersion = "implementation_version": Version,
    /// The extra that the question is asked for.
    Extra = "extra": Text,
    /// The extras that a lock file is installed with; not defined elsewhere.
    Extras = "extras": Set,
    /// The dependency groups that a lock file is installed with; not defined elsewhere.
    DependencyGroups = "dependency_groups": Set,
}

impl Marker {
    /// Reads the marker that is in `text` from byte `start` to the end.
    pub(super) fn parse_at(text: &str, start: usize) -> Result<Self, RequirementError> {
        parse::parse(text, start).map(Self)
    }

    /// Whether the marker holds in `environment`, asked for `extra` or for no extra.
    ///
    /// A comparison with an unknown variable is unknown, and so is one that the specification
    /// leaves undefined.
    pub fn evaluate(&self, environment: &MarkerEnvironment, extra: Option<&ExtraName>) -> Truth {
        environment.evaluate(&self.0, extra)
    }

    /// How many comparisons the marker makes.
    pub fn comparisons(&self) -> usize {
        let mut count = 0;
        self.0.each(&mut |_| count += 1);
        count
    }

    /// The extras that the marker names. It says the same of all others as where no extra is asked
    /// for; `None` where it compares `extra` otherwise than with `==`, so that this is not known.
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
    /// They are: `<`, `<=`, `>`, `>=`, `~=` and `===` on what is no version (revisions of the
    /// specification disagree about the first four, and tools may refuse them); comparisons of two
    /// variables or of two texts; the variables that only lock files define.
    pub fn undefined_comparisons(&self) -> Vec<String> {
        self.comparisons_that(evaluate::is_undefined)
    }

    /// The comparisons of the marker that the specification defines and installers read
    /// differently, as text: versions that are compared with what is no version, or looked for in
    /// what is no list of versions, `===`, and extras that are none; in these environments also
    /// what is more than a release, as `3.11.0a6` is.
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

impl Node {
    fn each<'n>(&'n self, visit: &mut impl FnMut(&'n Comparison)) {
        match self {
            Self::Compare(comparison) => visit(comparison),
            Self::All(nodes) | Self::Any(nodes) => {
                for node in nodes {
                    node.each(visit);
                }
            }
        }
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

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, between) = match self {
            Self::Compare(comparison) => return comparison.fmt(formatter),
            Self::All(nodes) => (nodes, " and "),
            Self::Any(nodes) => (nodes, " or "),
        };
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                formatter.write_str(between)?;
            }
            // `and` binds closer than `or`, so only an `or` inside an `and` needs parentheses.
            if matches!((self, node), (Self::All(_), Self::Any(_))) {
                write!(formatter, "({node})")?;
            } else {
                node.fmt(formatter)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            left,
            operator,
            right,
        } = self;
        write!(formatter, "{left} {} {right}", operator.as_str())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => formatter.write_str(variable.as_str()),
            // The grammar has no escapes, so a literal never holds both kinds of quotes.
            Self::Literal(text) if text.contains('"') => write!(formatter, "'{text}'"),
            Self::Literal(text) => write!(formatter, "\"{text}\""),
        }
    }
}
