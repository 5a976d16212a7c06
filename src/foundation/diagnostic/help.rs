//! The help of findings. Code uses its kind. The sentence and the text to paste are made only for
//! the output.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use super::shell_word;

/// The placeholder for a project's name if several findings are shown as one.
const ANY_PROJECT: &str = "NAME";
/// The placeholder for a file's name if several findings are shown as one.
const ANY_FILE: &str = "FILE";

/// The help of a finding: one lower-case sentence with an action or a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Help {
    /// A command that declares a project.
    Add(AddPurpose, AddCommand),
    /// Another command.
    Run {
        /// The effect of the command.
        message: String,
        /// The command, quoted for a shell.
        command: String,
    },
    /// The waiver that covers the finding, as text to add to `ipwhl.toml`.
    Waiver(String),
    /// Add extras to a declaration by hand, if the wheels have them.
    AddExtras {
        /// The project that lacks them.
        project: ProjectName,
        /// The missing extras.
        extras: Vec<ExtraName>,
    },
    /// Declare another version of the requiring project.
    OtherRequirer,
    /// Remove extras that need the project and that no requirement requests.
    RemoveExtras {
        /// The extras.
        extras: BTreeSet<ExtraName>,
        /// The files and lines that declare them; `None` for the file of the finding.
        places: Vec<(Option<Arc<str>>, usize)>,
    },
    /// Remove a project that no other project needs, or make it wanted.
    RemoveProject {
        /// The project; `None` for that of the finding.
        project: Option<ProjectName>,
        /// Its declaration; `None` for that of the finding.
        file: Option<Arc<str>>,
    },
    /// Declare a version that requires no URL.
    NoAddress {
        /// The project; `None` for that of the finding.
        project: Option<ProjectName>,
    },
    /// A known word that is similar to the given one.
    DidYouMean(String),
    /// A sentence that no code evaluates.
    Sentence {
        /// The action or the command.
        message: String,
        /// Text to paste, of one line or several, without a final line feed.
        text: Option<String>,
    },
}

impl Help {
    /// Text to paste, of one line or several, without a final line feed.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Add(_, command) => Some(command.to_string()),
            Self::Run { command, .. } => Some(command.clone()),
            Self::Waiver(text) => Some(text.clone()),
            Self::Sentence { text, .. } => text.clone(),
            _ => None,
        }
    }

    /// Whether there is text to paste.
    pub fn has_text(&self) -> bool {
        matches!(
            self,
            Self::Add(..)
                | Self::Run { .. }
                | Self::Waiver(_)
                | Self::Sentence { text: Some(_), .. }
        )
    }

    /// The same help for several findings, without the project and the file of this one.
    #[must_use]
    pub fn in_general(&self, own_project: Option<&ProjectName>, own_file: Option<&str>) -> Self {
        let other_project = |project: &Option<ProjectName>| {
            project.clone().filter(|name| Some(name) != own_project)
        };
        let other_file =
            |file: &Option<Arc<str>>| file.clone().filter(|name| Some(&**name) != own_file);
        match self {
            Self::RemoveExtras { extras, places } => Self::RemoveExtras {
                extras: extras.clone(),
                places: places
                    .iter()
                    .map(|(file, line)| (other_file(file), *line))
                    .collect(),
            },
            Self::RemoveProject { project, file } => Self::RemoveProject {
                project: other_project(project),
                file: other_file(file),
            },
            Self::NoAddress { project } => Self::NoAddress {
                project: other_project(project),
            },
            other => other.clone(),
        }
    }
}

impl fmt::Display for Help {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |project: &Option<ProjectName>| {
            project
                .as_ref()
                .map_or_else(|| ANY_PROJECT.to_owned(), ToString::to_string)
        };
        match self {
            Self::Add(purpose, command) => purpose.write(&command.project, formatter),
            Self::Waiver(_) => {
                formatter.write_str("to accept it: add this to `ipwhl.toml`, with the reason")
            }
            Self::AddExtras { project, extras } => {
                let extras: Vec<String> = extras.iter().map(|one| format!("`{one}`")).collect();
                let extras = extras.join(", ");
                write!(
                    formatter,
                    "if the wheels of `{project}` have it, add {extras} to `extras`, and its \
                     requirements to `dependencies`"
                )
            }
            Self::OtherRequirer => {
                formatter.write_str("declare another version of the project that requires it")
            }
            Self::RemoveExtras { extras, places } => {
                let names = extras.iter().map(|extra| format!("`\"{extra}\"`"));
                let places = places.iter().map(|(file, line)| {
                    let file = file.as_deref().unwrap_or(ANY_FILE);
                    format!("{file}:{line}")
                });
                write!(
                    formatter,
                    "drop the extra that needs it: remove {} from `extras` in {}",
                    first_few(names, " and "),
                    first_few(places, ", ")
                )
            }
            Self::RemoveProject { project, file } => write!(
                formatter,
                "run `ipwhl remove {}`, or remove `automatic` from {} if the project is wanted",
                name(project),
                file.as_deref().unwrap_or(ANY_FILE)
            ),
            Self::NoAddress { project } => write!(
                formatter,
                "declare a version of `{}` that requires no URL",
                name(project)
            ),
            Self::DidYouMean(word) => write!(formatter, "did you mean `{word}`?"),
            Self::Run { message, .. } | Self::Sentence { message, .. } => {
                formatter.write_str(message)
            }
        }
    }
}

impl From<&str> for Help {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl From<String> for Help {
    fn from(message: String) -> Self {
        Self::Sentence {
            message,
            text: None,
        }
    }
}

/// The maximum number of extras and of places in a help text.
const MOST_NAMED: usize = 8;

/// The first few words, and the number of the others.
fn first_few(words: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let more = words.len().saturating_sub(MOST_NAMED);
    let words: Vec<String> = words.take(MOST_NAMED).collect();
    let words = words.join(between);
    if more > 0 {
        format!("{words}{between}{more} more")
    } else {
        words
    }
}

/// The purpose of declaring a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddPurpose {
    /// It is missing.
    Missing,
    /// It is missing, and the index has this version.
    MissingVersion(Version),
    /// To find a version that every requiring project accepts, if there is one.
    Accepted,
    /// Every requiring project accepts this version, which the index has.
    AcceptedVersion(Version),
    /// The index may have wheels for platforms without one.
    Wheels,
    /// The index has wheels of this version, the declared one, for these platforms.
    WheelsOf(Version),
    /// The index may have a version for interpreters that the declared one excludes.
    Interpreters,
    /// The declared version has an extra that is not declared.
    Extra,
    /// The index has this version, which has the extra.
    VersionWithExtra(Version),
    /// This version accepts the declared version of the required project.
    Requirer(Version, ProjectName),
}

impl AddPurpose {
    fn write(&self, project: &ProjectName, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("declare it and its dependencies"),
            Self::MissingVersion(version) => write!(
                formatter,
                "declare {version}, the newest version in the index that every requiring project \
                 accepts, and its dependencies"
            ),
            Self::Accepted => formatter
                .write_str("use a version that every requiring project accepts, if there is one"),
            Self::AcceptedVersion(version) => write!(
                formatter,
                "use {version}, the newest version in the index that every requiring project accepts"
            ),
            Self::Wheels => {
                formatter.write_str("declare wheels for these platforms, if the index has some")
            }
            Self::WheelsOf(version) => write!(
                formatter,
                "declare the wheels of {version} for these platforms, which the index has"
            ),
            Self::Interpreters => {
                formatter.write_str("use a version for these interpreters, if the index has one")
            }
            Self::Extra => formatter.write_str("declare the extra and its dependencies"),
            Self::VersionWithExtra(version) => write!(
                formatter,
                "use {version}, the newest version in the index that has the extra and that every \
                 requiring project accepts"
            ),
            Self::Requirer(version, required) => write!(
                formatter,
                "use `{project}` {version}, which accepts the version of `{required}` in the set"
            ),
        }
    }
}

/// The longest request in a command, in bytes. No version satisfies thousands of specifiers.
const LONGEST_WISH: usize = 1_000;

/// An `ipwhl add` command that declares a project as the set needs it, quoted for a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddCommand {
    /// The project.
    pub project: ProjectName,
    /// Extras to request, in addition to those that are declared.
    pub extras: BTreeSet<ExtraName>,
    /// The acceptable versions, as in `>=1,<2`; empty for any.
    pub specifiers: String,
    /// Whether the project is automatic.
    pub is_automatic: bool,
}

impl fmt::Display for AddCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wish = self.project.to_string();
        if !self.extras.is_empty() {
            let extras: Vec<&str> = self.extras.iter().map(ExtraName::as_str).collect();
            wish += &format!("[{}]", extras.join(","));
        }
        wish += &self.specifiers;
        if wish.len() > LONGEST_WISH {
            wish = self.project.to_string();
        }
        formatter.write_str("ipwhl add ")?;
        if self.is_automatic {
            formatter.write_str("--automatic ")?;
        }
        formatter.write_str(&shell_word(&wish))
    }
}
