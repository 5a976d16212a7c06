//! Findings as a person reads them: the place in the text, what is wrong there, the way out.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::brief::{are_far_apart, clip, is_brief};
use super::inert::{Inert, visible};
use super::public::{PublicFinding, public, without_credentials};
use super::{Finding, Label, Severity, SourceText, SourceTexts, wrap};

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// The width to write for, in columns.
    pub width: usize,
    /// Whether sentences are broken at the width too, and not only lines of files.
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

/// At how many places a finding shows the text, where people read it.
pub(super) const MOST_PLACES: usize = 8;

/// What the further lines of a message begin with.
const TITLE_INDENT: &str = "    ";

/// One finding as text, without a final line feed.
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
        ("the same of", &finding.alike),
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
                "{}: the text is too long to be shown, and stands in `--message-format json`",
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
    // The message begins after the code, which may be long, so its further lines begin at the left.
    let shown = match shown.split_once('\n') {
        Some((title, rest)) => format!("{}\n{rest}", broken(title, style, 0, TITLE_INDENT)),
        None => broken(&shown, style, 0, TITLE_INDENT),
    };
    // Nothing is left at the ends of lines where text to paste has an empty one.
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    Inert::drawn(&without_credentials(&shown.join("\n")))
}

/// A sentence in the width that is left of it after `used` columns, its further lines after
/// `later`.
fn broken(sentence: &str, style: Style, used: usize, later: &str) -> String {
    if style.wraps {
        wrap(sentence, style.width.saturating_sub(used), "", later)
    } else {
        sentence.to_owned()
    }
}

/// The largest number of a line that is shown.
fn largest_line(finding: &PublicFinding, texts: &SourceTexts) -> usize {
    finding
        .labels
        .iter()
        .filter(|label| !label.is_whole_file())
        .map(|label| label.region(texts).end_line)
        .max()
        .unwrap_or(1)
}

/// How far apart two places of a text may be to be shown in one piece of it, in bytes; and how much
/// of a line is drawn at all. What is drawn takes time for each of its bytes, and a file may be one
/// line.
const LONGEST_PIECE: usize = 8 * 1024;

/// How much of a longer line is drawn before and after a place in it, in bytes: no window is wider.
const AROUND: usize = 1024;

/// The lines of one text that `labels` point at; only the text's name where they point at all of
/// it.
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
    // The foremost place comes first.
    pieces.sort_by_key(|piece| !piece.iter().any(|(span, _)| Some(span.start) == first));
    pieces
        .iter()
        .flat_map(|piece| drawn_piece(&name, text, piece, foremost))
        .collect()
}

/// The lines around places that are near each other.
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
    // At the end of a text it is the end of the last line that is shown.
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
    // Where a line is not shown from its start, or something before the place is escaped, its
    // columns are counted here.
    let (line, column) = text.position(place);
    let origin = Origin::path(name.to_owned()).line(line).char_column(column);
    vec![origin.into(), snippet.into()]
}

/// A text of a stranger as a terminal may have it: what is hidden in it is escaped.
struct Shown<'t> {
    text: Cow<'t, str>,
    original: &'t str,
}

impl<'t> Shown<'t> {
    /// White space that a line of TOML may have.
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

    /// Where a span of the original is in it.
    fn span(&self, span: &Range<usize>) -> Range<usize> {
        if matches!(self.text, Cow::Borrowed(_)) {
            return span.clone();
        }
        let place = |at: usize| visible(&self.original[..at], &Self::KEPT).len();
        place(span.start)..place(span.end)
    }
}

/// The span as far as it is in the text.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    // The end of a line is shown in its own line and not as the start of the next one.
    start..start + text[start..end].trim_end_matches(['\r', '\n']).len()
}
