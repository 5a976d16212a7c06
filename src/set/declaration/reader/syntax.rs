//! The syntax errors of a text that is not TOML, without errors that follow from others.
//!
//! After an error the parser recovers as well as it can; after an unclosed list it reads the rest
//! of the file as a part of the list. So only the first error is used, and the text from the next
//! key or heading on is parsed again.

use std::ops::Range;

use toml::de::DeTable;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;
use toml_parser::parser::{RecursionGuard, parse_document};

/// The maximum number of mistakes to report for one text.
const MOST_MISTAKES: usize = 20;

/// The largest text that is parsed again after a mistake, in bytes. For a larger text only the
/// first mistake is reported, because repeated parsing takes too long.
const LARGEST_TEXT_READ_ANEW: usize = 64 * 1024;

/// The maximum nesting depth of brackets, as in the parser of values.
const MOST_BRACKETS: u32 = 80;

/// A mistake.
pub(super) struct Mistake {
    /// The message, as a clause.
    pub(super) message: String,
    /// The place in the text, in bytes.
    pub(super) span: Range<usize>,
    /// The place where a list that `span` opens should have ended.
    pub(super) end: Option<usize>,
}

/// The mistakes of a text, in its order; none if it is TOML.
pub(super) fn mistakes(text: &str) -> Vec<Mistake> {
    if text.len() > LARGEST_TEXT_READ_ANEW {
        return errors(text, 0).into_iter().take(1).collect();
    }
    let mut mistakes = Vec::new();
    let mut start = 0;
    while mistakes.len() < MOST_MISTAKES {
        let rest = &text[start..];
        let mut found = errors(rest, start);
        if is_well_formed(rest) {
            // Invalid values and repeated keys: these errors are independent.
            mistakes.append(&mut found);
            break;
        }
        let Some(mut first) = found.into_iter().next() else {
            break;
        };
        let place = text.floor_char_boundary(first.span.start);
        let line = text[..place].rfind('\n').map_or(0, |end| end + 1);
        let mut is_run_into = false;
        if line > start && begins_entry(&text[line..]) {
            // Parsed without the text before it, the line is valid or has another error.
            let again = errors(&text[line..], line).into_iter().next();
            match again.filter(|own| {
                !text[line..]
                    .get(..own.span.start - line)
                    .is_some_and(|before| before.contains('\n'))
            }) {
                Some(own) => first = own,
                None => is_run_into = true,
            }
        }
        let next = if is_run_into {
            Some(line)
        } else {
            next_entry(text, place)
        };
        let is_at_end = text[place..].trim().is_empty();
        let opened = (is_run_into || is_at_end)
            .then(|| open_bracket(&text[start..if is_run_into { line } else { place }], start))
            .flatten();
        let has_long_string = ["\"\"\"", "'''"]
            .iter()
            .any(|quotes| text[start..place].contains(quotes));
        mistakes.push(match opened {
            Some(span) => Mistake {
                message: match &text[span.clone()] {
                    "[" => "the list is not closed, expected `]`".to_owned(),
                    _ => "the inline table is not closed, expected `}`".to_owned(),
                },
                end: Some(
                    text[..if is_run_into { line } else { place }]
                        .trim_end()
                        .len(),
                ),
                span,
            },
            None => first,
        });
        // A line that looks like a key may be inside an unclosed string.
        match next {
            Some(next) if !has_long_string => start = next,
            _ => break,
        }
    }
    mistakes.truncate(MOST_MISTAKES);
    mistakes
}

/// The parser's errors about the end of a text that begins at `start`, in the order of their
/// places.
fn errors(rest: &str, start: usize) -> Vec<Mistake> {
    let (_, errors) = DeTable::parse_recoverable(rest);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Mistake {
                message: error.message().trim().replace('\n', ", "),
                span: start + span.start..start + span.end.max(span.start),
                end: None,
            }
        })
        .collect();
    mistakes.sort_by_key(|mistake| mistake.span.start);
    mistakes
}

/// Whether keys, values and headings are at allowed places.
fn is_well_formed(text: &str) -> bool {
    let tokens = Source::new(text).lex().into_vec();
    let mut error = None;
    let mut receiver = ();
    parse_document(
        &tokens,
        &mut RecursionGuard::new(&mut receiver, MOST_BRACKETS),
        &mut error,
    );
    error.is_none()
}

/// The start of the first line after `place` that begins a key with its value, or a heading.
fn next_entry(text: &str, place: usize) -> Option<usize> {
    text[place..]
        .match_indices('\n')
        .map(|(end, _)| place + end + 1)
        .find(|line| begins_entry(&text[*line..]))
}

/// Whether a text begins with `key =` or `[heading`, without the indent that elements of lists
/// have.
fn begins_entry(text: &str) -> bool {
    let is_word = |sign: char| sign.is_ascii_alphanumeric() || "_-.".contains(sign);
    let after = text.trim_start_matches(is_word);
    if after.len() < text.len() {
        return after.trim_start_matches([' ', '\t']).starts_with('=');
    }
    let heading = text.trim_start_matches('[');
    heading.len() < text.len()
        && heading
            .trim_start()
            .starts_with(|sign: char| sign.is_ascii_alphabetic())
}

/// The innermost unclosed bracket of the text; `start` is where the text begins.
fn open_bracket(text: &str, start: usize) -> Option<Range<usize>> {
    let mut open = Vec::new();
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open.push(token.span()),
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                open.pop();
            }
            _ => {}
        }
    }
    let span = open.pop()?;
    Some(start + span.start()..start + span.end())
}
