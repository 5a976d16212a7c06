//! The parts of a marker: comparisons and their conjunctions.

use std::fmt;

/// An expression. `All` and `Any` have two members or more, and no member of the same kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    Compare(Comparison),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Comparison {
    pub(super) left: Operand,
    pub(super) operator: MarkerOperator,
    pub(super) right: Operand,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operand {
    Variable(Variable),
    Literal(String),
}

/// The rule `marker_op` of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum MarkerOperator {
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
    pub(super) fn as_str(self) -> &'static str {
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

    /// The operator with the same meaning for exchanged sides, if there is one.
    pub(super) fn mirrored(self) -> Option<Self> {
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

/// The kind of values of a variable, by the table of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableType {
    Version,
    /// `platform_release`: a version if it can be read as one.
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

            pub(super) fn value_type(self) -> VariableType {
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
    /// The extra that the marker is evaluated for.
    Extra = "extra": Text,
    /// The extras that a lock file is installed with; not defined elsewhere.
    Extras = "extras": Set,
    /// The dependency groups that a lock file is installed with; not defined elsewhere.
    DependencyGroups = "dependency_groups": Set,
}

impl Node {
    pub(super) fn each<'n>(&'n self, visit: &mut impl FnMut(&'n Comparison)) {
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
