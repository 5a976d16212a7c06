//! The options of a `requirements.txt`: words as a shell has them, names as pip has them.

use std::ops::Range;

/// An option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineOption {
    /// The full name, as in `--requirement`.
    pub(super) name: &'static str,
    /// The value; empty if the option has none.
    pub(super) value: String,
    /// The place of name and value in the text.
    pub(super) span: Range<usize>,
}

/// A mistake in the options of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OptionMistake {
    /// One sentence about it.
    pub(super) message: String,
    /// Its place in the text.
    pub(super) span: Range<usize>,
}

/// Each option: its name, other spellings, and whether it has a value.
const OPTIONS: &[(&str, &[&str], bool)] = &[
    ("--requirement", &["-r"], true),
    ("--constraint", &["-c"], true),
    ("--editable", &["-e"], true),
    ("--hash", &[], true),
    ("--index-url", &["-i", "--pypi-url"], true),
    ("--extra-index-url", &[], true),
    ("--no-index", &[], false),
    ("--find-links", &["-f"], true),
    ("--no-binary", &[], true),
    ("--only-binary", &[], true),
    ("--prefer-binary", &[], false),
    ("--require-hashes", &[], false),
    ("--no-require-hashes", &[], false),
    ("--pre", &[], false),
    ("--all-releases", &[], true),
    ("--only-final", &[], true),
    ("--trusted-host", &[], true),
    ("--use-feature", &[], true),
    ("--config-settings", &["-C"], true),
];

/// Options of earlier versions of pip, which are not shortened.
const EARLIER_OPTIONS: &[&str] = &["--global-option", "--install-option"];

/// The names of all options.
pub(super) fn option_names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(name, _, _)| *name)
}

/// The start of the options of a line: of the first word, after a space or at the start, that
/// begins with `-`.
pub(super) fn options_start(line: &str) -> usize {
    if line.starts_with('-') {
        return 0;
    }
    line.find(" -").map_or(line.len(), |at| at + 1)
}

/// The options in the line from byte `start` on.
pub(super) fn options(line: &str, start: usize) -> Result<Vec<LineOption>, OptionMistake> {
    let mut words = words(line, start)?.into_iter().peekable();
    let mut options = Vec::new();
    while let Some((word, span)) = words.next() {
        let (spelling, attached) =
            if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
                let name = long.split('=').next().unwrap_or_default();
                let value = long.split_once('=').map(|(_, value)| value.to_owned());
                (format!("--{name}"), value)
            } else if word.starts_with('-') && word.chars().count() > 1 && word != "--" {
                let length = 1 + word[1..].chars().next().map_or(0, char::len_utf8);
                let value = (word.len() > length).then(|| word[length..].to_owned());
                (word[..length].to_owned(), value)
            } else {
                return Err(OptionMistake {
                    message: format!("`{word}` belongs to no option"),
                    span,
                });
            };
        let Some((name, has_value)) = known(&spelling) else {
            return Err(OptionMistake {
                message: format!("`{spelling}` is not an option of a requirements file"),
                span,
            });
        };
        let (value, end) = match (attached, has_value) {
            (Some(value), true) => (value, span.end),
            (None, false) => (String::new(), span.end),
            (Some(_), false) => {
                return Err(OptionMistake {
                    message: format!("`{name}` has no value"),
                    span,
                });
            }
            (None, true) => match words.next() {
                Some((value, of_value)) => (value, of_value.end),
                None => {
                    return Err(OptionMistake {
                        message: format!("`{spelling}` needs a value"),
                        span,
                    });
                }
            },
        };
        options.push(LineOption {
            name,
            value,
            span: span.start..end,
        });
    }
    Ok(options)
}

/// The full name of an option and whether it has a value. A long name may be shortened as long as
/// it is unique.
fn known(spelling: &str) -> Option<(&'static str, bool)> {
    let spellings = || {
        OPTIONS.iter().flat_map(|(name, others, has_value)| {
            std::iter::once(name)
                .chain(*others)
                .map(move |one| (*one, *name, *has_value))
        })
    };
    if let Some((_, name, has_value)) = spellings().find(|(one, _, _)| *one == spelling) {
        return Some((name, has_value));
    }
    if let Some(name) = EARLIER_OPTIONS.iter().find(|one| **one == spelling) {
        return Some((name, true));
    }
    if !spelling.starts_with("--") || spelling.len() == 2 {
        return None;
    }
    let mut longer = spellings().filter(|(one, _, _)| one.starts_with(spelling));
    let (_, name, has_value) = longer.next()?;
    longer.next().is_none().then_some((name, has_value))
}

/// The words of a text from byte `start` on, each with its place, by the rules of a POSIX shell.
fn words(text: &str, start: usize) -> Result<Vec<(String, Range<usize>)>, OptionMistake> {
    let mut words = Vec::new();
    let mut word: Option<(String, usize)> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut signs = text[start..]
        .char_indices()
        .map(|(at, sign)| (start + at, sign));
    while let Some((at, sign)) = signs.next() {
        let is_space = quote.is_none() && matches!(sign, ' ' | '\t' | '\r' | '\n');
        if is_space {
            words.extend(word.take().map(|(word, start)| (word, start..at)));
            continue;
        }
        let (current, _) = word.get_or_insert_with(|| (String::new(), at));
        match (quote, sign) {
            (None, '\'' | '"') => quote = Some((sign, at)),
            (Some((open, _)), _) if sign == open => quote = None,
            (Some(('\'', _)), _) => current.push(sign),
            (_, '\\') => {
                let Some((_, escaped)) = signs.next() else {
                    return Err(OptionMistake {
                        message: "the line ends with a backslash that escapes nothing".to_owned(),
                        span: at..at + 1,
                    });
                };
                if quote.is_some() && !matches!(escaped, '"' | '\\') {
                    current.push('\\');
                }
                current.push(escaped);
            }
            _ => current.push(sign),
        }
    }
    if let Some((_, at)) = quote {
        return Err(OptionMistake {
            message: "the quotation mark is never closed".to_owned(),
            span: at..at + 1,
        });
    }
    words.extend(word.map(|(word, start)| (word, start..text.len())));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<(&'static str, String)>, String> {
        options(line, options_start(line))
            .map(|options| {
                let pairs = options.into_iter().map(|one| (one.name, one.value));
                pairs.collect()
            })
            .map_err(|mistake| mistake.message)
    }

    #[test]
    fn options_are_read_as_pip_reads_them() {
        for (line, name, value) in [
            ("-r a.txt", "--requirement", "a.txt"),
            ("-ra.txt", "--requirement", "a.txt"),
            ("--requirement=a.txt", "--requirement", "a.txt"),
            ("--requirem 'a b.txt'", "--requirement", "a b.txt"),
            ("-c \"a\\\"b\\c\"", "--constraint", "a\"b\\c"),
            ("foo --hash=sha256:1", "--hash", "sha256:1"),
            ("--pre", "--pre", ""),
            ("--i x", "--index-url", "x"),
            ("--config=x", "--config-settings", "x"),
            ("--install-option=x", "--install-option", "x"),
            ("-e .[dev]", "--editable", ".[dev]"),
        ] {
            assert_eq!(read(line), Ok(vec![(name, value.to_owned())]), "{line}");
        }
        for (line, message) in [
            ("-z", "`-z` is not an option of a requirements file"),
            ("--no", "`--no` is not an option of a requirements file"),
            ("--inst", "`--inst` is not an option of a requirements file"),
            ("-r", "`-r` needs a value"),
            ("--pre=1", "`--pre` has no value"),
            ("-r 'a", "the quotation mark is never closed"),
            ("--pre x", "`x` belongs to no option"),
        ] {
            assert_eq!(read(line), Err(message.to_owned()), "{line}");
        }
    }
}
