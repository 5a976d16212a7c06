//! One wheel's archive, METADATA, WHEEL and RECORD: reads a `Read + Seek`, never a path.
//!
//! [`inspect()`] reads every byte of a wheel once and returns what it says of itself, with all that
//! is wrong with it as values. An archive must mean the same to every reader: to one that trusts
//! the central directory, to one that reads local headers as they stream past, and to a person.
//! Where two places of a ZIP file could contradict each other, they are compared, and bytes that
//! no entry owns are refused.
//!
//! The specifications are PKWARE's APPNOTE 6.3 for the archive and the *binary distribution
//! format* of the Python packaging specifications for what is in it.

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
mod packages;
mod places;
mod problems;
mod record;
mod wheel_file;

use serde::{Deserialize, Serialize};

use crate::SystemFamily;

pub use bytecode::is_bytecode_name;
pub use entry_points::{EntryPoint, EntryPoints, entry_points};
pub use inspect::inspect;
pub use installed::{Installed, installed};
pub use limits::Limits;
pub use members::{MEMBERS_VERSION, MemberFacts, WheelMembers, installed_names, members};
pub use packages::module;

/// The version of what [`inspect()`] checks, as a statement has it: a release whose wheels have
/// passed older checks is not reused. Grows with every check that is stricter than before.
pub const CHECKS_VERSION: u32 = 3;

/// The version of what [`inspect()`] returns: part of the key under which facts are kept, so that
/// another check looks again. Grows with every change that could change a fact.
pub const FACTS_VERSION: u32 = 4;

/// What a wheel's own bytes say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFacts {
    /// The name of the one `*.dist-info` folder without that ending, `click-8.1.7`; empty where
    /// there is none or more than one.
    pub dist_info: String,
    /// METADATA, exactly; empty where it could not be read.
    #[serde(with = "base64_text")]
    pub metadata: Vec<u8>,
    /// The tags of WHEEL: one each where a line has a compressed set, lower case, sorted, once.
    pub wheel_tags: Vec<String>,
    /// The names that it has beside those of other projects.
    pub names: InstalledNames,
    /// How many entries the archive has, folders included.
    pub members: u64,
    /// Bytes of all members, inflated.
    pub unpacked_size: u64,
    /// All that is wrong, in the order in which it was found.
    pub problems: Vec<Problem>,
    /// Names that are one place, or no name, on some systems: wrong where the wheel is installed on
    /// one of them.
    pub name_conflicts: Vec<NameConflict>,
}

/// The names by which a wheel's contents are found once it is installed: of two projects with one
/// name, one takes the place of the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledNames {
    /// The commands that an installer makes of it, sorted, once.
    pub commands: Vec<String>,
    /// Its packages and modules, sorted, once, with `/` between a package and what is in it. Of a
    /// folder without `__init__.py`, which several projects may share, each file by itself.
    pub packages: Vec<String>,
}

/// Something wrong with a wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What it is about.
    pub kind: ProblemKind,
    /// One lower-case sentence that names the member and the values.
    pub message: String,
}

/// Members that cannot all be installed on some systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameConflict {
    /// The systems, each once.
    pub systems: Vec<SystemFamily>,
    /// What is wrong, as a sentence that goes on with "on" and the systems.
    pub message: String,
}

/// What a [`Problem`] is about; the names are the codes of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The archive contradicts itself, passes a limit, has not exactly one `*.dist-info`, or has
    /// bytecode that runs instead of a source file.
    InvalidArchive,
    /// METADATA or WHEEL is missing, or WHEEL or `entry_points.txt` says something that its
    /// specification refuses, or that installers read differently.
    InvalidMetadata,
    /// RECORD is missing or cannot be parsed, or its rows and the members differ.
    RecordMismatch,
}

/// Bytes as base64 in a string, since facts are kept as JSON and METADATA need not be UTF-8.
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
