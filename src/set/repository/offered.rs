//! Whether `only` of each wheel is decided on every supported platform.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl_packaging::{MarkerEnvironment, Platform, Truth};

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::Declaration;

/// A finding for each `only` that some platform does not decide.
pub(super) fn undecided<'d>(
    declarations: impl Iterator<Item = &'d Declaration>,
    platforms: &[Platform],
) -> Vec<Finding> {
    let environments: Vec<MarkerEnvironment> = platforms
        .iter()
        .map(MarkerEnvironment::for_platform)
        .collect();
    let mut findings = Vec::new();
    for declaration in declarations {
        // Wheels may share an `only`.
        let mut known: BTreeSet<(&Arc<str>, usize)> = BTreeSet::new();
        for wheel in &declaration.wheels {
            let Some(only) = &wheel.only else { continue };
            if !known.insert((&wheel.file, only.span.start)) {
                continue;
            }
            let undecided: Vec<Platform> = platforms
                .iter()
                .zip(&environments)
                .filter(|(_, environment)| only.value.evaluate(environment, None) == Truth::Unknown)
                .map(|(platform, _)| platform.clone())
                .collect();
            if undecided.is_empty() {
                continue;
            }
            let mut finding = Finding::new(
                Code::InvalidValue,
                "`only` is neither true nor false on some supported platforms",
            )
            .at(&wheel.file, only.span.clone(), "")
            .note(
                "a platform determines no patch version of Python, no release of the system, and \
                 no machine of a 32-bit system",
            )
            .help("compare `sys_platform`, `platform_machine` or `python_version`")
            .project(&declaration.project);
            finding.subject.platforms = undecided;
            findings.push(finding);
        }
    }
    findings
}
