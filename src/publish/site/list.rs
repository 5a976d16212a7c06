//! `release.files`: a line for each file of a release, `<sha256>  <size>  <path>`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};

use ipwhl_unixfs::Sha256Digest;
use sha2::{Digest as _, Sha256};

/// The separator of the parts of a line.
const GAP: &str = "  ";
/// The size of the hash buffer, in bytes.
const BUFFER: usize = 256 << 10;

/// The entry of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedFile {
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// In bytes.
    pub size: u64,
}

impl ListedFile {
    /// The entry for these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Sha256Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// The files of a release, by their paths from the top of the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileList {
    /// The files.
    pub files: BTreeMap<String, ListedFile>,
}

/// The reason why a text is not a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not `<sha256>  <size>  <path>`, or breaks the order of paths")]
pub struct ListError {
    /// The first line that is wrong, counted from 1.
    pub line: usize,
}

impl ListedFile {
    /// The entry for a file, which is read to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &mut dyn Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut size = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                let sha256 = Sha256Digest::from(<[u8; 32]>::from(hasher.finalize()));
                return Ok(Self { sha256, size });
            }
            hasher.update(&buffer[..count]);
            size += count as u64;
        }
    }
}

impl FileList {
    /// Parses a list, in its only form.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let mut list = Self::default();
        let mut before = "";
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let (path, file) = parse_line(line).ok_or(ListError { line: index + 1 })?;
            if path <= before {
                return Err(ListError { line: index + 1 });
            }
            list.files.insert(path.to_owned(), file);
            before = path;
        }
        Ok(list)
    }

    /// Every difference from the expected list, a sentence each.
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, file) in &expected.files {
            match self.files.get(path) {
                None => found.push(format!("it does not list `{path}`")),
                Some(listed) if listed != file => found.push(format!(
                    "it lists `{path}` with another size or SHA-256 than the file's"
                )),
                Some(_) => {}
            }
        }
        let others = self.files.keys();
        let others = others.filter(|path| !expected.files.contains_key(*path));
        found.extend(
            others.map(|path| format!("it lists `{path}`, which is not a file of this release")),
        );
        found
    }

    /// The text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (path, file) in &self.files {
            let _ = writeln!(text, "{}{GAP}{}{GAP}{path}", file.sha256, file.size);
        }
        text
    }
}

fn parse_line(line: &str) -> Option<(&str, ListedFile)> {
    let (sha256, rest) = line.strip_suffix('\n')?.split_once(GAP)?;
    let (number, path) = rest.split_once(GAP)?;
    let size: u64 = number.parse().ok()?;
    let file = ListedFile {
        sha256: sha256.parse().ok()?,
        size,
    };
    let is_canonical = file.sha256.to_string() == sha256 && size.to_string() == number;
    (is_canonical && !path.is_empty()).then_some((path, file))
}
