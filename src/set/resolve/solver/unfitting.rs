//! Why no version of a project fits: each version with its reason, and the failure in words.

use ipwhl_packaging::{Constraint, ExtraName, ProjectName, Version};

use super::candidate::{Candidate, Demand};
use super::offered::{OfferedVersion, ProjectOffers};
use super::passed::PassedOver;
use super::policy::{Asked, Origin};
use super::rejection::{unsatisfied, unusable};
use super::universe::Universe;
use super::unsolved::Unsolved;
use super::ways_out::offer_only;
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::Failure;

/// The maximum number of unfitting versions that are named with their reasons.
const MAXIMUM_REASONS: usize = 4;

/// Some versions with their reasons: those first that the caller asks for, then the newest. Versions
/// with the same reason are together.
pub(super) fn listed(asked: Option<&Asked>, passed: &[(Version, PassedOver)]) -> String {
    let is_meant = |version: &Version| {
        asked.is_some_and(|asked| asked.limits_versions() && asked.contains(version))
    };
    let (mut order, others): (Vec<_>, Vec<_>) =
        passed.iter().partition(|(version, _)| is_meant(version));
    order.extend(others);
    let mut groups: Vec<(&PassedOver, Vec<&Version>)> = Vec::new();
    for (version, reason) in order {
        match groups.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, versions)) => versions.push(version),
            None => groups.push((reason, vec![version])),
        }
    }
    let unnamed: usize = groups
        .iter()
        .skip(MAXIMUM_REASONS)
        .map(|(_, versions)| versions.len())
        .sum();
    let mut parts: Vec<String> = groups
        .iter()
        .take(MAXIMUM_REASONS)
        .map(|(reason, versions)| match versions.as_slice() {
            [] => reason.to_string(),
            [version] => format!("{version}: {reason}"),
            [version, others @ ..] => format!("{version} and {} more: {reason}", others.len()),
        })
        .collect();
    match unnamed {
        0 => {}
        1 => parts.push("and 1 other".to_owned()),
        _ => parts.push(format!("and {unnamed} others")),
    }
    parts.join("; ")
}

/// The failure for a project of which no version satisfies all demands.
pub(super) fn unfitting(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    demands: &[(Origin, Demand)],
    ways_out: &[String],
) -> Result<Unsolved, Failure> {
    let texts: Vec<String> = demands
        .iter()
        .filter_map(|(origin, demand)| {
            let Constraint::Specifiers(specifiers) = &demand.constraint else {
                return None;
            };
            (!specifiers.is_empty()).then(|| format!("{origin} requires {specifiers}"))
        })
        .collect();
    let asked = if texts.is_empty() {
        String::new()
    } else {
        format!(": {}", texts.join(", "))
    };
    let offers = universe.offers.project(project)?.unwrap_or_default();
    let passed = passed_over(universe, project, &offers, demands)?;
    if let [(version, PassedOver::NoExtra(extra))] = passed.as_slice() {
        return Ok(no_extra(universe, project, version, extra)?.into());
    }
    if let Some(failure) = defective(project, &passed) {
        return Ok(failure.into());
    }
    let failure = Failure::finding(format!(
        "no version of `{project}` in the index fits{asked}"
    ));
    if passed.is_empty() && offers.versions.is_empty() {
        return Ok(failure.help("the index has no wheel of it").into());
    }
    let asked = universe.policy.asked.get(project);
    let mut help = format!("its versions were rejected: {}", listed(asked, &passed));
    let only = offer_only(universe, project, &offers, demands);
    for way in ways_out {
        help += &format!("; {way}");
    }
    if let Some(only) = &only {
        // In double quotes, every shell passes single ones.
        let only = only.to_string().replace('"', "'");
        help += &format!("; offer it only where it has wheels: add `--only \"{only}\"`");
    }
    Ok(Unsolved {
        failure: failure.help(help),
        only: only.map(|only| Box::new((project.clone(), only))),
    })
}

/// The failure for the only version that the caller accepts, if its wheels are defective.
fn defective(project: &ProjectName, passed: &[(Version, PassedOver)]) -> Option<Failure> {
    let mut found = None;
    let mut others = Vec::new();
    for (version, reason) in passed {
        match reason {
            PassedOver::Defective(reason) if found.is_none() => found = Some((version, reason)),
            PassedOver::Required(Origin::Caller(_), _) => others.push(version),
            PassedOver::Yanked | PassedOver::NotFinal | PassedOver::TooYoung(_) => {}
            _ => return None,
        }
    }
    let (version, reason) = found?;
    let oldest = others.last()?;
    let sign = if *oldest < version { "<" } else { "!=" };
    let message = format!("`{project}` {version} cannot be declared: {reason}");
    let help = format!("take another version: ask for `{project}{sign}{version}`");
    Some(Failure::finding(message).help(help))
}

/// The versions of a project that demands exclude, the newest first, each with its reason.
pub(super) fn passed_over(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    offers: &ProjectOffers,
    demands: &[(Origin, Demand)],
) -> Result<Vec<(Version, PassedOver)>, Failure> {
    let is_limited = |reason: &Option<PassedOver>| {
        matches!(reason, Some(PassedOver::Required(Origin::Caller(_), _)))
    };
    let large_step = |offered: &OfferedVersion| {
        let reason = universe.out_of_reach(project, &offered.version);
        reason.filter(|reason| matches!(reason, PassedOver::LargeStep(_)))
    };
    // Of a limit of the caller and the largest step, the one that excludes more is the reason.
    let steps_exclude_more = offers.versions.iter().any(|offered| {
        large_step(offered).is_some() && !is_limited(&unsatisfied(universe, offered, demands))
    });
    let mut passed = Vec::new();
    for (number, offered) in offers.versions.iter().rev().enumerate() {
        let mut reason = unsatisfied(universe, offered, demands);
        if steps_exclude_more && is_limited(&reason) {
            reason = large_step(offered).or(reason);
        }
        reason = reason.or_else(|| universe.out_of_reach(project, &offered.version));
        // Metadata of many old versions would be read for a list that is cut anyway.
        if reason.is_none() && (number < MAXIMUM_REASONS || offered.is_read()) {
            reason = unusable(universe, project, offered, demands)?;
        }
        if let Some(reason) = reason {
            passed.push((offered.version.clone(), reason));
        }
    }
    let yanked = offers.yanked.iter().cloned();
    passed.extend(yanked.map(|version| (version, PassedOver::Yanked)));
    let young = offers.young.iter().cloned();
    let limit = universe.policy.uploads;
    passed.extend(young.filter_map(|version| Some((version, PassedOver::TooYoung(limit?)))));
    passed.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(passed)
}

/// The failure for an extra that no version has.
fn no_extra(
    universe: &Universe<'_, '_>,
    project: &ProjectName,
    version: &Version,
    extra: &ExtraName,
) -> Result<Failure, Failure> {
    let id = universe.id(project)?;
    let known = universe.project(id);
    let offered = known
        .candidates
        .iter()
        .find_map(|candidate| match candidate {
            Candidate::Offered(offered) if offered.version == *version => Some(offered),
            _ => None,
        });
    let needs = match offered {
        Some(offered) => universe.needs(project, offered)?.ok(),
        None => None,
    };
    let file = offered.zip(needs.as_ref()).and_then(|(offered, needs)| {
        let wheel = needs.wheels.first()?;
        Some(offered.files[*wheel].file().file_name.clone())
    });
    let which = file.unwrap_or_else(|| format!("{project} {version}"));
    let failure = Failure::finding(format!("`{which}` has no extra `{extra}`"));
    let extras: Vec<&str> = needs
        .iter()
        .flat_map(|needs| &needs.extras)
        .map(ExtraName::as_str)
        .collect();
    Ok(match nearest(extra.as_str(), extras.iter().copied()) {
        Some(word) => failure.help(format!("did you mean `{word}`?")),
        None if extras.is_empty() => failure.help("it has no extras at all"),
        None => failure.help(format!("its extras are {}", extras.join(", "))),
    })
}
