//! Why there is no answer, in words: who asks for what, where that is declared, and ways out.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use super::candidate::{Candidate, Demand, Reason};
use super::platform_set::PlatformSet;
use super::policy::Origin;
use super::search::Search;
use super::unfitting::{listed, passed_over, unfitting};
use super::universe::Universe;
use super::unsolved::Unsolved;
use crate::foundation::failure::Failure;

/// The maximum number of requirements of one project that are shown.
const MAXIMUM_REQUIREMENTS: usize = 3;

/// The failure for reasons that conflict. `universe` counts only these.
pub(super) fn explain(
    universe: &Universe<'_, '_>,
    reasons: &BTreeSet<Reason>,
    ways_out: &[String],
) -> Result<Unsolved, Failure> {
    if let Some(failure) = unknown_project(universe, reasons)? {
        return Ok(failure.into());
    }
    let about: BTreeSet<&ProjectName> = reasons.iter().map(Reason::project).collect();
    if let (1, Some(project)) = (about.len(), about.first())
        && !universe.movement(project).stays()
    {
        let demands = demands_on(universe, project, reasons)?;
        return unfitting(universe, project, &demands, ways_out);
    }
    let mut lines = vec!["no versions satisfy all of these requirements:".to_owned()];
    for reason in reasons {
        lines.extend(line(universe, reason)?);
    }
    for project in about {
        lines.extend(stays(universe, project, reasons)?);
        lines.extend(nothing_fits(universe, project, reasons)?);
    }
    let failure = Failure::finding(lines.join("\n  "));
    let failure = match ways_out {
        [] => failure.help(
            "leave a project or an extra out, or choose another version of a requirer: `ipwhl add \
             NAME==VERSION`",
        ),
        ways => failure.help(ways.join("; or ")),
    };
    Ok(failure.into())
}

/// The failure for a project that the index does not have.
fn unknown_project(
    universe: &Universe<'_, '_>,
    reasons: &BTreeSet<Reason>,
) -> Result<Option<Failure>, Failure> {
    for reason in reasons {
        let project = reason.project();
        let is_declared = universe.graph.repository.declarations.contains_key(project);
        if is_declared || universe.offers.project(project)?.is_some() {
            continue;
        }
        let by: Vec<&str> = requirers(reasons, project)
            .map(ProjectName::as_str)
            .collect();
        let (which, help) = if by.is_empty() {
            (
                String::new(),
                "check the spelling of its name, and the address of the index",
            )
        } else {
            (
                format!(", which {} requires", by.join(", ")),
                "remove the requiring project or extra, or declare it by hand",
            )
        };
        let place = universe.offers.catalogue().page_address(project);
        let place = place.map_or_else(String::new, |place| format!(" ({place} does not exist)"));
        let message = format!("the index has no project `{project}`{which}{place}");
        return Ok(Some(Failure::finding(message).help(help)));
    }
    Ok(None)
}

fn requirers<'n>(
    reasons: &'n BTreeSet<Reason>,
    project: &'n ProjectName,
) -> impl Iterator<Item = &'n ProjectName> {
    reasons.iter().filter_map(move |reason| match reason {
        Reason::Requires(from, to) if to == project => Some(from),
        _ => None,
    })
}

/// The demands of reasons on one project, those of other projects first.
fn demands_on(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    reasons: &BTreeSet<Reason>,
) -> Result<Vec<(Origin, Demand)>, Failure> {
    let mut demands: Vec<(Origin, Demand)> = Vec::new();
    for from in requirers(reasons, project) {
        for (_, demand) in stated(universe, from, project)? {
            demands.push((Origin::Project(from.clone()), demand));
        }
    }
    for (reason, demand) in Search::root_demands(universe)? {
        if reason.project() == project && reasons.contains(&reason) {
            demands.push((demand.caller(), demand));
        }
    }
    let held = universe.held_demands(project).into_iter();
    demands.extend(held.filter(|(origin, _)| !matches!(origin, Origin::Project(_))));
    Ok(demands)
}

/// The demands of one project on another, as far as they are known, with the version that states
/// each; the newest version first.
fn stated(
    universe: &Universe<'_, '_>,
    from: &ProjectName,
    to: &ProjectName,
) -> Result<Vec<(Version, Demand)>, Failure> {
    let mut stated = Vec::new();
    if universe.movement(from).stays() {
        for demand in universe.demands_of_declared(from, to) {
            if let Some(version) = universe.graph.version(from) {
                stated.push((version.clone(), demand));
            }
        }
        return Ok(stated);
    }
    let id = universe.id(from)?;
    let project = universe.project(id);
    let numbered: Vec<_> = (0..).zip(&project.candidates).collect();
    for (position, candidate) in numbered.into_iter().rev() {
        if let Candidate::Offered(offered) = candidate {
            if !offered.is_read() {
                continue;
            }
            let Ok(needs) = universe.needs(&project.name, offered)? else {
                continue;
            };
            let extras: Vec<ExtraName> = needs.extras.iter().cloned().collect();
            let each = std::iter::once(None).chain(extras.iter().map(Some));
            for extra in each {
                let demands = universe.demands(&project, position, extra)?;
                for demand in demands.unwrap_or_default() {
                    if demand.on == *to {
                        stated.push((offered.version.clone(), demand));
                    }
                }
            }
        }
    }
    Ok(stated)
}

/// The line about a reason.
fn line(universe: &Universe<'_, '_>, reason: &Reason) -> Result<Option<String>, Failure> {
    Ok(match reason {
        Reason::Asked(project) => {
            let asked = universe.policy.asked.get(project);
            asked.map(|asked| asked.text(project))
        }
        Reason::Wanted(project) => Some(format!("`{project}` is wanted in the set")),
        Reason::Requires(from, to) => {
            let mut texts: Vec<(String, Vec<Version>)> = Vec::new();
            for (version, demand) in stated(universe, from, to)? {
                let text = demand.to_string();
                match texts.iter_mut().find(|(other, _)| *other == text) {
                    Some((_, versions)) => versions.push(version),
                    None => texts.push((text, vec![version])),
                }
            }
            let more = texts.len().saturating_sub(MAXIMUM_REQUIREMENTS);
            let mut parts: Vec<String> = texts
                .iter()
                .take(MAXIMUM_REQUIREMENTS)
                .map(|(text, versions)| {
                    let (newest, oldest) = (versions.first(), versions.last());
                    match (newest, oldest) {
                        (Some(newest), Some(oldest)) if newest != oldest => {
                            format!("`{text}` ({oldest} to {newest})")
                        }
                        (Some(newest), _) => format!("`{text}` ({newest})"),
                        _ => format!("`{text}`"),
                    }
                })
                .collect();
            if more > 0 {
                parts.push(format!("and {more} others"));
            }
            let at = universe.graph.repository.declarations.get(from);
            let at = at.filter(|_| universe.movement(from).stays());
            let at = at.map_or_else(String::new, |declaration| {
                format!(", declared in `{}`,", declaration.file)
            });
            (!parts.is_empty()).then(|| format!("`{from}`{at} requires {}", parts.join(", ")))
        }
    })
}

/// The line about a project that stays as it is declared, with a platform or an extra that it lacks.
fn stays(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    reasons: &BTreeSet<Reason>,
) -> Result<Option<String>, Failure> {
    let declaration = universe.graph.repository.declarations.get(project);
    let Some(declaration) = declaration.filter(|_| universe.movement(project).stays()) else {
        return Ok(None);
    };
    let version = declaration.version();
    let mut line = format!(
        "`{project}` stays at {version}, declared in `{}`",
        declaration.file
    );
    if !universe.may_be_replaced(declaration) {
        line += " without a `pkg:` source";
    }
    let known = universe.project(universe.id(project)?);
    let mut covered = PlatformSet::from(&universe.graph.covered(project));
    for candidate in &known.candidates {
        if let Candidate::Offered(offered) = candidate {
            covered = covered.union(offered.coverage());
        }
    }
    let mut lack = None;
    for (_, demand) in demands_on(universe, project, reasons)? {
        if let Some(platform) = demand.platforms.difference(covered).iter().next() {
            let platform = &universe.offers.platforms()[platform];
            lack = Some(format!("{version} has no wheel for {platform}"));
            break;
        }
        let mut lacking = None;
        for extra in &demand.extras {
            let mut has_extra = false;
            for (position, _) in (0..).zip(&known.candidates) {
                has_extra |= universe.has_extra(&known, position, extra)?;
            }
            lacking = lacking.or((!has_extra).then_some(extra));
        }
        if let Some(extra) = lacking {
            lack = Some(format!("{version} has no extra `{extra}`"));
            break;
        }
    }
    if lack.is_some() && universe.may_be_replaced(declaration) {
        let offers = universe.offers.project(project)?.unwrap_or_default();
        let mut versions = offers.versions.iter();
        if let Some(offered) = versions.find(|offered| offered.version == *version)
            && let Err(unfit) = universe.needs(project, offered)?
        {
            lack = Some(format!("that of the index cannot be declared: {unfit}"));
        }
    }
    line.extend(lack.map(|lack| format!(", and {lack}")));
    Ok(Some(line))
}

/// The line about a project of which no version satisfies all demands.
fn nothing_fits(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    reasons: &BTreeSet<Reason>,
) -> Result<Option<String>, Failure> {
    if universe.movement(project).stays() {
        return Ok(None);
    }
    for from in requirers(reasons, project) {
        let stated = stated(universe, from, project)?;
        let texts: BTreeSet<String> = stated
            .iter()
            .map(|(_, demand)| demand.to_string())
            .collect();
        // Versions of the requirer differ, so none of their demands is certain.
        if texts.len() > 1 {
            return Ok(None);
        }
    }
    let demands = demands_on(universe, project, reasons)?;
    let offers = universe.offers.project(project)?.unwrap_or_default();
    let passed = passed_over(universe, project, &offers, &demands)?;
    let is_each_passed = passed.len() >= offers.versions.len();
    Ok(is_each_passed.then(
        || match listed(universe.policy.asked.get(project), &passed) {
            nothing if nothing.is_empty() => format!("the index has no wheel of `{project}`"),
            versions => format!("no version of `{project}` fits: {versions}"),
        },
    ))
}
