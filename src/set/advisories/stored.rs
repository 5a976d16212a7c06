//! The index of a database in the cache: a table of the projects, and the advisories of each, so
//! that a run reads only those of its own projects.
//!
//! ```text
//! <SHA-256 of the table, hexadecimal> <length of the table in bytes> LF
//! <the table, JSON> LF
//! <the advisories of a project, JSON> LF      for each project
//! <the single versions of an advisory> LF     for each of its advisories
//! ```
//!
//! The table names the state of the files that it was made of, and has the SHA-256 of each part.
//! Bytes that differ are not used.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom, Write};

use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Sha256Digest;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::advisory::Advisory;
use super::database::{Database, DatabaseFacts};
use super::record::VersionList;

/// The version of the index. Increase it whenever the program reads something else from an entry.
pub const INDEX_VERSION: u32 = 2;

/// The largest table that is read, in bytes.
const LARGEST_TABLE: u64 = 256 << 20;

/// The largest part that is read, in bytes.
const LARGEST_PART: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Table {
    version: u32,
    /// The state of the files.
    state: String,
    facts: DatabaseFacts,
    /// `NAME START LENGTH SHA-256;` for each project, the start counted from the end of the table.
    /// One text is read faster than thousands of values.
    projects: String,
}

/// The bytes of a project's advisories.
struct Part {
    start: u64,
    length: u64,
    digest: Sha256Digest,
}

impl Part {
    /// The name of a project and its part.
    fn parse(line: &str) -> Option<(&str, [&str; 3])> {
        let mut words = line.split(' ');
        let mut next = || words.next();
        Some((next()?, [next()?, next()?, next()?]))
    }

    fn of([start, length, digest]: [&str; 3]) -> Option<Self> {
        Some(Self {
            start: start.parse().ok()?,
            length: length.parse().ok()?,
            digest: digest.parse().ok()?,
        })
    }
}

/// An index in a file, opened.
pub struct StoredIndex<R> {
    reader: R,
    start: u64,
    table: Table,
}

/// The reason why an index is not used.
#[derive(Debug, Error)]
pub enum StoredError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its bytes are not those that were written.
    #[error("its bytes are damaged")]
    Damaged,
    /// It is of another version, or of other files.
    #[error("it is of another state of the database")]
    Outdated,
}

/// Writes the index of a database whose files had this state.
///
/// # Errors
/// When it cannot be written.
pub fn write_index(database: &Database, state: &str, out: &mut dyn Write) -> io::Result<()> {
    let parts: Vec<serde_json::Result<(Vec<u8>, Sha256Digest)>> = database
        .projects
        .par_iter()
        .map(|(_, advisories)| {
            let mut bytes = serde_json::to_vec(advisories)?;
            bytes.push(b'\n');
            for advisory in advisories {
                bytes.extend_from_slice(advisory.affected.versions.as_text().as_bytes());
                bytes.push(b'\n');
            }
            let digest = Sha256Digest::of(&bytes);
            Ok((bytes, digest))
        })
        .collect();
    let parts = parts.into_iter().collect::<serde_json::Result<Vec<_>>>()?;
    let mut start = 0;
    let mut projects = String::new();
    for (project, (bytes, digest)) in database.projects.keys().zip(&parts) {
        let length = bytes.len() as u64;
        projects += &format!("{project} {start} {length} {digest};");
        start += length;
    }
    let table = serde_json::to_vec(&Table {
        version: INDEX_VERSION,
        state: state.to_owned(),
        facts: database.facts.clone(),
        projects,
    })?;
    writeln!(out, "{} {}", Sha256Digest::of(&table), table.len())?;
    out.write_all(&table)?;
    out.write_all(b"\n")?;
    parts.iter().try_for_each(|(bytes, _)| out.write_all(bytes))
}

impl<R: Read + Seek> StoredIndex<R> {
    /// Reads the table of an index of files in this state.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is of another state.
    pub fn open(mut reader: R, state: &str) -> Result<Self, StoredError> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 100 {
            reader.read_exact(&mut byte)?;
            if byte[0] == b'\n' {
                break;
            }
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).map_err(|_| StoredError::Damaged)?;
        let (digest, length) = line.split_once(' ').ok_or(StoredError::Damaged)?;
        let length: u64 = length.parse().map_err(|_| StoredError::Damaged)?;
        let bytes = read(&mut reader, length, LARGEST_TABLE)?;
        if digest.parse::<Sha256Digest>().ok() != Some(Sha256Digest::of(&bytes)) {
            return Err(StoredError::Damaged);
        }
        let table: Table = serde_json::from_slice(&bytes).map_err(|_| StoredError::Outdated)?;
        if table.version != INDEX_VERSION || table.state != state {
            return Err(StoredError::Outdated);
        }
        let start = line.len() as u64 + 1 + length + 1;
        Ok(Self {
            reader,
            start,
            table,
        })
    }

    /// The facts, and the advisories about these projects.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn database<'p>(
        mut self,
        projects: impl IntoIterator<Item = &'p ProjectName>,
    ) -> Result<Database, StoredError> {
        let mut database = Database {
            facts: self.table.facts,
            projects: BTreeMap::new(),
        };
        let wanted: HashMap<&str, &ProjectName> = projects
            .into_iter()
            .map(|project| (project.as_str(), project))
            .collect();
        for line in self.table.projects.split_terminator(';') {
            let (name, part) = Part::parse(line).ok_or(StoredError::Damaged)?;
            let Some(project) = wanted.get(name) else {
                continue;
            };
            let part = Part::of(part).ok_or(StoredError::Damaged)?;
            let start = self.start.checked_add(part.start);
            let start = start.ok_or(StoredError::Damaged)?;
            self.reader.seek(SeekFrom::Start(start))?;
            let bytes = read(&mut self.reader, part.length, LARGEST_PART)?;
            if Sha256Digest::of(&bytes) != part.digest {
                return Err(StoredError::Damaged);
            }
            let advisories = advisories(&bytes).ok_or(StoredError::Damaged)?;
            database.projects.insert((*project).clone(), advisories);
        }
        Ok(database)
    }
}

/// The advisories of a part.
fn advisories(bytes: &[u8]) -> Option<Vec<Advisory>> {
    let mut lines = std::str::from_utf8(bytes).ok()?.split_terminator('\n');
    let mut advisories: Vec<Advisory> = serde_json::from_str(lines.next()?).ok()?;
    for advisory in &mut advisories {
        advisory.affected.versions = VersionList::of_text(lines.next()?);
    }
    lines.next().is_none().then_some(advisories)
}

fn read(reader: &mut impl Read, length: u64, largest: u64) -> Result<Vec<u8>, StoredError> {
    if length > largest {
        return Err(StoredError::Damaged);
    }
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(StoredError::Damaged)
    }
}
