//! Notes of findings, and their causes. Code uses their kind. The sentences are made only for the
//! output.

use std::fmt;

use ipwhl_packaging::{ExtraName, ProjectName, Requirement, Version};

/// A note that helps to understand a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The platforms on which the finding occurs.
    Where {
        /// A short text for the platforms.
        platforms: String,
        /// Whether this is about the first finding only, if several are shown as one.
        is_of_first: bool,
    },
    /// The extra with which the requirement applies.
    ForExtra(ExtraName),
    /// The path from a wanted project to the one with the finding.
    ComesFrom(RequirerChain),
    /// A short text for the platforms on which an earlier state of the set had the finding.
    WasBefore(String),
    /// A declared project with a name similar to the missing one.
    SimilarName(ProjectName),
    /// A sentence that no code evaluates.
    Sentence(String),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Where {
                platforms,
                is_of_first,
            } => {
                let of_first = if *is_of_first { " (first one)" } else { "" };
                write!(formatter, "where: {platforms}{of_first}")
            }
            Self::ForExtra(extra) => {
                write!(formatter, "the extra `{extra}` requires it")
            }
            Self::ComesFrom(chain) => write!(formatter, "dependency path: {chain}"),
            Self::WasBefore(platforms) => write!(formatter, "it already existed on {platforms}"),
            Self::SimilarName(name) => {
                write!(
                    formatter,
                    "the set has a project with a similar name: `{name}`"
                )
            }
            Self::Sentence(sentence) => formatter.write_str(sentence),
        }
    }
}

impl From<&str> for Note {
    fn from(sentence: &str) -> Self {
        Self::Sentence(sentence.to_owned())
    }
}

impl From<String> for Note {
    fn from(sentence: String) -> Self {
        Self::Sentence(sentence)
    }
}

/// The path from a wanted project to a requiring one, as in `flask (wanted) -> werkzeug>=3.1 ->
/// markupsafe>=2.1.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirerChain {
    requested: ProjectName,
    first: Vec<Requirement>,
    /// The number of requirements that are left out between the first and the last ones.
    omitted: usize,
    last: Vec<Requirement>,
}

impl RequirerChain {
    /// The maximum number of requirements that are kept, at both ends together.
    const MAXIMUM_KEPT: usize = 12;

    /// The chain of these requirements. The middle of a long one is only counted.
    pub fn new(requested: &ProjectName, requirements: &[&Requirement]) -> Self {
        let own = |some: &[&Requirement]| some.iter().map(|one| (*one).clone()).collect();
        let omitted = requirements.len().saturating_sub(Self::MAXIMUM_KEPT);
        let (first, rest) = if omitted == 0 {
            (requirements, &[][..])
        } else {
            requirements.split_at(Self::MAXIMUM_KEPT / 2)
        };
        Self {
            requested: requested.clone(),
            first: own(first),
            omitted,
            last: own(&rest[omitted.min(rest.len())..]),
        }
    }
}

impl fmt::Display for RequirerChain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (wanted)", self.requested)?;
        for requirement in &self.first {
            write!(formatter, " -> {requirement}")?;
        }
        if self.omitted > 0 {
            write!(formatter, " -> ({} more)", self.omitted)?;
        }
        for requirement in &self.last {
            write!(formatter, " -> {requirement}")?;
        }
        Ok(())
    }
}

/// The problem of a required project itself. One change may fix all findings with the same cause.
/// Its text is a sentence without its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedCause {
    /// The set does not have the project.
    Missing(ProjectName),
    /// The set has this version of the project.
    Version(ProjectName, Version),
    /// The project does not declare these extras.
    MissingExtras(ProjectName, Vec<ExtraName>),
    /// The project has no wheel for some platforms.
    NoWheel(ProjectName),
    /// The project's Requires-Python does not hold on some platforms.
    PythonExcluded(ProjectName, String),
    /// The set does not offer the project on some platforms: its `only`.
    NotOffered(ProjectName, String),
}

impl fmt::Display for SharedCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(project) => write!(formatter, "`{project}` is not in the set"),
            Self::Version(project, version) => {
                write!(formatter, "the set has `{project}` {version}")
            }
            Self::MissingExtras(project, extras) => {
                let extras: Vec<String> = extras.iter().map(|one| format!("`{one}`")).collect();
                let extras = extras.join(", ");
                write!(formatter, "`{project}` does not declare the extra {extras}")
            }
            Self::NoWheel(project) => {
                write!(formatter, "`{project}` has no wheel for some platforms")
            }
            Self::PythonExcluded(project, specifiers) => write!(
                formatter,
                "`requires-python` of `{project}`, `{specifiers}`, excludes patch versions of some platforms"
            ),
            Self::NotOffered(project, only) => {
                write!(
                    formatter,
                    "`only` of `{project}`, `{only}`, excludes some platforms"
                )
            }
        }
    }
}
