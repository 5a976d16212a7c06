//! The origin of a repository's texts: its folder as it is now, or a revision of it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::foundation::diagnostic::{Code, Finding};
use crate::foundation::environment::open_beneath;
use crate::set::declaration::LARGEST_DECLARATION;

use super::{CONFIGURATION_FILE, LoadError};

/// The largest declaration or `ipwhl.toml` that is read, in bytes.
pub(super) const MAXIMUM_TEXT: u64 = LARGEST_DECLARATION;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A symbolic link with any target.
    Link,
    /// A device, a pipe or another repository.
    Other,
    /// An entry whose name is not UTF-8; the given name is a printable form of it.
    Nameless,
}

/// A tree of files, named from the repository's folder, with `/`. Links below it are not followed.
pub(super) trait Files: Sync {
    /// Whether folders without files are visible.
    const HAS_EMPTY_FOLDERS: bool;

    /// The kind of the entry with a name; `None` if there is none.
    fn kind(&self, name: &str) -> Option<Kind>;

    /// The bytes of a regular file, at most [`MAXIMUM_TEXT`].
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// The entries of a folder, in no particular order.
    fn entries(&self, folder: &str) -> Result<Vec<(String, Kind)>, LoadError>;

    /// The path of the file, for messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// A folder of this machine.
pub(super) struct Folder<'p> {
    directory: &'p Path,
}

impl<'p> Folder<'p> {
    pub(super) fn new(directory: &'p Path) -> Self {
        Self { directory }
    }
}

/// A folder of this machine with replaced settings.
pub(super) struct WithSettings<'p> {
    pub(super) folder: Folder<'p>,
    pub(super) settings: &'p str,
}

impl Files for WithSettings<'_> {
    const HAS_EMPTY_FOLDERS: bool = true;

    fn kind(&self, name: &str) -> Option<Kind> {
        match name {
            CONFIGURATION_FILE => Some(Kind::File),
            _ => self.folder.kind(name),
        }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match name {
            CONFIGURATION_FILE => Ok(self.settings.as_bytes().to_vec()),
            _ => self.folder.read(name),
        }
    }

    fn entries(&self, folder: &str) -> Result<Vec<(String, Kind)>, LoadError> {
        self.folder.entries(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }
}

impl From<fs::FileType> for Kind {
    fn from(kind: fs::FileType) -> Self {
        if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

impl Files for Folder<'_> {
    const HAS_EMPTY_FOLDERS: bool = true;

    fn kind(&self, name: &str) -> Option<Kind> {
        let there = fs::symlink_metadata(self.path(name)).ok()?;
        Some(there.file_type().into())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        read_beneath(self.directory, name)
    }

    fn entries(&self, folder: &str) -> Result<Vec<(String, Kind)>, LoadError> {
        let directory = self.path(folder);
        let unreadable = |error| LoadError::Unreadable(directory.clone(), error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            entries.push(match entry.file_name().into_string() {
                Ok(name) => (name, kind.into()),
                Err(name) => (name.to_string_lossy().into_owned(), Kind::Nameless),
            });
        }
        Ok(entries)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The bytes of a regular file, at most [`MAXIMUM_TEXT`].
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (folder, name) = (path.parent(), path.file_name().and_then(OsStr::to_str));
    let (Some(folder), Some(name)) = (folder, name) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    read_beneath(folder, name)
}

/// The bytes of a regular file below a folder, at most [`MAXIMUM_TEXT`].
fn read_beneath(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    // A link could lead to any file of the current user, and a finding shows contents.
    let file = open_beneath(folder, name)?;
    // With spare room, so that one read gets everything and a second one sees the end.
    let room = file.metadata()?.len().min(MAXIMUM_TEXT) + 64;
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
    file.take(MAXIMUM_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAXIMUM_TEXT {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The error for a file that exceeds the limit.
pub(super) fn too_large() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it exceeds the limit of {MAXIMUM_TEXT} bytes"),
    )
}

/// The text of one declaration, at any path, and the findings about its encoding. `file` is its
/// name for findings.
///
/// # Errors
/// When it cannot be read, or is not a regular file.
pub(super) fn read_text(path: &Path, file: &Arc<str>) -> Result<(String, Vec<Finding>), LoadError> {
    let unreadable = |error| LoadError::Unreadable(path.to_path_buf(), error);
    let bytes = read_file(path).map_err(unreadable)?;
    Ok(decode(file, bytes))
}

/// The text of a file. Bytes that are not UTF-8 are a finding, and replaced.
pub(super) fn decode(file: &Arc<str>, bytes: Vec<u8>) -> (String, Vec<Finding>) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, Vec::new()),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let finding = Finding::new(
                Code::Syntax,
                format!("the file is not UTF-8: byte {start} does not begin a character"),
            )
            .at(file, start..start + '\u{fffd}'.len_utf8(), "")
            .help("save the file as UTF-8");
            (text, vec![finding])
        }
    }
}

/// The first part of the path to a folder below the repository's that is a symbolic link. A link
/// could lead to any file of the current user.
pub(super) fn first_link(files: &impl Files, folder: &str) -> Option<String> {
    let ends = folder.match_indices('/').map(|(end, _)| end);
    ends.chain([folder.len()])
        .map(|end| &folder[..end])
        .find(|part| files.kind(part) == Some(Kind::Link))
        .map(str::to_owned)
}
