//! Findings as a checklist for a comment on a pull request.
//!
//! The text comes from files of strangers and the page is shown to maintainers. So everything that
//! could be markup, a link, a mention or a reference is put into a code span, which forges do not
//! interpret.

use std::collections::BTreeMap;

use super::public::PublicFinding;
use super::render::MOST_PLACES;
use super::{Baseline, Report, Severity};

/// The maximum size of a comment, in bytes. GitHub accepts 65,536 characters, and the sender may
/// add a line.
const LONGEST_COMMENT: usize = 65_000;

/// The space for the last lines, which count the omitted findings and close open tags.
const LAST_WORDS: usize = 200;

/// The longest piece of one text, in characters.
const LONGEST_TEXT: usize = 2_000;

/// The mark by which a workflow finds its own comment to replace it.
const MARKER: &str = "<!-- ipwhl findings -->";

/// The comment. Without findings, it is one sentence that says so.
pub(super) fn markdown(report: &Report<'_>) -> String {
    let findings: Vec<PublicFinding> = report
        .published()
        .into_iter()
        .map(|(finding, _)| finding)
        .collect();
    let (before, new): (Vec<&PublicFinding>, Vec<&PublicFinding>) = findings
        .iter()
        .partition(|finding| finding.baseline == Some(Baseline::Unchanged));
    let heading = match (new.is_empty(), before.is_empty()) {
        (true, true) => "no findings".to_owned(),
        (true, false) => "no new findings".to_owned(),
        (false, _) => {
            let brought = if new.iter().any(|finding| finding.baseline.is_some()) {
                " from this change"
            } else {
                ""
            };
            format!("{}{brought}", counted(&new))
        }
    };
    let mut comment = Comment {
        text: format!("{MARKER}\n### ipwhl: {heading}\n"),
        left_out: 0,
    };
    comment.groups(report, &new);
    if !before.is_empty() {
        let all: usize = before.iter().map(|finding| finding.count).sum();
        let count = match all {
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        };
        let opening =
            format!("\n<details>\n<summary>{count} existed before this change</summary>\n");
        if comment.fits(opening.len()) {
            comment.text += &opening;
            comment.groups(report, &before);
            comment.text += "\n</details>\n";
        } else {
            comment.left_out += all;
        }
    }
    if comment.left_out > 0 {
        comment.text += &format!(
            "\n{} more do not fit here: `ipwhl check` shows all of them.\n",
            comment.left_out
        );
    } else if !findings.is_empty() {
        comment.text += "\nFor details about a code: `ipwhl explain CODE`\n";
    }
    comment.text
}

fn counted(findings: &[&PublicFinding]) -> String {
    let of = |severity, word: &str| {
        let count = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .map(|finding| finding.count)
            .sum();
        match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        }
    };
    let parts: Vec<String> = [
        of(Severity::Error, "error"),
        of(Severity::Warning, "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(" and ")
}

struct Comment {
    text: String,
    left_out: usize,
}

impl Comment {
    fn fits(&self, bytes: usize) -> bool {
        self.text.len() + bytes + LAST_WORDS <= LONGEST_COMMENT
    }

    /// Adds the findings, grouped by the project that has to change. Projects are in the order of
    /// their first finding.
    fn groups(&mut self, report: &Report<'_>, findings: &[&PublicFinding]) {
        let mut groups: Vec<(String, Vec<&PublicFinding>)> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for finding in findings {
            let name = owner(report, finding);
            let index = *known.entry(name.clone()).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[index].1.push(finding);
        }
        for (name, group) in groups {
            let mut heading = format!("\n#### {}\n\n", code_span(&name));
            for finding in group {
                // Without the text to paste, the item is shorter and still names the mistake.
                let fitting = [true, false]
                    .into_iter()
                    .filter(|_| self.left_out == 0)
                    .map(|in_full| heading.clone() + &item(report, finding, in_full))
                    .find(|item| self.fits(item.len()));
                match fitting {
                    Some(item) => {
                        self.text += &item;
                        heading.clear();
                    }
                    None => self.left_out += finding.count,
                }
            }
        }
    }
}

/// The project that has to change, else the file.
fn owner(report: &Report<'_>, finding: &PublicFinding) -> String {
    match (&finding.subject.project, finding.labels.first()) {
        (Some(project), _) => project.clone(),
        (None, Some(label)) => report.path(&label.file),
        (None, None) => "the repository".to_owned(),
    }
}

/// A finding as an entry of the list.
fn item(report: &Report<'_>, finding: &PublicFinding, in_full: bool) -> String {
    let foremost = finding.labels.first().map_or_else(String::new, |label| {
        format!(", {}", code_span(&place(report, label)))
    });
    let mut item = format!(
        "- [ ] **{}** `{}`{foremost}: {}\n",
        finding.severity,
        finding.code,
        sentence(&finding.message)
    );
    for label in finding.labels.iter().take(MOST_PLACES).skip(1) {
        let place = code_span(&place(report, label));
        item += &match label.text.as_str() {
            "" => format!("  - see {place}\n"),
            text => format!("  - {}: {place}\n", sentence(text)),
        };
    }
    if finding.labels.len() > MOST_PLACES {
        item += &format!(
            "  - and {} more places\n",
            finding.labels.len() - MOST_PLACES
        );
    }
    for note in &finding.notes {
        item += &format!("  - {}\n", sentence(note));
    }
    for help in &finding.help {
        item += &format!("  - help: {}", sentence(&help.message));
        match &help.text {
            Some(text) if in_full => {
                let language = if help.is_command { "sh" } else { "toml" };
                item += &format!(":\n\n{}\n", code_block(text, language, "    "));
            }
            _ => item += "\n",
        }
    }
    item
}

fn place(report: &Report<'_>, label: &super::Label) -> String {
    let path = report.path(&label.file);
    if label.is_whole_file() {
        path
    } else {
        format!("{path}:{}", label.region(report.texts).line)
    }
}

/// A sentence as markdown. Text in backticks, and every word with other characters than letters,
/// becomes a code span.
pub fn sentence(text: &str) -> String {
    let text: String = match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    // An odd number of backticks does not form pairs.
    if text.matches('`').count() % 2 == 1 {
        return code_span(&text);
    }
    let mut written = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            written += &code_span(part);
            continue;
        }
        for piece in part.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ');
            if is_plain(word) {
                written += piece;
            } else {
                let core = word.trim_start_matches('(');
                let ends = |sign: char| {
                    matches!(sign, ',' | '.' | ';' | ':') || sign == ')' && core.len() < word.len()
                };
                let core = core.trim_end_matches(ends);
                let (before, after) = piece.split_once(core).unwrap_or(("", ""));
                written += before;
                written += &code_span(core);
                written += after;
            }
        }
    }
    written
}

/// Whether a forge shows a word without interpreting it. A dot inside a word can make a link, as in
/// `www.example.org`, and a colon before it an emoji.
fn is_plain(word: &str) -> bool {
    let inner = word
        .trim_start_matches('(')
        .trim_end_matches([',', '.', ';', ':', ')', '?', '!']);
    inner
        .chars()
        .all(|sign| sign.is_alphabetic() || matches!(sign, '-' | '\'' | '’' | '…' | '–'))
        || inner
            .chars()
            .all(|sign| sign.is_ascii_digit() || sign == '.')
}

/// The text as a code span (`CommonMark` 6.1). It may contain backticks.
pub fn code_span(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace(['\n', '\t'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let padding = if text.starts_with('`')
        || text.ends_with('`')
        || text.starts_with(' ') && text.ends_with(' ')
    {
        " "
    } else {
        ""
    };
    format!("{fence}{padding}{text}{padding}{fence}")
}

/// The text as a fenced block (`CommonMark` 4.5), with `indent` before each line.
fn code_block(text: &str, language: &str, indent: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let mut block = format!("{indent}{fence}{language}\n");
    for line in text.lines() {
        block += &format!("{indent}{line}\n");
    }
    block + &format!("{indent}{fence}\n")
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|sign| sign != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}
