//! Severities and waivers, applied to what the checks found.

use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::{Code, Finding, Stage};

use super::{Configuration, SeverityRule, Waiver};

/// The findings that remain when `[severity]` and the waivers have been heard, with those about the
/// waivers themselves. `today` decides which waivers have expired. Where the wheels were not checked
/// (`wheels_checked`), a waiver of a finding about wheels is not unused.
pub fn apply(
    configuration: &Configuration,
    file: &Arc<str>,
    findings: Vec<Finding>,
    today: Date,
    wheels_checked: bool,
) -> Vec<Finding> {
    let mut used = vec![false; configuration.waivers.len()];
    let mut remaining = Vec::with_capacity(findings.len());
    for mut finding in findings {
        match configuration.severity.get(&finding.code) {
            Some(SeverityRule::Off) => continue,
            Some(SeverityRule::Weighs(severity)) => finding.severity = *severity,
            None => {}
        }
        let mut is_waived = false;
        for (waiver, used) in configuration.waivers.iter().zip(&mut used) {
            if is_waived || waiver.expires.value < today {
                continue;
            }
            let coverage = cover(waiver, &mut finding);
            *used |= coverage != Coverage::Nothing;
            is_waived = coverage == Coverage::Whole;
        }
        if !is_waived {
            remaining.push(finding);
        }
    }
    for (waiver, used) in configuration.waivers.iter().zip(used) {
        let about = |code, message: String| {
            Finding::new(code, message)
                .project(&waiver.project)
                .at(file, waiver.span.clone(), "")
        };
        if waiver.expires.value < today {
            remaining.push(
                about(
                    Code::ExpiredWaiver,
                    format!(
                        "the waiver of `{}` for `{}` expired on {}",
                        waiver.code, waiver.project, waiver.expires.value
                    ),
                )
                .note(format!("its reason was: {}", waiver.reason))
                .help("mend what it covered and remove it, or give it a new day"),
            );
        } else if !used && (wheels_checked || waiver.code.stage() != Stage::Wheel) {
            remaining.push(
                about(
                    Code::UnusedWaiver,
                    format!(
                        "the waiver of `{}` for `{}` covers no finding",
                        waiver.code, waiver.project
                    ),
                )
                .help("remove it"),
            );
        }
    }
    remaining
}

/// How much of a finding a waiver covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Nothing,
    /// Some of its platforms, which it has lost.
    Part,
    Whole,
}

/// Takes from the finding the platforms that the waiver covers.
fn cover(waiver: &Waiver, finding: &mut Finding) -> Coverage {
    let subject = &mut finding.subject;
    let is_about = finding.code == waiver.code
        && finding.code.may_be_softened()
        && subject.project.as_deref() == Some(waiver.project.as_str())
        && waiver.requirement.as_ref().is_none_or(|requirement| {
            subject.requirement.as_deref() == Some(&requirement.to_string())
        })
        && waiver
            .wheel
            .as_ref()
            .is_none_or(|wheel| subject.wheel.as_deref() == Some(wheel))
        && waiver
            .extra
            .as_ref()
            .is_none_or(|extra| subject.extra.as_deref() == Some(extra.as_str()));
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

/// `win_amd64`, `cp312` and `cp312-win_amd64` all cover `cp312-win_amd64`.
fn covers_platform(covered: &str, platform: &str) -> bool {
    covered == platform
        || platform
            .split_once('-')
            .is_some_and(|(python, system)| covered == python || covered == system)
}
