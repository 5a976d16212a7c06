//! Findings as they may leave the program: no password, nothing that a terminal or a page obeys.

use std::borrow::Cow;

use super::brief::{brief, brief_label};
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

/// The text with each control character, and each that changes the direction of others, written as
/// `\n` or `\u{1b}`, except those of `kept`.
pub(crate) fn visible(text: &str, kept: &[char]) -> String {
    let is_hidden = |sign: char| is_hidden(sign, kept);
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for sign in text.chars() {
        if is_hidden(sign) {
            shown.extend(sign.escape_default());
        } else {
            shown.push(sign);
        }
    }
    shown
}

/// Whether a character controls what shows it, changes the direction of others or cannot be seen, and is not `kept`:
/// controls (Cc), the separators of lines and paragraphs (Zl, Zp), what changes directions (UAX #9), and all that the
/// Unicode Character Database calls `Default_Ignorable_Code_Point`, with what it adds for annotations.
pub(super) fn is_hidden(sign: char, kept: &[char]) -> bool {
    let is_invisible = matches!(
        sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    );
    (sign.is_control() || is_invisible) && !kept.contains(&sign)
}

/// What is printed, with every hidden character of it escaped but the ends of lines, tabs and, where they are asked for, the
/// colours of this program. A stranger's text could have no more than these: none of them hides a text or moves it.
pub(crate) fn printable(text: &str, has_colours: bool) -> Cow<'_, str> {
    let is_hidden = |sign: char| is_hidden(sign, &['\n', '\t']);
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(start) = rest.find(is_hidden) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let end_of_line = from.starts_with("\r\n").then_some("\r\n");
        let colour = colour(from).filter(|_| has_colours);
        if let Some(kept) = end_of_line.or(colour) {
            shown.push_str(kept);
            rest = &from[kept.len()..];
        } else {
            let mut signs = from.chars();
            shown.extend(signs.next().into_iter().flat_map(char::escape_default));
            rest = signs.as_str();
        }
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// The sequence at the beginning of a text that sets a colour of this program (ECMA-48, SGR): bold, a colour of the
/// foreground that stands out, the end of both.
fn colour(text: &str) -> Option<&str> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let (numbers, _) = numbers.split_once('m')?;
    let is_ours = numbers
        .split(';')
        .all(|number| matches!(number.parse(), Ok(0 | 1 | 22 | 31..=36 | 39 | 91..=96)));
    is_ours.then(|| &text[.."\u{1b}[m".len() + numbers.len()])
}

/// A JSON text with every hidden character of its strings written as `\uXXXX`: its meaning is the same, and a terminal has
/// nothing to obey.
pub(crate) fn inert_json(text: String) -> String {
    const KEPT: [char; 1] = ['\n'];
    if !text.contains(|sign| is_hidden(sign, &KEPT)) {
        return text;
    }
    let mut inert = String::with_capacity(text.len() + 8);
    for sign in text.chars() {
        if is_hidden(sign, &KEPT) {
            for unit in sign.encode_utf16(&mut [0; 2]) {
                inert += &format!("\\u{unit:04x}");
            }
        } else {
            inert.push(sign);
        }
    }
    inert
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
    use super::{inert_json, is_hidden, printable, visible, without_credentials};

    #[test]
    fn colours_pass_where_they_are_asked_for_and_nothing_else_does() {
        let own = "\u{1b}[1m\u{1b}[31mred\u{1b}[0m \u{1b}[1;94mblue\u{1b}[0m";
        assert_eq!(printable(own, true), own);
        assert!(!printable(own, false).contains('\u{1b}'));
        for (text, shown) in [
            ("plain\n\ttext", "plain\n\ttext"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\u{1b}[2J\\u{1b}]0;x\\u{7}"),
            // What conceals, black on black.
            (
                "\u{1b}[8m\u{1b}[30;40m\u{1b}[m",
                "\\u{1b}[8m\\u{1b}[30;40m\\u{1b}[m",
            ),
            ("\u{9b}31m\u{1b}", "\\u{9b}31m\\u{1b}"),
            ("a\r\nb", "a\r\nb"),
            ("a\rb\u{202e}c\u{e0041}", "a\\rb\\u{202e}c\\u{e0041}"),
        ] {
            assert_eq!(printable(text, true), shown);
        }
    }

    #[test]
    fn json_means_the_same_and_hides_nothing() {
        let value = serde_json::json!({ "a\u{202e}": ["\u{9b}31m\u{7f}", "\u{e0041}\u{2028}", "\u{fc}\n"] });
        let text = inert_json(format!("{value}\n"));
        assert!(!text.contains(|sign| is_hidden(sign, &['\n'])), "{text}");
        assert!(
            text.contains("\\udb40\\udc41") && text.contains('\u{fc}'),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON"),
            value
        );
    }

    #[test]
    fn each_kind_of_hidden_character_is_one() {
        for sign in [
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{80}',
            '\u{85}',
            '\u{9b}',
            '\u{9f}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0020}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            assert!(is_hidden(sign, &[]), "{sign:?}");
        }
        for sign in [
            ' ',
            '\u{a0}',
            'a',
            '\u{fc}',
            '\u{6885}',
            '\u{5d0}',
            '\u{627}',
            '\u{1f352}',
            '\u{301}',
        ] {
            assert!(!is_hidden(sign, &[]), "{sign:?}");
        }
    }

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

    #[test]
    fn what_is_not_seen_is_written_out() {
        for (text, shown) in [
            (
                "plain \u{fc} \u{6885} 'quoted'",
                "plain \u{fc} \u{6885} 'quoted'",
            ),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\n::error::b\t", "a\\n::error::b\\t"),
            ("abc\u{202e}def", "abc\\u{202e}def"),
        ] {
            assert_eq!(visible(text, &[]), shown);
        }
        assert_eq!(visible("a\n\tb\r\n", &['\n', '\t']), "a\n\tb\\r\n");
    }
}
