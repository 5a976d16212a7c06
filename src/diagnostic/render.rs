//! Findings as a person reads them: the place in the text, what is wrong there, the way out.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::brief::{are_far_apart, clip, is_brief};
use super::public::{is_hidden, public, visible, without_credentials};
use super::{Finding, Label, Severity, SourceTexts, wrap};

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

/// What the further lines of a message begin with.
const TITLE_INDENT: &str = "    ";

/// One finding as text, without a final line feed.
pub fn render(finding: &Finding, texts: &SourceTexts, style: Style) -> String {
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
    for label in &finding.labels {
        if !files.contains(&&*label.file) {
            files.push(&label.file);
        }
    }
    for file in files {
        let labels: Vec<&Label> = finding
            .labels
            .iter()
            .filter(|label| &*label.file == file)
            .collect();
        elements.push(place(file, &labels, &finding.labels[0], texts));
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
    without_credentials(&shown.join("\n"))
}

/// A sentence in the width that is left of it after `used` columns, its further lines after `later`.
fn broken(sentence: &str, style: Style, used: usize, later: &str) -> String {
    if style.wraps {
        wrap(sentence, style.width.saturating_sub(used), "", later)
    } else {
        sentence.to_owned()
    }
}

/// The largest number of a line that is shown.
fn largest_line(finding: &Finding, texts: &SourceTexts) -> usize {
    finding
        .labels
        .iter()
        .filter(|label| !label.is_whole_file())
        .map(|label| label.region(texts).end_line)
        .max()
        .unwrap_or(1)
}

/// The lines of one text that `labels` point at; only the text's name where they point at all of it.
fn place<'a>(
    file: &'a str,
    labels: &[&'a Label],
    foremost: &Label,
    texts: &'a SourceTexts,
) -> Element<'a> {
    let text = texts.get(file).map(super::SourceText::as_str);
    let pointed: Vec<&Label> = labels
        .iter()
        .copied()
        .filter(|label| label.span != (0..0))
        .collect();
    let (Some(text), false) = (text, pointed.is_empty()) else {
        return Origin::path(file).into();
    };
    let shown = Shown::of(text);
    let start = labels
        .contains(&foremost)
        .then(|| shown.span(&within(text, &foremost.span)).start);
    let annotations = pointed.into_iter().filter_map(|label| {
        let span = shown.span(&within(text, &label.span));
        if start.is_some_and(|start| are_far_apart(&shown.text, start, span.start)) {
            return None;
        }
        let kind = if std::ptr::eq(label, foremost) {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let words = (!label.text.is_empty()).then_some(label.text.as_str());
        Some(kind.span(clip(&shown.text, span)).label(words))
    });
    let annotations: Vec<_> = annotations.collect();
    Snippet::source(shown.text)
        .path(file)
        .annotations(annotations)
        .into()
}

/// A text of a stranger as a terminal may have it: what controls it, or cannot be seen, is escaped.
struct Shown<'t> {
    text: Cow<'t, str>,
    original: &'t str,
}

impl<'t> Shown<'t> {
    /// White space that a line of TOML may have.
    const KEPT: [char; 3] = ['\n', '\r', '\t'];

    fn of(original: &'t str) -> Self {
        let is_hidden = |sign| is_hidden(sign, &Self::KEPT);
        let text = if original.contains(is_hidden) {
            Cow::Owned(visible(original, &Self::KEPT))
        } else {
            Cow::Borrowed(original)
        };
        Self { text, original }
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
