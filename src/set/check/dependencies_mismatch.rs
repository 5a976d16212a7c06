//! `dependencies-mismatch`: the declared dependencies are not the wheel's.
//!
//! A declaration holds at least every Requires-Dist that can apply, and nothing that Requires-Dist
//! does not have (FORMATS 2).

use std::collections::BTreeSet;

use ipwhl_packaging::{CoreMetadata, ExtraName, MarkerEnvironment, Requirement, Truth};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding, nearest};
use crate::set::declaration::DeclaredWheel;

pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    is_whole: bool,
    findings: &mut Vec<Finding>,
) {
    let written: BTreeSet<&Requirement> = declared
        .dependencies
        .iter()
        .map(|dependency| &dependency.value)
        .collect();
    let of_wheel: BTreeSet<&Requirement> = metadata.requires_dist.iter().collect();
    let extras: Vec<&ExtraName> = declared.extras.iter().map(|extra| &extra.value).collect();
    for requirement in &of_wheel {
        if written.contains(*requirement) || !can_apply(requirement, &extras) {
            continue;
        }
        let finding = Finding::new(
            Code::DependenciesMismatch,
            format!(
                "`{}` requires `{requirement}`, which is not declared",
                declared.file_name
            ),
        )
        .help(format!(
            "add {} to `dependencies`",
            toml_edit::Value::from(requirement.to_string())
        ));
        let mut finding = about(
            declared,
            finding,
            declared.dependencies_span.clone(),
            "it is missing here",
        );
        finding.subject.requirement = Some((*requirement).clone());
        findings.push(finding);
    }
    // What a requirement that could not be read stands for may well be declared.
    let declared_only = declared.dependencies.iter().filter(|_| is_whole);
    for dependency in declared_only {
        if of_wheel.contains(&dependency.value) {
            continue;
        }
        let texts: Vec<String> = of_wheel.iter().map(ToString::to_string).collect();
        let text = dependency.value.to_string();
        let mut finding = Finding::new(
            Code::DependenciesMismatch,
            format!(
                "`{text}` is declared, and `{}` does not require it",
                declared.file_name
            ),
        );
        finding = match nearest(&text, texts.iter().map(String::as_str)) {
            Some(word) => finding.help(format!("the wheel says `{word}`")),
            None => finding.help("remove it"),
        };
        let mut finding = about(declared, finding, dependency.span.clone(), "");
        finding.subject.requirement = Some(dependency.value.clone());
        findings.push(finding);
    }
}

/// Whether a requirement can apply: with no extra or a declared one, and every other marker
/// variable unknown, its marker is not false (FORMATS 2).
pub(crate) fn can_apply(requirement: &Requirement, extras: &[&ExtraName]) -> bool {
    let Some(marker) = &requirement.marker else {
        return true;
    };
    let nothing_known = MarkerEnvironment::unknown();
    std::iter::once(None)
        .chain(extras.iter().map(|extra| Some(*extra)))
        .any(|extra| marker.evaluate(&nothing_known, extra) != Truth::False)
}
