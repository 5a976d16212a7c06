//! Entries of project files that have no effect, with reasons.

use std::fmt;

use ipwhl_packaging::{ProjectName, Requirement, Version};

use super::place::Place;

/// An entry of a project file that has no effect. Its text is one sentence without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The kind of entry.
    pub kind: IgnoredKind,
    /// The place of the entry; the first one if several are counted.
    pub place: Place,
}

/// The kind of an ignored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoredKind {
    /// An option for installers, such as `--index-url`, with the number of its uses in the file.
    Option(String, usize),
    /// A project in a folder, which would be installed in editable mode; the folder.
    Editable(String),
    /// A file or folder on this machine.
    Path(String),
    /// A distribution at a URL, with its project if it is named.
    Url(Option<ProjectName>, String),
    /// A source tree in a version control system, with its project if it is named.
    VersionControl(Option<ProjectName>, String),
    /// A project that is a part of the same workspace.
    Workspace(ProjectName),
    /// The index that one project comes from.
    Index(ProjectName),
    /// The extras of a constraint.
    ConstraintExtras(ProjectName),
    /// A requirement that replaces those of other projects.
    Override(Requirement),
    /// A key that a build backend computes.
    Dynamic(&'static str),
    /// One of several locked versions of a project.
    OtherVersion(ProjectName, Version),
    /// A package that is locked without a version.
    Unversioned(ProjectName),
    /// A minor version of the lock file's format that is newer than the known one.
    NewerFormat(String),
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl fmt::Display for IgnoredKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name, count) => {
                write!(formatter, "`{name}` ")?;
                if *count > 1 {
                    write!(formatter, "({count} times) ")?;
                }
                write!(formatter, "is ignored: {}", option_reason(name))
            }
            Self::Editable(path) => write!(
                formatter,
                "the editable project `{path}` is ignored: {PROJECT_FILE_REASON}"
            ),
            Self::Path(path) => write!(
                formatter,
                "the path `{path}` is ignored: {PROJECT_FILE_REASON}"
            ),
            Self::Url(project, url) => write_direct(formatter, project.as_ref(), "the URL", url),
            Self::VersionControl(project, url) => {
                write_direct(formatter, project.as_ref(), "the source tree", url)
            }
            Self::Workspace(project) => write!(
                formatter,
                "`{project}` is ignored: it is a project of the same workspace, not of an index"
            ),
            Self::Index(project) => write!(
                formatter,
                "the index of `{project}` is ignored: all projects come from the index of the \
                 repository"
            ),
            Self::ConstraintExtras(project) => write!(
                formatter,
                "the extras of the constraint on `{project}` are ignored: a constraint limits \
                 versions only"
            ),
            Self::Override(requirement) => write!(
                formatter,
                "the override `{requirement}` is ignored: the set checks the requirements that \
                 wheels declare"
            ),
            Self::Dynamic(key) => write!(
                formatter,
                "`{key}` is ignored: it is dynamic, so only the project's build backend knows it"
            ),
            Self::OtherVersion(project, version) => write!(
                formatter,
                "the locked version {version} of `{project}` is ignored: the file locks several \
                 versions, and the newest is preferred"
            ),
            Self::Unversioned(project) => write!(
                formatter,
                "no version of `{project}` is preferred: it is locked without one"
            ),
            Self::NewerFormat(version) => write!(
                formatter,
                "the version {version} of the lock file's format is newer than the known one: \
                 unknown keys are ignored"
            ),
        }
    }
}

const PROJECT_FILE_REASON: &str =
    "projects come from an index; to request its dependencies, use its `pyproject.toml`";

fn write_direct(
    formatter: &mut fmt::Formatter<'_>,
    project: Option<&ProjectName>,
    what: &str,
    url: &str,
) -> fmt::Result {
    write!(formatter, "{what} `{url}` ")?;
    if let Some(project) = project {
        write!(formatter, "of `{project}` ")?;
    }
    formatter.write_str("is ignored: projects come from an index")?;
    match project {
        Some(project) => write!(formatter, "; to request it from there, write `{project}`"),
        None => Ok(()),
    }
}

/// The reason why an option of pip has no effect.
fn option_reason(name: &str) -> &'static str {
    match name {
        "--hash" => "wheels are compared by their SHA-256 only",
        "--require-hashes" | "--no-require-hashes" => {
            "declarations get the hashes of the wheels that the index has"
        }
        "--index-url" | "--extra-index-url" | "--no-index" | "--find-links" | "--trusted-host" => {
            "all projects come from the index of the repository"
        }
        "--no-binary" | "--only-binary" | "--prefer-binary" => "a set has wheels only",
        "--pre" | "--all-releases" | "--only-final" => {
            "a pre-release is selected only if a requirement names one"
        }
        _ => "it is for installers and builds",
    }
}
