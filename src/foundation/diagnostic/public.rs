//! Findings as they may leave the program: no password, nothing that a terminal or a page obeys.

use super::brief::{brief, brief_label};
use super::inert::visible;
use super::{Finding, Help, Label};

/// The same finding, fit to be published. Names and texts come from files of strangers: every sign
/// that is not seen is written as its escape, except the line feeds and tabs of text to paste; user
/// names and passwords in addresses are starred out.
pub(super) fn public(finding: &Finding) -> Finding {
    let line = |text: &String| without_credentials(&visible(text, &[]));
    let word = |text: &Option<String>| text.as_ref().map(line);
    // Names stay whole, which programs compare, and texts to paste; sentences are read by people.
    let sentence = |text: &String| brief(&line(text));
    let subject = &finding.subject;
    Finding {
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
        notes: finding.notes.iter().map(sentence).collect(),
        help: finding
            .help
            .iter()
            .map(|help| Help {
                message: sentence(&help.message),
                text: help
                    .text
                    .as_ref()
                    .map(|text| without_credentials(&visible(text, &['\n', '\t']))),
            })
            .collect(),
        baseline: finding.baseline,
        count: finding.count,
        shared: finding.shared.as_ref().map(sentence),
        chain: finding.chain.as_ref().map(sentence),
        requirers: finding.requirers.iter().map(sentence).collect(),
        alike: finding.alike.iter().map(sentence).collect(),
        subject: super::Subject {
            project: word(&subject.project),
            required: word(&subject.required),
            requirement: word(&subject.requirement),
            wheel: word(&subject.wheel),
            extra: word(&subject.extra),
            platforms: subject.platforms.iter().map(line).collect(),
        },
    }
}

/// A word as a POSIX shell reads it back.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The text with the user name and the password of every address in it starred out, sign by sign, so
/// that what points at places in it still does. Nobody means to publish one in a log.
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
