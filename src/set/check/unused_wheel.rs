//! `unused-wheel`: a wheel fits no supported platform, or none on which the set offers it.

use ipwhl_packaging::MarkerEnvironment;

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    // Its platform may be listed in an `ipwhl.toml` that could not be read.
    if graph.platforms.is_empty() || graph.repository.has_configuration_errors() {
        return;
    }
    for declaration in graph.repository.declarations.values() {
        for wheel in &declaration.wheels {
            let fitting = || {
                let platforms = graph.platforms.iter();
                platforms.filter(|platform| wheel.has_tag_for(platform))
            };
            let is_offered =
                |platform| wheel.is_offered_in(&MarkerEnvironment::for_platform(platform));
            let finding = match fitting().next() {
                None => fits_none(wheel),
                Some(_) if wheel.only.is_none() || fitting().any(is_offered) => continue,
                Some(_) => not_offered(wheel),
            };
            let finding = finding.project(&declaration.project);
            findings.push(finding.wheel(&wheel.file_name));
        }
    }
}

fn fits_none(wheel: &DeclaredWheel) -> Finding {
    let message = format!("`{}` fits no supported platform", wheel.file_name);
    Finding::new(Code::UnusedWheel, message)
        .at(&wheel.file, wheel.span(), "")
        .help("remove it, or add its platform to `[platforms]`")
}

fn not_offered(wheel: &DeclaredWheel) -> Finding {
    let message = format!(
        "`{}` fits only platforms on which its `only` does not offer it",
        wheel.file_name
    );
    let finding = Finding::new(Code::UnusedWheel, message).at(&wheel.file, wheel.span(), "");
    let finding = match &wheel.only {
        Some(only) => finding.at(&wheel.file, only.span.clone(), "false on these platforms"),
        None => finding,
    };
    finding.help("remove the wheel, or widen its `only`")
}
