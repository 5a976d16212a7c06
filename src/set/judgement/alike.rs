//! Merges warnings of one code with the same advice: the first in full, the others as one line
//! each.

use ipwhl_packaging::{ProjectName, WheelFileName};

use crate::foundation::diagnostic::{Finding, Help, Note, SourceTexts, Stage};
use crate::set::repository::{Repository, summarize_platforms};

/// The maximum number of other findings with a line.
const MAXIMUM_LINES: usize = 50;

/// The help of a finding except the waiver, without its project and file.
pub(super) fn advice(finding: &Finding) -> Vec<Help> {
    finding
        .help
        .iter()
        .filter(|help| !matches!(help, Help::Waiver(_)))
        .map(|help| in_general(finding, help))
        .collect()
}

/// The help of a finding, without its project and file.
fn in_general(finding: &Finding, help: &Help) -> Help {
    let file = finding.labels.first().map(|label| &*label.file);
    help.in_general(finding.subject.project.as_ref(), file)
}

/// Merges these findings into one.
pub(super) fn several_alike(repository: &Repository, group: &[&Finding]) -> Finding {
    let (first, others) = (group[0], &group[1..]);
    let mut finding = first.clone();
    finding.message += &format!(" (and {} more)", others.len());
    let all = &repository.configuration.platforms;
    let place = |one: &Finding| summarize_platforms(&one.subject.platforms, all);
    let is_everywhere = others.iter().all(|one| place(one) == place(first));
    finding.alike = others
        .iter()
        .take(MAXIMUM_LINES)
        .map(|one| {
            let place = place(one).filter(|_| !is_everywhere);
            line(&repository.texts, one, place)
        })
        .collect();
    let more = others.len().saturating_sub(MAXIMUM_LINES);
    if more > 0 {
        let line = format!("and {more} more: `-v` shows each");
        finding.alike.push(line);
    }
    // Notes of the first finding stay with it; differences are in the lines.
    finding.notes.retain_mut(|note| match note {
        Note::Where { is_of_first, .. } => {
            *is_of_first = !is_everywhere;
            true
        }
        note => others.iter().all(|one| one.notes.contains(note)),
    });
    if others.iter().any(|one| one.help != first.help) {
        finding.help = first
            .help
            .iter()
            .map(|help| in_general(first, help))
            .collect();
    }
    finding
}

/// The place of a finding, its subject, and its differences from the first.
fn line(texts: &SourceTexts, finding: &Finding, place: Option<String>) -> String {
    let subject = &finding.subject;
    let wheel = subject.wheel.as_ref().map(WheelFileName::as_str);
    let name = wheel.or(subject.project.as_ref().map(ProjectName::as_str));
    // One project can have many advisories.
    let name = name.filter(|_| finding.code.stage() != Stage::Advisories);
    let mut line = finding.labels.first().map_or_else(String::new, |label| {
        let position = texts.get(&label.file);
        let position = position.map_or(1, |text| text.position(label.span.start).0);
        format!("{}:{position}: ", label.file)
    });
    line += &name.map_or_else(|| finding.message.clone(), |name| format!("`{name}`"));
    if let Some(requirement) = &subject.requirement {
        line += &format!(", `{requirement}`");
    }
    let extra = subject.extra.as_ref();
    let extra = extra.map(|extra| format!("for the extra `{extra}`"));
    let details: Vec<String> = extra.into_iter().chain(place).collect();
    if !details.is_empty() {
        line += &format!(" ({})", details.join("; "));
    }
    line
}
