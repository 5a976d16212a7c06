//! Why a version of the index was not chosen.

use std::fmt;

use ipwhl_packaging::{ExtraName, Platform, Requirement, Version, VersionSpecifiers};

use super::policy::{Origin, Step, UploadLimit};

/// The reason why a version of the index was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedOver {
    /// It was yanked.
    Yanked,
    /// It is not old enough.
    TooYoung(UploadLimit),
    /// It is older than this declared version.
    Older(Version),
    /// The step to it is larger than this one, which the caller permits.
    LargeStep(Step),
    /// It is a pre-release, and none was asked for.
    NotFinal,
    /// The caller or a project of the set requires other versions.
    Required(Origin, VersionSpecifiers),
    /// Every choice of its wheels that covers the platforms has overlapping wheels.
    Overlap,
    /// A wheel or its metadata is gone, unreadable or not what the index says: the clause.
    Defective(String),
    /// It has no wheel for this platform.
    NoWheel(Platform),
    /// It needs another Python than this platform has.
    Python(Platform, String),
    /// The set does not offer the project on this platform.
    NotOffered(Platform),
    /// It lacks an extra.
    NoExtra(ExtraName),
    /// It requires another version of its own project.
    Itself(String),
    /// It requires another version of a project than the set has, or one that is not in the set.
    Requires(Box<Requirement>),
    /// It fits, but the project keeps its version unless another one needs that.
    NotAsked,
}

impl PassedOver {
    /// The reason as a sentence about a version, if its wheels are the cause.
    pub fn of_wheels(&self, version: &Version) -> Option<String> {
        match self {
            Self::NoWheel(platform) => Some(format!("{version} has no wheel for {platform}")),
            Self::Python(platform, specifiers) => Some(format!(
                "{version} needs Python {specifiers}, unlike {platform}"
            )),
            Self::Defective(reason) => Some(format!("{version}: {reason}")),
            _ => None,
        }
    }
}

impl fmt::Display for PassedOver {
    /// A clause about the version.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yanked => formatter.write_str("it was yanked"),
            Self::TooYoung(limit) => limit.fmt(formatter),
            Self::Older(declared) => write!(formatter, "it is older than the declared {declared}"),
            Self::LargeStep(Step::Patch) => formatter.write_str("it is more than a patch"),
            Self::LargeStep(_) => formatter.write_str("it is a major step"),
            Self::NotFinal => formatter.write_str("it is not final"),
            Self::Required(by, specifiers) => write!(formatter, "{by} requires {specifiers}"),
            Self::Overlap => formatter.write_str(
                "every choice of its wheels that covers the platforms has overlapping wheels",
            ),
            Self::Defective(reason) => formatter.write_str(reason),
            Self::NoWheel(platform) => write!(formatter, "it has no wheel for {platform}"),
            Self::Python(_, specifiers) => write!(formatter, "it needs Python {specifiers}"),
            Self::NotOffered(platform) => {
                write!(formatter, "`only` does not offer the project on {platform}")
            }
            Self::NoExtra(extra) => write!(formatter, "it has no extra `{extra}`"),
            Self::Itself(requirement) => {
                write!(
                    formatter,
                    "it requires `{requirement}`, and so excludes itself"
                )
            }
            Self::Requires(requirement) => write!(formatter, "it requires `{requirement}`"),
            Self::NotAsked => formatter.write_str("it fits, and was not asked for"),
        }
    }
}
