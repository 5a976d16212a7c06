//! Groups findings for people. Findings that one change may end become one: the project to change
//! first, then the requirers, then one list of help texts. Warnings of one code with the same
//! advice become one, with the first in full.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::ProjectName;

use super::alike::{advice, several_alike};
use crate::foundation::diagnostic::{Code, Finding, Help, Note, Severity, SourceTexts};
use crate::set::repository::{Repository, summarize_platforms};

/// The maximum number of requirements that a grouped finding shows in the text of their files.
const MAXIMUM_SHOWN: usize = 3;

/// The findings, grouped: those about the same problem of a required project become one at the
/// place of the first, and so, unless `in_full`, do warnings with the same advice. Proposed waivers
/// are left out; [`waivers`] returns them.
pub fn group_related(repository: &Repository, findings: &[Finding], in_full: bool) -> Vec<Finding> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known = BTreeMap::new();
    for finding in findings {
        let key = match &finding.shared {
            Some(shared) => Some((Some(shared), Vec::new())),
            // Each vulnerability is read by itself.
            None if finding.subject.advisory.is_some() => None,
            None if in_full || finding.severity == Severity::Error => None,
            None => Some((None, advice(finding))),
        };
        let Some(key) = key else {
            groups.push(vec![finding]);
            continue;
        };
        let key = (finding.code, finding.severity, finding.baseline, key);
        let index = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(finding);
    }
    groups
        .into_iter()
        .map(|group| {
            let mut finding = match group.as_slice() {
                [one] => (*one).clone(),
                several if several[0].shared.is_none() => several_alike(repository, several),
                several => merged(repository, several),
            };
            finding.help.retain(|help| !matches!(help, Help::Waiver(_)));
            finding
        })
        .collect()
}

/// The waivers that would cover these findings, each once, as text for `ipwhl.toml`.
pub fn waivers(findings: &[Finding]) -> Vec<&str> {
    let mut known = BTreeSet::new();
    let helps = findings.iter().flat_map(|finding| &finding.help);
    helps
        .filter_map(|help| match help {
            Help::Waiver(text) => Some(text.as_str()),
            _ => None,
        })
        .filter(|text| known.insert(*text))
        .collect()
}

fn merged(repository: &Repository, group: &[&Finding]) -> Finding {
    let first = group[0];
    let mut finding = Finding::new(first.code, title(group));
    finding.severity = first.severity;
    finding.baseline = first.baseline;
    finding.shared.clone_from(&first.shared);
    finding.subject.required.clone_from(&first.subject.required);
    // The place of the problem, then the requirements.
    let failing = group.iter().find_map(|one| one.labels.get(1));
    finding.labels.extend(failing.cloned());
    let mut shown = BTreeSet::new();
    for one in group {
        let Some(label) = one.labels.first() else {
            continue;
        };
        if shown.len() < MAXIMUM_SHOWN && shown.insert((&label.file, label.span.start)) {
            let text = one
                .subject
                .project
                .as_ref()
                .map_or_else(String::new, |project| {
                    format!("required here by `{project}`")
                });
            finding = finding.at(&label.file, label.span.clone(), text);
        }
    }
    (finding.requirers, finding.notes) = notes(repository, group);
    finding.help = help(group);
    finding
}

fn projects<'f>(group: &[&'f Finding]) -> BTreeSet<&'f ProjectName> {
    group
        .iter()
        .filter_map(|one| one.subject.project.as_ref())
        .collect()
}

fn title(group: &[&Finding]) -> String {
    let shared = group[0].shared.as_ref();
    let shared = shared.map_or_else(String::new, ToString::to_string);
    let projects: Vec<&ProjectName> = projects(group).into_iter().collect();
    let (who, ending) = match projects.as_slice() {
        [one] => (format!("`{one}`"), "s"),
        several => (format!("{} projects", several.len()), ""),
    };
    let what = match group[0].code {
        Code::UnsatisfiedDependency => format!("require{ending} another version"),
        Code::MissingExtra => format!("require{ending} this extra"),
        Code::UnavailableDependency => format!("require{ending} it there"),
        _ => format!("require{ending} it"),
    };
    format!("{shared}, but {who} {what}")
}

/// A line for each requirement with its differences from the others, and the notes that all
/// findings share.
fn notes(repository: &Repository, group: &[&Finding]) -> (Vec<String>, Vec<Note>) {
    let all = &repository.configuration.platforms;
    let places: BTreeSet<Option<String>> = group
        .iter()
        .map(|one| summarize_platforms(&one.subject.platforms, all))
        .collect();
    let everywhere = (places.len() == 1)
        .then(|| places.into_iter().next().flatten())
        .flatten();
    let mut lines: Vec<(String, Vec<String>, String)> = Vec::new();
    let mut alike: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in group {
        let head = head(&repository.texts, one);
        let place = match everywhere {
            Some(_) => None,
            None => summarize_platforms(&one.subject.platforms, all),
        };
        let chain = one.chain.as_ref().map(|chain| format!("from {chain}"));
        let rest: Vec<String> = place.into_iter().chain(chain).collect();
        let rest = rest.join("; ");
        let extra = one.subject.extra.as_ref().map(|extra| format!("`{extra}`"));
        let Some(extra) = extra else {
            lines.push((head, Vec::new(), rest));
            continue;
        };
        let index = *alike
            .entry((head.clone(), rest.clone()))
            .or_insert_with(|| {
                lines.push((head, Vec::new(), rest));
                lines.len() - 1
            });
        lines[index].1.push(extra);
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(head, extras, rest)| {
            let extras = match extras.as_slice() {
                [] => None,
                [one] => Some(format!("for the extra {one}")),
                several => Some(format!("for the extras {}", several.join(", "))),
            };
            let rest = (!rest.is_empty()).then_some(rest);
            let details: Vec<String> = extras.into_iter().chain(rest).collect();
            if details.is_empty() {
                head
            } else {
                format!("{head} ({})", details.join("; "))
            }
        })
        .collect();
    let mut notes: Vec<Note> = everywhere
        .map(|platforms| Note::Where {
            platforms,
            is_of_first: false,
        })
        .into_iter()
        .collect();
    notes.extend(common_notes(group));
    (lines, notes)
}

/// The notes of the checks that all findings share; the lines above contain the rest.
fn common_notes(group: &[&Finding]) -> Vec<Note> {
    group[0]
        .notes
        .iter()
        .filter(|note| {
            !matches!(
                note,
                Note::Where { .. } | Note::ForExtra(_) | Note::ComesFrom(_)
            )
        })
        .filter(|note| group.iter().all(|one| one.notes.contains(note)))
        .cloned()
        .collect()
}

fn head(texts: &SourceTexts, finding: &Finding) -> String {
    let subject = &finding.subject;
    let project = subject.project.as_ref();
    let project = project.map_or_else(String::new, ToString::to_string);
    let requirement = subject.requirement.as_ref();
    let requirement = requirement.map_or_else(String::new, ToString::to_string);
    let place = finding.labels.first().map_or_else(String::new, |label| {
        let (line, column) = texts
            .get(&label.file)
            .map_or((1, 1), |text| text.position(label.span.start));
        format!(" at {}:{line}:{column}", label.file)
    });
    format!("{project}: `{requirement}`{place}")
}

/// Each help text once.
fn help(group: &[&Finding]) -> Vec<Help> {
    let mut all: Vec<Help> = Vec::new();
    let mut known = BTreeSet::new();
    for help in group.iter().flat_map(|one| &one.help) {
        if !matches!(help, Help::Waiver(_)) && known.insert(help) {
            all.push(help.clone());
        }
    }
    // Commands to type first, then changes by hand.
    all.sort_by_key(|help| !help.has_text());
    all
}
