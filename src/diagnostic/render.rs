//! Findings as a person reads them: the place in the text, what is wrong there, the way out.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::public::{public, without_credentials};
use super::{Finding, Label, Severity, SourceTexts};

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// The width to write for, in columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 140,
        }
    }
}

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
    let requirers = finding.requirers.join("\n  ");
    let requirers = format!("required by\n  {requirers}");
    if !finding.requirers.is_empty() {
        elements.push(Level::NOTE.message(requirers.as_str()).into());
    }
    for note in &finding.notes {
        elements.push(Level::NOTE.message(note.as_str()).into());
    }
    let ways_out: Vec<String> = finding
        .help
        .iter()
        .map(|help| match &help.text {
            Some(text) if text.contains('\n') => format!("{}:\n\n{text}\n", help.message),
            Some(text) => format!("{}: `{text}`", help.message),
            None => help.message.clone(),
        })
        .collect();
    for help in &ways_out {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    let renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let shown = renderer
        .term_width(style.width)
        .render(&[title.elements(elements)]);
    without_credentials(&shown)
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
    let annotations = pointed.into_iter().map(|label| {
        let kind = if std::ptr::eq(label, foremost) {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let start = floor_char_boundary(text, label.span.start);
        let end = floor_char_boundary(text, label.span.end).max(start);
        let words = (!label.text.is_empty()).then_some(label.text.as_str());
        kind.span(start..end).label(words)
    });
    Snippet::source(text)
        .path(file)
        .annotations(annotations)
        .into()
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
