//! Applies severities and waivers to the findings of the checks.

use std::collections::HashMap;
use std::sync::Arc;

use ipwhl_packaging::ProjectName;
use jiff::civil::Date;

use crate::foundation::diagnostic::{Code, Finding, Label, Severity, Stage};
use crate::set::declaration::DeclaredWheel;
use crate::set::repository::{Configuration, SeverityRule, Waiver, covers_platform};

/// The maximum number of similar findings to list for an unused waiver.
const MAXIMUM_ALIKE: usize = 10;

/// The maximum number of places in a finding about a waiver.
const MAXIMUM_PLACES: usize = 3;

/// What a set was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Audited {
    /// A database of advisories.
    pub advisories: bool,
    /// The index, as it is today.
    pub index: bool,
}

/// The findings that remain after `[severity]` and the waivers, with the findings about waivers
/// themselves. `today` decides which waivers have expired. A waiver of a finding about wheels is
/// not unused while one of `unread`, the wheels that were not read, may have that finding, and one
/// of a finding about an advisory or about the index only if the set `is_audited` so. If a text could not be read, no
/// waiver is unused, because that text may have the finding.
pub(super) fn apply(
    configuration: &Configuration,
    file: &Arc<str>,
    findings: Vec<Finding>,
    today: Date,
    unread: &[&DeclaredWheel],
    is_audited: Audited,
) -> Vec<Finding> {
    let mut by_subject: HashMap<(Code, &ProjectName), Vec<usize>> = HashMap::new();
    for (index, waiver) in configuration.waivers.iter().enumerate() {
        let about = (waiver.code, &waiver.project);
        by_subject.entry(about).or_default().push(index);
    }
    let mut covered = vec![false; configuration.waivers.len()];
    let mut places: Vec<Vec<Label>> = vec![Vec::new(); configuration.waivers.len()];
    let mut remaining = Vec::with_capacity(findings.len());
    // A waiver may be about a requirement that was left out, even if leaving it out was allowed.
    let has_partial = findings
        .iter()
        .any(|finding| finding.code.hides_requirements());
    for mut finding in findings {
        match configuration.severity.get(&finding.code) {
            Some(SeverityRule::Off) if !is_raised(&finding) => continue,
            Some(SeverityRule::Weighs(severity)) if !is_raised(&finding) => {
                finding.severity = *severity;
            }
            _ => {}
        }
        if configuration.allowed.contains(&finding.code) && finding.code.may_be_overridden() {
            finding.severity = Severity::Warning;
        }
        let mut is_waived = false;
        let project = finding.subject.project.clone();
        let about = project
            .as_ref()
            .and_then(|project| by_subject.get(&(finding.code, project)));
        for index in about.into_iter().flatten() {
            if is_waived {
                break;
            }
            let waiver = &configuration.waivers[*index];
            let is_expired = waiver.expires.value < today;
            let coverage = if is_expired {
                cover(waiver, &mut finding.clone())
            } else {
                cover(waiver, &mut finding)
            };
            covered[*index] |= coverage != Coverage::Nothing;
            if coverage != Coverage::Nothing {
                places[*index].extend(finding.labels.first().cloned());
            }
            is_waived = !is_expired && coverage == Coverage::Whole;
        }
        if !is_waived {
            remaining.push(finding);
        }
    }
    let mut about_waivers = Vec::new();
    for ((waiver, covered), places) in configuration.waivers.iter().zip(covered).zip(places) {
        let is_behind_part = has_partial && !waiver.code.hides_requirements();
        // A wheel grows old by itself, and a build asks neither for its age nor the index for its
        // time.
        let is_of_age = matches!(waiver.code, Code::Cooldown | Code::UploadedMismatch);
        let is_unseen = match waiver.code.stage() {
            Stage::Advisories => !is_audited.advisories,
            // A publisher differs until the change is reviewed.
            Stage::Index => !is_audited.index || waiver.code == Code::ChangedPublisher,
            _ => false,
        };
        let may_be_needed = covered
            || is_behind_part
            || is_of_age
            || is_unseen
            || is_behind(waiver, &remaining, unread);
        if waiver.expires.value < today {
            about_waivers.push(expired(waiver, file, may_be_needed, places));
        } else if !may_be_needed {
            about_waivers.push(unused(waiver, file, &remaining));
        }
    }
    remaining.append(&mut about_waivers);
    remaining
}

/// Whether `error-from` in `[audit]` makes it an error, whatever `[severity]` says.
fn is_raised(finding: &Finding) -> bool {
    let advisory = finding.subject.advisory.as_ref();
    advisory.is_some_and(|advisory| advisory.is_raised)
}

/// Whether the finding of a waiver may be in a wheel or text that this run did not read.
fn is_behind(waiver: &Waiver, findings: &[Finding], unread: &[&DeclaredWheel]) -> bool {
    let is_of_wheel = waiver.code.stage() == Stage::Wheel;
    // Any wheel may be the one that is not read, so that no entry is called unused.
    if waiver.code == Code::UnusedLicenseEntry && !unread.is_empty() {
        return true;
    }
    let may_be_about = |wheel: &&DeclaredWheel| {
        *wheel.file_name.name() == waiver.project
            && waiver
                .wheel
                .as_ref()
                .is_none_or(|name| *name == wheel.file_name.as_str())
    };
    if is_of_wheel && unread.iter().any(may_be_about) {
        return true;
    }
    findings.iter().any(|finding| match finding.code.stage() {
        Stage::Text => finding.severity == Severity::Error && !finding.code.may_be_overridden(),
        // A wheel that was not fetched, or is not a valid archive, was not compared with its
        // declaration.
        Stage::Wheel => {
            is_of_wheel
                && !finding.code.may_be_overridden()
                && finding.subject.project.as_ref() == Some(&waiver.project)
        }
        _ => false,
    })
}

fn expired(waiver: &Waiver, file: &Arc<str>, may_be_needed: bool, covered: Vec<Label>) -> Finding {
    let mut finding = Finding::new(
        Code::ExpiredWaiver,
        format!(
            "the waiver of `{}` for `{}` expired on {}",
            waiver.code, waiver.project, waiver.expires.value
        ),
    )
    .project(&waiver.project)
    .at(file, waiver.expires.span.clone(), "its last day")
    .note(format!("its reason was: {}", waiver.reason))
    .help(if may_be_needed {
        "fix the finding that it covered and remove it, or set a later day"
    } else {
        "it no longer covers any finding: remove it"
    });
    for label in distinct(covered) {
        finding = finding.at(&label.file, label.span, "it covered this");
    }
    finding
}

/// The first places, each once.
fn distinct(labels: impl IntoIterator<Item = Label>) -> Vec<Label> {
    let mut kept: Vec<Label> = Vec::new();
    for label in labels {
        let is_known = kept
            .iter()
            .any(|known| known.file == label.file && known.span == label.span);
        if !is_known && kept.len() < MAXIMUM_PLACES {
            kept.push(label);
        }
    }
    kept
}

fn unused(waiver: &Waiver, file: &Arc<str>, remaining: &[Finding]) -> Finding {
    let mut finding = Finding::new(
        Code::UnusedWaiver,
        format!(
            "the waiver of `{}` for `{}` covers no finding",
            waiver.code, waiver.project
        ),
    )
    .project(&waiver.project)
    .at(file, waiver.span.clone(), "");
    let alike = remaining.iter().filter(|other| {
        other.code == waiver.code && other.subject.project.as_ref() == Some(&waiver.project)
    });
    let alike = alike.take(MAXIMUM_ALIKE);
    let mut places = Vec::new();
    let mut has_alike = false;
    for other in alike {
        has_alike = true;
        places.extend(other.labels.first().cloned());
        finding = finding.note(format!("a similar finding is about {}", about(other)));
    }
    for label in distinct(places) {
        finding = finding.at(&label.file, label.span, "it does not cover this");
    }
    finding.help(if has_alike {
        "change it to match the note, or remove it"
    } else {
        "remove it"
    })
}

/// The subject that a waiver would have to name, as text.
fn about(finding: &Finding) -> String {
    let subject = &finding.subject;
    let requirement = subject.requirement.as_ref();
    let mut parts: Vec<String> = [
        requirement.map(|requirement| format!("the requirement `{requirement}`")),
        subject
            .advisory
            .as_ref()
            .map(|advisory| format!("the advisory `{}`", advisory.id)),
        subject
            .wheel
            .as_ref()
            .map(|wheel| format!("the wheel `{wheel}`")),
        subject
            .extra
            .as_ref()
            .map(|extra| format!("the extra `{extra}`")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !subject.platforms.is_empty() {
        let platforms: Vec<String> = subject.platforms.iter().map(ToString::to_string).collect();
        parts.push(format!("the platforms {}", platforms.join(", ")));
    }
    if parts.is_empty() {
        parts.push("the project as a whole".to_owned());
    }
    parts.join(", ")
}

/// The part of a finding that a waiver covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Nothing,
    /// Some of its platforms, which were removed from the finding.
    Part,
    Whole,
}

/// Removes the platforms that the waiver covers from the finding.
fn cover(waiver: &Waiver, finding: &mut Finding) -> Coverage {
    let subject = &mut finding.subject;
    let is_about = finding.code == waiver.code
        && finding.code.may_be_overridden()
        && subject.project.as_ref() == Some(&waiver.project)
        && (waiver.requirement.is_none() || waiver.requirement == subject.requirement)
        && waiver.wheel.as_ref().is_none_or(|wheel| {
            subject
                .wheel
                .as_ref()
                .is_some_and(|own| own.as_str() == wheel)
        })
        && (waiver.extra.is_none() || waiver.extra == subject.extra)
        && waiver.advisory.as_ref().is_none_or(|id| {
            let advisory = subject.advisory.as_ref();
            advisory.is_some_and(|advisory| advisory.is_named(id))
        });
    if !is_about {
        return Coverage::Nothing;
    }
    if waiver.platforms.is_empty() {
        return Coverage::Whole;
    }
    let before = subject.platforms.len();
    subject.platforms.retain(|platform| {
        !waiver
            .platforms
            .iter()
            .any(|covered| covers_platform(&covered.value, platform))
    });
    match subject.platforms.len() {
        after if after == before => Coverage::Nothing,
        0 => Coverage::Whole,
        _ => Coverage::Part,
    }
}
