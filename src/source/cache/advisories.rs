//! Databases of advisories in the cache: those that were fetched, and the index of each.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;

use ipwhl_unixfs::Sha256Digest;
use serde::{Deserialize, Serialize};

use super::super::cache_error::CacheError;
use super::super::facts;
use super::super::limits::LARGEST_DATABASE;
use super::super::touch::touch;
use super::layout::ADVISORIES;
use super::{Cache, make_folder, put};

/// A database that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct FetchedDatabase {
    /// The SHA-256 of its bytes.
    pub(in crate::source) sha256: Sha256Digest,
    /// The value with which a server recognises it, if it gave one.
    pub(in crate::source) entity_tag: Option<String>,
}

/// Whether a file in the folder has a name that this program gives.
pub(super) fn is_database_file(name: &str) -> bool {
    let is_digest = |stem: &str| stem.parse::<Sha256Digest>().is_ok();
    name.rsplit_once('.')
        .is_some_and(|(stem, ending)| matches!(ending, "index" | "zip" | "json") && is_digest(stem))
}

impl Cache {
    /// The index that is stored under a key. Its bytes are not verified.
    pub fn advisory_index(&self, key: &str) -> Option<File> {
        self.open_advisories(key, "index")
    }

    /// Stores an index under a key.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_advisory_index(
        &self,
        key: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CacheError> {
        let file = self.partial()?;
        let path = file.path().to_owned();
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let written = write(&mut out);
        let file = out.into_inner().map_err(io::IntoInnerError::into_error);
        let file = written.and(file).map_err(CacheError::at(&path, "write"))?;
        let path = self.advisories_path(key, "index");
        make_folder(&self.root.join(ADVISORIES))?;
        put(file, &path)?;
        self.usage.note(path);
        Ok(())
    }

    /// The database that was fetched from an address, with its bytes, unless it is absent or
    /// damaged.
    pub(in crate::source) fn fetched_database(
        &self,
        address: &str,
    ) -> Option<(FetchedDatabase, Vec<u8>)> {
        let about: FetchedDatabase =
            facts::read(&self.advisories_path(address, "json"), &about_name(address))?;
        let mut bytes = Vec::new();
        let file = self.open_advisories(address, "zip")?;
        let mut file = file.take(LARGEST_DATABASE + 1);
        file.read_to_end(&mut bytes).ok()?;
        (Sha256Digest::of(&bytes) == about.sha256).then_some((about, bytes))
    }

    pub(in crate::source) fn keep_fetched_database(
        &self,
        address: &str,
        about: &FetchedDatabase,
        bytes: &[u8],
    ) -> Result<(), CacheError> {
        let mut file = self.partial()?;
        let path = file.path().to_owned();
        file.write_all(bytes)
            .map_err(CacheError::at(&path, "write"))?;
        let folder = self.root.join(ADVISORIES);
        make_folder(&folder)?;
        let path = self.advisories_path(address, "zip");
        put(file, &path)?;
        self.usage.note(path);
        let path = self.advisories_path(address, "json");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.write_facts(&folder, &name, &about_name(address), about)
    }

    fn open_advisories(&self, key: &str, ending: &str) -> Option<File> {
        let path = self.advisories_path(key, ending);
        self.usage.begin(&self.root);
        let file = File::open(&path).ok()?;
        if self.usage.note(path) {
            touch(&file, file.metadata().and_then(|file| file.modified()));
        }
        Some(file)
    }

    fn advisories_path(&self, key: &str, ending: &str) -> PathBuf {
        let name = format!("{}.{ending}", Sha256Digest::of(key.as_bytes()));
        self.root.join(ADVISORIES).join(name)
    }
}

fn about_name(address: &str) -> String {
    format!("advisories\0{address}")
}
