//! DAGs of local files and folders, as `ipfs add -r` makes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl_unixfs::{
    Cid, DirectoryDag, DirectoryEntry, FileDag, Link, Profile, hash_files, symlink,
};

use super::session::processors;
use crate::foundation::failure::Failure;

/// The maximum depth of folders below a path.
const MAXIMUM_DEPTH: usize = 256;

/// Paths and everything below them. Symbolic links stay links. Hidden files below a folder are left
/// out.
pub struct LocalFiles {
    entries: Vec<Entry>,
    files: Files,
}

/// A path and everything below it.
enum Entry {
    /// The index of a file among all files.
    File(usize),
    Symlink(String),
    Directory(BTreeMap<String, Entry>),
}

/// The files below some paths.
#[derive(Default)]
struct Files {
    paths: Vec<PathBuf>,
    sizes: Vec<u64>,
}

impl LocalFiles {
    /// Lists everything below these paths. No file is read yet.
    ///
    /// # Errors
    /// When a path cannot be read, is neither a file, a folder nor a link, or has a name that is
    /// not UTF-8.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut files = Files::default();
        let entries = paths.iter().map(|path| walk(path, 0, &mut files));
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
            files,
        })
    }

    /// The CIDs of the paths, in their order.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn cids(&self, profile: Profile) -> Result<Vec<Cid>, Failure> {
        let Files { paths, sizes } = &self.files;
        let dags = hash_files(profile, sizes, processors(), |index| {
            fs::File::open(&paths[index])
        })
        .map_err(|error| unreadable(&paths[error.index], &error.error))?;
        let links = self.entries.iter().map(|entry| link(profile, entry, &dags));
        links.map(|link| Ok(link?.cid)).collect()
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}

/// Lists everything below a path. A folder's hidden files are left out.
fn walk(path: &Path, depth: usize, files: &mut Files) -> Result<Entry, Failure> {
    let failed = |error| unreadable(path, &error);
    if depth > MAXIMUM_DEPTH {
        return Err(Failure::world(format!(
            "`{}` is more than {MAXIMUM_DEPTH} folders deep",
            path.display()
        )));
    }
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    // `ipfs add` keeps a link that is named on the command line, too.
    if metadata.is_symlink() {
        let target = fs::read_link(path).map_err(failed)?;
        let target = target.into_os_string().into_string().map_err(|target| {
            Failure::world(format!(
                "the link `{}` refers to `{}`, which is not UTF-8",
                path.display(),
                target.to_string_lossy()
            ))
        })?;
        return Ok(Entry::Symlink(target));
    }
    if metadata.is_file() {
        files.paths.push(path.to_path_buf());
        files.sizes.push(metadata.len());
        return Ok(Entry::File(files.paths.len() - 1));
    }
    if !metadata.is_dir() {
        return Err(Failure::world(format!(
            "`{}` is neither a file nor a folder",
            path.display()
        )));
    }
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| {
            Failure::world(format!(
                "the name `{}` in `{}` is not UTF-8",
                name.to_string_lossy(),
                path.display()
            ))
        })?;
        if name.starts_with('.') {
            continue;
        }
        entries.insert(name, walk(&entry.path(), depth + 1, files)?);
    }
    Ok(Entry::Directory(entries))
}

fn link(profile: Profile, entry: &Entry, dags: &[FileDag]) -> Result<Link, Failure> {
    match entry {
        Entry::File(index) => Ok(dags[*index].link()),
        Entry::Symlink(target) => Ok(symlink(profile, target).0),
        Entry::Directory(entries) => {
            let mut links = Vec::with_capacity(entries.len());
            for (name, entry) in entries {
                links.push(DirectoryEntry {
                    name: name.clone(),
                    link: link(profile, entry, dags)?,
                });
            }
            let directory =
                DirectoryDag::build(profile, links).map_err(|error| Failure::caused(&error))?;
            Ok(directory.link())
        }
    }
}
