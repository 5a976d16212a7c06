//! Supported platforms: an interpreter on a system, and which wheels an installer there accepts.
//!
//! Specification: "Platform compatibility tags". Where it leaves room, the `packaging` library is
//! followed, which installers use.

mod patches;
mod requires_python;
pub(super) mod system;

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;

pub(super) use patches::Patches;
pub use requires_python::requires_python;
use system::{Libc, SystemTag};
use thiserror::Error;

use super::marker::expression::Variable;
use super::specifier::{VersionSpecifiers, clause_contains};
use super::tag::Tag;

/// One supported target: an interpreter, the oldest patch version of it, and the oldest system.
///
/// Written `<python tag>-<platform tag>`, as in `cp312-manylinux_2_28_x86_64`; a floor for the
/// patch version is no part of that name. Sorted by interpreter, version and system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    implementation: Implementation,
    major: u64,
    minor: u64,
    free_threaded: bool,
    floor: u64,
    system_tag: String,
    system: SystemTag,
}

/// The kind of a system, by which names of files differ.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum SystemFamily {
    /// Linux, and what nothing else is known of.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl fmt::Display for SystemFamily {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Linux => "Linux",
            Self::MacOs => "macOS",
            Self::Windows => "Windows",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Implementation {
    CPython,
    PyPy,
}

/// A text that names no platform that can be supported; shown, it is one sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PlatformError(String);

/// The first free-threaded `CPython`.
const FIRST_FREE_THREADED_MINOR: u64 = 13;
/// The oldest supported minor version; before it, the ABI tag also had the width of characters.
const OLDEST_MINOR: u64 = 3;
/// The first `CPython` without the `m` in its ABI tag.
const FIRST_MINOR_WITHOUT_PYMALLOC: u64 = 8;
/// The first `CPython` with the stable ABI.
const FIRST_STABLE_ABI_MINOR: u64 = 2;
/// The Windows systems that Python is built for.
const WINDOWS_TAGS: [&str; 3] = ["win32", "win_amd64", "win_arm64"];
/// The version of `PyPy`'s binary interface, the same since `PyPy` 7.3.
const PYPY_ABI: &str = "pp73";

impl Platform {
    /// Reads a platform from its two halves, such as `cp311>=3.11.5` and `manylinux_2_28_x86_64`.
    pub fn parse(python: &str, system: &str) -> Result<Self, PlatformError> {
        let (tag, floor) = match python.split_once(">=") {
            Some((tag, floor)) => (tag.trim_end(), Some(floor.trim())),
            None => (python, None),
        };
        let invalid = |reason: &str| PlatformError(format!("the Python tag {tag:?} {reason}"));
        let (implementation, digits) = if let Some(digits) = tag.strip_prefix("cp") {
            (Implementation::CPython, digits)
        } else if let Some(digits) = tag.strip_prefix("pp") {
            (Implementation::PyPy, digits)
        } else {
            return Err(invalid(
                "names neither CPython, as `cp312` does, nor PyPy, as `pp311` does",
            ));
        };
        let (digits, free_threaded) = match digits.strip_suffix('t') {
            Some(digits) => (digits, true),
            None => (digits, false),
        };
        let (major, minor) = match version_of_digits(digits) {
            Some((3, Some(minor))) if minor >= OLDEST_MINOR => (3, minor),
            Some((3, None)) => return Err(invalid("has no minor version")),
            Some(_) => return Err(invalid("is of a version before 3.3 or after 3")),
            None => return Err(invalid("has no version such as 312")),
        };
        if free_threaded
            && (implementation != Implementation::CPython || minor < FIRST_FREE_THREADED_MINOR)
        {
            return Err(invalid(
                "is free-threaded, which only CPython from 3.13 on can be",
            ));
        }
        let floor = floor.map_or(Ok(0), |floor| {
            parse_floor(floor, major, minor).ok_or_else(|| {
                PlatformError(format!(
                    "{floor:?} is no patch version of Python {major}.{minor} to begin with, such \
                     as {major}.{minor}.2"
                ))
            })
        })?;
        Ok(Self {
            implementation,
            major,
            minor,
            free_threaded,
            floor,
            system_tag: system.to_owned(),
            system: parse_system(system)?,
        })
    }

    /// The Python tag, such as `cp312` or `cp313t`.
    pub fn python_tag(&self) -> String {
        let Self { major, minor, .. } = self;
        let prefix = match self.implementation {
            Implementation::CPython => "cp",
            Implementation::PyPy => "pp",
        };
        let suffix = if self.free_threaded { "t" } else { "" };
        format!("{prefix}{major}{minor}{suffix}")
    }

    /// The platform tag, such as `manylinux_2_28_x86_64`.
    pub fn system(&self) -> &str {
        &self.system_tag
    }

    /// The kind of the system.
    pub fn family(&self) -> SystemFamily {
        match &self.system {
            SystemTag::MacOs { .. } => SystemFamily::MacOs,
            SystemTag::Windows(_) => SystemFamily::Windows,
            SystemTag::Linux { .. } | SystemTag::Other(_) | SystemTag::Any => SystemFamily::Linux,
        }
    }

    /// The patch version from which on the platform is supported: 5 of `cp311>=3.11.5`, 0 without
    /// one.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Whether an installer on the oldest such system accepts a wheel with this tag.
    pub fn accepts(&self, tag: &Tag) -> bool {
        let Self { major, minor, .. } = self;
        let interpreter = match self.implementation {
            Implementation::CPython => format!("cp{major}{minor}"),
            Implementation::PyPy => format!("pp{major}{minor}"),
        };
        let abi = tag.abi.as_str();
        if self.accepts_pure_python_tag(&tag.python)
            && abi == "none"
            && (tag.platform == "any" || self.accepts_system(&tag.platform))
        {
            return true;
        }
        if tag.platform == "any" {
            // Of tags for one implementation only the interpreter's own fit any platform; PyPy
            // leaves the minor version out there.
            let own = match self.implementation {
                Implementation::CPython => tag.python == interpreter,
                Implementation::PyPy => tag.python == format!("pp{major}"),
            };
            return own && abi == "none";
        }
        let fits = if tag.python == interpreter {
            abi == "none" || abi == self.abi() || self.stable_abi() == Some(abi)
        } else {
            // A stable ABI wheel for an older minor version.
            self.stable_abi() == Some(abi)
                && tag
                    .python
                    .strip_prefix("cp")
                    .and_then(version_of_digits)
                    .is_some_and(|(tag_major, tag_minor)| {
                        tag_major == *major
                            && tag_minor.is_some_and(|tag_minor| {
                                (FIRST_STABLE_ABI_MINOR..*minor).contains(&tag_minor)
                            })
                    })
        };
        fits && self.accepts_system(&tag.platform)
    }

    /// Whether Requires-Python holds on every version from the floor up to the next minor version.
    pub fn satisfies(&self, requires_python: &VersionSpecifiers) -> bool {
        let patches = self.patches();
        requires_python.iter().all(|clause| {
            // A text that is no version is that of no version.
            clause.version().is_some_and(|boundary| {
                patches
                    .around(&boundary)
                    .all(|version| clause_contains(clause, &version))
            })
        })
    }

    /// The versions of Python that the platform stands for.
    pub(super) fn patches(&self) -> Patches {
        Patches {
            major: self.major,
            minor: self.minor,
            floor: self.floor,
        }
    }

    /// Whether the implementation's version is that of Python.
    pub(super) fn implementation_follows_python(&self) -> bool {
        self.implementation == Implementation::CPython
    }

    /// The marker variables that the platform fixes, without those that are intervals.
    pub(super) fn marker_values(&self) -> Vec<(Variable, String)> {
        let (name, title) = match self.implementation {
            Implementation::CPython => ("cpython", "CPython"),
            Implementation::PyPy => ("pypy", "PyPy"),
        };
        let (os_name, sys_platform, platform_system) = match self.family() {
            SystemFamily::MacOs => ("posix", "darwin", "Darwin"),
            SystemFamily::Windows => ("nt", "win32", "Windows"),
            SystemFamily::Linux => ("posix", "linux", "Linux"),
        };
        let mut values = vec![
            (
                Variable::PythonVersion,
                format!("{}.{}", self.major, self.minor),
            ),
            (Variable::ImplementationName, name.to_owned()),
            (Variable::PlatformPythonImplementation, title.to_owned()),
            (Variable::OsName, os_name.to_owned()),
            (Variable::SysPlatform, sys_platform.to_owned()),
            (Variable::PlatformSystem, platform_system.to_owned()),
        ];
        if let Some(machine) = self.system.machine() {
            values.push((Variable::PlatformMachine, machine.to_owned()));
        }
        values
    }

    /// `py3`, and `py3X` of this minor version and the older ones.
    fn accepts_pure_python_tag(&self, python: &str) -> bool {
        python
            .strip_prefix("py")
            .and_then(version_of_digits)
            .is_some_and(|(major, minor)| {
                major == self.major && minor.is_none_or(|minor| minor <= self.minor)
            })
    }

    fn accepts_system(&self, platform: &str) -> bool {
        self.system.accepts(&SystemTag::parse(platform))
    }

    fn abi(&self) -> String {
        let Self { major, minor, .. } = self;
        match self.implementation {
            Implementation::PyPy => format!("pypy{major}{minor}_{PYPY_ABI}"),
            Implementation::CPython if self.free_threaded => format!("cp{major}{minor}t"),
            Implementation::CPython if *minor < FIRST_MINOR_WITHOUT_PYMALLOC => {
                format!("cp{major}{minor}m")
            }
            Implementation::CPython => format!("cp{major}{minor}"),
        }
    }

    fn stable_abi(&self) -> Option<&'static str> {
        match self.implementation {
            Implementation::PyPy => None,
            Implementation::CPython if self.free_threaded => Some("abi3t"),
            Implementation::CPython => Some("abi3"),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `cp312-manylinux_2_28_x86_64`, and with a floor `cp311>=3.11.5-win_amd64`.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let (python, system) = text.split_once('-').ok_or_else(|| {
            PlatformError(format!(
                "{text:?} is no platform: it has no `-` between its Python tag and its platform tag"
            ))
        })?;
        Self::parse(python, system)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.python_tag(), self.system_tag)
    }
}

/// The major version and, if there is one, the minor version that the digits of a Python tag say:
/// `3` and `312`.
pub(super) fn version_of_digits(digits: &str) -> Option<(u64, Option<u64>)> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let major = digits.get(..1)?.parse().ok()?;
    let minor = &digits[1..];
    if minor.is_empty() {
        return Some((major, None));
    }
    if minor.len() > 1 && minor.starts_with('0') {
        return None;
    }
    Some((major, Some(minor.parse().ok()?)))
}

/// The patch version of a floor such as `3.11.5`.
fn parse_floor(floor: &str, major: u64, minor: u64) -> Option<u64> {
    let version = Version::from_str(floor).ok()?;
    let final_release = version.only_release() == version && !version.is_local();
    match *version.release() {
        [same_major, same_minor] if final_release && same_major == major && same_minor == minor => {
            Some(0)
        }
        [same_major, same_minor, patch]
            if final_release && same_major == major && same_minor == minor =>
        {
            Some(patch)
        }
        _ => None,
    }
}

/// The system that a platform tag names as a target.
fn parse_system(text: &str) -> Result<SystemTag, PlatformError> {
    let invalid =
        |reason: String| Err(PlatformError(format!("the platform tag {text:?} {reason}")));
    let system = SystemTag::parse(text);
    match &system {
        SystemTag::Any => invalid("stands for wheels, not for a system".to_owned()),
        SystemTag::Linux {
            libc: Libc::Glibc { .. },
            architecture,
        } if !system::MANYLINUX_ARCHITECTURES.contains(&architecture.as_str()) => invalid(format!(
            "is of {architecture}, for which there is no manylinux"
        )),
        SystemTag::MacOs { format, .. } if !matches!(format.as_str(), "arm64" | "x86_64") => {
            invalid("is of no single machine; name arm64 or x86_64".to_owned())
        }
        SystemTag::MacOs { format, major, .. } if format == "arm64" && *major < 11 => {
            invalid("is older than the first macOS on arm64, which is 11.0".to_owned())
        }
        SystemTag::Windows(tag) if !WINDOWS_TAGS.contains(&tag.as_str()) => invalid(format!(
            "is of no Windows that there is: {}",
            WINDOWS_TAGS.join(", ")
        )),
        SystemTag::Other(_) => invalid(
            "is of no system that can be supported: manylinux_…, musllinux_…, linux_…, macosx_… \
             or win…"
                .to_owned(),
        ),
        SystemTag::Linux { .. } | SystemTag::MacOs { .. } | SystemTag::Windows(_) => Ok(system),
    }
}
