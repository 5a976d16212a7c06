//! Findings as a checklist for the comment of a pull request.
//!
//! The words come from files of strangers and the page is shown to maintainers: whatever could be
//! markup, a link, a mention or a reference stands in a code span, where forges leave it alone.

use std::collections::BTreeMap;

use super::public::PublicFinding;
use super::render::MOST_PLACES;
use super::{Baseline, Report, Severity};

/// How many bytes a comment may have; GitHub takes 65,536 characters, and whoever posts it may add
/// a line.
const LONGEST_COMMENT: usize = 65_000;

/// Room for the lines that say what was left out, and that close what is open.
const LAST_WORDS: usize = 200;

/// The longest run of words from one text, in characters.
const LONGEST_TEXT: usize = 2_000;

/// What tells this comment from others, for a workflow that replaces its own.
const MARKER: &str = "<!-- ipwhl findings -->";

/// The comment; it says so where nothing is wrong.
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
        (true, true) => "no finding".to_owned(),
        (true, false) => "this change brings no finding".to_owned(),
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
        let (count, were) = match all {
            1 => ("1 finding".to_owned(), "was"),
            count => (format!("{count} findings"), "were"),
        };
        let opening =
            format!("\n<details>\n<summary>{count} {were} there before this change</summary>\n");
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
            "\n{} more did not fit here: `ipwhl check` shows them all.\n",
            comment.left_out
        );
    } else if !findings.is_empty() {
        comment.text += "\nFor more on a code: `ipwhl explain CODE`\n";
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

    /// The findings under the project that has to change, the projects in the order of their first
    /// finding.
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
                // Without what is to be pasted it is shorter, and still says what is wrong.
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

/// Who has to change: the project, else the file.
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

/// A sentence: what stands in backticks, and every word that is more than letters, as code.
pub fn sentence(text: &str) -> String {
    let text: String = match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    // An odd number of backticks encloses nothing.
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

/// Whether a word is nothing to a forge but a word. A dot inside of one would make an address of
/// `www.example.org`, and a colon before one a picture.
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

/// The text as a code span (`CommonMark` 6.1), whatever it has of backticks.
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

/// The text as a fenced block (`CommonMark` 4.5) that stands `indent` deep.
fn code_block(text: &str, language: &str, indent: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let mut block = format!("{indent}{fence}{language}\n");
    for line in text.lines() {
        block += &format!("{indent}{line}\n");
    }
    block + &format!("{indent}{fence}\n")
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|sign| sign != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}
