//! `unsatisfied-dependency`: a requirement excludes the version that is in the set.

use std::collections::BTreeSet;

use ipwhl_packaging::{Constraint, specifiers_contain};

use super::remedy::{Pin, or_leave_extra_out};
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{AddPurpose, Code, Finding, Help, SharedCause};
use crate::set::declaration::DeclaredWheel;
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    each_unsatisfied(graph, findings, |relation, statement| {
        let target = graph.target(relation)?;
        let Constraint::Specifiers(specifiers) = &relation.requirement.constraint else {
            return None;
        };
        // Usually there is one version. If several are allowed, each that an installer may take
        // there must satisfy the requirement, or any if no wheel fits.
        let offers = graph.offers(target);
        let usable: Vec<&DeclaredWheel> = statement
            .platforms
            .iter()
            .flat_map(|platform| offers[*platform].versions.iter().copied())
            .collect();
        let mut candidates = if usable.is_empty() {
            target.wheels.iter().collect()
        } else {
            usable
        };
        candidates.dedup_by_key(|wheel| wheel.file_name.version());
        let wheel = candidates
            .into_iter()
            .find(|wheel| !specifiers_contain(specifiers, wheel.file_name.version()))?;
        let version = wheel.file_name.version();
        let message = format!(
            "`{}` requires `{}`, but the set has {} {version}",
            relation.from.project, relation.requirement, target.project,
        );
        let mut finding = finding(
            graph,
            (relation, statement),
            Code::UnsatisfiedDependency,
            message,
            "required here",
            &statement.platforms,
        )
        .at(&wheel.file, wheel.span(), format!("version {version} here"))
        .help(Help::Add(
            AddPurpose::Accepted,
            graph.add_command(&target.project, &BTreeSet::new(), Pin::Accepted),
        ));
        finding.shared = Some(SharedCause::Version(
            target.project.clone(),
            version.clone(),
        ));
        let finding = or_leave_extra_out(graph, relation, statement, finding);
        Some(finding.help(Help::OtherRequirer))
    });
}
