//! `denied-license`, `unknown-license`: the licence of a wheel, by the policy of the set.

use ipwhl_packaging::CoreMetadata;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;
use crate::set::licences::{Licence, LicencePolicy, Objection, Refusal};

/// The most characters of an expression in a message.
const MOST_SHOWN: usize = 200;

/// The most licences of an expression with a note each.
const MOST_NOTED: usize = 10;

/// Each wheel has its own licence, so a finding names one wheel.
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
        .help(
            "find out the licence and write `[[licenses.clarify]]` with it, or declare a version that \
             states an SPDX expression",
        ),
        Some(Objection::Denied(refusal)) => denied(declared, &refusal),
    };
    findings.push(about(declared, finding, declared.span(), ""));
}

fn denied(declared: &DeclaredWheel, refusal: &Refusal<'_>) -> Finding {
    let mut expression = refusal.expression.to_string();
    if let Some((end, _)) = expression.char_indices().nth(MOST_SHOWN) {
        expression.truncate(end);
        expression.push('…');
    }
    let mut finding = Finding::new(
        Code::DeniedLicense,
        format!(
            "the set does not accept the licence of `{}`: `{expression}`",
            declared.file_name
        ),
    );
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
