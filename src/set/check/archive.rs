//! `invalid-archive`, `invalid-metadata`, `legacy-metadata`, `record-mismatch`: problems found
//! while reading the wheel, without its declaration.

use std::collections::BTreeSet;

use ipwhl_packaging::wheel::{ArchiveFacts, NameConflict, ProblemKind};
use ipwhl_packaging::{LegacyField, Platform, SystemFamily};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;

pub(super) fn check(declared: &DeclaredWheel, facts: &ArchiveFacts, findings: &mut Vec<Finding>) {
    for problem in &facts.problems {
        let (code, help) = match problem.kind {
            ProblemKind::InvalidArchive => (
                Code::InvalidArchive,
                "installers may read this archive differently: ask upstream for a valid wheel, or \
                 declare another version",
            ),
            ProblemKind::InvalidMetadata => (
                Code::InvalidMetadata,
                "declare a version whose metadata follows the specification",
            ),
            ProblemKind::RecordMismatch => (
                Code::RecordMismatch,
                "RECORD lists the files of a wheel as they were built: declare a wheel that was \
                 not changed after the build",
            ),
        };
        let finding = Finding::new(
            code,
            format!("`{}`: {}", declared.file_name, problem.message),
        )
        .help(help);
        findings.push(about(declared, finding, declared.span(), ""));
    }
}

/// Members that cannot all be installed on one of these platforms, if the wheel fits it.
pub(super) fn name_conflicts(
    declared: &DeclaredWheel,
    conflicts: &[NameConflict],
    platforms: &[Platform],
    findings: &mut Vec<Finding>,
) {
    if conflicts.is_empty() {
        return;
    }
    let used: Vec<&Platform> = platforms
        .iter()
        .filter(|platform| declared.fits(platform))
        .collect();
    for conflict in conflicts {
        let concerned: Vec<&Platform> = used
            .iter()
            .copied()
            .filter(|platform| conflict.systems.contains(&platform.family()))
            .collect();
        let systems: BTreeSet<SystemFamily> =
            concerned.iter().map(|platform| platform.family()).collect();
        if systems.is_empty() {
            continue;
        }
        let systems: Vec<String> = systems.iter().map(ToString::to_string).collect();
        let mut finding = Finding::new(
            Code::InvalidArchive,
            format!(
                "`{}`: {} on {}",
                declared.file_name,
                conflict.message,
                systems.join(" and ")
            ),
        )
        .help("declare another version, or a wheel for other systems only");
        finding.subject.platforms = concerned.into_iter().cloned().collect();
        findings.push(about(declared, finding, declared.span(), ""));
    }
}

/// Requirements and extras in METADATA that the current specification refuses.
pub(super) fn legacy_metadata(
    declared: &DeclaredWheel,
    legacy: &[LegacyField],
    findings: &mut Vec<Finding>,
) {
    for field in legacy {
        let finding = Finding::new(
            Code::LegacyMetadata,
            format!("METADATA of `{}`: {}", declared.file_name, field.reason),
        )
        .help("declare a version whose metadata follows the current specification");
        findings.push(about(declared, finding, declared.span(), ""));
    }
}

/// METADATA that breaks its specification.
pub(super) fn invalid_metadata(
    declared: &DeclaredWheel,
    reasons: &[String],
    findings: &mut Vec<Finding>,
) {
    for reason in reasons {
        let finding = Finding::new(
            Code::InvalidMetadata,
            format!("METADATA of `{}`: {reason}", declared.file_name),
        )
        .help("declare a version whose metadata follows the specification");
        findings.push(about(declared, finding, declared.span(), ""));
    }
}
