//! `missing-extra`: a requirement names an extra that its project does not declare.

use std::collections::BTreeSet;

use ipwhl_packaging::ExtraName;

use super::remedy::or_leave_extra_out;
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{Code, Finding, Help, SharedCause};
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    each_unsatisfied(graph, findings, |relation, statement| {
        let target = graph.target(relation)?;
        let mut missing: BTreeSet<&ExtraName> = BTreeSet::new();
        let mut platforms = BTreeSet::new();
        let mut place = None;
        let offers = graph.offers(target);
        for platform in &statement.platforms {
            let offer = &offers[*platform];
            if offer.wheels.is_empty() {
                continue;
            }
            for extra in &relation.requirement.extras {
                if !offer.extras.contains(extra) {
                    missing.insert(extra);
                    platforms.insert(*platform);
                }
            }
            if let Some(extra) = missing.iter().next_back()
                && platforms.contains(platform)
            {
                let lacking = offer.wheels.iter().rev();
                place = lacking
                    .copied()
                    .find(|wheel| !wheel.has_extra(extra))
                    .or(place);
            }
        }
        let place = place?;
        let list: Vec<String> = missing.iter().map(|extra| format!("`{extra}`")).collect();
        let list = list.join(", ");
        let message = format!(
            "`{}` requires `{}`, but the extra {list} of `{}` is not declared",
            relation.from.project, relation.requirement, target.project
        );
        let mut finding = finding(
            graph,
            (relation, statement),
            Code::MissingExtra,
            message,
            "required here",
            &platforms,
        )
        .at(&place.file, place.extras_span.clone(), "not declared here");
        let missing: Vec<ExtraName> = missing.into_iter().cloned().collect();
        finding.shared = Some(SharedCause::MissingExtras(
            target.project.clone(),
            missing.clone(),
        ));
        // It is not known here whether the wheels have the extra, so no command is proposed.
        finding = finding.help(Help::AddExtras {
            project: target.project.clone(),
            extras: missing,
        });
        Some(or_leave_extra_out(graph, relation, statement, finding))
    });
}
