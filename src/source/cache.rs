//! The cache (FORMATS 7): wheels by content, facts by content and by the version of the checks
//! that found them. Deleting it costs time, nothing else.
//!
//! ```text
//! wheels/<CIDv1>.whl       the bytes, verified before they came here
//! wheels/<CIDv1>.v<0|1>    what is known of them: the DAG, the SHA-256, the file's size and time
//! facts/<version>/<key>    whatever a check found
//! blocks/<CIDv1>           single blocks of releases that could not be filled yet
//! by-sha256/<hex>          the CID of a file that an index names by its SHA-256
//! partial/                 unfinished files of runs that are under way
//! CACHEDIR.TAG             says whose folder it is
//! .lock                    shared by the runs that use wheels, and held alone by one that removes files
//! ```
//!
//! Any number of processes may use one cache: files appear by rename, whole. The time of a file's
//! last change is that of its last use, to a day; of a wheel, that of what is known of it.

mod layout;
mod limit;
mod mark;
mod prune;
mod usage;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ipwhl_unixfs::{Cid, FileDag, Profile, Sha256Digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::cache_error::CacheError;
use super::facts;
use super::touch::touch;
use super::verify::{self, Expectation};
use super::workspace::Workspace;
use crate::foundation::environment::make_private_folder;
pub(super) use layout::{BLOCKS, canonical};
use layout::{FACTS, HASHES, PARTIAL, WHEELS, file_name, known_name};
pub use limit::{CACHE_LIMIT_VARIABLE, Pruned, configured_limit};
pub use prune::{CachePart, ClaimError, ClaimedCache, Removed};
use usage::Usage;

/// A cache in a folder. Cheap to clone. Nothing is written before something is kept.
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
    /// The DAG that has the CID by which the wheel was asked for.
    pub dag: FileDag,
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
}

/// What is known of a wheel's file, and the state of the file for which it is known.
#[derive(Serialize, Deserialize)]
struct Known {
    dag: FileDag,
    sha256: Sha256Digest,
    stamp: Stamp,
}

/// The state of a file: whoever changes its bytes changes this, unless by purpose. It spares a
/// second hashing of what has been hashed; a reader of blocks hashes each of them anyway.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified_seconds: u64,
    modified_nanoseconds: u32,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self {
            size: metadata.len(),
            modified_seconds: modified.as_secs(),
            modified_nanoseconds: modified.subsec_nanos(),
        })
    }
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

    /// The wheel with this CID, if it is there and its bytes are right. A file that has changed
    /// since it was verified is hashed again, and removed when it is not the wheel any more.
    pub fn wheel(&self, cid: &Cid) -> Option<CachedWheel> {
        let path = self.wheel_path(cid);
        self.note_use(path.clone());
        let stamp = Stamp::of(&path)?;
        let name = known_name(cid);
        if let Some(known) = facts::read::<Known>(&self.wheels().join(&name), &name)
            && known.stamp == stamp
            && known.dag.cid() == *cid
        {
            return Some(CachedWheel {
                path,
                dag: known.dag,
                sha256: known.sha256,
            });
        }
        if let Ok(Some((dag, sha256))) = rehash(&path, cid, stamp.size) {
            let wheel = CachedWheel { path, dag, sha256 };
            // Without this, the next run hashes once more.
            let _ = self.note(cid, &wheel, stamp);
            return Some(wheel);
        }
        self.forget(cid);
        None
    }

    /// The bytes of the wheel with this CID, if they are there. They are not looked at.
    pub fn open_wheel(&self, cid: &Cid) -> Option<File> {
        let path = self.wheel_path(cid);
        self.usage.begin(&self.root);
        let file = File::open(&path).ok()?;
        if self.usage.note(path)
            && let Ok(known) = File::open(self.wheels().join(known_name(cid)))
        {
            touch(&known, known.metadata().and_then(|known| known.modified()));
        }
        Some(file)
    }

    /// Notes that this run uses a file, so that none of its own work takes it away, and keeps other
    /// runs from it.
    pub(super) fn note_use(&self, path: PathBuf) {
        self.usage.begin(&self.root);
        self.usage.note(path);
    }

    /// Removes a wheel whose bytes turned out to be wrong.
    pub fn forget(&self, cid: &Cid) {
        // Gone already, or not to be removed, in which case it is hashed and refused each time.
        let _ = fs::remove_file(self.wheels().join(known_name(cid)));
        let _ = fs::remove_file(self.wheel_path(cid));
    }

    /// The facts that are kept under a version and a key, unless they are absent or damaged.
    pub fn facts<T: DeserializeOwned>(&self, version: &str, key: &str) -> Option<T> {
        let (folder, name) = self.facts_place(version, key);
        let path = folder.join(file_name(key));
        let facts = facts::read(&path, &name)?;
        self.usage.note(path);
        Some(facts)
    }

    /// Keeps facts under a version, as that of the checks that found them, and a key, as a CID.
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

    /// Puts a verified file at its place.
    pub(super) fn keep_wheel(
        &self,
        file: NamedTempFile,
        dag: FileDag,
        sha256: Sha256Digest,
    ) -> Result<CachedWheel, CacheError> {
        let cid = dag.cid();
        let path = self.wheel_path(&cid);
        // Flushed first: after a power failure the file must not be there without its bytes.
        file.as_file()
            .sync_all()
            .map_err(CacheError::at(file.path(), "write"))?;
        make_folder(&self.wheels())?;
        put(file, &path)?;
        self.usage.note(path.clone());
        self.usage.note_kept_wheel();
        let wheel = CachedWheel { path, dag, sha256 };
        if let Some(stamp) = Stamp::of(&wheel.path) {
            self.note(&cid, &wheel, stamp)?;
        }
        Ok(wheel)
    }

    fn note(&self, cid: &Cid, wheel: &CachedWheel, stamp: Stamp) -> Result<(), CacheError> {
        let name = known_name(cid);
        let known = Known {
            dag: wheel.dag.clone(),
            sha256: wheel.sha256,
            stamp,
        };
        self.write_facts(&self.wheels(), &name, &name, &known)
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
        // Where it cannot be made, its folders cannot either, and that is said.
        let _ = make_private_folder(&self.root);
        // A folder that has other things too is used as it is, and nothing is ever removed from it.
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
        // Where a file that somebody reads cannot be replaced, the one that is there is as good.
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
