//! A repository with its texts in memory, such as one embedded in a release.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::LoadError;
use super::files::{Files, Kind, MAXIMUM_TEXT, too_large};

/// Files by their paths from the repository's folder, with `/`.
pub(super) struct Texts {
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Files for Texts {
    const HAS_EMPTY_FOLDERS: bool = false;

    fn kind(&self, name: &str) -> Option<Kind> {
        if self.files.contains_key(name) {
            return Some(Kind::File);
        }
        let below = format!("{name}/");
        let next = self.files.range(below.clone()..).next();
        next.is_some_and(|(path, _)| path.starts_with(&below))
            .then_some(Kind::Folder)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self.files.get(name) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(bytes) if bytes.len() as u64 > MAXIMUM_TEXT => Err(too_large()),
            Some(bytes) => Ok(bytes.clone()),
        }
    }

    fn entries(&self, folder: &str) -> Result<Vec<(String, Kind)>, LoadError> {
        let below = format!("{folder}/");
        let inside = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&below));
        let mut found: BTreeMap<String, Kind> = BTreeMap::new();
        for rest in inside {
            match rest.split_once('/') {
                Some((inner, _)) => found.insert(inner.to_owned(), Kind::Folder),
                None => found.insert(rest.to_owned(), Kind::File),
            };
        }
        Ok(found.into_iter().collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}
