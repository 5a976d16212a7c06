//! The waiver that would cover a finding, as text to paste.

use std::collections::BTreeSet;

use ipwhl_packaging::Platform;
use jiff::civil::Date;
use toml_edit::Value;

use crate::foundation::diagnostic::{Finding, Help, Stage};
use crate::set::repository::{Repository, covers_name};

/// The lifetime of a proposed waiver, in days.
const DAYS: i64 = 90;

/// Adds to each finding that can be waived the narrowest waiver that covers it, after its other
/// help texts. An empty `reason` is refused by the parser until it is filled in.
pub(super) fn propose(
    repository: &Repository,
    findings: &mut [Finding],
    today: Date,
    reason: &str,
) {
    let expires = today.saturating_add(jiff::Span::new().days(DAYS));
    for finding in findings {
        if let Some(text) = waiver(repository, finding, expires, reason) {
            finding.help.push(Help::Waiver(text));
        }
    }
}

fn waiver(
    repository: &Repository,
    finding: &Finding,
    expires: Date,
    reason: &str,
) -> Option<String> {
    let subject = &finding.subject;
    let project = subject.project.as_ref()?;
    if !finding.code.may_be_overridden() {
        return None;
    }
    let mut lines = vec!["[[waiver]]".to_owned()];
    let mut put = |key: &str, text: &str| lines.push(format!("{key} = {}", Value::from(text)));
    put("code", finding.code.as_str());
    put("project", project.as_str());
    if let Some(requirement) = &subject.requirement {
        put("requirement", &requirement.to_string());
    }
    // The name of one of several files is specific to this version. For an only wheel the name
    // would not narrow the waiver, and would end with the version.
    let is_one_of_several = || {
        let declaration = repository.declarations.get(project);
        declaration.is_none_or(|declaration| declaration.wheels.len() > 1)
    };
    if let Some(wheel) = &subject.wheel
        && (finding.code.stage() == Stage::Wheel || is_one_of_several())
    {
        put("wheel", wheel.as_str());
    }
    if let Some(extra) = &subject.extra {
        put("extra", extra.as_str());
    }
    if let Some(advisory) = &subject.advisory {
        put("advisory", &advisory.id);
    }
    let words = shortest_names(&subject.platforms, &repository.configuration.platforms);
    if !words.is_empty() {
        let list: Vec<String> = words
            .iter()
            .map(|word| Value::from(word).to_string())
            .collect();
        lines.push(format!("platforms = [{}]", list.join(", ")));
    }
    lines.push(format!("reason = {}", Value::from(reason)));
    lines.push(format!("expires = {expires}"));
    Some(lines.join("\n"))
}

/// The shortest list of platforms for a waiver: empty for all, then whole systems, whole
/// interpreters, and single platforms.
fn shortest_names(some: &[Platform], supported: &[Platform]) -> Vec<String> {
    let some: BTreeSet<String> = some.iter().map(ToString::to_string).collect();
    let mut open: BTreeSet<&str> = some.iter().map(String::as_str).collect();
    if open.len() >= supported.len() {
        return Vec::new();
    }
    let known: Vec<String> = supported.iter().map(Platform::to_string).collect();
    let mut systems: Vec<&str> = supported.iter().map(Platform::system).collect();
    systems.sort_unstable();
    systems.dedup();
    let mut pythons: Vec<String> = supported.iter().map(Platform::python_tag).collect();
    pythons.dedup();
    let mut words: Vec<String> = Vec::new();
    for word in systems.into_iter().map(ToOwned::to_owned).chain(pythons) {
        let taken: Vec<&str> = known
            .iter()
            .map(String::as_str)
            .filter(|name| covers_name(&word, name))
            .collect();
        let is_whole = taken.iter().all(|name| some.contains(*name));
        if is_whole && taken.iter().any(|name| open.contains(name)) {
            for name in taken {
                open.remove(name);
            }
            words.push(word);
        }
    }
    words.extend(open.into_iter().map(ToOwned::to_owned));
    words
}
