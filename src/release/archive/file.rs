//! Archives as files: opening, naming, and writing them atomically.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader};

use super::ArchiveKind;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain, unwritable};

/// The ending of every archive's name.
const ENDING: &str = ".car";
/// The size of the write buffer, in bytes.
const BUFFER: usize = 1024 * 1024;

/// Opens an archive.
///
/// # Errors
/// When the file cannot be read, or is not an archive.
pub fn open_archive(path: &Path) -> Result<CarReader<File>, Failure> {
    let file = File::open(path).map_err(|error| unreadable_archive(path, &error))?;
    CarReader::open(file).map_err(|error| archive_failure(path, &error))
}

/// The failure for a damaged archive. Errors of the system concern the disk, not the archive.
pub fn archive_failure(path: &Path, error: &CarError) -> Failure {
    if let CarError::Io(error) = error
        && error.raw_os_error().is_some()
    {
        return unreadable_archive(path, error);
    }
    Failure::finding(format!("`{}`: {}", path.display(), archive_problem(error)))
        .help("fetch the release again from another place")
}

/// The problem with an archive, as a sentence.
pub fn archive_problem(error: &CarError) -> String {
    match error {
        CarError::Truncated { offset: 0 } => {
            "it is not an archive, or only the beginning of one".to_owned()
        }
        _ => error_chain(error),
    }
}

/// The failure for an archive that the system cannot read.
pub fn unreadable_archive(path: &Path, error: &io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}

/// The name of the archive of another kind beside this one: `release.hollow.car` for `release.car`,
/// and back. `None` if the name does not show its kind.
pub fn sibling_archive(path: &Path, kind: ArchiveKind) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(ENDING)?;
    let parts = [ArchiveKind::Delta, ArchiveKind::Hollow];
    let bare = parts.into_iter().find_map(|part| {
        stem.strip_suffix(part.as_str())
            .and_then(|stem| stem.strip_suffix('.'))
    });
    let name = match (kind, bare) {
        (ArchiveKind::Full, Some(bare)) => format!("{bare}{ENDING}"),
        (ArchiveKind::Full, None) => return None,
        (part, bare) => format!("{}.{part}{ENDING}", bare.unwrap_or(stem)),
    };
    Some(path.with_file_name(name))
}

/// Whether the archive at this path, if there is one, is of this root.
pub fn may_replace(path: &Path, root: Cid) -> bool {
    match File::open(path) {
        Ok(file) => CarReader::root_of(file).is_ok_and(|other| other == root),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// An archive that is being written. It gets its name when it is complete.
#[derive(Debug)]
pub struct ArchiveOutput {
    path: PathBuf,
    has_failed: Rc<Cell<bool>>,
}

/// The file that receives its bytes.
#[derive(Debug)]
pub struct ArchiveOutputFile {
    file: BufWriter<AtomicFile>,
    has_failed: Rc<Cell<bool>>,
}

impl ArchiveOutput {
    /// Begins to write the archive at `path`.
    ///
    /// # Errors
    /// When `path` is a folder, or nothing can be written.
    pub fn create(path: PathBuf) -> Result<(Self, ArchiveOutputFile), Failure> {
        let has_failed = Rc::new(Cell::new(false));
        let output = Self {
            path,
            has_failed: Rc::clone(&has_failed),
        };
        if output.path.is_dir() {
            return Err(Failure::usage(format!(
                "`{}` is a folder, but an archive is a file",
                output.path.display()
            ))
            .help("name a file with `--output`"));
        }
        let file = AtomicFile::create(&output.path).map_err(|error| output.unwritable(&error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok((output, ArchiveOutputFile { file, has_failed }))
    }

    /// The path of the finished archive.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the complete archive its name.
    ///
    /// # Errors
    /// When writing to the disk fails.
    pub fn commit(self, file: ArchiveOutputFile) -> Result<(), Failure> {
        let file = file.file.into_inner().map_err(IntoInnerError::into_error);
        file.and_then(AtomicFile::commit)
            .map_err(|error| self.unwritable(&error))
    }

    /// The failure to write it: either of the output disk, or of the archive at `source`.
    pub fn failed(&self, source: &Path, error: &CarError) -> Failure {
        match error {
            CarError::Io(error) if self.has_failed.get() => self.unwritable(error),
            other => archive_failure(source, other),
        }
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        unwritable(&self.path, error)
    }
}

impl ArchiveOutputFile {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.has_failed.set(true);
        }
        result
    }
}

impl Write for ArchiveOutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.noted(flushed)
    }
}
