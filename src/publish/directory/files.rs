//! Files of a release, and files of a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, FileReader};

use super::layout::{Store, is_folder};
use crate::foundation::environment::{AtomicFile, sync_directory};
use crate::foundation::failure::Failure;
use crate::foundation::failure::unusable;
use crate::publish::amount::Amount;
use crate::publish::site::ReleaseFile;
use crate::publish::target::{Report, Step};
use crate::release::archive;
use crate::release::statement::folder::partial;

/// The size of the buffer for comparing and copying, in bytes.
const BUFFER: usize = 1024 * 1024;

/// A file in the folder to flush, of any name: flushing an entry flushes its folder.
const MEMBER: &str = "entry";

/// The files that were made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) written: Amount,
    pub(super) linked: Amount,
}

impl Amount {
    /// Counts another file of this size.
    pub(super) fn add_file(&mut self, size: u64) {
        self.blocks += 1;
        self.bytes += size;
    }
}

/// Whether a file of the right size is at its path; its bytes are not compared.
pub(super) fn is_at(file: &ReleaseFile, tree: &Path) -> Result<bool, Failure> {
    let path = tree.join(&file.path);
    match fs::symlink_metadata(&path) {
        Ok(there) => Ok(there.is_file() && there.len() == file.size),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Whether the file at its path has the right bytes.
pub(super) fn is_whole(file: &ReleaseFile, blocks: &Store, tree: &Path) -> Result<bool, Failure> {
    if !is_at(file, tree)? {
        return Ok(false);
    }
    let path = tree.join(&file.path);
    let compare = || -> io::Result<bool> {
        let mut there = File::open(&path)?;
        let mut expected = FileReader::open(blocks, &file.cid)?;
        let (mut one, mut other) = (vec![0; BUFFER], vec![0; BUFFER]);
        loop {
            // Blocks are hashed while they are read.
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
    compare().map_err(|error| unreadable(&path, &error))
}

fn write(
    file: &ReleaseFile,
    blocks: &Store,
    tree: &Path,
    report: Report<'_>,
) -> Result<(), Failure> {
    let path = tree.join(&file.path);
    let write = || -> io::Result<()> {
        let mut source = FileReader::open(blocks, &file.cid)?;
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
    write().map_err(|error| unreadable(&path, &error))
}

/// Overwrites the file at its path.
pub(super) fn replace(file: &ReleaseFile, blocks: &Store, tree: &Path) -> Result<(), Failure> {
    let path = tree.join(&file.path);
    let folder = path.parent().unwrap_or(tree);
    fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    write(file, blocks, tree, &|_| {})
}

/// Writes the hollow archive of a release.
pub(super) fn write_hollow(blocks: &Store, root: Cid, path: &Path) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let file = BufWriter::new(AtomicFile::create(path)?);
        let (file, _) = archive::write_hollow(blocks, root, file)?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .commit()
    };
    write().map_err(|error| unreadable(path, &error))
}

/// The failure to read or write a file: a part that the delta leaves out may be damaged in the
/// folder.
fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<CarError>());
    match inner {
        Some(CarError::Missing(_)) => Failure::refused(format!(
            "the bytes of `{}` are damaged in this folder, and the delta leaves them out",
            path.display()
        )),
        _ => unusable(path, error),
    }
}

/// Whether an error means that the file does not exist.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Makes the tree, which gets its name when it is complete. Files of an interrupted run are used if
/// their bytes are right, and files that equal those of the tree `before` are linked.
pub(super) fn make(
    blocks: &Store,
    files: &[ReleaseFile],
    tree: &Path,
    before: Option<&Path>,
    report: Report<'_>,
) -> Result<Made, Failure> {
    // A tree with its name was complete: its missing files are restored one by one.
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
    // A written file is flushed with its entry; links have only entries.
    let mut folders = BTreeSet::new();
    fs::create_dir_all(&place).map_err(|error| unusable(&place, &error))?;
    for file in files {
        if is_whole(file, blocks, &place)? {
            continue;
        }
        let path = place.join(&file.path);
        let folder = path.parent().unwrap_or(&place);
        fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        if let Some(before) = before
            && is_whole(file, blocks, before)?
            && link(&before.join(&file.path), &path)
        {
            made.linked.add_file(file.size);
            folders.insert(folder.to_path_buf());
            continue;
        }
        write(file, blocks, &place, report)?;
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

/// Gives a file a second name. If the file system does not support that between these places, the
/// file is copied.
fn link(there: &Path, path: &Path) -> bool {
    let is_gone = match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    // A killed run may have begun to write it.
    is_gone && AtomicFile::forget(path).is_ok() && fs::hard_link(there, path).is_ok()
}
