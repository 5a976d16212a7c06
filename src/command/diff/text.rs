//! The difference for people.

use anstyle::{AnsiColor, Style};

use super::super::context::Context;
use super::outline::{Entry, Mark, Outline, Piece, Section};
use crate::diagnostic::{visible, without_credentials};

/// How far an entry stands to the right of the one that it is below.
const STEP: &str = "  ";

/// The lines of it. Nothing in them is for a terminal to obey.
pub(super) fn write(context: &Context<'_>, outline: &Outline) -> String {
    let page = Page {
        colour: context.output_colour,
    };
    let mut text = String::new();
    for line in &outline.title {
        text += &format!("{}\n", context.heading(&words(line)));
    }
    if let Some(settings) = &outline.settings {
        page.section(context, settings, &mut text);
        text.push('\n');
    }
    for line in &outline.summary {
        text += &format!("{}\n", words(line));
    }
    for section in &outline.sections {
        page.section(context, section, &mut text);
    }
    text
}

struct Page {
    colour: bool,
}

impl Page {
    fn section(&self, context: &Context<'_>, section: &Section, text: &mut String) {
        *text += &format!("\n{}\n", context.heading(section.heading));
        for entry in &section.entries {
            self.entry(entry, 0, text);
        }
    }

    fn entry(&self, entry: &Entry, level: usize, text: &mut String) {
        *text += &STEP.repeat(level);
        let (mark, colour) = match entry.mark {
            Mark::None => ("", None),
            Mark::Added => ("+ ", Some(AnsiColor::Green)),
            Mark::Changed => ("~ ", Some(AnsiColor::Yellow)),
            Mark::Removed => ("- ", Some(AnsiColor::Red)),
            Mark::Urgent => ("! ", Some(AnsiColor::BrightRed)),
        };
        let mut style = Style::new().fg_color(colour.map(Into::into));
        if entry.mark == Mark::Urgent {
            style = style.bold();
        }
        *text += &self.painted(mark, style);
        if entry.mark == Mark::Urgent {
            *text += &self.painted(&words(&entry.line), style);
        } else {
            *text += &words(&entry.line);
        }
        text.push('\n');
        for below in &entry.below {
            self.entry(below, level + 1, text);
        }
    }

    fn painted(&self, words: &str, style: Style) -> String {
        if self.colour && !words.is_empty() && style != Style::new() {
            format!("{style}{words}{style:#}")
        } else {
            words.to_owned()
        }
    }
}

fn words(line: &[Piece]) -> String {
    let pieces = line.iter().map(|piece| match piece {
        Piece::Own(text) | Piece::Value(text) | Piece::Sentence(text) => text.as_str(),
    });
    without_credentials(&visible(&pieces.collect::<String>(), &[]))
}
