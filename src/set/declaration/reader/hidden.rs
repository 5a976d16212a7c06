//! Characters that a reader of a text does not see.

use super::Reader;
use crate::foundation::diagnostic::{Code, Finding, is_hidden};

/// The maximum number of places, besides the first, in a finding about hidden characters.
const MOST_HIDDEN_SHOWN: usize = 2;

impl Reader {
    /// Reports characters that a reader of the text does not see, or sees elsewhere: a reviewer
    /// must see the same text that the program reads ("Trojan Source"). A byte order mark at the
    /// start of the text is allowed, and characters that TOML forbids are reported elsewhere.
    pub(super) fn report_hidden(&self, text: &str) {
        let mut hidden = text.char_indices().filter(|(at, sign)| {
            !sign.is_ascii()
                && is_hidden(*sign)
                && (*at, *sign) != (0, '\u{feff}')
                && !is_of_writing(text, *at, *sign)
        });
        let Some((at, sign)) = hidden.next() else {
            return;
        };
        let name = |sign: char| format!("U+{:04X}", u32::from(sign));
        let mut finding = Finding::new(
            Code::HiddenCharacter,
            format!("the file contains {}, which is invisible here", name(sign)),
        )
        .at(&self.file, at..at + sign.len_utf8(), name(sign));
        let mut others: Vec<(usize, char)> = hidden.collect();
        let more = others.len().saturating_sub(MOST_HIDDEN_SHOWN);
        others.truncate(MOST_HIDDEN_SHOWN);
        for (at, sign) in others {
            finding = finding.at(&self.file, at..at + sign.len_utf8(), name(sign));
        }
        if more > 0 {
            finding = finding.note(format!("and {more} more hidden characters"));
        }
        self.push(
            finding.help(
                "remove them; if a string needs one, write it as an escape, such as `\\u200D`",
            ),
        );
    }
}

/// Whether a character is part of normal writing: the variation selector of an emoji, or a joiner
/// inside an emoji or between letters of a script that uses joiners (UTS #51, UAX #31). ASCII text
/// needs none of them.
fn is_of_writing(text: &str, at: usize, sign: char) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + sign.len_utf8()..].chars().next();
    let is_beyond_ascii =
        |sign: Option<char>| sign.is_some_and(|sign| !sign.is_ascii() && !is_hidden(sign));
    match sign {
        '\u{fe0f}' => {
            is_beyond_ascii(before)
                || before.is_some_and(|sign| sign.is_ascii_digit()) && after == Some('\u{20e3}')
        }
        '\u{200c}' | '\u{200d}' => {
            (is_beyond_ascii(before) || before == Some('\u{fe0f}')) && is_beyond_ascii(after)
        }
        _ => false,
    }
}
