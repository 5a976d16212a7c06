//! Looks for the reason why a version does not satisfy demands.

use ipwhl_packaging::{Constraint, ProjectName, Version, specifiers_contain};

use super::candidate::Demand;
use super::offered::{OfferedVersion, Unfit};
use super::passed::PassedOver;
use super::platform_set::PlatformSet;
use super::policy::Origin;
use super::universe::Universe;
use crate::foundation::failure::Failure;

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
            let bare = uncovered.difference(universe.offers.offered(&demand.on));
            if let Some(platform) = bare.iter().next() {
                let platform = universe.offers.platforms()[platform].clone();
                return Some(PassedOver::NotOffered(platform));
            }
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
        Err(Unfit::Overlap) => Ok(Some(PassedOver::Overlap)),
        Err(Unfit::Metadata(reason)) => Ok(Some(PassedOver::Defective(reason))),
        Ok(needs) => {
            let mut extras = demands.iter().flat_map(|(_, demand)| &demand.extras);
            let lacking = extras.find(|extra| !needs.extras.contains(*extra));
            if let Some(extra) = lacking {
                return Ok(Some(PassedOver::NoExtra(extra.clone())));
            }
            let extras = demands.iter().flat_map(|(_, demand)| &demand.extras);
            let of_extras = extras.filter_map(|extra| needs.by_extra.get(extra));
            let mut stated = needs.plain.iter().chain(of_extras.flatten());
            let contrary = stated.find(|need| {
                need.requirement.name == *project
                    && excludes(&need.requirement.constraint, &offered.version)
            });
            Ok(contrary.map(|need| {
                let mut requirement = need.requirement.clone();
                requirement.marker = None;
                PassedOver::Itself(requirement.to_string())
            }))
        }
    }
}

/// Whether a constraint does not accept a version.
fn excludes(constraint: &Constraint, version: &Version) -> bool {
    match constraint {
        Constraint::Specifiers(specifiers) => !specifiers_contain(specifiers, version),
        Constraint::Url(_) => true,
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
        Some(PassedOver::Required(origin.clone(), specifiers.clone()))
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
            let specifiers = file.python_against(platform);
            PassedOver::Python(platforms[platform].clone(), specifiers)
        }
        None => PassedOver::Overlap,
    }
}
