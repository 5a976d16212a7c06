//! The files of a database in a folder: their names and their state, and their bytes.

use std::fs::{self, DirEntry, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ipwhl_unixfs::Sha256Digest;

/// The most entries of a database: ten times those about Python's projects in 2026.
pub(super) const MOST_ENTRIES: usize = 200_000;

/// The deepest folder.
const DEEPEST: usize = 16;

pub(super) fn too_large(largest: u64) -> String {
    format!("it is larger than {largest} bytes")
}

/// Whether a name is that of an entry: of JSON or YAML.
pub(super) fn is_entry(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| matches!(ending, "json" | "yaml" | "yml"))
}

/// A file and its path in the database.
pub(super) type NamedFile = (String, DirEntry);

/// The files below a folder.
#[derive(Default)]
pub(super) struct FolderFiles {
    /// The files that can be entries, in any order.
    pub(super) files: Vec<NamedFile>,
    /// Files that cannot be entries, with the reasons.
    pub(super) refused: Vec<(String, String)>,
    /// Differs after each change: the sum of a digest of each file, so that the order of the files
    /// does not matter.
    pub(super) state: [u64; 4],
    /// The time of the last change of a file.
    pub(super) newest: Option<SystemTime>,
}

impl FolderFiles {
    /// The files below `path`, whose names in the database begin with `name`. Links are not
    /// followed. While a folder is listed, the states of the files so far are read on other threads.
    pub(super) fn below(path: &Path, name: &str) -> io::Result<Self> {
        let found = Mutex::new(Self::default());
        let walked = rayon::scope(|scope| {
            let mut walk = Walk {
                batch: Vec::with_capacity(BATCH),
                refused: Vec::new(),
                count: 0,
            };
            let take = |batch: Vec<NamedFile>| {
                let found = &found;
                scope.spawn(move |_| Self::add(found, batch));
            };
            walk.folder(path, name, 0, &take)?;
            take(walk.batch);
            io::Result::Ok(walk.refused)
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.refused = walked?;
        for (name, reason) in &found.refused {
            add_digest(&mut found.state, format!("{name}\0{reason}").as_bytes());
        }
        Ok(found)
    }

    fn add(found: &Mutex<Self>, batch: Vec<NamedFile>) {
        let mut state = [0; 4];
        let mut newest = None;
        let mut text = Vec::new();
        for (name, entry) in &batch {
            text.clear();
            text.extend_from_slice(name.as_bytes());
            text.push(0);
            if let Ok(metadata) = entry.metadata() {
                newest = newest.max(Some(put_state(&metadata, &mut text)));
            }
            add_digest(&mut state, &text);
        }
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, part) in found.state.iter_mut().zip(state) {
            *sum = sum.wrapping_add(part);
        }
        found.newest = found.newest.max(newest);
        found.files.extend(batch);
    }
}

/// Adds the digest of a text to a sum.
fn add_digest(sum: &mut [u64; 4], text: &[u8]) {
    let digest = Sha256Digest::of(text);
    let (parts, _) = digest.as_bytes().as_chunks::<8>();
    for (sum, part) in sum.iter_mut().zip(parts) {
        *sum = sum.wrapping_add(u64::from_le_bytes(*part));
    }
}

/// The number of files whose states are read together.
const BATCH: usize = 512;

/// A walk over folders.
struct Walk {
    batch: Vec<NamedFile>,
    refused: Vec<(String, String)>,
    count: usize,
}

impl Walk {
    fn folder(
        &mut self,
        path: &Path,
        name: &str,
        depth: usize,
        take: &dyn Fn(Vec<NamedFile>),
    ) -> io::Result<()> {
        let too_large = |reason: String| io::Error::new(io::ErrorKind::FileTooLarge, reason);
        if depth > DEEPEST {
            return Err(too_large(format!(
                "has folders that are more than {DEEPEST} deep"
            )));
        }
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let own = entry.file_name();
            if own.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let own = own.to_string_lossy();
            let below = if name.is_empty() {
                own.into_owned()
            } else {
                format!("{name}/{own}")
            };
            if kind.is_dir() {
                self.folder(&entry.path(), &below, depth + 1, take)?;
                continue;
            }
            if kind.is_symlink() {
                let reason = "it is a symbolic link, which is not followed".to_owned();
                self.refused.push((below, reason));
            } else if kind.is_file() && is_entry(&below) {
                self.batch.push((below, entry));
                if self.batch.len() >= BATCH {
                    take(std::mem::replace(
                        &mut self.batch,
                        Vec::with_capacity(BATCH),
                    ));
                }
            } else {
                continue;
            }
            self.count += 1;
            if self.count > MOST_ENTRIES {
                return Err(too_large(format!("has more than {MOST_ENTRIES} entries")));
            }
        }
        Ok(())
    }
}

/// Adds the size, the times and the number of a file to a text. Returns the time of its last change.
#[cfg(unix)]
fn put_state(metadata: &Metadata, text: &mut Vec<u8>) -> SystemTime {
    use std::os::unix::fs::MetadataExt;

    text.extend_from_slice(&metadata.len().to_le_bytes());
    text.extend_from_slice(&metadata.ino().to_le_bytes());
    for number in [
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ] {
        text.extend_from_slice(&number.to_le_bytes());
    }
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let changed = u64::try_from(metadata.ctime()).unwrap_or_default();
    let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(changed));
    changed.map_or(modified, |changed| changed.max(modified))
}

#[cfg(not(unix))]
fn put_state(metadata: &Metadata, text: &mut Vec<u8>) -> SystemTime {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = modified.duration_since(SystemTime::UNIX_EPOCH);
    text.extend_from_slice(&metadata.len().to_le_bytes());
    text.extend_from_slice(&since.unwrap_or_default().as_nanos().to_le_bytes());
    modified
}

pub(super) fn read_file(path: &Path, largest: u64, buffer: &mut Vec<u8>) -> Result<(), String> {
    buffer.clear();
    let file = open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let metadata = file.metadata().ok().filter(Metadata::is_file);
    let Some(metadata) = metadata else {
        return Err("it is not a regular file".to_owned());
    };
    // One read and no second one at the end: a file that grows in the meantime has another state.
    let size = usize::try_from(metadata.len().min(largest + 1)).unwrap_or_default();
    buffer.resize(size, 0);
    (&file)
        .read_exact(buffer)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if buffer.len() as u64 > largest {
        return Err(too_large(largest));
    }
    Ok(())
}

/// Opens a file that is no link, without waiting for a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    options.open(path)
}
