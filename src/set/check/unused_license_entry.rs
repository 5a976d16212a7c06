//! `unused-license-entry`: an exception or a clarification in `[licenses]` that no wheel uses.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ipwhl_packaging::{CoreMetadata, ProjectName, Version};

use crate::foundation::diagnostic::{Code, Finding, Help, Stage, nearest};
use crate::set::gather::{WheelReport, all_wheels};
use crate::set::licences::{Clarification, Licence, UsedEntries};
use crate::set::repository::Repository;

/// The most licences of a project that a note names.
const MOST_NAMED: usize = 5;

/// The licences that the wheels of a set state, by project.
type Licences<'r> = BTreeMap<&'r ProjectName, Vec<(&'r Version, Licence)>>;

pub(super) fn check(repository: &Repository, report: &WheelReport) -> Vec<Finding> {
    let Some(policy) = &repository.configuration.licences else {
        return Vec::new();
    };
    let has_entries = !policy.exceptions.is_empty() || !policy.clarifications.is_empty();
    if policy.is_broken || !has_entries {
        return Vec::new();
    }
    let Some(licences) = licences(repository, report) else {
        return Vec::new();
    };
    let mut used = UsedEntries::default();
    for (project, wheels) in &licences {
        for (version, licence) in wheels {
            policy.note_used(project, version, licence, &mut used);
        }
    }
    let mut findings = Vec::new();
    for (position, entry) in policy.exceptions.iter().enumerate() {
        if !used.exceptions.contains(&position) {
            let message = format!("no wheel needs the exception for `{}`", entry.project);
            let project = &entry.project;
            let note = licences.get(project).map(|wheels| stated(wheels));
            findings.push(unused(repository, project, &entry.span, message, note));
        }
    }
    for (position, entry) in policy.clarifications.iter().enumerate() {
        if !used.clarifications.contains(&position) {
            let project = &entry.project;
            let message = format!("no wheel needs the clarification of `{project}`");
            let note = licences.get(project).map(|wheels| other(entry, wheels));
            findings.push(unused(repository, project, &entry.span, message, note));
        }
    }
    findings
}

/// The licence of each wheel of the set. `None` if one was not read, or a text hides others.
fn licences<'r>(repository: &'r Repository, report: &WheelReport) -> Option<Licences<'r>> {
    let hides = |finding: &Finding| {
        finding.code.stage() == Stage::Text && !finding.code.may_be_overridden()
    };
    if !repository.unreadable.is_empty() || repository.findings.iter().any(hides) {
        return None;
    }
    let mut licences = Licences::new();
    for wheel in all_wheels(repository) {
        let facts = report.release_facts(wheel)?;
        let (metadata, _) = CoreMetadata::parse_with_legacy(facts.metadata).ok()?;
        let name = &wheel.file_name;
        let licence = (name.version(), Licence::of(&metadata.about));
        licences.entry(name.name()).or_default().push(licence);
    }
    Some(licences)
}

/// The licences of wheels, as a note.
fn stated(wheels: &[(&Version, Licence)]) -> String {
    let all: BTreeSet<String> = wheels
        .iter()
        .map(|(_, licence)| match licence {
            Licence::Known(expression, _) => format!("`{expression}`"),
            Licence::Unknown(_) => "unknown".to_owned(),
        })
        .collect();
    let named: Vec<String> = all.iter().take(MOST_NAMED).cloned().collect();
    let more = match all.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the licence of its wheels: {}{more}", named.join(", "))
}

/// The reason why a clarification of a declared project changes nothing, as a note.
fn other(entry: &Clarification, wheels: &[(&Version, Licence)]) -> String {
    match &entry.version {
        Some(version) if wheels.iter().all(|(declared, _)| *declared != version) => {
            let declared: BTreeSet<&Version> = wheels.iter().map(|(version, _)| *version).collect();
            let declared: Vec<String> = declared
                .into_iter()
                .map(|version| format!("`{version}`"))
                .collect();
            format!(
                "it is about `{version}`; the set has {}",
                declared.join(", ")
            )
        }
        _ => stated(wheels),
    }
}

/// The finding about an entry. `note` is the reason; without one, the project is not declared.
fn unused(
    repository: &Repository,
    project: &ProjectName,
    span: &Range<usize>,
    message: String,
    note: Option<String>,
) -> Finding {
    let finding = Finding::new(Code::UnusedLicenseEntry, message)
        .at(&repository.configuration_file(), span.clone(), "")
        .project(project);
    let Some(note) = note else {
        let declared = repository.declarations.keys().map(ProjectName::as_str);
        let finding = finding.note(format!("`{project}` is not in the set"));
        return match nearest(project.as_str(), declared) {
            Some(name) => finding.help(Help::DidYouMean(name.to_owned())),
            None => finding.help("remove it"),
        };
    };
    finding.note(note).help("remove it")
}
