//! Ways out of a conflict: projects that could move, and where one could be offered.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ipwhl_packaging::{Marker, ProjectName, Version};

use super::candidate::{Demand, Reason};
use super::offered::ProjectOffers;
use super::passed::PassedOver;
use super::platform_set::PlatformSet;
use super::policy::{Movement, Origin, platforms_where};
use super::universe::Universe;
use crate::set::declaration::FormatVersion;

/// The markers to propose; of those that hold on equally many platforms, the first.
const MARKERS: [&str; 6] = [
    "sys_platform != 'win32'",
    "sys_platform == 'win32'",
    "sys_platform == 'linux'",
    "sys_platform == 'darwin'",
    "sys_platform != 'darwin'",
    "sys_platform != 'linux'",
];

/// The marker of the platforms for which the newest fitting version of a project has wheels, if
/// only the caller asks for it and the format of the set has `only`.
pub(super) fn offer_only(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    offers: &ProjectOffers,
    demands: &[(Origin, Demand)],
    passed: &[(Version, PassedOver)],
) -> Option<Marker> {
    let repository = universe.graph.repository;
    let is_callers = demands
        .iter()
        .all(|(origin, _)| !matches!(origin, Origin::Project(_)));
    let asked = universe.policy.asked.get(project)?;
    let lacks_wheels = |version: &Version| {
        let mut passed = passed.iter();
        passed.any(|(one, reason)| one == version && matches!(reason, PassedOver::NoWheel(_)))
    };
    let is_declared = repository.declarations.contains_key(project);
    if repository.configuration.format < FormatVersion::V2 || !is_callers || is_declared {
        return None;
    }
    let fitting = offers.versions.iter().rev().find(|offered| {
        let is_final = !offered.version.any_prerelease();
        is_final && !offered.coverage().is_empty() && asked.contains(&offered.version)
    })?;
    let fitting = Some(fitting).filter(|offered| lacks_wheels(&offered.version))?;
    let markers = MARKERS.iter().filter_map(|marker| {
        let marker: Marker = marker.parse().ok()?;
        let platforms = universe.offers.platforms();
        let on = platforms_where(&marker, platforms);
        let is_part = !on.is_empty() && on != PlatformSet::first(platforms.len());
        (is_part && on.is_subset(fitting.coverage())).then_some((on.iter().count(), marker))
    });
    let widest = markers.min_by_key(|(number, _)| Reverse(*number));
    widest.map(|(_, marker)| marker)
}

/// Whether a project takes part in a conflict that may get a newer version, and no older one.
pub(super) fn some_may_go_back(universe: &Universe<'_, '_>, reasons: &BTreeSet<Reason>) -> bool {
    let mut projects = reasons.iter().map(Reason::project);
    projects.any(|project| universe.movement(project) == Movement::Rises)
}

/// The projects that stay and take part in a conflict.
pub(super) fn staying(
    universe: &Universe<'_, '_>,
    reasons: &BTreeSet<Reason>,
) -> BTreeSet<ProjectName> {
    let mut staying = BTreeSet::new();
    for reason in reasons {
        let from = match reason {
            Reason::Requires(from, _) => Some(from),
            _ => None,
        };
        for project in from.into_iter().chain([reason.project()]) {
            let is_declared = universe.graph.repository.declarations.contains_key(project);
            if is_declared && universe.movement(project) == Movement::Fixed {
                staying.insert(project.clone());
            }
        }
    }
    staying
}
