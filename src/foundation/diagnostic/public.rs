//! Findings that are safe to publish: without passwords and control characters.

use super::brief::{brief, brief_label};
use super::inert::visible;
use super::{AdvisorySubject, Baseline, Code, Finding, Help, Label, Severity, UpdateAnswer};

/// A finding that is safe to publish, as text.
pub(super) struct PublicFinding {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) labels: Vec<Label>,
    pub(super) notes: Vec<String>,
    pub(super) help: Vec<PublicHelp>,
    pub(super) baseline: Option<Baseline>,
    pub(super) requirers: Vec<String>,
    pub(super) alike: Vec<String>,
    pub(super) subject: PublicSubject,
    pub(super) count: usize,
}

/// The help of a finding, as text.
pub(super) struct PublicHelp {
    pub(super) message: String,
    pub(super) text: Option<String>,
    /// Whether the text is for a shell; otherwise it is for a file.
    pub(super) is_command: bool,
}

/// The subject of a finding, as text.
pub(super) struct PublicSubject {
    pub(super) project: Option<String>,
    pub(super) required: Option<String>,
    pub(super) requirement: Option<String>,
    pub(super) wheel: Option<String>,
    pub(super) extra: Option<String>,
    pub(super) platforms: Vec<String>,
    pub(super) advisory: Option<AdvisorySubject>,
}

/// The finding, safe to publish. Names and texts come from files of strangers: hidden characters
/// are escaped, except line feeds and tabs in texts to paste. User names and passwords in URLs are
/// replaced with stars.
pub(super) fn public(finding: &Finding) -> PublicFinding {
    let line = |text: &str| without_credentials(&visible(text, &[]));
    // Sentences are shortened for people. Names and texts to paste stay whole, for programs.
    let sentence = |text: &str| brief(&line(text));
    let sentences = |texts: &[String]| texts.iter().map(|text| sentence(text)).collect();
    let subject = &finding.subject;
    PublicFinding {
        code: finding.code,
        severity: finding.severity,
        message: sentence(&finding.message),
        labels: finding
            .labels
            .iter()
            .map(|label| Label {
                text: brief_label(&line(&label.text)),
                ..label.clone()
            })
            .collect(),
        notes: finding
            .notes
            .iter()
            .map(|note| sentence(&note.to_string()))
            .collect(),
        help: finding
            .help
            .iter()
            .map(|help| PublicHelp {
                message: sentence(&help.to_string()),
                is_command: matches!(help, Help::Add(..) | Help::Run { .. }),
                text: help
                    .text()
                    .map(|text| without_credentials(&visible(&text, &['\n', '\t']))),
            })
            .collect(),
        baseline: finding.baseline,
        count: finding.count,
        requirers: sentences(&finding.requirers),
        alike: sentences(&finding.alike),
        subject: PublicSubject {
            project: word(subject.project.as_ref()),
            required: word(subject.required.as_ref()),
            requirement: word(subject.requirement.as_ref()),
            wheel: word(subject.wheel.as_ref()),
            extra: word(subject.extra.as_ref()),
            platforms: subject
                .platforms
                .iter()
                .map(|platform| line(&platform.to_string()))
                .collect(),
            advisory: subject.advisory.as_deref().map(advisory),
        },
    }
}

/// A vulnerability, safe to publish: its texts are those of a database and of an index.
fn advisory(subject: &AdvisorySubject) -> AdvisorySubject {
    let line = |text: &str| without_credentials(&visible(text, &[]));
    let mut subject = subject.clone();
    subject.id = line(&subject.id);
    subject.aliases = subject.aliases.iter().map(|alias| line(alias)).collect();
    if let Some(severity) = &mut subject.severity {
        severity.vector = severity.vector.as_deref().map(line);
    }
    if let Some(UpdateAnswer::None { reason }) = &mut subject.update {
        *reason = brief(&line(reason));
    }
    subject
}

/// A name that programs compare, safe to publish.
fn word(name: Option<&impl ToString>) -> Option<String> {
    name.map(|name| without_credentials(&visible(&name.to_string(), &[])))
}

/// The text with user names and passwords in URLs replaced with stars, character by character, so
/// that spans still fit.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let ends_authority = |sign: char| sign.is_whitespace() || "/?#\"'`<>\\".contains(sign);
        let end = after.find(ends_authority).unwrap_or(after.len());
        let (authority, later) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((secret, host)) => {
                shown.extend(secret.chars().map(|_| '*'));
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = later;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn credentials_are_starred_out_and_nothing_else_is() {
        for (text, shown) in [
            (
                "url = \"https://user:secret@example.org/a@b\"",
                "url = \"https://***********@example.org/a@b\"",
            ),
            ("http://p\u{e4}ss@h", "http://****@h"),
            ("https://a@b@example.org", "https://***@example.org"),
            (
                "https://example.org/me@home and me@home",
                "https://example.org/me@home and me@home",
            ),
            (
                "pkg:pypi/a@1.0?file_name=a.whl",
                "pkg:pypi/a@1.0?file_name=a.whl",
            ),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
