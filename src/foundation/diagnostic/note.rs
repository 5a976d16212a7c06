//! What else helps to understand a finding, and what it comes from. Code asks for a kind; the words
//! are made when a person reads them.

use std::fmt;

use ipwhl_packaging::{ExtraName, ProjectName, Requirement, Version};

/// What else helps to understand a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// On which platforms it shows.
    Where {
        /// The platforms in few words.
        platforms: String,
        /// Whether only the first of the findings that are shown as one shows there.
        is_of_first: bool,
    },
    /// Under which extra the requirement applies.
    ForExtra(ExtraName),
    /// How a project that somebody asked for leads to the one that has the finding.
    ComesFrom(RequirerChain),
    /// On which platforms an earlier state of the set had it, in few words.
    WasBefore(String),
    /// A declared project whose name is like the missing one's.
    SimilarName(ProjectName),
    /// A sentence that no code asks for.
    Sentence(String),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Where {
                platforms,
                is_of_first,
            } => {
                let of_first = if *is_of_first { ", of the first" } else { "" };
                write!(formatter, "where: {platforms}{of_first}")
            }
            Self::ForExtra(extra) => {
                write!(formatter, "it is required for the extra `{extra}`")
            }
            Self::ComesFrom(chain) => write!(formatter, "it comes from {chain}"),
            Self::WasBefore(platforms) => write!(formatter, "it was so before on {platforms}"),
            Self::SimilarName(name) => {
                write!(
                    formatter,
                    "the set has a project of a similar name, `{name}`"
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

/// The way from a requested project to one that requires something, as in
/// `flask (wanted) -> werkzeug>=3.1 -> markupsafe>=2.1.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirerChain {
    requested: ProjectName,
    first: Vec<Requirement>,
    /// How many requirements stand between the first ones and the last ones.
    omitted: usize,
    last: Vec<Requirement>,
}

impl RequirerChain {
    /// How many requirements are kept: the first ones, and the last.
    const MAXIMUM_KEPT: usize = 12;

    /// The chain of these requirements; of a long one the middle is only counted.
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

/// What is wrong with a required project by itself. Findings that have this in common may end by
/// one change. Its words are a sentence without its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SharedCause {
    /// The set does not have the project.
    Missing(ProjectName),
    /// The set has the project in another version.
    Version(ProjectName, Version),
    /// The project does not declare these extras.
    MissingExtras(ProjectName, Vec<ExtraName>),
    /// The project has no wheel for some platforms.
    NoWheel(ProjectName),
    /// The project's Requires-Python does not hold on some platforms.
    PythonExcluded(ProjectName, String),
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
                write!(
                    formatter,
                    "the set does not vouch for the extra {extras} of `{project}`"
                )
            }
            Self::NoWheel(project) => {
                write!(formatter, "`{project}` has no wheel for some platforms")
            }
            Self::PythonExcluded(project, specifiers) => write!(
                formatter,
                "the requires-python `{specifiers}` of `{project}` does not hold on every patch version of some platforms"
            ),
        }
    }
}
