//! One wheel's archive, METADATA, WHEEL and RECORD: reads a `Read + Seek`, never a path.
//!
//! [`inspect()`] reads every byte of a wheel once and returns its facts, with all problems as
//! values. An archive must mean the same to every reader: to one that trusts the central directory,
//! to one that reads local headers as they stream past, and to a person. If two places of a ZIP
//! file could contradict each other, they are compared, and bytes that belong to no entry are
//! refused.
//!
//! The specifications are PKWARE's APPNOTE 6.3 for the archive and the *binary distribution format*
//! of the Python packaging specifications for its contents.

mod archive;
mod bytecode;
mod content;
mod entry_points;
mod input;
mod inspect;
mod installed;
mod layout;
mod limits;
mod members;
mod metadata_file;
mod packages;
mod places;
mod plain;
mod problems;
mod record;
mod sboms;
mod wheel_file;

use serde::{Deserialize, Serialize};

use crate::SystemFamily;

pub use bytecode::is_bytecode_name;
pub use entry_points::{EntryPoint, EntryPoints, entry_points};
pub use inspect::inspect;
pub use installed::{Installed, installed};
pub use limits::Limits;
pub use members::{MEMBERS_VERSION, MemberFacts, WheelMembers, installed_names, members};
pub use metadata_file::{MetadataMember, find_metadata};
pub use packages::module;
pub use plain::{PlainArchive, PlainBuffers};
pub use sboms::{SbomFile, read_sboms};

/// The version of the checks of [`inspect()`], for statements: a release whose wheels passed older
/// checks is not reused. Increased for every check that becomes stricter.
pub const CHECKS_VERSION: u32 = 4;

/// The version of the results of [`inspect()`]: part of the key under which facts are stored, so
/// that a changed check reads wheels again. Increased for every change that could change a fact.
pub const FACTS_VERSION: u32 = 6;

/// The facts from a wheel's own bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFacts {
    /// The name of the `*.dist-info` folder without that ending, `click-8.1.7`; empty unless there
    /// is exactly one.
    pub dist_info: String,
    /// METADATA, exactly; empty if it could not be read.
    #[serde(with = "base64_text")]
    pub metadata: Vec<u8>,
    /// The tags of WHEEL: compressed sets expanded, lower case, sorted, without repetitions.
    pub wheel_tags: Vec<String>,
    /// The names that could conflict with other projects.
    pub names: InstalledNames,
    /// The number of entries in the archive, including folders.
    pub members: u64,
    /// Bytes of all members, inflated.
    pub unpacked_size: u64,
    /// The paths of the SBOMs in its `*.dist-info` folder (PEP 770), sorted.
    pub sboms: Vec<String>,
    /// All problems, in the order in which they were found.
    pub problems: Vec<Problem>,
    /// Names that conflict, or are invalid, on some systems: a problem if the wheel is installed on
    /// one of them.
    pub name_conflicts: Vec<NameConflict>,
}

/// The names by which a wheel's contents are found after installation: if two projects share a
/// name, one replaces the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledNames {
    /// The commands that an installer creates from it, sorted, without repetitions.
    pub commands: Vec<String>,
    /// Its packages and modules, sorted, without repetitions, with `/` between a package and its
    /// contents. Several projects may share a folder without `__init__.py`, so each file in it is
    /// listed.
    pub packages: Vec<String>,
}

/// A problem of a wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind of the problem.
    pub kind: ProblemKind,
    /// One lower-case sentence that names the member and the values.
    pub message: String,
}

/// Members that cannot all be installed on some systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameConflict {
    /// The systems, each once.
    pub systems: Vec<SystemFamily>,
    /// The problem, as a sentence that continues with "on" and the systems.
    pub message: String,
}

/// The kind of a [`Problem`]; the names are the codes of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The archive contradicts itself, exceeds a limit, does not have exactly one `*.dist-info`, or
    /// has bytecode that runs instead of a source file.
    InvalidArchive,
    /// METADATA or WHEEL is missing, or WHEEL or `entry_points.txt` breaks its specification, or
    /// installers read it differently.
    InvalidMetadata,
    /// RECORD is missing or cannot be parsed, or its rows and the members differ.
    RecordMismatch,
}

/// Bytes as base64 in a string, because facts are stored as JSON and METADATA need not be UTF-8.
mod base64_text {
    use std::borrow::Cow;

    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&BASE64.encode_display(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        BASE64
            .decode(text.as_bytes())
            .map_err(|error| de::Error::custom(format!("`metadata` is not base64: {error}")))
    }
}
