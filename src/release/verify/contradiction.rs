//! Contradictions within a release, as values.

use std::fmt;

use ipwhl_packaging::wheel::Problem;

use crate::foundation::diagnostic::Finding;
use crate::release::names::{
    DECLARATION, HTML, JSON, LOCK, METADATA, RELEASE_FILE, RELEASE_FOLDER,
};
use crate::release::tree::ReleaseJsonError;

/// A contradiction within a release. Names of projects and files are those in the tree, and may be
/// any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// The root is a file, but a release is a tree.
    RootIsFile,
    /// The release has no root page of this format.
    MissingRootPage(PageFormat),
    /// The projects on the root page of this format are not those that have folders.
    OtherProjects(PageFormat),
    /// The release has no folder about itself.
    MissingReleaseFolder,
    /// The folder about the release has no `release.json`.
    MissingReleaseJson,
    /// `release.json` contradicts the release.
    ReleaseJson(ReleaseJsonContradiction),
    /// The file is not part of the format.
    UnknownFile {
        /// Its folder.
        folder: String,
        /// Its name.
        file: String,
    },
    /// A lock file is missing.
    MissingLock {
        /// Its folder; empty for the top.
        folder: String,
    },
    /// A lock file is not the one that follows from the declarations.
    OtherLock {
        /// Its folder; empty for the top.
        folder: String,
    },
    /// A file has the place of a project's folder.
    ProjectIsFile {
        /// Its name.
        project: String,
    },
    /// The archive of a wheel is invalid.
    InvalidWheel {
        /// The project's folder.
        project: String,
        /// The wheel's file name.
        wheel: String,
        /// The first problem.
        problem: Problem,
    },
    /// A wheel has no METADATA beside it.
    MissingMetadata {
        /// The project's folder.
        project: String,
        /// The wheel's file name.
        wheel: String,
    },
    /// The METADATA beside a wheel differs from that in the wheel.
    OtherMetadata {
        /// The project's folder.
        project: String,
        /// The wheel's file name.
        wheel: String,
    },
    /// A page or the declaration of a project is missing.
    MissingFile {
        /// The project's folder.
        project: String,
        /// The missing file.
        file: ProjectFile,
    },
    /// A page or declaration of a project contradicts its wheels.
    File {
        /// The project's folder.
        project: String,
        /// The page or declaration.
        file: ProjectFile,
        /// The contradiction.
        contradiction: FileContradiction,
    },
}

/// The two formats of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageFormat {
    /// `index.html`.
    Html,
    /// `index.v1_json`.
    Json,
}

impl PageFormat {
    /// Both formats, in the order in which they are verified.
    pub const ALL: [Self; 2] = [Self::Html, Self::Json];

    /// The file name of the page.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Html => HTML,
            Self::Json => JSON,
        }
    }
}

/// A file of a project's folder that describes its wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProjectFile {
    /// A page.
    Page(PageFormat),
    /// `declaration.toml`.
    Declaration,
}

impl ProjectFile {
    /// All files, in the order in which they are verified.
    pub const ALL: [Self; 3] = [
        Self::Page(PageFormat::Html),
        Self::Page(PageFormat::Json),
        Self::Declaration,
    ];

    /// Its name.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Page(format) => format.file_name(),
            Self::Declaration => DECLARATION,
        }
    }
}

/// A contradiction between `release.json` and the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseJsonContradiction {
    /// It cannot be used.
    Unknown(ReleaseJsonError),
    /// It states a wrong total.
    OtherTotal {
        /// The total.
        total: Total,
        /// The stated value.
        stated: u64,
        /// The actual value.
        found: u64,
    },
}

/// A total of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Total {
    /// Projects.
    Projects,
    /// Wheels.
    Wheels,
    /// Bytes of all wheels.
    Bytes,
}

impl Total {
    /// Its key in `release.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Wheels => "wheels",
            Self::Bytes => "bytes",
        }
    }
}

/// A contradiction between a page or a declaration and the wheels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContradiction {
    /// The project's name is not allowed in an address.
    NoAddress,
    /// The page cannot be read; the reason, as a sentence.
    UnreadablePage(String),
    /// The page lists a wheel that is missing.
    ListsMissing(String),
    /// The page does not list a wheel.
    NotListed(String),
    /// The page's address of a wheel refers to another place.
    LeadsElsewhere(String),
    /// The page has tags that pages of this format do not have.
    UnknownTags,
    /// `data-dist-info-metadata` of some wheel has another digest.
    OtherDistInfoMetadata,
    /// It does not have exactly the upload times that the declarations state.
    OtherUploadTimes,
    /// The page or declaration has a wrong value of a wheel.
    Other {
        /// The value.
        fact: WheelFact,
        /// The wheel's file name.
        wheel: String,
    },
    /// The page marks a wheel as yanked.
    Yanked(String),
    /// The page is of another project: the name, as JSON.
    OtherProject(String),
    /// The page lists other versions than those of the wheels.
    OtherVersions,
    /// The declaration is not text.
    NotText,
    /// The declaration has a finding, or contradicts METADATA of a wheel.
    Finding(Box<Finding>),
    /// The declaration declares no wheel.
    DeclaresNothing,
    /// The declaration declares a wheel twice.
    DeclaresTwice(String),
    /// The declaration declares a wheel of another project.
    DeclaresForeign(String),
    /// The declaration declares a wheel that is missing.
    DeclaresMissing(String),
    /// The declaration does not declare a wheel.
    NotDeclared(String),
}

/// A value of a wheel on pages and in declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WheelFact {
    /// Its content-id.
    ContentId,
    /// The SHA-256 of the file.
    Sha256,
    /// Its size.
    Size,
    /// The SHA-256 of its METADATA.
    MetadataSha256,
    /// Its Requires-Python.
    RequiresPython,
    /// The time of its upload.
    UploadTime,
}

impl WheelFact {
    /// The name of the value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContentId => "content-id",
            Self::Sha256 => "SHA-256",
            Self::Size => "size",
            Self::MetadataSha256 => "SHA-256 of the metadata",
            Self::RequiresPython => "Requires-Python",
            Self::UploadTime => "upload time",
        }
    }
}

/// Files that the format does not have.
pub(super) fn unknown_files<'n>(
    folder: &str,
    names: impl Iterator<Item = &'n str>,
) -> Vec<Contradiction> {
    names
        .map(|name| Contradiction::UnknownFile {
            folder: folder.to_owned(),
            file: name.to_owned(),
        })
        .collect()
}

/// The path of the lock file in a folder; the top has no name.
fn lock_in(folder: &str) -> String {
    match folder {
        "" => LOCK.to_owned(),
        folder => format!("{folder}/{LOCK}"),
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RootIsFile => out.write_str("the release is a file, not a tree"),
            Self::MissingRootPage(page) => {
                write!(out, "the release has no `{}`", page.file_name())
            }
            Self::OtherProjects(page) => write!(
                out,
                "`{}` does not list the projects of the release",
                page.file_name()
            ),
            Self::MissingReleaseFolder => {
                write!(out, "the release has no folder `{RELEASE_FOLDER}`")
            }
            Self::MissingReleaseJson => {
                write!(out, "{RELEASE_FOLDER}/{RELEASE_FILE} is missing")
            }
            Self::ReleaseJson(contradiction) => {
                write!(out, "{RELEASE_FOLDER}/{RELEASE_FILE}: {contradiction}")
            }
            Self::UnknownFile { folder, file } => {
                write!(out, "{folder}/{file} is not a file of a release")
            }
            Self::MissingLock { folder } => {
                write!(out, "{} is missing", lock_in(folder))
            }
            Self::OtherLock { folder } => {
                write!(out, "{} is not what the declarations say", lock_in(folder))
            }
            Self::ProjectIsFile { project } => {
                write!(out, "`{project}` is a file, not a project's folder")
            }
            Self::InvalidWheel {
                project,
                wheel,
                problem,
            } => write!(out, "{project}/{wheel}: {}", problem.message),
            Self::MissingMetadata { project, wheel } => {
                write!(out, "{project}/{wheel}{METADATA} is missing")
            }
            Self::OtherMetadata { project, wheel } => write!(
                out,
                "{project}/{wheel}{METADATA} differs from METADATA of the wheel"
            ),
            Self::MissingFile { project, file } => {
                write!(out, "{project}/{} is missing", file.file_name())
            }
            Self::File {
                project,
                file,
                contradiction,
            } => write!(out, "{project}/{}: {contradiction}", file.file_name()),
        }
    }
}

impl fmt::Display for ReleaseJsonContradiction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(error) => error.fmt(out),
            Self::OtherTotal {
                total,
                stated,
                found,
            } => {
                let total = total.as_str();
                write!(out, "it has {stated} {total}, but the release has {found}")
            }
        }
    }
}

impl fmt::Display for FileContradiction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => out.write_str("the project's name is not allowed in an address"),
            Self::UnreadablePage(reason) => out.write_str(reason),
            Self::ListsMissing(wheel) => write!(out, "it lists `{wheel}`, which is missing"),
            Self::NotListed(wheel) => write!(out, "it does not list `{wheel}`"),
            Self::LeadsElsewhere(wheel) => {
                write!(out, "its address of `{wheel}` refers to another place")
            }
            Self::UnknownTags => out.write_str(
                "it has tags that pages of this format do not have, and readers may interpret them \
                 differently",
            ),
            Self::OtherUploadTimes => {
                out.write_str("it has other upload times than the declarations state")
            }
            Self::OtherDistInfoMetadata => {
                out.write_str("it has another SHA-256 of metadata in `data-dist-info-metadata`")
            }
            Self::Other { fact, wheel } => {
                write!(out, "it has another {} of `{wheel}`", fact.as_str())
            }
            Self::Yanked(wheel) => write!(out, "it says that `{wheel}` was yanked"),
            Self::OtherProject(name) => write!(out, "it is of the project {name}"),
            Self::OtherVersions => {
                out.write_str("it lists other versions than those of the wheels")
            }
            Self::NotText => out.write_str("it is not text"),
            Self::Finding(finding) => out.write_str(&finding.message),
            Self::DeclaresNothing => out.write_str("it declares no wheel"),
            Self::DeclaresTwice(wheel) => write!(out, "it declares `{wheel}` twice"),
            Self::DeclaresForeign(wheel) => {
                write!(out, "it declares `{wheel}`, a wheel of another project")
            }
            Self::DeclaresMissing(wheel) => {
                write!(out, "it declares `{wheel}`, which is missing")
            }
            Self::NotDeclared(wheel) => write!(out, "it does not declare `{wheel}`"),
        }
    }
}
