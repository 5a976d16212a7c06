//! The cache (FORMATS 7): wheels by content, facts by content and by the version of the checks that
//! found them. Deleting the cache costs only time.
//!
//! ```text
//! wheels/<CIDv1>.whl       the bytes, verified before they were stored
//! facts/<version>/<key>    results of checks
//! blocks/<CIDv1>           single blocks of releases that could not be filled yet
//! by-sha256/<hex>          the CID of a file that an index names by its SHA-256
//! metadata/<hex>           METADATA of a wheel, by the wheel's SHA-256
//! advisories/<hex>.index   the advisories of a database, by project
//! advisories/<hex>.zip     a database from a web address, with <hex>.json beside it
//! partial/                 unfinished files of running processes
//! CACHEDIR.TAG             marks the folder as a cache of this program
//! .lock                    shared by the runs that use wheels, and exclusive for one that removes files
//! ```
//!
//! Any number of processes may use one cache: files appear by rename, complete. No file is flushed
//! to the disk, so a power failure may leave one with other bytes. Each file is verified whenever it
//! is read: wheels and blocks by their CID, all others by a checksum in them.
//!
//! The modification time of a file is that of its last use, to a day.

mod advisories;
mod layout;
mod limit;
mod mark;
mod metadata;
mod prune;
mod usage;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ipwhl_unixfs::{Cid, FileDag, Profile, Sha256Digest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use super::cache_error::CacheError;
use super::facts;
use super::touch::touch;
use super::verify::{self, Expectation};
use super::workspace::Workspace;
use crate::foundation::environment::make_private_folder;
pub(super) use advisories::FetchedDatabase;
pub(super) use layout::{BLOCKS, canonical};
use layout::{FACTS, HASHES, PARTIAL, WHEELS, file_name};
pub use limit::{CACHE_LIMIT_VARIABLE, Pruned, configured_limit};
pub(super) use metadata::StoredMetadata;
pub use prune::{CachePart, ClaimError, ClaimedCache, Removed};
use usage::Usage;

/// A cache in a folder. Cheap to clone. Nothing is written before something is stored.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    workspace: Arc<Mutex<Option<Arc<Workspace>>>>,
    usage: Arc<Usage>,
}

/// A wheel in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedWheel {
    /// The file.
    pub path: PathBuf,
    /// The DAG with the CID that the wheel was requested by.
    pub dag: FileDag,
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
}

impl Cache {
    /// A cache in this folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            workspace: Arc::default(),
            usage: Arc::default(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The cached wheel with this CID, if its bytes match. They are hashed; a file with other bytes
    /// is removed.
    pub fn wheel(&self, cid: &Cid) -> Option<CachedWheel> {
        let size = self.open_wheel(cid)?.metadata().ok()?.len();
        let path = self.wheel_path(cid);
        if let Ok(Some((dag, sha256))) = rehash(&path, cid, size) {
            return Some(CachedWheel { path, dag, sha256 });
        }
        self.forget(cid);
        None
    }

    /// The cached bytes of the wheel with this CID. They are not verified.
    pub fn open_wheel(&self, cid: &Cid) -> Option<File> {
        let path = self.wheel_path(cid);
        self.usage.begin(&self.root);
        let file = File::open(&path).ok()?;
        if self.usage.note(path) {
            touch(&file, file.metadata().and_then(|wheel| wheel.modified()));
        }
        Some(file)
    }

    /// Records that this run uses a file, so that neither this run nor others remove it.
    pub(super) fn note_use(&self, path: PathBuf) {
        self.usage.begin(&self.root);
        self.usage.note(path);
    }

    /// Removes a wheel whose bytes are wrong.
    pub fn forget(&self, cid: &Cid) {
        // If it cannot be removed, it is hashed and refused each time.
        let _ = fs::remove_file(self.wheel_path(cid));
    }

    /// The facts that are stored under a version and a key, unless they are absent or damaged.
    pub fn facts<T: DeserializeOwned>(&self, version: &str, key: &str) -> Option<T> {
        let (folder, name) = self.facts_place(version, key);
        let path = folder.join(file_name(key));
        let facts = facts::read(&path, &name)?;
        self.usage.note(path);
        Some(facts)
    }

    /// Stores facts under a version, such as that of the checks, and a key, such as a CID.
    pub fn keep_facts<T: Serialize>(
        &self,
        version: &str,
        key: &str,
        facts: &T,
    ) -> Result<(), CacheError> {
        let (folder, name) = self.facts_place(version, key);
        self.write_facts(&folder, &file_name(key), &name, facts)
    }

    fn facts_place(&self, version: &str, key: &str) -> (PathBuf, String) {
        let folder = self.root.join(FACTS).join(file_name(version));
        (folder, format!("{version}\0{key}"))
    }

    /// The CID of a file that was fetched by its SHA-256 alone, under a profile.
    pub(super) fn cid_of(&self, sha256: &Sha256Digest, profile: Profile) -> Option<Cid> {
        let name = format!("{sha256}-{profile}");
        facts::read(&self.root.join(HASHES).join(&name), &name)
    }

    pub(super) fn keep_cid_of(
        &self,
        sha256: &Sha256Digest,
        profile: Profile,
        cid: &Cid,
    ) -> Result<(), CacheError> {
        let name = format!("{sha256}-{profile}");
        self.write_facts(&self.root.join(HASHES), &name, &name, cid)
    }

    /// A new unfinished file.
    pub(super) fn partial(&self) -> Result<NamedTempFile, CacheError> {
        let workspace = self.workspace()?;
        workspace
            .file()
            .map_err(CacheError::at(workspace.folder(), "write"))
    }

    /// Moves a verified file to its place.
    pub(super) fn keep_wheel(
        &self,
        file: NamedTempFile,
        dag: FileDag,
        sha256: Sha256Digest,
    ) -> Result<CachedWheel, CacheError> {
        let path = self.wheel_path(&dag.cid());
        make_folder(&self.wheels())?;
        put(file, &path)?;
        self.usage.note(path.clone());
        self.usage.note_kept_wheel();
        Ok(CachedWheel { path, dag, sha256 })
    }

    fn write_facts<T: Serialize>(
        &self,
        folder: &Path,
        file_name: &str,
        name: &str,
        facts: &T,
    ) -> Result<(), CacheError> {
        let mut file = self.partial()?;
        let path = file.path().to_owned();
        facts::write(file.as_file_mut(), name, facts).map_err(CacheError::at(&path, "write"))?;
        make_folder(folder)?;
        let path = folder.join(file_name);
        put(file, &path)?;
        self.usage.note(path);
        Ok(())
    }

    fn workspace(&self) -> Result<Arc<Workspace>, CacheError> {
        let mut workspace = self
            .workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(workspace) = &*workspace {
            return Ok(Arc::clone(workspace));
        }
        // If it cannot be made, its folders cannot either, and that is reported.
        let _ = make_private_folder(&self.root);
        // A folder with other files is used without a mark, and nothing is ever removed from it.
        let _ = mark::mark(&self.root);
        self.usage.begin(&self.root);
        let parent = self.root.join(PARTIAL);
        let made = Workspace::open(&parent).map_err(CacheError::at(&parent, "make"))?;
        Ok(Arc::clone(workspace.insert(Arc::new(made))))
    }

    fn wheels(&self) -> PathBuf {
        self.root.join(WHEELS)
    }

    fn wheel_path(&self, cid: &Cid) -> PathBuf {
        self.wheels().join(format!("{}.whl", canonical(cid)))
    }
}

pub(super) fn put(file: NamedTempFile, path: &Path) -> Result<(), CacheError> {
    match file.persist(path) {
        Ok(_) => Ok(()),
        // If a file in use cannot be replaced, the existing one is as good.
        Err(_) if cfg!(windows) && path.exists() => Ok(()),
        Err(error) => Err(CacheError::new(path, "write", error.error)),
    }
}

pub(super) fn make_folder(folder: &Path) -> Result<(), CacheError> {
    make_private_folder(folder).map_err(CacheError::at(folder, "make"))
}

pub(super) fn rehash(
    path: &Path,
    cid: &Cid,
    size: u64,
) -> io::Result<Option<(FileDag, Sha256Digest)>> {
    let expectation = Expectation {
        content_id: Some(*cid),
        sha256: None,
        size: Some(size),
        profile: Profile::default(),
    };
    let (dag, sha256) = verify::hash(expectation.first_profile(), &mut File::open(path)?)?;
    let compared = expectation.compare(dag, sha256, &mut || File::open(path))?;
    Ok(compared
        .content_fits
        .then_some((compared.dag, compared.sha256)))
}
