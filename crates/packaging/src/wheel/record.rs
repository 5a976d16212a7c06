//! RECORD: a row for each file, with its hash and size.

mod csv;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::entry_points::is_line_end;
use super::problems::{Problems, shown};

/// The rows by path.
#[derive(Default)]
pub(super) struct Record {
    rows: HashMap<String, Row>,
}

/// The row of one file in RECORD.
struct Row {
    expected: Option<Expected>,
    size: Option<u64>,
    line: usize,
    seen: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Expected {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

/// *Binary distribution format*: "sha256 or better".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// Hashes a member by the algorithm of its row; does nothing if it has none.
pub(super) enum MemberHasher {
    None,
    Sha256(Sha256),
    Sha384(Box<Sha384>),
    Sha512(Box<Sha512>),
}

impl MemberHasher {
    pub(super) fn sha256() -> Self {
        Self::Sha256(Sha256::new())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha384(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

impl Record {
    /// Parses RECORD. Invalid rows are reported, but still count as rows.
    pub(super) fn parse(bytes: &[u8], problems: &mut Problems) -> Option<Self> {
        let Ok(text) = str::from_utf8(bytes) else {
            problems.record("RECORD is not UTF-8");
            return None;
        };
        let ends_line = |sign: char| is_line_end(sign) && sign != '\r';
        if let Some(sign) = text.chars().find(|sign| ends_line(*sign)) {
            problems.record(format!(
                "RECORD has the character U+{:04X}, at which pip begins another row",
                u32::from(sign)
            ));
            return None;
        }
        let mut record = Self::default();
        for row in csv::rows(text) {
            let (line, cells) = match row {
                Ok(row) => row,
                Err(error) => {
                    problems.record(format!(
                        "RECORD is not CSV in line {}: {}",
                        error.line, error.reason
                    ));
                    return None;
                }
            };
            if matches!(cells.as_slice(), [only] if only.is_empty()) {
                // pip: fails. uv: continues.
                problems.record(format!("RECORD has an empty line {line}"));
                continue;
            }
            let [path, hash, size] = cells.as_slice() else {
                problems.record(format!(
                    "RECORD has {} columns in line {line} than the three of a row",
                    if cells.len() < 3 { "fewer" } else { "more" }
                ));
                continue;
            };
            if path.ends_with('/') {
                // pip: removes the folder with all its contents when the project is removed, even
                // files of other projects.
                problems.record(format!(
                    "RECORD has a row for the folder {} in line {line}, which pip removes whole",
                    shown(path)
                ));
            }
            let row = Row {
                expected: parse_hash(path, hash, problems),
                size: parse_size(path, size, problems),
                line,
                seen: false,
            };
            match record.rows.entry(path.as_ref().to_owned()) {
                Entry::Occupied(first) => problems.record(format!(
                    "RECORD has {} twice, in lines {} and {line}",
                    shown(path),
                    first.get().line
                )),
                Entry::Vacant(place) => {
                    place.insert(row);
                }
            }
        }
        Some(record)
    }

    /// The hasher for the row of this member.
    pub(super) fn hasher(&self, path: &str) -> MemberHasher {
        let expected = self.rows.get(path).and_then(|row| row.expected.as_ref());
        match expected.map(|expected| expected.algorithm) {
            None => MemberHasher::None,
            Some(Algorithm::Sha256) => MemberHasher::Sha256(Sha256::new()),
            Some(Algorithm::Sha384) => MemberHasher::Sha384(Box::default()),
            Some(Algorithm::Sha512) => MemberHasher::Sha512(Box::default()),
        }
    }

    /// Compares a member with its row. `hasher` is `None` if its data could not be read, which is
    /// reported elsewhere. With `exempt` a row may be missing, and may omit hash and size.
    pub(super) fn compare(
        &mut self,
        path: &str,
        size: u64,
        exempt: bool,
        hasher: Option<MemberHasher>,
        problems: &mut Problems,
    ) {
        let Some(row) = self.rows.get_mut(path) else {
            if !exempt {
                problems.record(format!("{} has no row in RECORD", shown(path)));
            }
            return;
        };
        row.seen = true;
        let Some(hasher) = hasher else {
            return;
        };
        match row.size {
            // A file of another size always has another hash.
            Some(told) if told != size => {
                problems.record(format!(
                    "{} has {size} bytes and {told} by RECORD",
                    shown(path)
                ));
                return;
            }
            None if !exempt => problems.record(format!("{} has no size in RECORD", shown(path))),
            _ => {}
        }
        match &row.expected {
            Some(expected) => {
                let digest = hasher.finish();
                if digest != expected.digest {
                    problems.record(format!(
                        "{} has the hash {} and {} by RECORD",
                        shown(path),
                        BASE64URL_NOPAD.encode(&digest),
                        BASE64URL_NOPAD.encode(&expected.digest)
                    ));
                }
            }
            None if !exempt => problems.record(format!("{} has no hash in RECORD", shown(path))),
            None => {}
        }
    }

    /// Reports the rows without a member.
    pub(super) fn finish(self, problems: &mut Problems) {
        let mut unseen: Vec<(usize, String)> = self
            .rows
            .into_iter()
            .filter(|(_, row)| !row.seen)
            .map(|(path, row)| (row.line, path))
            .collect();
        unseen.sort_unstable();
        for (line, path) in unseen {
            problems.record(format!(
                "RECORD has a row for {} in line {line}, which is not in the archive",
                shown(&path)
            ));
        }
    }
}

fn parse_hash(path: &str, text: &str, problems: &mut Problems) -> Option<Expected> {
    if text.is_empty() {
        return None;
    }
    let known = text.split_once('=').and_then(|(algorithm, digest)| {
        Some(match algorithm {
            "sha256" => (Algorithm::Sha256, 32, digest),
            "sha384" => (Algorithm::Sha384, 48, digest),
            "sha512" => (Algorithm::Sha512, 64, digest),
            _ => return None,
        })
    });
    let Some((algorithm, length, digest)) = known else {
        problems.record(format!(
            "{} has the hash {} in RECORD, which is not sha256, sha384 or sha512",
            shown(path),
            shown(text)
        ));
        return None;
    };
    let digest = BASE64URL_NOPAD
        .decode(digest.as_bytes())
        .ok()
        .filter(|digest| digest.len() == length);
    let Some(digest) = digest else {
        problems.record(format!(
            "{} has the hash {} in RECORD, which is not {length} bytes in urlsafe base64 without padding",
            shown(path),
            shown(text)
        ));
        return None;
    };
    Some(Expected { algorithm, digest })
}

fn parse_size(path: &str, text: &str, problems: &mut Problems) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let size = Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok());
    if size.is_none() {
        problems.record(format!(
            "{} has the size {} in RECORD, which is no number of bytes",
            shown(path),
            shown(text)
        ));
    }
    size
}
