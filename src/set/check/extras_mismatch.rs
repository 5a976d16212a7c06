//! `extras-mismatch`: a declared extra is not one of the wheel's, or needs one that is not
//! declared.

use ipwhl_packaging::{CoreMetadata, MarkerEnvironment, Truth};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding, Help, nearest};
use crate::set::declaration::DeclaredWheel;

pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    is_whole: bool,
    findings: &mut Vec<Finding>,
) {
    for extra in &declared.extras {
        if is_whole && !metadata.provides_extra.contains(&extra.value) {
            let mut finding = Finding::new(
                Code::ExtrasMismatch,
                format!("`{}` has no extra `{}`", declared.file_name, extra.value),
            );
            let known = metadata
                .provides_extra
                .iter()
                .map(ipwhl_packaging::ExtraName::as_str);
            finding = match nearest(extra.value.as_str(), known) {
                Some(word) => finding.help(Help::DidYouMean(word.to_owned())),
                None => finding.help("remove it"),
            };
            let mut finding = about(declared, finding, extra.span.clone(), "");
            finding.subject.extra = Some(extra.value.clone());
            findings.push(finding);
        }
    }
    // An extra that requires the project itself with another extra needs that one declared too.
    let nothing_known = MarkerEnvironment::unknown();
    for extra in &declared.extras {
        for requirement in &metadata.requires_dist {
            let applies = requirement.marker.as_ref().is_none_or(|marker| {
                marker.evaluate(&nothing_known, Some(&extra.value)) != Truth::False
            });
            if requirement.name != *declared.file_name.name() || !applies {
                continue;
            }
            for needed in &requirement.extras {
                if declared.has_extra(needed) {
                    continue;
                }
                let finding = Finding::new(
                    Code::ExtrasMismatch,
                    format!(
                        "the extra `{}` of `{}` needs its extra `{needed}`, which is not declared",
                        extra.value,
                        declared.file_name.name()
                    ),
                )
                .help(format!(
                    "add `{needed}` to `extras`, or leave `{}` out",
                    extra.value
                ));
                let mut finding = about(declared, finding, extra.span.clone(), "this extra");
                let asking = declared
                    .dependencies
                    .iter()
                    .find(|dependency| dependency.value == *requirement);
                if let Some(asking) = asking {
                    let label = format!("asks for `{needed}`");
                    finding = finding.at(&declared.file, asking.span.clone(), label);
                }
                finding.subject.extra = Some(extra.value.clone());
                findings.push(finding);
            }
        }
    }
}
