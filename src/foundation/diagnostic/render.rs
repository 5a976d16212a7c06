//! Findings as text for people: the place in the file, the mistake, the help.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::brief::{are_far_apart, clip, is_brief};
use super::inert::{Inert, visible};
use super::public::{PublicFinding, public, without_credentials};
use super::{Finding, Label, Severity, SourceText, SourceTexts, wrap};

/// The style of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// The width of the output, in columns.
    pub width: usize,
    /// Whether sentences are wrapped at the width, and not only lines of files.
    pub wraps: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 140,
            wraps: false,
        }
    }
}

/// The maximum number of places for which a finding shows the text.
pub(super) const MOST_PLACES: usize = 8;

/// The indent of further lines of a message.
const TITLE_INDENT: &str = "    ";

/// One finding as text. It does not end with a line feed.
pub fn render(finding: &Finding, texts: &SourceTexts, style: Style) -> Inert {
    let finding = &public(finding);
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(finding.message.as_str())
        .id(finding.code.as_str());
    let mut elements: Vec<Element<'_>> = Vec::new();
    let mut files: Vec<&str> = Vec::new();
    let labels = &finding.labels[..finding.labels.len().min(MOST_PLACES)];
    for label in labels {
        if !files.contains(&&*label.file) {
            files.push(&label.file);
        }
    }
    for file in files {
        let labels: Vec<&Label> = labels.iter().filter(|label| &*label.file == file).collect();
        elements.extend(places(file, &labels, &finding.labels[0], texts));
    }
    // As in `12 = note: `.
    let after_word = largest_line(finding, texts).to_string().len() + " = note: ".len();
    let sentence = |text: &str| broken(text, style, after_word, "");
    for (heading, list) in [
        ("required by", &finding.requirers),
        ("the same for", &finding.alike),
    ] {
        if !list.is_empty() {
            let lines: Vec<String> = list
                .iter()
                .map(|line| format!("\n  {}", broken(line, style, after_word + 2, "  ")))
                .collect();
            let list = format!("{heading}{}", lines.concat());
            elements.push(Level::NOTE.message(list).into());
        }
    }
    if finding.labels.len() > MOST_PLACES {
        let more = finding.labels.len() - MOST_PLACES;
        elements.push(
            Level::NOTE
                .message(format!("and {more} more places"))
                .into(),
        );
    }
    for note in &finding.notes {
        elements.push(Level::NOTE.message(sentence(note)).into());
    }
    for help in &finding.help {
        let message = match &help.text {
            Some(text) if !is_brief(text) => sentence(&format!(
                "{}: the text is too long to show here; `--message-format json` contains it",
                help.message
            )),
            Some(text) if text.contains('\n') => {
                format!("{}:\n\n{text}\n", sentence(&help.message))
            }
            Some(text) => sentence(&format!("{}: `{text}`", help.message)),
            None => sentence(&help.message),
        };
        elements.push(Level::HELP.message(message).into());
    }
    let renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let shown = renderer
        .term_width(style.width)
        .render(&[title.elements(elements)]);
    // The code before the message may be long, so further lines begin at the left.
    let shown = match shown.split_once('\n') {
        Some((title, rest)) => format!("{}\n{rest}", broken(title, style, 0, TITLE_INDENT)),
        None => broken(&shown, style, 0, TITLE_INDENT),
    };
    // An empty line of a text to paste must not leave white space at the end.
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    Inert::drawn(&without_credentials(&shown.join("\n")))
}

/// Wraps a sentence in the width that is left after `used` columns. Further lines begin with
/// `later`.
fn broken(sentence: &str, style: Style, used: usize, later: &str) -> String {
    if style.wraps {
        wrap(sentence, style.width.saturating_sub(used), "", later)
    } else {
        sentence.to_owned()
    }
}

/// The largest line number in the output.
fn largest_line(finding: &PublicFinding, texts: &SourceTexts) -> usize {
    finding
        .labels
        .iter()
        .filter(|label| !label.is_whole_file())
        .map(|label| label.region(texts).end_line)
        .max()
        .unwrap_or(1)
}

/// The maximum distance of two places that are shown in one piece, and the maximum length of a line
/// in it, in bytes. Rendering takes time for each byte, and a file may be one line.
const LONGEST_PIECE: usize = 8 * 1024;

/// The part of a longer line that is shown before and after a place, in bytes. No terminal is
/// wider.
const AROUND: usize = 1024;

/// The lines of one file that `labels` point at; only the file's name if they point at the whole
/// file.
fn places<'a>(
    file: &'a str,
    labels: &[&'a Label],
    foremost: &Label,
    texts: &'a SourceTexts,
) -> Vec<Element<'a>> {
    let name = visible(file, &[]);
    let text = texts.get(file);
    let mut pointed: Vec<(Range<usize>, &Label)> = match text {
        Some(text) => labels
            .iter()
            .filter(|label| label.span != (0..0))
            .map(|label| (within(text.as_str(), &label.span), *label))
            .map(|(span, label)| (clip(text.as_str(), span), label))
            .collect(),
        None => Vec::new(),
    };
    let Some(text) = text.filter(|_| !pointed.is_empty()) else {
        return vec![Origin::path(name).into()];
    };
    let first = pointed
        .iter()
        .find(|(_, label)| std::ptr::eq(*label, foremost))
        .map(|(span, _)| span.start);
    pointed.retain(|(span, _)| {
        first.is_none_or(|first| !are_far_apart(text.as_str(), first, span.start))
    });
    pointed.sort_by_key(|(span, _)| span.start);
    let mut pieces: Vec<Vec<(Range<usize>, &Label)>> = Vec::new();
    for (span, label) in pointed {
        match pieces.last_mut() {
            Some(piece) if piece[0].0.start + LONGEST_PIECE > span.start => {
                piece.push((span, label));
            }
            _ => pieces.push(vec![(span, label)]),
        }
    }
    // The most important place comes first.
    pieces.sort_by_key(|piece| !piece.iter().any(|(span, _)| Some(span.start) == first));
    pieces
        .iter()
        .flat_map(|piece| drawn_piece(&name, text, piece, foremost))
        .collect()
}

/// The lines around places that are close together.
fn drawn_piece<'a>(
    name: &str,
    text: &'a SourceText,
    labels: &[(Range<usize>, &'a Label)],
    foremost: &Label,
) -> Vec<Element<'a>> {
    let whole = text.as_str();
    let start = labels[0].0.start;
    let end = labels
        .iter()
        .map(|(span, _)| span.end)
        .max()
        .unwrap_or(start);
    // A place at the end of the text is shown at the end of the last line.
    let before = match whole[..start].strip_suffix('\n') {
        Some(before) if start == whole.len() => before,
        _ => &whole[..start],
    };
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line_end = whole[end..]
        .find('\n')
        .map_or(whole.len(), |at| end + at + 1);
    let is_long = line_end - line_start > 2 * LONGEST_PIECE;
    let window = if is_long {
        let from = whole.ceil_char_boundary(start.saturating_sub(AROUND));
        let to = whole.floor_char_boundary(end + AROUND);
        line_start.max(from)..line_end.min(to)
    } else {
        line_start..line_end
    };
    let shown = Shown::of(&whole[window.clone()]);
    let annotations: Vec<_> = labels
        .iter()
        .map(|(span, label)| {
            let is_foremost = std::ptr::eq(*label, foremost);
            let kind = if is_foremost {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let words = (!label.text.is_empty()).then_some(label.text.as_str());
            let span = shown.span(&(span.start - window.start..span.end - window.start));
            kind.span(span).label(words)
        })
        .collect();
    let line = text.line(line_start);
    let is_foremost = |(_, label): &&(Range<usize>, &Label)| std::ptr::eq(*label, foremost);
    let place = labels.iter().find(is_foremost);
    let place = place.map_or(start, |(span, _)| span.start);
    let in_window = place - window.start;
    let is_moved = shown.span(&(in_window..in_window)).start != in_window;
    let snippet = Snippet::source(shown.text)
        .line_start(line)
        .annotations(annotations);
    if !is_long && !is_moved {
        return vec![snippet.path(name.to_owned()).into()];
    }
    // The library counts columns wrongly if the line is cut, or if a character before the place is
    // escaped.
    let (line, column) = text.position(place);
    let origin = Origin::path(name.to_owned()).line(line).char_column(column);
    vec![origin.into(), snippet.into()]
}

/// A text with its hidden characters escaped, safe for a terminal.
struct Shown<'t> {
    text: Cow<'t, str>,
    original: &'t str,
}

impl<'t> Shown<'t> {
    /// White space that TOML allows in lines.
    const KEPT: [char; 3] = ['\n', '\r', '\t'];

    fn of(original: &'t str) -> Self {
        Self {
            text: match visible(original, &Self::KEPT) {
                same if same == original => Cow::Borrowed(original),
                escaped => Cow::Owned(escaped),
            },
            original,
        }
    }

    /// The span in the escaped text for a span in the original.
    fn span(&self, span: &Range<usize>) -> Range<usize> {
        if matches!(self.text, Cow::Borrowed(_)) {
            return span.clone();
        }
        let place = |at: usize| visible(&self.original[..at], &Self::KEPT).len();
        place(span.start)..place(span.end)
    }
}

/// The part of the span that is in the text.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    // A line end belongs to its own line and not to the next one.
    start..start + text[start..end].trim_end_matches(['\r', '\n']).len()
}
