//! Makes one finding of those about wheels of a project that have the same licence.

use std::collections::HashMap;

use jiff::civil::Date;

use super::propose::propose;
use crate::foundation::diagnostic::{Finding, Help};
use crate::set::check::merged_licences;
use crate::set::repository::Repository;

/// Replaces findings about the same licence of several wheels of a project by one, at the place of
/// the first. It is called after waivers and comparisons, which are about single wheels. A waiver
/// that is proposed for a whole project has the given `reason`.
pub fn merge_licences(
    repository: &Repository,
    findings: &mut Vec<Finding>,
    today: Date,
    reason: &str,
) {
    let mut groups: Vec<Vec<Finding>> = Vec::new();
    let mut known = HashMap::new();
    for finding in std::mem::take(findings) {
        let subject = &finding.subject;
        let (Some(project), Some(licence)) = (&subject.project, &subject.licence) else {
            groups.push(vec![finding]);
            continue;
        };
        let kind = (finding.code, finding.severity, finding.baseline);
        let key = (kind, project.clone(), licence.clone());
        let index = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(finding);
    }
    for group in groups {
        let project = group
            .first()
            .and_then(|first| first.subject.project.clone());
        let Some(project) = project.filter(|_| group.len() > 1) else {
            findings.extend(group);
            continue;
        };
        let declaration = repository.declarations.get(&project);
        let declared = declaration.map_or(0, |declaration| declaration.wheels.len());
        let is_waiver = |help: &Help| matches!(help, Help::Waiver(_));
        let had_waivers = group.iter().any(|one| one.help.iter().any(is_waiver));
        if let Some(mut finding) = merged_licences(&project, &group, declared) {
            if had_waivers && !finding.help.iter().any(is_waiver) {
                propose(
                    repository,
                    std::slice::from_mut(&mut finding),
                    today,
                    reason,
                );
            }
            findings.push(finding);
        }
    }
}
