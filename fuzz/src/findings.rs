//! What holds of every finding about a text.

use std::sync::Arc;

use ipwhl::foundation::diagnostic::{
    Finding, MessageFormat, Report, SourceText, SourceTexts, Style, render,
};

/// Holds findings to what is promised of them: their places lie in the text, and every format can
/// show them.
///
/// # Panics
/// Where it does not hold.
pub fn check(findings: &[Finding], file: &Arc<str>, text: &str) {
    for finding in findings {
        for label in &finding.labels {
            assert_eq!(label.file, *file);
            assert!(text.get(label.span.clone()).is_some(), "{finding:?}");
        }
    }
    // Writing them takes far longer than finding them, so it is done for some.
    let sum: usize = text.bytes().map(usize::from).sum();
    if findings.is_empty() || sum % 16 != 0 {
        return;
    }
    let texts = SourceTexts::from([(Arc::clone(file), SourceText::new(text.to_owned()))]);
    for finding in findings.iter().take(4) {
        let shown = render(finding, &texts, Style::default());
        let is_plain = |character: char| !character.is_control() || character == '\n';
        assert!(shown.as_str().chars().all(is_plain), "{shown:?}");
    }
    let report = Report {
        findings,
        texts: &texts,
        folder: "",
        is_compared: false,
    };
    assert_eq!(report.fingerprints().len(), findings.len());
    for format in MessageFormat::ALL {
        let written = report.write(*format);
        let is_plain = |character: char| !character.is_control() || character == '\n';
        assert!(written.chars().all(is_plain), "{format:?}: {written:?}");
    }
    for line in report.write(MessageFormat::Json).lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
    for format in [MessageFormat::Sarif, MessageFormat::Gitlab] {
        serde_json::from_str::<serde_json::Value>(&report.write(format)).expect("it is JSON");
    }
}
