//! Writes a bundle.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::{CarError, FileReader, file_dag};

use super::super::PublishError;
use super::super::site::{FileCheck, ReleaseFile};
use super::super::tree::resolved;
use super::super::whole_folder::whole_folder;
use super::description::BundleDescription;
use super::plan::{BundleFile, BundlePlan};
use super::{DESCRIPTION, FIND_LINKS, SIMPLE};
use crate::foundation::environment::{open_beneath, sync_directory};
use crate::foundation::failure::{Failure, unwritable};
use crate::release::archive::{ArchiveKind, BlockStore, OpenRelease, car_name, write_hollow};
use crate::release::names::{LOCK, STATEMENT};
use crate::release::statement::{SignedStatement, is_signature_of};
use crate::set::declaration::DeclaredWheel;
use crate::source::{Cache, Receiver as _};

/// The size of buffers, in bytes.
const BUFFER: usize = 1 << 20;
/// The largest description that is read, in bytes.
pub(super) const LARGEST_DESCRIPTION: u64 = 1 << 20;

/// A bundle that was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenBundle {
    /// The number of its files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// The place for a bundle. Refuses to replace anything but an empty folder and an earlier bundle.
///
/// # Errors
/// When something else is there, or a folder on the path cannot be read.
pub fn bundle_place(place: &Path) -> Result<PathBuf, Failure> {
    let refused = |reason: &str| {
        let error = PublishError::Occupied(place.to_path_buf(), reason.to_owned());
        Failure::usage(&error)
            .help("name a folder that does not exist, is empty, or is an earlier bundle")
    };
    let unreadable =
        |error: io::Error| Failure::world(format!("`{}` cannot be read: {error}", place.display()));
    let resolved = resolved(place).map_err(unreadable)?;
    let entries = match fs::read_dir(&resolved) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(refused("is a file"));
        }
        Err(error) => return Err(unreadable(error)),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<io::Result<_>>().map_err(unreadable)?;
    if names.is_empty() {
        return Ok(resolved);
    }
    if !names.iter().any(|name| name == DESCRIPTION) || read_description(&resolved).is_err() {
        return Err(refused("is a folder that is no bundle"));
    }
    match names.iter().find(|name| !is_of_bundle(name)) {
        Some(name) => Err(refused(&format!("is a bundle with another file, `{name}`"))),
        None => Ok(resolved),
    }
}

/// Whether a bundle has a file or folder of this name at its top.
fn is_of_bundle(name: &str) -> bool {
    let hollow = car_name(ArchiveKind::Hollow);
    [DESCRIPTION, LOCK, FIND_LINKS, SIMPLE, STATEMENT, hollow].contains(&name)
        || is_signature_of(name, STATEMENT)
}

/// Reads what was asked for from the description in a bundle.
pub(super) fn read_description(folder: &Path) -> Result<BundleDescription, Failure> {
    let read = open_beneath(folder, DESCRIPTION).and_then(|file| {
        let mut text = String::new();
        file.take(LARGEST_DESCRIPTION).read_to_string(&mut text)?;
        Ok(text)
    });
    let unreadable = |reason: &dyn std::fmt::Display| {
        Failure::finding(format!("`{DESCRIPTION}` cannot be read: {reason}"))
    };
    let text = read.map_err(|error| unreadable(&error))?;
    BundleDescription::parse(&text).map_err(|error| unreadable(&error))
}

impl BundlePlan {
    /// The wheels whose bytes a store does not have, as that of a hollow archive.
    ///
    /// # Errors
    /// When a node of a wheel is missing.
    pub fn lacking(&self, blocks: &BlockStore) -> Result<Vec<&DeclaredWheel>, CarError> {
        let mut lacking = Vec::new();
        for (path, wheel) in &self.wheels {
            if let Some(BundleFile::OfRelease(file)) = self.files.get(path)
                && !has_leaves(blocks, file)?
            {
                lacking.push(wheel);
            }
        }
        Ok(lacking)
    }
}

fn has_leaves(blocks: &BlockStore, file: &ReleaseFile) -> Result<bool, CarError> {
    let dag = file_dag(blocks, &file.cid, file.size, Profile::default())?;
    Ok(dag.is_none_or(|dag| dag.leaf_cids().all(|leaf| blocks.contains(&leaf))))
}

/// Writes a bundle to its place, whole or not at all. Wheels that the release lacks come from the
/// cache.
///
/// # Errors
/// When a file cannot be written, or a block of the release or a wheel of the cache cannot be read.
pub fn write_bundle(
    release: &OpenRelease,
    cache: Option<&Cache>,
    plan: &BundlePlan,
    statement: Option<&SignedStatement>,
    place: &Path,
) -> Result<WrittenBundle, Failure> {
    let mut written = WrittenBundle::default();
    whole_folder(place, &mut |partial| {
        let mut writer = BundleWriter {
            partial,
            release,
            cache,
            folders: BTreeMap::new(),
            written: WrittenBundle::default(),
        };
        for (path, file) in &plan.files {
            match file {
                BundleFile::Bytes(bytes) => writer.bytes(path, bytes)?,
                BundleFile::OfRelease(file) => writer.of_release(path, file)?,
            }
        }
        writer.hollow()?;
        for (name, text) in statement
            .map(|signed| signed.files(STATEMENT))
            .into_iter()
            .flatten()
        {
            writer.bytes(&name, text.as_bytes())?;
        }
        written = writer.finish()?;
        Ok::<(), Failure>(())
    })?;
    Ok(written)
}

/// Writes the files of a bundle.
struct BundleWriter<'w> {
    partial: &'w Path,
    release: &'w OpenRelease,
    cache: Option<&'w Cache>,
    /// The folders that were made, each with a file in it.
    folders: BTreeMap<PathBuf, PathBuf>,
    written: WrittenBundle,
}

impl BundleWriter<'_> {
    fn bytes(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.copy(path, &mut &*bytes, None, &|error| Failure::world(error))
    }

    /// Copies a file of the release.
    fn of_release(&mut self, path: &str, file: &ReleaseFile) -> Result<(), Failure> {
        let release = self.release;
        let blocks = release.blocks();
        let unreadable = |error: CarError| release.unreadable(&error);
        if has_leaves(blocks, file).map_err(unreadable)? {
            let mut reader = FileReader::open(blocks, &file.cid).map_err(unreadable)?;
            return self.copy(path, &mut reader, None, &|error| {
                release.unreadable(&CarError::Io(error))
            });
        }
        let opened = self.cache.and_then(|cache| cache.open_wheel(&file.cid));
        let damaged = |_| {
            Failure::world(format!(
                "the cache's copy of `{path}` is damaged or missing"
            ))
            .help("run the same command again")
        };
        let mut cached = opened.ok_or_else(|| damaged(io::ErrorKind::NotFound.into()))?;
        let check = FileCheck::new(blocks, file).map_err(unreadable)?;
        let copied = self.copy(path, &mut cached, Some(check), &damaged);
        if let (Err(_), Some(cache)) = (&copied, self.cache) {
            // It is hashed the next time that it is fetched.
            cache.wheel(&file.cid);
        }
        copied
    }

    fn hollow(&mut self) -> Result<(), Failure> {
        let name = car_name(ArchiveKind::Hollow);
        let place = self.partial.join(name);
        let out = BufWriter::with_capacity(BUFFER, self.create(name)?);
        let release = self.release;
        let (out, summary) =
            write_hollow(release.blocks(), release.root, out).map_err(|error| match error {
                CarError::Io(error) => unwritable(&place, &error),
                error => release.unreadable(&error),
            })?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(|error| unwritable(&place, &error))?;
        self.written.bytes += summary.bytes;
        Ok(())
    }

    /// Flushes the folders.
    fn finish(self) -> Result<WrittenBundle, Failure> {
        for (folder, file) in &self.folders {
            sync_directory(file).map_err(|error| unwritable(folder, &error))?;
        }
        Ok(self.written)
    }

    fn create(&mut self, path: &str) -> Result<File, Failure> {
        let place = self.partial.join(path);
        if let Some(parent) = place.parent()
            && !self.folders.contains_key(parent)
        {
            fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
            self.folders.insert(parent.to_path_buf(), place.clone());
        }
        self.written.files += 1;
        File::create_new(&place).map_err(|error| unwritable(&place, &error))
    }

    /// Copies bytes to a new file, which is flushed. `unreadable` is the failure of the source.
    fn copy(
        &mut self,
        path: &str,
        source: &mut dyn Read,
        mut check: Option<FileCheck>,
        unreadable: &dyn Fn(io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let place = self.partial.join(path);
        let full = |error: io::Error| unwritable(&place, &error);
        let mut target = self.create(path)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            if let Some(check) = &mut check {
                check.take(&buffer[..count]).map_err(unreadable)?;
            }
            target.write_all(&buffer[..count]).map_err(full)?;
            self.written.bytes += count as u64;
        }
        if check.is_some_and(|check| check.finish().is_none()) {
            return Err(unreadable(io::ErrorKind::InvalidData.into()));
        }
        target.sync_all().map_err(full)
    }
}
