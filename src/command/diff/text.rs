//! A comparison as text for people.

use anstyle::{AnsiColor, Style};

use super::super::context::Context;
use super::entry::{Entry, Mark, Outline, Piece, Section};
use crate::foundation::diagnostic::{Inert, visible, without_credentials};

/// The indent of an entry below another one.
const STEP: &str = "  ";

/// The lines of an outline.
pub(super) fn write(context: &Context<'_>, outline: &Outline) -> Inert {
    let page = Page {
        colour: context.output_colour,
    };
    let mut text = Inert::default();
    for line in &outline.title {
        text += context.heading(&words(line)).line();
    }
    if let Some(settings) = &outline.settings {
        page.section(context, settings, &mut text);
        text += "\n";
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
    fn section(&self, context: &Context<'_>, section: &Section, text: &mut Inert) {
        *text += "\n";
        *text += context.heading(section.heading).line();
        for entry in &section.entries {
            self.entry(entry, 0, text);
        }
    }

    fn entry(&self, entry: &Entry, level: usize, text: &mut Inert) {
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
        *text += self.painted(mark, style);
        if entry.mark == Mark::Urgent {
            *text += self.painted(&words(&entry.line), style);
        } else {
            *text += &words(&entry.line);
        }
        *text += "\n";
        for below in &entry.below {
            self.entry(below, level + 1, text);
        }
    }

    fn painted(&self, words: &str, style: Style) -> Inert {
        let is_painted = self.colour && style != Style::new();
        Inert::painted(words, is_painted.then_some(style))
    }
}

fn words(line: &[Piece]) -> String {
    let pieces = line.iter().map(|piece| match piece {
        Piece::Own(text) | Piece::Value(text) | Piece::Sentence(text) => text.as_str(),
    });
    without_credentials(&visible(&pieces.collect::<String>(), &[]))
}
