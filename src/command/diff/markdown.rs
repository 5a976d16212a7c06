//! A comparison as a comment on a pull request. Text from strangers is put into code spans.

use super::entry::{Entry, Mark, Outline, Piece, Section};
use crate::foundation::diagnostic::{code_span, sentence, visible, without_credentials};

/// The maximum size of the comment, in bytes. Forges accept 65,536 characters, and the program that
/// posts the comment may add a line.
const LONGEST: usize = 65_000;

/// The bytes reserved for the line with the number of omitted entries.
const LAST_WORDS: usize = 200;

/// The mark by which a workflow finds its own comment to replace it.
const MARKER: &str = "<!-- ipwhl difference -->";

/// The comment.
pub(super) fn write(outline: &Outline) -> String {
    let mut text = format!(
        "{MARKER}\n### ipwhl: changes {}\n\n",
        outline.title.each_ref().map(|line| words(line)).join(" ")
    );
    let mut left_out = 0;
    if let Some(settings) = &outline.settings {
        left_out += write_section(settings, LONGEST / 2, &mut text);
        text.push('\n');
    }
    for line in &outline.summary {
        text += &format!("- {}\n", words(line));
    }
    for section in &outline.sections {
        left_out += write_section(section, LONGEST, &mut text);
    }
    if left_out > 0 {
        text += &format!("\n{left_out} more do not fit here: `ipwhl diff` shows all of them.\n");
    }
    text
}

/// Writes the entries that fit into `longest` bytes of text. Returns the number of entries that do
/// not fit.
fn write_section(section: &Section, longest: usize, text: &mut String) -> usize {
    let mut heading = format!("\n#### {}\n\n", section.heading);
    let mut left_out = 0;
    for entry in &section.entries {
        // An entry without its subentries is shorter, and still names the difference.
        let fitting = [true, false]
            .map(|in_full| {
                let mut item = heading.clone();
                write_entry(entry, 0, in_full, &mut item);
                item
            })
            .into_iter()
            .find(|item| left_out == 0 && text.len() + item.len() + LAST_WORDS <= longest);
        match fitting {
            Some(item) => {
                *text += &item;
                heading.clear();
            }
            None => left_out += 1,
        }
    }
    left_out
}

fn write_entry(entry: &Entry, level: usize, in_full: bool, text: &mut String) {
    let mark = match entry.mark {
        Mark::None => "",
        Mark::Added => "added: ",
        Mark::Changed => "changed: ",
        Mark::Removed => "removed: ",
        Mark::Urgent => "\u{26a0} ",
    };
    let more = if in_full || entry.below.is_empty() {
        ""
    } else {
        " (too long for a comment: `ipwhl diff` shows it)"
    };
    *text += &format!(
        "{}- {mark}{}{more}\n",
        "  ".repeat(level),
        words(&entry.line)
    );
    if in_full {
        for below in &entry.below {
            write_entry(below, level + 1, in_full, text);
        }
    }
}

fn words(line: &[Piece]) -> String {
    let shown = |text: &str| without_credentials(&visible(text, &[]));
    line.iter()
        .map(|piece| match piece {
            Piece::Own(text) => text.replace("->", "\u{2192}"),
            Piece::Value(text) => code_span(&shown(text)),
            Piece::Sentence(text) => sentence(&shown(text)),
        })
        .collect()
}
