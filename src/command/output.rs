//! Writes what a build made: `release.car`, the statement and its signature, the tree.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::statement::{Signature, is_signature_of};
use crate::car::{CarSummary, CarWriter};
use crate::dag::LeafHasher;
use crate::declaration::DeclaredWheel;
use crate::environment::{AtomicFile, replace_directory, sync_directory};
use crate::release::{Content, RELEASE_FOLDER, Release};
use crate::source::Cache;

pub(super) const CAR: &str = "release.car";
pub(super) const STATEMENT: &str = "release.toml";

/// How much is written at once.
const BUFFER: usize = 1024 * 1024;

/// Why a release was not written.
pub(super) enum WriteError {
    /// The bytes of this wheel in the cache are not the declared ones, or not there any more.
    DamagedWheel(Box<DeclaredWheel>),
    /// Anything else.
    Failure(Failure),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        let failure = Failure::world(format!("`{}` cannot be written: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::StorageFull => failure.help("make room and run the same command again"),
            _ => failure,
        }
    }
}

/// Writes the archive beside its place. It takes its name when it is committed.
pub(super) fn write_car(
    release: &Release<'_>,
    cache: &Cache,
    folder: &Path,
) -> Result<(AtomicFile, CarSummary), WriteError> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let path = folder.join(CAR);
    let file = AtomicFile::create(&path).map_err(failed(&path))?;
    let mut writer = CarWriter::new(BufWriter::with_capacity(BUFFER, file), release.link().cid)
        .map_err(failed(&path))?;
    let mut last: Option<DeclaredWheel> = None;
    let mut open = |wheel: &DeclaredWheel| -> io::Result<Box<dyn Read>> {
        last = Some(wheel.clone());
        match cache.open_wheel(&wheel.content_id.value) {
            Some(file) => Ok(Box::new(file)),
            None => Err(gone(wheel)),
        }
    };
    let emitted = release.emit(&mut writer, &mut open);
    if let Err(error) = emitted {
        return Err(wheel_error(error, last, &path));
    }
    let (buffer, summary) = writer.finish().map_err(failed(&path))?;
    let file = buffer
        .into_inner()
        .map_err(|error| failed(&path)(error.into_error()))?;
    Ok((file, summary))
}

fn gone(wheel: &DeclaredWheel) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("`{}` is not in the cache any more", wheel.file_name),
    )
}

fn wheel_error(error: io::Error, wheel: Option<DeclaredWheel>, path: &Path) -> WriteError {
    let is_wheel = matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    );
    match wheel {
        Some(wheel) if is_wheel => WriteError::DamagedWheel(Box::new(wheel)),
        _ => WriteError::Failure(failed(path)(error)),
    }
}

/// What vouches for a release: the statement's text and its signatures.
pub(super) struct Vouching {
    pub(super) statement: String,
    pub(super) signatures: Vec<Signature>,
}

/// Gives the archive, the statement and the signature their names. At every moment each of the
/// three is whole or absent, and a statement that is there is never of another archive's root than
/// the one that its signature signs.
pub(super) fn commit(
    car: AtomicFile,
    folder: &Path,
    vouching: Option<&Vouching>,
) -> Result<(), Failure> {
    let statement = folder.join(STATEMENT);
    // Everything that may fill the disk is written before anything old is touched.
    let mut prepared = Vec::new();
    if let Some(vouching) = vouching {
        prepared.push((prepare(&statement, &vouching.statement)?, statement.clone()));
        for signature in &vouching.signatures {
            let path = folder.join(format!("{STATEMENT}{}", signature.suffix));
            prepared.push((prepare(&path, &signature.text)?, path));
        }
    }
    let entries = fs::read_dir(folder).map_err(failed(folder))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if name
            .to_str()
            .is_some_and(|name| is_signature_of(name, STATEMENT))
        {
            fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
        }
        // What a killed run has left of a file that this one does not write.
        if let Some(left) = partial_of(&name)
            && prepared.iter().all(|(_, path)| !path.ends_with(left))
        {
            let place = folder.join(left);
            AtomicFile::forget(&place).map_err(failed(&place))?;
        }
    }
    match fs::remove_file(&statement) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&statement)(error));
        }
        _ => {}
    }
    let path = folder.join(CAR);
    car.commit().map_err(failed(&path))?;
    for (file, path) in prepared {
        file.commit().map_err(failed(&path))?;
    }
    Ok(())
}

/// The file that this is the unfinished state of, where it is a statement or a signature.
fn partial_of(name: &OsStr) -> Option<&str> {
    let place = name.to_str()?.strip_prefix('.')?.strip_suffix(".partial")?;
    (place == STATEMENT || is_signature_of(place, STATEMENT)).then_some(place)
}

fn prepare(path: &Path, text: &str) -> Result<AtomicFile, Failure> {
    let mut file = AtomicFile::create(path).map_err(failed(path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.file().sync_all())
        .map_err(failed(path))?;
    Ok(file)
}

/// Where the tree goes. Refuses to replace a folder that is not a tree of an earlier build, and one that
/// holds any of `kept`.
pub(super) fn tree_place(place: &Path, kept: &[&Path]) -> Result<PathBuf, Failure> {
    let refused = |reason: &str| {
        Failure::usage(format!(
            "`{}` {reason}, so it is not replaced",
            place.display()
        ))
        .help("name a folder that is not there, is empty, or holds an earlier tree")
    };
    let resolved = resolved(place).map_err(failed(place))?;
    for path in kept {
        if self::resolved(path)
            .map_err(failed(path))?
            .starts_with(&resolved)
        {
            return Err(refused(&format!("holds `{}`", path.display())));
        }
    }
    match fs::read_dir(&resolved) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(refused("is a file")),
        Err(error) => Err(failed(place)(error)),
        Ok(_) if is_tree(&resolved).map_err(failed(place))? => Ok(resolved),
        Ok(_) => Err(refused("is a folder that no build has made")),
    }
}

/// The path without links and dots, also of what is not there yet.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(resolved(parent)?.join(name))
        }
        (outcome, ..) => outcome,
    }
}

/// Whether a folder is empty or a release's tree: by its `release.json`, or in the layout `ipwhl-1`,
/// which has none, by holding nothing but folders of files such as `py3-none-any.whl`, of which the
/// name is no wheel's.
fn is_tree(folder: &Path) -> io::Result<bool> {
    if folder.join(RELEASE_FOLDER).join("release.json").is_file() {
        return Ok(true);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            return Ok(false);
        }
        for file in fs::read_dir(entry.path())? {
            let file = file?;
            let name = file.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".whl"));
            let is_tag = stem.is_some_and(|stem| stem.split('-').count() == 3);
            if !is_tag || !file.file_type()?.is_file() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Writes the tree as files, beside its place, and puts it there when it is whole.
pub(super) fn write_tree(
    release: &Release<'_>,
    cache: &Cache,
    place: &Path,
) -> Result<(), WriteError> {
    let name = place
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let partial = place.with_file_name(format!(".{name}.partial"));
    let aside = place.with_file_name(format!(".{name}.old"));
    // What a killed run has left.
    for left in [&partial, &aside] {
        match fs::remove_dir_all(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(left)(error).into());
            }
            _ => {}
        }
    }
    fs::create_dir_all(&partial).map_err(failed(&partial))?;
    let mut last: Option<DeclaredWheel> = None;
    let mut writing: PathBuf = partial.clone();
    let written = release.each_file(&mut |folder, file| {
        let directory = partial.join(folder);
        fs::create_dir_all(&directory)?;
        writing = directory.join(&file.name);
        last = None;
        let mut target = File::create(&writing)?;
        match &file.content {
            Content::Bytes(bytes) => target.write_all(bytes)?,
            Content::Wheel(wheel, facts) => {
                last = Some((*wheel).clone());
                let mut source = cache
                    .open_wheel(&wheel.content_id.value)
                    .ok_or_else(|| gone(wheel))?;
                let mut hasher = LeafHasher::new(facts.dag.profile());
                let mut buffer = vec![0; BUFFER];
                loop {
                    let count = source.read(&mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    hasher.update(&buffer[..count]);
                    target.write_all(&buffer[..count])?;
                }
                if hasher.finish() != facts.dag {
                    return Err(gone(wheel));
                }
            }
        }
        target.sync_all()
    });
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&partial);
        return Err(wheel_error(error, last, &writing));
    }
    sync_directory(&partial).map_err(failed(&partial))?;
    replace_directory(&partial, place, &aside).map_err(failed(place))?;
    Ok(())
}
