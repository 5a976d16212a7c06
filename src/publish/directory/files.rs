//! The files of a release, and those of a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::folder::partial;
use super::{is_folder, unusable};
use crate::car::{CarError, CarReader, FileReader, Kind, Tree};
use crate::dag::Cid;
use crate::environment::{AtomicFile, sync_directory};
use crate::publish::target::{Amount, Report, Step, TargetError};

/// How much is compared and copied at once, in bytes.
const BUFFER: usize = 1024 * 1024;
/// How a wheel's name ends.
const WHEEL: &str = ".whl";
/// How many folders deep a tree can be.
const DEEPEST: usize = 16;

/// Any name: what flushes an entry flushes the folder that it is in.
const MEMBER: &str = "entry";

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReleaseFile {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) cid: Cid,
    /// In bytes.
    pub(super) size: u64,
}

/// What was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) written: Amount,
    pub(super) linked: Amount,
}

impl Amount {
    /// One more file of so many bytes.
    pub(super) fn add_file(&mut self, size: u64) {
        self.blocks += 1;
        self.bytes += size;
    }
}

impl ReleaseFile {
    /// Whether it is a wheel; all others are pages and metadata.
    pub(super) fn is_wheel(&self) -> bool {
        self.path.ends_with(WHEEL)
    }

    /// Whether a file of its size is at its path; its bytes are not looked at.
    pub(super) fn is_at(&self, tree: &Path) -> Result<bool, TargetError> {
        let path = tree.join(&self.path);
        match fs::symlink_metadata(&path) {
            Ok(there) => Ok(there.is_file() && there.len() == self.size),
            Err(error) if is_absence(&error) => Ok(false),
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Whether the file at its path has its bytes.
    pub(super) fn is_whole(
        &self,
        archive: &CarReader<File>,
        tree: &Path,
    ) -> Result<bool, TargetError> {
        if !self.is_at(tree)? {
            return Ok(false);
        }
        let path = tree.join(&self.path);
        let compare = || -> io::Result<bool> {
            let mut there = File::open(&path)?;
            let mut expected = FileReader::open(archive, &self.cid).map_err(io::Error::other)?;
            let (mut one, mut other) = (vec![0; BUFFER], vec![0; BUFFER]);
            loop {
                // Blocks are hashed as they are read.
                let count = expected.read(&mut one)?;
                if count == 0 {
                    return Ok(there.read(&mut other[..1])? == 0);
                }
                match there.read_exact(&mut other[..count]) {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Ok(false);
                    }
                    outcome => outcome?,
                }
                if one[..count] != other[..count] {
                    return Ok(false);
                }
            }
        };
        compare().map_err(|error| unusable(&path, &error))
    }

    fn write(
        &self,
        archive: &CarReader<File>,
        tree: &Path,
        report: Report<'_>,
    ) -> Result<(), TargetError> {
        let path = tree.join(&self.path);
        let write = || -> io::Result<()> {
            let mut source = FileReader::open(archive, &self.cid).map_err(io::Error::other)?;
            let mut file = AtomicFile::create(&path)?;
            let mut buffer = vec![0; BUFFER];
            loop {
                let count = source.read(&mut buffer)?;
                if count == 0 {
                    return file.commit();
                }
                file.write_all(&buffer[..count])?;
                report(Step::Bytes(count as u64));
            }
        };
        write().map_err(|error| unusable(&path, &error))
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Every file of the release, in the order of their paths' parts.
pub(super) fn of(archive: &CarReader<File>) -> Result<Vec<ReleaseFile>, TargetError> {
    let mut files = Vec::new();
    gather(archive, &archive.root(), "", 0, &mut files).map_err(TargetError::world)?;
    Ok(files)
}

fn gather(
    archive: &CarReader<File>,
    folder: &Cid,
    prefix: &str,
    depth: usize,
    files: &mut Vec<ReleaseFile>,
) -> Result<(), CarError> {
    let refuse = |reason: String| CarError::Tree {
        cid: *folder,
        reason,
    };
    if depth == DEEPEST {
        return Err(refuse(format!("is nested deeper than {DEEPEST} folders")));
    }
    for entry in archive.list(folder)?.unwrap_or_default() {
        // Names that another system would take for a way out of the folder, or for another name.
        if entry.name.contains(['\\', ':']) || entry.name.chars().any(char::is_control) {
            return Err(refuse(format!(
                "has the entry `{}`, which is no file's name everywhere",
                entry.name.escape_debug()
            )));
        }
        let path = format!("{prefix}{}", entry.name);
        let cid = entry.link.cid;
        match archive.found(&cid)?.kind {
            Kind::File { size } => files.push(ReleaseFile { path, cid, size }),
            Kind::Directory => gather(archive, &cid, &format!("{path}/"), depth + 1, files)?,
        }
    }
    Ok(())
}

/// Makes the tree, whole when it has its name. What a cut run has made of it is used where its bytes are right, and
/// files of the tree `before` are linked to where they are the same.
pub(super) fn make(
    archive: &CarReader<File>,
    files: &[ReleaseFile],
    tree: &Path,
    before: Option<&Path>,
    report: Report<'_>,
) -> Result<Made, TargetError> {
    // A tree that has its name was whole: somebody has taken files away, which come back one by one.
    let is_repair = is_folder(tree)?;
    let name = tree.file_name().unwrap_or_default().to_string_lossy();
    let place: PathBuf = if is_repair {
        tree.to_path_buf()
    } else {
        tree.with_file_name(partial(&name))
    };
    let mut made = Made {
        written: Amount::of_files(),
        linked: Amount::of_files(),
    };
    // What is written is flushed with its entry; of links the entries are all.
    let mut folders = BTreeSet::new();
    fs::create_dir_all(&place).map_err(|error| unusable(&place, &error))?;
    for file in files {
        if file.is_whole(archive, &place)? {
            continue;
        }
        let path = place.join(&file.path);
        let folder = path.parent().unwrap_or(&place);
        fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        if let Some(before) = before
            && file.is_whole(archive, before)?
            && link(&before.join(&file.path), &path)
        {
            made.linked.add_file(file.size);
            folders.insert(folder.to_path_buf());
            continue;
        }
        file.write(archive, &place, report)?;
        made.written.add_file(file.size);
    }
    for folder in folders {
        sync_directory(&folder.join(MEMBER)).map_err(|error| unusable(&folder, &error))?;
    }
    if !is_repair {
        fs::rename(&place, tree)
            .and_then(|()| sync_directory(tree))
            .map_err(|error| unusable(tree, &error))?;
    }
    Ok(made)
}

/// One file under two names. Not every file system has that, nor between any two places; then it is copied.
fn link(there: &Path, path: &Path) -> bool {
    let is_gone = match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    // A run that was killed may have begun to write it.
    is_gone && AtomicFile::forget(path).is_ok() && fs::hard_link(there, path).is_ok()
}
