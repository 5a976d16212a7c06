//! Warnings of one code that give the same advice, as one: the first in full, the others a line each.

use super::propose::{is_waiver, proposes_waiver};
use crate::foundation::diagnostic::{Finding, SourceTexts};
use crate::set::repository::{Repository, summarize_platforms};

/// How many of the others have a line.
const MAXIMUM_LINES: usize = 50;
/// What the checks say in notes about the platforms of a finding.
const WHERE: &str = "where: ";

/// The ways out of a finding but the waiver, with `NAME` and `FILE` for what it is about.
pub(super) fn advice(finding: &Finding) -> Vec<String> {
    let project = finding.subject.project.as_deref();
    let file = finding.labels.first().map(|label| &*label.file);
    finding
        .help
        .iter()
        .filter(|help| !proposes_waiver(help))
        .map(|help| {
            let text = help.text.as_deref().unwrap_or_default();
            in_general(&format!("{}\0{text}", help.message), project, file)
        })
        .collect()
}

/// The text with `NAME` for the project and `FILE` for the file, where they stand as words.
fn in_general(text: &str, project: Option<&str>, file: Option<&str>) -> String {
    let is_of_word = |sign: char| sign.is_alphanumeric() || "-_./".contains(sign);
    let mut general = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|sign| !is_of_word(sign)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        general += match word {
            "" => "",
            word if Some(word) == file => "FILE",
            word if Some(word) == project => "NAME",
            word => word,
        };
        let end = after.find(is_of_word).unwrap_or(after.len());
        general += &after[..end];
        rest = &after[end..];
    }
    general
}

/// These findings as one.
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
    // What is said of the first alone stands with it; what differs stands in the lines.
    let is_common = |note: &String| {
        (note.starts_with(WHERE) && is_everywhere)
            || others.iter().all(|one| one.notes.contains(note))
    };
    let is_of_first = |note: &String| note.starts_with(WHERE) && !is_everywhere;
    finding
        .notes
        .retain(|note| is_common(note) || is_of_first(note));
    for note in finding.notes.iter_mut().filter(|note| is_of_first(note)) {
        *note = format!("{note}, of the first");
    }
    if others.iter().any(|one| one.help != first.help) {
        let project = first.subject.project.as_deref();
        let file = first.labels.first().map(|label| &*label.file);
        for help in &mut finding.help {
            help.message = in_general(&help.message, project, file);
            if let Some(text) = &mut help.text
                && !is_waiver(text)
            {
                *text = in_general(text, project, file);
            }
        }
    }
    finding
}

/// Where a finding is, what it is about, and what tells it from the first.
fn line(texts: &SourceTexts, finding: &Finding, place: Option<String>) -> String {
    let subject = &finding.subject;
    let name = subject.wheel.as_ref().or(subject.project.as_ref());
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
