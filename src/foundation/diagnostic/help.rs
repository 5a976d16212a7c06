//! The ways out of findings. Code asks for a kind; the words and the text to paste are made when a
//! person reads them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use super::shell_word;

/// What stands for the name of a project where several findings are shown as one.
const ANY_PROJECT: &str = "NAME";
/// What stands for the name of a file there.
const ANY_FILE: &str = "FILE";

/// A way out of a finding. Its words are what to do or to type, one lower-case sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Help {
    /// A command that declares a project.
    Add(AddPurpose, AddCommand),
    /// The waiver that covers the finding, as text to add to `ipwhl.toml`.
    Waiver(String),
    /// To add extras to a declaration by hand, where the wheels have them.
    AddExtras {
        /// The project that lacks them.
        project: ProjectName,
        /// What it lacks.
        extras: Vec<ExtraName>,
    },
    /// To declare another version of what requires it.
    OtherRequirer,
    /// To remove extras that need it and that nothing asks for.
    RemoveExtras {
        /// The extras.
        extras: BTreeSet<ExtraName>,
        /// The files and lines that declare them; no file for that of the finding, whichever it is.
        places: Vec<(Option<Arc<str>>, usize)>,
    },
    /// To remove a project that nothing needs, or to want it.
    RemoveProject {
        /// The project; `None` for that of the finding, whichever it is.
        project: Option<ProjectName>,
        /// Its declaration; `None` for that of the finding, whichever it is.
        file: Option<Arc<str>>,
    },
    /// To declare a version that names no address.
    NoAddress {
        /// The project; `None` for that of the finding, whichever it is.
        project: Option<ProjectName>,
    },
    /// A known word that is like the one that was written.
    DidYouMean(String),
    /// A sentence that no code asks for.
    Sentence {
        /// What to do or to type.
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
            Self::Waiver(text) => Some(text.clone()),
            Self::Sentence { text, .. } => text.clone(),
            _ => None,
        }
    }

    /// Whether there is text to paste.
    pub fn has_text(&self) -> bool {
        matches!(
            self,
            Self::Add(..) | Self::Waiver(_) | Self::Sentence { text: Some(_), .. }
        )
    }

    /// The same way out of whichever finding is like this one: without its project and its file.
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
                formatter.write_str("answer for it: add this to `ipwhl.toml`, with the reason")
            }
            Self::AddExtras { project, extras } => {
                let extras: Vec<String> = extras.iter().map(|one| format!("`{one}`")).collect();
                let extras = extras.join(", ");
                write!(
                    formatter,
                    "if its wheels have it, add {extras} to the `extras` of `{project}`, and to its `dependencies` what it needs"
                )
            }
            Self::OtherRequirer => {
                formatter.write_str("declare another version of what requires it")
            }
            Self::RemoveExtras { extras, places } => {
                let names = extras.iter().map(|extra| format!("`\"{extra}\"`"));
                let places = places.iter().map(|(file, line)| {
                    let file = file.as_deref().unwrap_or(ANY_FILE);
                    format!("{file}:{line}")
                });
                write!(
                    formatter,
                    "leave out what needs it: remove {} from `extras` in {}",
                    first_few(names, " and "),
                    first_few(places, ", ")
                )
            }
            Self::RemoveProject { project, file } => write!(
                formatter,
                "`ipwhl remove {}`, or take `automatic` out of {} if someone wants it",
                name(project),
                file.as_deref().unwrap_or(ANY_FILE)
            ),
            Self::NoAddress { project } => write!(
                formatter,
                "declare a version of `{}` that names no address",
                name(project)
            ),
            Self::DidYouMean(word) => write!(formatter, "did you mean `{word}`?"),
            Self::Sentence { message, .. } => formatter.write_str(message),
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

/// How many extras, and places, a way out names.
const MOST_NAMED: usize = 8;

/// The first few words, and how many there are beside them.
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

/// What a project is declared for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddPurpose {
    /// It is missing.
    Missing,
    /// It is missing, and the index has this version.
    MissingVersion(Version),
    /// All who require it accept some version, if there is one.
    Accepted,
    /// All who require it accept this version, which the index has.
    AcceptedVersion(Version),
    /// The index may have wheels for platforms that have none.
    Wheels,
    /// The index has wheels of this version, the declared one, for them.
    WheelsOf(Version),
    /// The index may have a version for interpreters that the declared one excludes.
    Interpreters,
    /// The declared version has an extra that is not declared.
    Extra,
    /// The index has this version, which has the extra.
    VersionWithExtra(Version),
    /// This version of it accepts the declared version of what it requires.
    Requirer(Version, ProjectName),
}

impl AddPurpose {
    fn write(&self, project: &ProjectName, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("declare it, with what it needs"),
            Self::MissingVersion(version) => write!(
                formatter,
                "declare {version}, the newest in the index that all who require it accept, with what it needs"
            ),
            Self::Accepted => formatter
                .write_str("take a version that all who require it accept, if there is one"),
            Self::AcceptedVersion(version) => write!(
                formatter,
                "take {version}, the newest in the index that all who require it accept"
            ),
            Self::Wheels => formatter.write_str("take wheels for them, if the index has some"),
            Self::WheelsOf(version) => write!(
                formatter,
                "take the wheels for them that the index has of {version}"
            ),
            Self::Interpreters => {
                formatter.write_str("take a version for these interpreters, if the index has one")
            }
            Self::Extra => formatter.write_str("declare the extra, with what it needs"),
            Self::VersionWithExtra(version) => write!(
                formatter,
                "take {version}, the newest in the index that has the extra and that all who require it accept"
            ),
            Self::Requirer(version, required) => write!(
                formatter,
                "take `{project}` {version}, which accepts the `{required}` of the set"
            ),
        }
    }
}

/// The longest wish that a command has, in bytes: no version is what thousands of specifiers ask
/// for together.
const LONGEST_WISH: usize = 1_000;

/// An `ipwhl add` that declares a project as the set needs it, as a shell understands it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddCommand {
    /// The project.
    pub project: ProjectName,
    /// Extras that are named beside those that it has.
    pub extras: BTreeSet<ExtraName>,
    /// Which versions will do, as in `>=1,<2`; empty for any.
    pub specifiers: String,
    /// Whether nobody asks for the project itself.
    pub is_automatic: bool,
    /// Whether what it needs is declared, too.
    pub has_dependencies: bool,
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
        if self.has_dependencies {
            formatter.write_str("--with-dependencies ")?;
        }
        formatter.write_str(&shell_word(&wish))
    }
}
