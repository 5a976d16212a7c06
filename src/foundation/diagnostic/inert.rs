//! Text that is safe for terminals, logs and pages: hidden characters are escaped.
//!
//! Names, comments and messages come from files and servers of strangers. A character is *hidden*
//! if it controls the terminal, changes the order of other characters, or is invisible: a control
//! character, a format character, a line or paragraph separator (`General_Category` `Cc`, `Cf`,
//! `Zl`, `Zp`), or a character with the property `Default_Ignorable_Code_Point` (UAX #44). That
//! covers the controls of UAX #9, the characters of UTS #39 and UTS #55, tags, variation selectors
//! and the fillers of Hangul. A blank with a width, such as U+2800, is not hidden.

use std::fmt::Write as _;

use anstyle::Style;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::Serialize;

/// Whether a character is hidden.
pub fn is_hidden(sign: char) -> bool {
    if sign.is_ascii() {
        return sign.is_ascii_control();
    }
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(sign),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(sign)
}

/// The text with each hidden character written as `\n` or `\u{1b}`, except those of `kept`.
pub fn visible(text: &str, kept: &[char]) -> String {
    let is_escaped = |sign: char| is_hidden(sign) && !kept.contains(&sign);
    if !text.contains(is_escaped) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for sign in text.chars() {
        if is_escaped(sign) {
            shown.extend(sign.escape_default());
        } else {
            shown.push(sign);
        }
    }
    shown
}

/// The lines with each hidden character escaped, except line feeds, tabs, and carriage returns
/// before line feeds: at the end of a line these have no effect.
fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split("\r\n")
        .map(|line| visible(line, &['\n', '\t']))
        .collect();
    lines.join("\r\n")
}

/// A value as one line of JSON. Hidden characters are JSON escapes, so a reader gets the exact
/// text.
///
/// # Errors
/// As `serde_json`.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(escape_json)
}

/// As [`json_line`], but indented for people.
///
/// # Errors
/// As `serde_json`.
pub fn json_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(escape_json)
}

/// Escapes hidden characters. In JSON, non-ASCII characters occur only in strings.
fn escape_json(text: String) -> String {
    let is_escaped = |sign: char| is_hidden(sign) && sign != '\n';
    if !text.contains(is_escaped) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        if is_escaped(sign) {
            for unit in sign.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(sign);
        }
    }
    escaped
}

/// Lines without hidden characters, except line ends, tabs, and colours that were added with a
/// style. Text from outside is escaped when it is converted. Streams accept only this type, so no
/// output can forget to escape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inert(String);

impl Inert {
    /// A text with a style; plain without one.
    pub(crate) fn painted(words: &str, style: Option<Style>) -> Self {
        let words = visible_lines(words);
        match style {
            Some(style) if !words.is_empty() => Self(format!("{style}{words}{style:#}")),
            _ => Self(words),
        }
    }

    /// The output of a library that adds colours: its colour sequences stay. Its input must have
    /// been escaped before.
    pub(crate) fn drawn(text: &str) -> Self {
        let mut inert = Self::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            inert += before;
            // "Select graphic rendition" (ECMA-48, 8.3.117).
            let end = after.find(|sign: char| !sign.is_ascii_digit() && sign != ';');
            match end.filter(|end| after[*end..].starts_with('m')) {
                Some(end) => {
                    let _ = write!(inert.0, "\u{1b}[{}m", &after[..end]);
                    rest = &after[end + 1..];
                }
                None => {
                    inert += "\u{1b}[";
                    rest = after;
                }
            }
        }
        inert += rest;
        inert
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same lines without white space at the end.
    #[must_use]
    pub fn trim_end(mut self) -> Self {
        self.0.truncate(self.0.trim_end().len());
        self
    }

    /// The same lines and a line feed.
    #[must_use]
    pub fn line(mut self) -> Self {
        self.0.push('\n');
        self
    }
}

impl<T: AsRef<str> + ?Sized> From<&T> for Inert {
    fn from(text: &T) -> Self {
        Self::painted(text.as_ref(), None)
    }
}

impl<T: AsRef<str> + ?Sized> std::ops::AddAssign<&T> for Inert {
    fn add_assign(&mut self, text: &T) {
        self.0 += &visible_lines(text.as_ref());
    }
}

impl std::ops::AddAssign<Self> for Inert {
    fn add_assign(&mut self, other: Self) {
        self.0 += &other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Inert, is_hidden, json_line, visible};

    /// The characters of known attacks. `General_Category` and `Default_Ignorable_Code_Point` cover
    /// all of them.
    #[test]
    fn what_is_hidden_is_known() {
        for range in [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{34f}'..='\u{34f}',
            '\u{61c}'..='\u{61c}',
            '\u{115f}'..='\u{1160}',
            '\u{17b4}'..='\u{17b5}',
            '\u{180b}'..='\u{180f}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{3164}'..='\u{3164}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{fff0}'..='\u{fffb}',
            '\u{1bca0}'..='\u{1bca3}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{e0000}'..='\u{e0fff}',
        ] {
            for sign in range {
                assert!(is_hidden(sign), "{sign:?}");
            }
        }
        for sign in " aé梅🍎\u{a0}\u{2800}\u{3000}…–→".chars() {
            assert!(!is_hidden(sign), "{sign:?}");
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

    #[test]
    fn json_says_the_exact_text_in_what_can_be_seen() {
        let text = "a\u{9b}31m\u{202e}\u{e0041}\n\u{1b}\"é";
        let json = json_line(&text).expect("a text is JSON");
        assert_eq!(json, r#""a\u009b31m\u202e\udb40\udc41\n\u001b\"é""#);
        assert_eq!(
            serde_json::from_str::<String>(&json).ok().as_deref(),
            Some(text)
        );
    }

    #[test]
    fn only_colours_of_what_was_drawn_stay() {
        for (text, shown) in [
            (
                "\u{1b}[1;31merror\u{1b}[0m: a",
                "\u{1b}[1;31merror\u{1b}[0m: a",
            ),
            ("\u{1b}[2Ja\u{1b}[", "\\u{1b}[2Ja\\u{1b}["),
            ("\u{1b}]8;;x\u{7}", "\\u{1b}]8;;x\\u{7}"),
        ] {
            assert_eq!(Inert::drawn(text).as_str(), shown);
        }
        assert_eq!(Inert::from("\u{1b}[31ma\r").as_str(), "\\u{1b}[31ma\\r");
    }
}
