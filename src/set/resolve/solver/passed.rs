//! Why a version of the index was not chosen.

use std::fmt;

use ipwhl_packaging::{
    Constraint, ExtraName, Platform, ProjectName, Version, VersionSpecifiers, specifiers_contain,
};

use super::candidate::{Demand, Origin};
use super::offered::{OfferedVersion, Unfit};
use super::platform_set::PlatformSet;
use super::universe::Universe;
use crate::foundation::failure::Failure;

/// The reason why a version of the index was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedOver {
    /// It was yanked.
    Yanked,
    /// It is younger than the cooldown of the set, or of unknown age.
    TooYoung,
    /// It is a pre-release, and none was asked for.
    NotFinal,
    /// The caller asks for other versions.
    Asked(VersionSpecifiers),
    /// A project of the set requires other versions.
    Required(ProjectName, VersionSpecifiers),
    /// Its wheels cannot be declared, for this reason.
    Unfit(String),
    /// It has no wheel for this platform.
    NoWheel(Platform),
    /// It needs another Python than this platform has.
    Python(Platform, String),
    /// It lacks an extra.
    NoExtra(ExtraName),
    /// It requires another version of a project than the set has, or one that is not in the set.
    Requires(String),
}

impl PassedOver {
    /// The reason as a sentence about a version, if a platform is the cause.
    pub fn of_platform(&self, version: &Version) -> Option<String> {
        match self {
            Self::NoWheel(platform) => Some(format!("{version} has no wheel for {platform}")),
            Self::Python(platform, specifiers) => Some(format!(
                "{version} needs Python {specifiers}, unlike {platform}"
            )),
            _ => None,
        }
    }
}

impl fmt::Display for PassedOver {
    /// A clause about the version.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yanked => formatter.write_str("it was yanked"),
            Self::TooYoung => {
                formatter.write_str("it is younger than the cooldown, or its age is unknown")
            }
            Self::NotFinal => formatter.write_str("it is not final"),
            Self::Asked(specifiers) => write!(formatter, "the command line requires {specifiers}"),
            Self::Required(by, specifiers) => write!(formatter, "{by} requires {specifiers}"),
            Self::Unfit(reason) => formatter.write_str(reason),
            Self::NoWheel(platform) => write!(formatter, "it has no wheel for {platform}"),
            Self::Python(_, specifiers) => write!(formatter, "it needs Python {specifiers}"),
            Self::NoExtra(extra) => write!(formatter, "it has no extra `{extra}`"),
            Self::Requires(requirement) => write!(formatter, "it requires `{requirement}`"),
        }
    }
}

/// The reason why a version that the index offers does not satisfy demands, as far as the index
/// tells without metadata.
pub(super) fn unsatisfied(
    universe: &Universe<'_, '_>,
    offered: &OfferedVersion,
    demands: &[(Origin, Demand)],
) -> Option<PassedOver> {
    let mut each = demands.iter();
    let names_prerelease = each.any(|(_, demand)| demand.names_prerelease());
    if offered.version.any_prerelease() && !names_prerelease {
        return Some(PassedOver::NotFinal);
    }
    excluded(&offered.version, demands).or_else(|| {
        demands.iter().find_map(|(_, demand)| {
            let uncovered = demand.platforms.difference(offered.coverage());
            (!uncovered.is_empty()).then(|| uncovered_by(universe, offered, uncovered))
        })
    })
}

/// The reason why a version cannot be declared, or lacks an extra. Reads its metadata.
pub(super) fn unusable(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    offered: &OfferedVersion,
    demands: &[(Origin, Demand)],
) -> Result<Option<PassedOver>, Failure> {
    match universe.needs(project, offered)? {
        Err(Unfit::Overlap) => Ok(Some(PassedOver::Unfit(Unfit::Overlap.to_string()))),
        Err(unfit) => Ok(Some(PassedOver::Unfit(unfit.to_string()))),
        Ok(needs) => {
            let mut extras = demands.iter().flat_map(|(_, demand)| &demand.extras);
            let lacking = extras.find(|extra| !needs.extras.contains(*extra));
            Ok(lacking.map(|extra| PassedOver::NoExtra(extra.clone())))
        }
    }
}

/// The first demand that excludes a version.
fn excluded(version: &Version, demands: &[(Origin, Demand)]) -> Option<PassedOver> {
    demands.iter().find_map(|(origin, demand)| {
        let Constraint::Specifiers(specifiers) = &demand.constraint else {
            return None;
        };
        if specifiers_contain(specifiers, version) {
            return None;
        }
        Some(match origin {
            Origin::Caller => PassedOver::Asked(specifiers.clone()),
            Origin::Project(by) => PassedOver::Required(by.clone(), specifiers.clone()),
        })
    })
}

/// The reason why a version does not cover some platforms.
fn uncovered_by(
    universe: &Universe<'_, '_>,
    offered: &OfferedVersion,
    uncovered: PlatformSet,
) -> PassedOver {
    let platforms = universe.offers.platforms();
    let mut by_python = None;
    for platform in uncovered.iter() {
        let mut files = offered.files.iter();
        match files.find(|file| file.is_accepted_on(platform)) {
            None => return PassedOver::NoWheel(platforms[platform].clone()),
            Some(file) => by_python = by_python.or(Some((platform, file))),
        }
    }
    match by_python {
        Some((platform, file)) => {
            let specifiers = file.file().requires_python.clone().unwrap_or_default();
            PassedOver::Python(platforms[platform].clone(), specifiers)
        }
        None => PassedOver::Unfit(Unfit::Overlap.to_string()),
    }
}
