//! Archives as files: opened, named after each other, written whole.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader};

use super::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::Extent;
use crate::release::archive::car_name;
use crate::release::names::CAR;
use crate::release::statement::absent;

/// What a release is named by.
const NAMES: &str =
    "name an archive, or a folder that has one; `ipwhl fetch` gets the release of a site";
/// How every archive's name ends.
const ENDING: &str = ".car";
/// How much is written at once.
const BUFFER: usize = 1024 * 1024;

/// The archive that a path means: a folder stands for the `release.car` in it.
pub(super) fn archive_of(context: &Context<'_>, named: &Path) -> Result<PathBuf, Failure> {
    let path = context.absolute(named);
    if !path.is_dir() {
        return match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(named
                .to_str()
                .and_then(absent)
                .unwrap_or_else(|| unreadable(&path, &error).help(NAMES))),
        };
    }
    let car = path.join(CAR);
    if car.exists() {
        return Ok(car);
    }
    let parts = [Extent::Hollow, Extent::Delta].map(|extent| path.join(car_name(extent)));
    Err(match parts.iter().find(|part| part.exists()) {
        Some(part) => {
            let part = context.shown(part);
            Failure::world(format!(
                "`{}` has no `{CAR}`, only `{part}`",
                named.display()
            ))
            .help(format!(
                "`ipwhl fill {}` makes it full; or name it",
                shell_word(&part)
            ))
        }
        None => Failure::world(format!("`{}` has no `{CAR}`", named.display())).help(NAMES),
    })
}

/// Opens an archive.
pub(super) fn open(path: &Path) -> Result<CarReader<File>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    CarReader::open(file).map_err(|error| broken(path, &error))
}

/// What is wrong with an archive; what the system says is about the disk and not about the archive.
pub(super) fn broken(path: &Path, error: &CarError) -> Failure {
    if let CarError::Io(error) = error
        && error.raw_os_error().is_some()
    {
        return unreadable(path, error);
    }
    Failure::finding(format!("`{}`: {}", path.display(), error_chain(error)))
        .help("fetch the release anew from another place")
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}

/// The name of the archive of another extent beside this one: `release.hollow.car` for
/// `release.car`, and back. `None` where the name says nothing of its extent.
pub(super) fn named_after(path: &Path, extent: Extent) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(ENDING)?;
    let parts = [Extent::Delta, Extent::Hollow];
    let bare = parts.into_iter().find_map(|part| {
        stem.strip_suffix(part.as_str())
            .and_then(|stem| stem.strip_suffix('.'))
    });
    let name = match (extent, bare) {
        (Extent::Full, Some(bare)) => format!("{bare}{ENDING}"),
        (Extent::Full, None) => return None,
        (part, bare) => format!("{}.{part}{ENDING}", bare.unwrap_or(stem)),
    };
    Some(path.with_file_name(name))
}

/// Whether the archive at this place, if there is one, is of this root.
pub(super) fn may_replace(path: &Path, root: Cid) -> bool {
    match File::open(path) {
        Ok(file) => CarReader::root_of(file).is_ok_and(|other| other == root),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// An archive that is being written, and takes its name when it is whole.
pub(super) struct Target {
    path: PathBuf,
    has_failed: Rc<Cell<bool>>,
}

/// Where its bytes go.
pub(super) struct TargetFile {
    file: BufWriter<AtomicFile>,
    has_failed: Rc<Cell<bool>>,
}

impl Target {
    /// Begins to write the archive at `path`.
    pub(super) fn create(path: PathBuf) -> Result<(Self, TargetFile), Failure> {
        let has_failed = Rc::new(Cell::new(false));
        let target = Self {
            path,
            has_failed: Rc::clone(&has_failed),
        };
        if target.path.is_dir() {
            return Err(Failure::usage(format!(
                "`{}` is a folder, and an archive is a file",
                target.path.display()
            ))
            .help("name a file with `--output`"));
        }
        let file = AtomicFile::create(&target.path).map_err(|error| target.unwritable(&error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok((target, TargetFile { file, has_failed }))
    }

    /// Where it goes.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the archive its name.
    pub(super) fn commit(self, file: TargetFile) -> Result<(), Failure> {
        let file = file.file.into_inner().map_err(IntoInnerError::into_error);
        file.and_then(AtomicFile::commit)
            .map_err(|error| self.unwritable(&error))
    }

    /// Why it could not be made: the disk that it goes to, or the archive at `source`.
    pub(super) fn failed(&self, source: &Path, error: &CarError) -> Failure {
        match error {
            CarError::Io(error) if self.has_failed.get() => self.unwritable(error),
            other => broken(source, other),
        }
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        let failure = Failure::world(format!(
            "`{}` cannot be written: {error}",
            self.path.display()
        ));
        if error.kind() == io::ErrorKind::StorageFull {
            failure.help("make room and run the same command again")
        } else {
            failure
        }
    }
}

impl TargetFile {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.has_failed.set(true);
        }
        result
    }
}

impl Write for TargetFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.noted(flushed)
    }
}
