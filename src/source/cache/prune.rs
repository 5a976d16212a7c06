//! Lists and removes files of a cache, one by one. Only files whose names this program gives are
//! removed, and only in real folders, not links. A killed run leaves fewer files, each complete.

use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ipwhl_unixfs::{Cid, Sha256Digest};
use thiserror::Error;

use super::super::cache_error::CacheError;
use super::super::workspace;
use super::Cache;
use super::advisories::is_database_file;
use super::layout::{
    ADVISORIES, BLOCKS, FACTS, FOLDERS, HASHES, METADATA, PARTIAL, WHEELS, canonical, file_name,
};
use super::mark::mark;

/// The contents of one folder of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePart {
    /// The folder's name.
    pub name: &'static str,
    /// The number of files.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
}

/// The result of a removal.
#[derive(Debug, Default)]
pub struct Removed {
    /// The number of files.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// The first file that could not be removed, with the reason.
    pub failure: Option<CacheError>,
}

/// The reason why nothing is removed.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// The folder has a file that does not belong to a cache.
    #[error("`{}` has other files than a cache of ipwhl: `{}`", root.display(), entry.display())]
    Foreign {
        /// The folder.
        root: PathBuf,
        /// The other file.
        entry: OsString,
    },
    /// The folder cannot be read or written.
    #[error(transparent)]
    Cache(CacheError),
}

/// A file of a cache.
struct Entry {
    folder: &'static str,
    path: PathBuf,
    bytes: u64,
    last_use: SystemTime,
}

impl Entry {
    fn new(folder: &'static str, path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            folder,
            path,
            bytes: metadata.len(),
            last_use: metadata.modified().unwrap_or(UNIX_EPOCH),
        }
    }
}

/// A cache that no other run uses.
#[derive(Debug)]
pub struct ClaimedCache<'c>(&'c Cache);

impl Cache {
    /// Its contents, by folder.
    pub fn parts(&self) -> io::Result<Vec<CachePart>> {
        let mut parts = FOLDERS.map(|name| CachePart {
            name,
            files: 0,
            bytes: 0,
        });
        let mut count = |folder: &str, files: u64, bytes: u64| {
            for part in parts.iter_mut().filter(|part| part.name == folder) {
                part.files += files;
                part.bytes += bytes;
            }
        };
        for entry in self.entries()? {
            count(entry.folder, 1, entry.bytes);
        }
        for run in list(&self.root.join(PARTIAL))? {
            for (_, metadata) in files(&list(&run.path())?) {
                count(PARTIAL, 1, metadata.len());
            }
        }
        Ok(parts.to_vec())
    }

    /// Claims the cache for this run alone. `wait` is called if other runs must be waited for, and
    /// returns whether to wait; without waiting the cache may be unavailable.
    ///
    /// # Errors
    /// When the folder has other files, or cannot be written.
    pub fn claim(&self, wait: &dyn Fn() -> bool) -> Result<Option<ClaimedCache<'_>>, ClaimError> {
        let failed = |error| ClaimError::Cache(CacheError::new(&self.root, "lock", error));
        if let Some(entry) = mark(&self.root).map_err(failed)? {
            let root = self.root.clone();
            return Err(ClaimError::Foreign { root, entry });
        }
        let is_taken = self.usage.take(&self.root, wait).map_err(failed)?;
        Ok(is_taken.then_some(ClaimedCache(self)))
    }

    /// Whether this run has stored a wheel in it.
    pub fn has_kept_wheel(&self) -> bool {
        self.usage.has_kept_wheel()
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut single = |folder: &'static str, below: &Path, is_own: &dyn Fn(&str) -> bool| {
            for (path, metadata) in files(&list(below)?) {
                let name = path.file_name().and_then(|name| name.to_str());
                if name.is_some_and(is_own) {
                    entries.push(Entry::new(folder, path, &metadata));
                }
            }
            Ok::<(), io::Error>(())
        };
        let is_wheel = |name: &str| {
            let stem = name.strip_suffix(".whl");
            stem.is_some_and(|stem| stem.parse::<Cid>().is_ok())
        };
        single(WHEELS, &self.root.join(WHEELS), &is_wheel)?;
        let is_json = |name: &str| name.strip_suffix(".json").is_some();
        for version in list(&self.root.join(FACTS))? {
            if version.file_name().to_str().is_some_and(is_json) {
                single(FACTS, &version.path(), &is_json)?;
            }
        }
        let is_cid = |name: &str| name.parse::<Cid>().is_ok();
        single(BLOCKS, &self.root.join(BLOCKS), &is_cid)?;
        let is_hash = |name: &str| {
            let digits = name.split('-').next().unwrap_or_default();
            digits.parse::<Sha256Digest>().is_ok()
        };
        single(HASHES, &self.root.join(HASHES), &is_hash)?;
        let is_digest = |name: &str| name.parse::<Sha256Digest>().is_ok();
        single(METADATA, &self.root.join(METADATA), &is_digest)?;
        single(ADVISORIES, &self.root.join(ADVISORIES), &is_database_file)?;
        Ok(entries)
    }
}

impl ClaimedCache<'_> {
    /// Removes leftovers of killed runs and the facts of other versions. Then removes the files
    /// that were not used for longest, until at most `limit` bytes are left. Files that this run
    /// uses stay.
    pub fn prune(&self, limit: Option<u64>, versions: &[String]) -> io::Result<Removed> {
        let mut removed = Removed::default();
        self.remove_unfinished();
        let folders: Vec<PathBuf> = versions
            .iter()
            .map(|version| self.0.root.join(FACTS).join(file_name(version)))
            .collect();
        let mut left = Vec::new();
        for entry in self.0.entries()? {
            let is_current = entry.folder != FACTS
                || folders.iter().any(|folder| entry.path.starts_with(folder));
            if is_current {
                left.push(entry);
            } else {
                removed.remove(&entry);
            }
        }
        let mut bytes: u64 = left.iter().map(|entry| entry.bytes).sum();
        // Files of the same age have a fixed order.
        left.sort_by(|one, other| (one.last_use, &one.path).cmp(&(other.last_use, &other.path)));
        for entry in left.iter().filter(|entry| !self.0.usage.has(&entry.path)) {
            if limit.is_none_or(|limit| bytes <= limit) {
                break;
            }
            removed.remove(entry);
            bytes -= entry.bytes;
        }
        self.remove_empty_folders();
        Ok(removed)
    }

    /// Removes everything.
    pub fn clean(&self) -> io::Result<Removed> {
        let mut removed = Removed::default();
        self.remove_unfinished();
        for entry in self.0.entries()? {
            removed.remove(&entry);
        }
        self.remove_empty_folders();
        Ok(removed)
    }

    /// Removes these wheels, their METADATA, and their facts under these versions.
    pub fn clean_wheels(&self, cids: &[Cid], versions: &[String]) -> Removed {
        let mut removed = Removed::default();
        for cid in cids {
            let name = canonical(cid).to_string();
            let facts = versions.iter().flat_map(|version| {
                // Facts are stored by the CID as declared, in either version.
                [cid.to_string(), name.clone()].map(|key| {
                    let folder = self.0.root.join(FACTS).join(file_name(version));
                    folder.join(file_name(&key))
                })
            });
            let metadata = self.0.wheel(cid);
            let metadata = metadata.map(|wheel| self.0.metadata_path(&wheel.sha256));
            let wheel = self.0.wheel_path(cid);
            for path in facts.chain(metadata).chain([wheel]) {
                let is_in_folder = path.parent().is_some_and(is_folder);
                if let Ok(metadata) = fs::symlink_metadata(&path)
                    && metadata.is_file()
                    && is_in_folder
                {
                    removed.remove(&Entry::new(WHEELS, path, &metadata));
                }
            }
        }
        removed
    }

    /// The content-ids of the stored wheels, and of those with stored facts only.
    pub fn wheels(&self) -> io::Result<Vec<Cid>> {
        let entries = self.0.entries()?;
        let files = entries.iter().map(|entry| &entry.path);
        let stems = files.filter_map(|file| file.file_stem()?.to_str()?.parse().ok());
        let mut cids: Vec<Cid> = stems.collect();
        cids.sort_unstable();
        cids.dedup();
        Ok(cids)
    }

    fn remove_unfinished(&self) {
        let partial = self.0.root.join(PARTIAL);
        if is_folder(&partial) {
            workspace::remove_abandoned(&partial);
        }
    }

    /// Folders are created again when needed. A folder that is not empty stays.
    fn remove_empty_folders(&self) {
        let facts = self.0.root.join(FACTS);
        for version in list(&facts).unwrap_or_default() {
            let _ = fs::remove_dir(version.path());
        }
        for folder in FOLDERS {
            let _ = fs::remove_dir(self.0.root.join(folder));
        }
    }
}

impl Removed {
    fn remove(&mut self, entry: &Entry) {
        match fs::remove_file(&entry.path) {
            Ok(()) => {
                self.files += 1;
                self.bytes += entry.bytes;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.failure
                    .get_or_insert_with(|| CacheError::new(&entry.path, "remove", error));
            }
        }
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The entries of a folder, by name; empty if there is no folder, or a link in its place.
fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    if !is_folder(folder) {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// The entries that are files, and not links.
fn files(entries: &[DirEntry]) -> impl Iterator<Item = (PathBuf, Metadata)> {
    entries.iter().filter_map(|entry| {
        // Links are not followed; a file that another run has just removed does not count.
        let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
        Some((entry.path(), metadata))
    })
}
