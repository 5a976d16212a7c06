//! The access to project files, and their texts.

use std::io;
use std::path::{Component, Path, PathBuf};

/// The files that a reader may open. Tests use a map, and programs the disk.
pub trait ProjectFiles {
    /// The first `limit` bytes of a file, or all if it has fewer.
    ///
    /// # Errors
    /// When the file cannot be read. [`io::ErrorKind::NotFound`] means that it does not exist.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
}

impl<F: Fn(&Path, u64) -> io::Result<Vec<u8>>> ProjectFiles for F {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self(path, limit)
    }
}

/// The path of a file that another one names: from the folder of the latter.
pub(super) fn included_path(from: &Path, named: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_path_buf();
    for component in Path::new(named).components() {
        match component {
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The path without `.`, and without `..` after a name: equal for equal files, unless links differ.
pub(super) fn normalised(path: &Path) -> PathBuf {
    let mut normalised = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(
                    normalised.components().next_back(),
                    Some(Component::Normal(_))
                ) =>
            {
                normalised.pop();
            }
            other => normalised.push(other),
        }
    }
    normalised
}

/// The name of a file in messages.
pub(super) fn shown(path: &Path) -> String {
    let shown = path.to_string_lossy();
    if cfg!(windows) {
        shown.replace('\\', "/")
    } else {
        shown.into_owned()
    }
}

/// A text that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undecodable {
    /// The reason, as a clause.
    pub(super) message: String,
    /// The way out.
    pub(super) help: &'static str,
}

/// The text of a TOML file, which is UTF-8. A byte order mark is left out.
pub(super) fn decode_toml(bytes: Vec<u8>) -> Result<String, Undecodable> {
    let mut text = String::from_utf8(bytes).map_err(|error| not_utf8(&error))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// The text of a `requirements.txt`: UTF-8, UTF-16 with a byte order mark, as Windows PowerShell
/// writes it, or the encoding that a comment in the first two lines names. A byte order mark is
/// left out.
pub(super) fn decode_requirements(bytes: Vec<u8>) -> Result<String, Undecodable> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| rest.is_empty()).ok_or(Undecodable {
            message: "it is not UTF-16, although it begins with a byte order mark of UTF-16".into(),
            help: "save the file as UTF-8",
        })
    };
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(Undecodable {
            message: "it is UTF-32".into(),
            help: "save the file as UTF-8",
        });
    }
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => return decode_toml(bytes),
        _ => {}
    }
    match declared_encoding(&bytes).as_deref() {
        None | Some("utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii") => decode_toml(bytes),
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1") => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        Some(encoding) => Err(Undecodable {
            message: format!("a comment names the encoding `{encoding}`, which is not supported"),
            help: "save the file as UTF-8, and remove the comment",
        }),
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Undecodable {
    let at = error.utf8_error().valid_up_to();
    let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
    Undecodable {
        message: format!("it is not UTF-8: the first wrong byte is in line {line}"),
        help: "save the file as UTF-8",
    }
}

/// The encoding that a comment in the first two lines names, as in `# -*- coding: latin-1 -*-`.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split(|byte| *byte == b'\n').take(2);
    lines
        .filter(|line| line.starts_with(b"#"))
        .find_map(|line| {
            let line = String::from_utf8_lossy(line);
            let after = line
                .match_indices("coding")
                .find_map(|(at, word)| line[at + word.len()..].strip_prefix([':', '=']))?;
            let name: String = after
                .trim_start()
                .chars()
                .take_while(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(*sign))
                .collect();
            (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
        })
}
