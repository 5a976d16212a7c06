//! `denied-license`, `unknown-license`: the licence of a wheel, by the policy of the set.

use ipwhl_packaging::{CoreMetadata, ProjectName};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding, Help};
use crate::set::declaration::DeclaredWheel;
use crate::set::licences::{Licence, LicencePolicy, Objection, Refusal};

/// The most characters of an expression in a message.
const MOST_SHOWN: usize = 200;

/// The most licences of an expression with a note each.
const MOST_NOTED: usize = 10;

/// Each wheel has its own licence, so a finding names one wheel. [`merged`] makes one of several.
pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    policy: &LicencePolicy,
    findings: &mut Vec<Finding>,
) {
    let licence = Licence::of(&metadata.about);
    let project = declared.file_name.name();
    let version = declared.file_name.version();
    let finding = match policy.objection(project, version, &licence) {
        None => return,
        Some(Objection::Unknown(reason)) => Finding::new(
            Code::UnknownLicense,
            format!("the licence of `{}` is unknown", declared.file_name),
        )
        .note(reason.to_string())
        .licence(reason.to_string())
        .help(
            "find out the licence and write `[[licenses.clarify]]` with it, or declare a version that \
             states an SPDX expression",
        ),
        Some(Objection::Denied(refusal)) => denied(declared, &refusal),
    };
    findings.push(about(declared, finding, declared.span(), ""));
}

fn denied(declared: &DeclaredWheel, refusal: &Refusal<'_>) -> Finding {
    let expression = refusal.expression.to_string();
    let message = not_accepted(&format!("`{}`", declared.file_name), &expression);
    let mut finding = Finding::new(Code::DeniedLicense, message).licence(expression);
    for refused in refusal.terms.iter().take(MOST_NOTED) {
        let term = &refused.term;
        finding = finding.note(if refused.is_denied {
            format!("`{term}` is in `deny`")
        } else {
            format!("`{term}` is not in `allow`")
        });
    }
    let others = refusal.terms.len().saturating_sub(MOST_NOTED);
    if others > 0 {
        finding = finding.note(format!("{others} more licences are not accepted"));
    }
    finding.help(format!(
        "declare another project or version; if the licence is acceptable, add it to `allow` in \
         `[licenses]`, or write `[[licenses.exception]]` for `{}`",
        declared.file_name.name()
    ))
}

fn not_accepted(wheels: &str, expression: &str) -> String {
    let mut shown = expression.to_owned();
    if let Some((end, _)) = shown.char_indices().nth(MOST_SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    format!("the set does not accept the licence of {wheels}: `{shown}`")
}

/// One finding for several wheels of a project with the same licence, at the place of the first.
/// `declared` is the number of all wheels of the project. A proposed waiver for each wheel remains
/// if these are not all.
pub(crate) fn merged(project: &ProjectName, group: &[Finding], declared: usize) -> Option<Finding> {
    let (first, others) = group.split_first()?;
    let mut finding = first.clone();
    if others.is_empty() {
        return Some(finding);
    }
    let is_whole = group.len() >= declared;
    let wheels = if is_whole {
        format!("the {} wheels of `{project}`", group.len())
    } else {
        format!("{} of {declared} wheels of `{project}`", group.len())
    };
    finding.message = match (&first.code, &first.subject.licence) {
        (Code::DeniedLicense, Some(expression)) => not_accepted(&wheels, expression),
        _ => format!("the licence of {wheels} is unknown"),
    };
    finding.subject.wheel = None;
    if is_whole {
        finding.help.retain(|help| !matches!(help, Help::Waiver(_)));
    } else {
        let help = others.iter().flat_map(|other| &other.help);
        let waivers = help.filter(|help| matches!(help, Help::Waiver(_)));
        finding.help.extend(waivers.cloned());
        let names = group.iter().filter_map(|one| one.subject.wheel.as_ref());
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(MOST_NOTED);
        let mut note = names[..names.len() - more].join(", ");
        if more > 0 {
            note += &format!(" and {more} more");
        }
        finding = finding.note(note);
    }
    Some(finding)
}
