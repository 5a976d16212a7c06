//! Platform tags and their meaning for a system.
//!
//! Specification: "Platform compatibility tags", sections "Platform tag", "manylinux", "musllinux".

/// The architectures that manylinux is defined for.
pub(crate) const MANYLINUX_ARCHITECTURES: [&str; 9] = [
    "x86_64",
    "i686",
    "aarch64",
    "armv7l",
    "ppc64",
    "ppc64le",
    "s390x",
    "loongarch64",
    "riscv64",
];

/// The assumed last minor version of a major version of glibc; there is no known one.
const LAST_GLIBC_MINOR: u64 = 50;

/// A parsed platform tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SystemTag {
    /// Every system.
    Any,
    Linux {
        libc: Libc,
        architecture: String,
    },
    MacOs {
        major: u64,
        minor: u64,
        /// One architecture, or the name of a set of them such as `universal2`.
        format: String,
    },
    /// The whole tag, such as `win_amd64`.
    Windows(String),
    /// The whole tag of an unknown system.
    Other(String),
}

/// The C library that a wheel needs at least, or that a system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Libc {
    /// `linux_x86_64`: any C library.
    Unnamed,
    Glibc {
        major: u64,
        minor: u64,
    },
    Musl {
        major: u64,
        minor: u64,
    },
}

impl SystemTag {
    /// Parses a platform tag; a tag without a known form is `Other`.
    pub(crate) fn parse(tag: &str) -> Self {
        Self::parse_known(tag).unwrap_or_else(|| Self::Other(tag.to_owned()))
    }

    fn parse_known(tag: &str) -> Option<Self> {
        let linux = |libc, architecture: &str| {
            is_architecture(architecture).then(|| Self::Linux {
                libc,
                architecture: architecture.to_owned(),
            })
        };
        // The older manylinux tags are names for versions of glibc (PEP 600).
        for (legacy, minor) in [
            ("manylinux1_", 5),
            ("manylinux2010_", 12),
            ("manylinux2014_", 17),
        ] {
            if let Some(architecture) = tag.strip_prefix(legacy) {
                return linux(Libc::Glibc { major: 2, minor }, architecture);
            }
        }
        if tag == "any" {
            Some(Self::Any)
        } else if let Some(rest) = tag.strip_prefix("manylinux_") {
            let (major, minor, architecture) = versioned(rest)?;
            linux(Libc::Glibc { major, minor }, architecture)
        } else if let Some(rest) = tag.strip_prefix("musllinux_") {
            let (major, minor, architecture) = versioned(rest)?;
            linux(Libc::Musl { major, minor }, architecture)
        } else if let Some(architecture) = tag.strip_prefix("linux_") {
            linux(Libc::Unnamed, architecture)
        } else if let Some(rest) = tag.strip_prefix("macosx_") {
            let (major, minor, format) = versioned(rest)?;
            is_architecture(format).then(|| Self::MacOs {
                major,
                minor,
                format: format.to_owned(),
            })
        } else if tag == "win32" || tag.strip_prefix("win_").is_some_and(is_architecture) {
            Some(Self::Windows(tag.to_owned()))
        } else {
            None
        }
    }

    /// Whether a system of exactly this kind and version accepts a wheel with the platform `tag`.
    pub(crate) fn accepts(&self, tag: &Self) -> bool {
        match (self, tag) {
            (
                Self::Linux { libc, architecture },
                Self::Linux {
                    libc: needed,
                    architecture: built_for,
                },
            ) => {
                runs_architecture(architecture, built_for)
                    && libc_accepts(*libc, *needed, built_for)
            }
            (
                Self::MacOs {
                    major,
                    minor,
                    format,
                },
                Self::MacOs {
                    major: needed_major,
                    minor: needed_minor,
                    format: built_for,
                },
            ) => macos_accepts(
                (*major, *minor),
                format,
                (*needed_major, *needed_minor),
                built_for,
            ),
            (Self::Windows(system), Self::Windows(tag))
            | (Self::Other(system), Self::Other(tag)) => system == tag,
            _ => false,
        }
    }

    /// The value of `platform_machine`, if the tag determines it.
    pub(crate) fn machine(&self) -> Option<&str> {
        match self {
            // 32-bit interpreters report the machine of the kernel, which may be a 64-bit one.
            Self::Linux { architecture, .. } => match architecture.as_str() {
                "i686" | "armv7l" | "armv8l" => None,
                architecture => Some(architecture),
            },
            Self::MacOs { format, .. } => Some(format),
            Self::Windows(tag) => match tag.as_str() {
                "win_amd64" => Some("AMD64"),
                "win_arm64" => Some("ARM64"),
                _ => None,
            },
            Self::Any | Self::Other(_) => None,
        }
    }
}

/// `2_28_x86_64` as 2, 28 and `x86_64`.
fn versioned(text: &str) -> Option<(u64, u64, &str)> {
    let (major, rest) = text.split_once('_')?;
    let (minor, rest) = rest.split_once('_')?;
    Some((number(major)?, number(minor)?, rest))
}

/// A number in a tag: digits without leading zeros.
pub(crate) fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    (plain && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn is_architecture(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a machine runs code for `built_for`.
pub(crate) fn runs_architecture(machine: &str, built_for: &str) -> bool {
    machine == built_for || (machine == "armv8l" && built_for == "armv7l")
}

fn libc_accepts(system: Libc, needed: Libc, architecture: &str) -> bool {
    match (system, needed) {
        (_, Libc::Unnamed) => true,
        (
            Libc::Glibc { major, minor },
            Libc::Glibc {
                major: needed_major,
                minor: needed_minor,
            },
        ) => {
            // PEP 600: no wheel is for an older glibc than this.
            let oldest = match architecture {
                "x86_64" | "i686" => (2, 5),
                _ => (2, 17),
            };
            let newest = if needed_major == major {
                minor
            } else {
                LAST_GLIBC_MINOR
            };
            needed_major <= major
                && needed_minor <= newest
                && (needed_major, needed_minor) >= oldest
        }
        (
            Libc::Musl { major, minor },
            Libc::Musl {
                major: needed_major,
                minor: needed_minor,
            },
        ) => needed_major == major && needed_minor <= minor,
        _ => false,
    }
}

fn macos_accepts(
    system: (u64, u64),
    architecture: &str,
    needed: (u64, u64),
    built_for: &str,
) -> bool {
    if system < (11, 0) {
        return needed.0 == 10
            && needed <= system
            && runs_macos_format(needed, architecture, built_for);
    }
    if needed.0 >= 11 {
        // From macOS 11 on the minor version of a tag is always 0.
        return needed.0 <= system.0
            && needed.1 == 0
            && runs_macos_format(needed, architecture, built_for);
    }
    let before_eleven = needed.0 == 10 && (4..=16).contains(&needed.1);
    // No arm64 before 11; a universal2 wheel may name the older version for its other half.
    before_eleven
        && match architecture {
            "x86_64" => runs_macos_format(needed, architecture, built_for),
            _ => built_for == "universal2",
        }
}

/// Whether an architecture runs a binary format, on a macOS of the version that the tag names.
fn runs_macos_format(version: (u64, u64), architecture: &str, format: &str) -> bool {
    match architecture {
        "x86_64" => version >= (10, 4) && macos_architectures(format).contains(&"x86_64"),
        _ => macos_architectures(format).contains(&architecture),
    }
}

/// The architectures in a binary format of macOS; none if it is not the name of a set.
pub(crate) fn macos_architectures(format: &str) -> &[&str] {
    match format {
        "universal2" => &["arm64", "x86_64"],
        "intel" => &["x86_64", "i386"],
        "universal" => &["x86_64", "i386", "ppc64", "ppc"],
        "fat64" => &["x86_64", "ppc64"],
        // Older installers call it `fat32`.
        "fat3" | "fat32" => &["x86_64", "i386", "ppc"],
        "fat" => &["i386", "ppc"],
        "arm64" => &["arm64"],
        "x86_64" => &["x86_64"],
        "i386" => &["i386"],
        "ppc64" => &["ppc64"],
        "ppc" => &["ppc"],
        _ => &[],
    }
}
