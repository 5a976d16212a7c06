//! The checks: a file for each rule of the set, with its wording. The rules about the archive of a
//! wheel and about its bytes share `archive` and `bytes`.
//!
//! A check returns all its findings. It does not stop at the first, and does not print.

mod about;
mod ambiguous_wheels;
mod archive;
mod bytes;
mod changed_publisher;
mod conflicting_digest;
mod cooldown;
mod dependencies_mismatch;
mod direct_reference;
mod extras_mismatch;
mod licence;
mod missing_dependency;
mod missing_extra;
mod name_mismatch;
mod remedy;
mod requirement;
mod requires_python_mismatch;
mod several_versions;
mod tag_mismatch;
mod unavailable_dependency;
mod uncovered_platform;
mod undefined_marker;
mod unneeded;
mod unsatisfied_dependency;
mod unused_license_entry;
mod unused_wheel;
mod uploaded_mismatch;
mod version_mismatch;
mod withdrawn;

use bytes::{missing_source, other_bytes};
pub(crate) use conflicting_digest::take_in_mismatches;
pub(crate) use dependencies_mismatch::can_apply;
pub(crate) use licence::merged as merged_licences;
pub use remedy::Pin;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::foundation::diagnostic::{Code, Finding};
use crate::foundation::time::Cooldown;
use crate::set::declaration::{Declaration, DeclaredWheel, Layout};
use crate::set::gather::{WheelProblem, WheelReport, all_wheels};
use crate::set::graph::Graph;
use crate::set::licences::LicencePolicy;
use crate::set::repository::{Configuration, Repository, Withdrawal};
use crate::source::SourceProblem;
use ipwhl_packaging::wheel::{ArchiveFacts, NameConflict};
use ipwhl_packaging::{CoreMetadata, Platform, ProjectName};

/// Findings about the texts of a repository and, by the checks that need no wheel, about its set.
pub fn repository(repository: &Repository) -> Vec<Finding> {
    let mut findings = repository.findings.clone();
    findings.extend(set(repository));
    findings
}

/// Findings about declared wheels that are younger than a cooldown at this time; none without one.
/// No build asks for them, because no clock reaches a root.
pub fn age(repository: &Repository, cooldown: Option<Cooldown>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(cooldown) = cooldown {
        cooldown::check(repository, cooldown, now, &mut findings);
    }
    findings
}

/// Findings about projects whose publisher differs from that in an earlier state.
pub fn publishers(
    before: &BTreeMap<ProjectName, Declaration>,
    repository: &Repository,
) -> Vec<Finding> {
    let declared = repository.declarations.values();
    let found = declared.filter_map(|now| changed_publisher::check(before.get(&now.project)?, now));
    found.collect()
}

/// Findings about declared times that the index contradicts, as far as it was asked.
pub fn times(wheels: &[&DeclaredWheel], report: &WheelReport) -> Vec<Finding> {
    let found = wheels.iter().filter_map(|wheel| {
        let stated = report.stated_time(wheel)?;
        uploaded_mismatch::check(wheel, stated)
    });
    found.collect()
}

/// Findings about withdrawn wheels among these. The facts of the report give the SHA-256 of a wheel
/// whose declaration does not.
pub fn withdrawn(
    wheels: &[&DeclaredWheel],
    withdrawals: &[Withdrawal],
    report: &WheelReport,
) -> Vec<Finding> {
    let found = wheels.iter().filter_map(|wheel| {
        let facts = report.release_facts(wheel);
        let sha256 = withdrawn::declared_sha256(wheel).or(facts.map(|facts| facts.sha256))?;
        withdrawn::check(wheel, sha256, withdrawals)
    });
    found.collect()
}

/// Findings about withdrawn wheels whose SHA-256 only the report gives. [`set`] has the others.
pub fn withdrawn_by_facts(
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    report: &WheelReport,
) -> Vec<Finding> {
    let mut wheels = wheels.to_vec();
    wheels.retain(|wheel| withdrawn::declared_sha256(wheel).is_none());
    withdrawn(&wheels, &repository.configuration.withdrawn, report)
}

/// The checks that need no wheel: uniqueness and graph.
pub fn set(repository: &Repository) -> Vec<Finding> {
    let (mut findings, graph) = rayon::join(|| uniqueness(repository), || Graph::new(repository));
    findings.extend(requirements(&graph));
    findings
}

/// The same checks, for a graph that exists already.
pub fn set_with(graph: &Graph<'_>) -> Vec<Finding> {
    let (mut findings, others) =
        rayon::join(|| uniqueness(graph.repository), || requirements(graph));
    findings.extend(others);
    findings
}

/// Findings about the requirements in the graph.
fn requirements(graph: &Graph<'_>) -> Vec<Finding> {
    let rules: [&Rule<'_>; 9] = [
        &|findings| direct_reference::check(graph, findings),
        &|findings| undefined_marker::check(graph.repository, findings),
        &|findings| missing_dependency::check(graph, findings),
        &|findings| unsatisfied_dependency::check(graph, findings),
        &|findings| missing_extra::check(graph, findings),
        &|findings| unavailable_dependency::check(graph, findings),
        &|findings| uncovered_platform::check(graph, findings),
        &|findings| unused_wheel::check(graph, findings),
        &|findings| unneeded::check(graph, findings),
    ];
    // The rules run in parallel; their findings stay in the order of the rules.
    let found: Vec<Vec<Finding>> = rules
        .par_iter()
        .map(|rule| {
            let mut findings = Vec::new();
            rule(&mut findings);
            findings
        })
        .collect();
    found.into_iter().flatten().collect()
}

/// A check of the whole set.
type Rule<'r> = dyn Fn(&mut Vec<Finding>) + Sync + 'r;

/// Findings about combinations of wheels, above all those of one project.
fn uniqueness(repository: &Repository) -> Vec<Finding> {
    let layout = repository.configuration.layout;
    let platforms = repository.configuration.platforms.as_slice();
    let declarations: Vec<&Declaration> = repository.declarations.values().collect();
    let found: Vec<Vec<Finding>> = declarations
        .into_par_iter()
        .map(|declaration| {
            let mut findings = Vec::new();
            several_versions::check(declaration, layout, &mut findings);
            ambiguous_wheels::check(declaration, layout, platforms, &mut findings);
            findings
        })
        .collect();
    let mut findings: Vec<Finding> = found.into_iter().flatten().collect();
    conflicting_digest::check(repository, &mut findings);
    let withdrawals = &repository.configuration.withdrawn;
    let report = WheelReport::default();
    findings.extend(withdrawn(&all_wheels(repository), withdrawals, &report));
    findings
}

/// Findings about these wheels, as far as they were read, and about their sources.
pub fn wheels(
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    report: &WheelReport,
) -> Vec<Finding> {
    let rules = WheelRules::of(&repository.configuration);
    let found: Vec<Vec<Finding>> = wheels
        .par_iter()
        .map(
            |declared| match (report.facts(declared), report.reused(declared)) {
                (Some(facts), _) => wheel(declared, &facts.archive, &rules),
                (None, Some(reused)) => {
                    metadata(declared, reused.release_facts().metadata, rules.licences)
                }
                (None, None) => Vec::new(),
            },
        )
        .collect();
    let mut findings = sources(&report.problems);
    findings.extend(found.into_iter().flatten());
    findings.extend(withdrawn_by_facts(repository, wheels, report));
    findings
}

/// Findings about entries of `[licenses]` that no wheel of the set uses. There are none unless the
/// report has every wheel of the set, because an unread wheel may use an entry.
pub fn licence_entries(repository: &Repository, report: &WheelReport) -> Vec<Finding> {
    unused_license_entry::check(repository, report)
}

/// Findings about the bytes and answers of sources.
pub fn sources(problems: &[WheelProblem]) -> Vec<Finding> {
    let findings = problems.iter().map(|one| match &one.problem {
        SourceProblem::Missing { place, reason } => {
            vec![missing_source(&one.wheel, one.span.clone(), place, reason)]
        }
        SourceProblem::Mismatch { place, mismatches } => other_bytes(&one.wheel, place, mismatches),
        // These are failures, which do not concern the declaration.
        SourceProblem::Failed { .. }
        | SourceProblem::TooLarge { .. }
        | SourceProblem::NotAsked { .. } => Vec::new(),
    });
    findings.flatten().collect()
}

/// The settings of a set that decide about a wheel.
#[derive(Debug, Clone, Copy)]
pub struct WheelRules<'r> {
    /// The layout of the declarations.
    pub layout: Layout,
    /// The supported platforms.
    pub platforms: &'r [Platform],
    /// The licences that the set accepts, if it has a policy without mistakes.
    pub licences: Option<&'r LicencePolicy>,
}

impl<'r> WheelRules<'r> {
    /// The rules in the settings of a repository.
    pub fn of(configuration: &'r Configuration) -> Self {
        Self {
            layout: configuration.layout,
            platforms: &configuration.platforms,
            licences: configuration
                .licences
                .as_ref()
                .filter(|policy| !policy.is_broken),
        }
    }
}

/// Checks the archive and metadata of one wheel against its declaration and the rules of its set.
pub fn wheel(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    rules: &WheelRules<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    archive::check(declared, facts, &mut findings);
    archive::name_conflicts(
        declared,
        &facts.name_conflicts,
        rules.platforms,
        &mut findings,
    );
    // Without METADATA the findings about the archive have reported it already.
    if facts.metadata.is_empty() {
        return findings;
    }
    let archive = Some((facts, rules.layout));
    metadata_and(
        declared,
        &facts.metadata,
        archive,
        rules.licences,
        &mut findings,
    );
    findings
}

/// Checks the METADATA of a wheel against its declaration and a policy for licences, without its
/// archive. A full check by [`wheel`] can also raise the codes in [`NEED_ARCHIVE`], codes that cannot
/// be waived or lowered, and the findings of [`name_conflicts`] for the platforms given there.
pub fn metadata(
    declared: &DeclaredWheel,
    metadata: &[u8],
    licences: Option<&LicencePolicy>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    metadata_and(declared, metadata, None, licences, &mut findings);
    findings
}

/// Findings about conflicting names in a wheel on these platforms, as in [`wheel`].
pub fn name_conflicts(
    declared: &DeclaredWheel,
    conflicts: &[NameConflict],
    platforms: &[Platform],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    archive::name_conflicts(declared, conflicts, platforms, &mut findings);
    findings
}

/// Codes that only the archive of a wheel shows and that a waiver or a severity may have allowed. A
/// signed release can contain wheels with such findings.
pub const NEED_ARCHIVE: [Code; 1] = [Code::TagMismatch];

/// Checks of METADATA, and checks of the archive that need METADATA.
fn metadata_and(
    declared: &DeclaredWheel,
    metadata: &[u8],
    archive: Option<(&ArchiveFacts, Layout)>,
    licences: Option<&LicencePolicy>,
    findings: &mut Vec<Finding>,
) {
    let (metadata, legacy) = match CoreMetadata::parse_with_legacy(metadata) {
        Ok(metadata) => metadata,
        Err(reasons) => return archive::invalid_metadata(declared, &reasons, findings),
    };
    archive::legacy_metadata(declared, &legacy, findings);
    let is_whole = |name: &str| legacy.iter().all(|one| one.field != name);
    let facts = archive.map(|(facts, _)| facts);
    name_mismatch::check(declared, &metadata, facts, findings);
    version_mismatch::check(declared, &metadata, facts, findings);
    if let Some((facts, layout)) = archive {
        tag_mismatch::check(declared, facts, layout, findings);
    }
    // If a requirement could not be read, missing ones cannot be reported.
    if !declared.is_partial {
        if is_whole("Requires-Python") {
            requires_python_mismatch::check(declared, &metadata, findings);
        }
        let is_whole = is_whole("Requires-Dist");
        dependencies_mismatch::check(declared, &metadata, is_whole, findings);
    }
    extras_mismatch::check(declared, &metadata, is_whole("Provides-Extra"), findings);
    if let Some(policy) = licences {
        licence::check(declared, &metadata, policy, findings);
    }
}
