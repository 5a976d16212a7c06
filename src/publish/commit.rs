//! Renames the files of a release together: all are flushed first, then switched (FORMATS 7).

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarReader;

use super::PublishError;
use crate::foundation::environment::{AtomicFile, sync_directory};
use crate::release::archive::ArchiveKind;
use crate::release::archive::ReleaseArchive;
use crate::release::archive::car_name;
use crate::release::names::STATEMENT;
use crate::release::signature::{MAXIMUM_SIGNATURE_SIZE, verify};
use crate::release::statement::{
    MAXIMUM_STATEMENT_SIZE, SignedStatement, Statement, is_signature_of,
};

/// Files of a release that are written and flushed, but not renamed.
struct Prepared {
    /// The archive; `None` if it has its name already.
    car: Option<AtomicFile>,
    statement: Option<AtomicFile>,
    /// The statement's text, which the signatures must match.
    text: Option<String>,
    signatures: Vec<AtomicFile>,
    /// Archives of another root, to be removed.
    stale: Vec<PathBuf>,
}

impl Prepared {
    /// Keeps every file if a later step fails, so that [`recover`] can finish.
    fn keep(&mut self) {
        for file in [&mut self.car, &mut self.statement].into_iter().flatten() {
            file.keep();
        }
        for signature in &mut self.signatures {
            signature.keep();
        }
    }
}

/// The result of [`recover`].
#[derive(Debug)]
pub(super) enum Recovery {
    /// There was no unfinished build.
    Nothing,
    /// The build was finished, and this statement is in place.
    Finished(Statement),
    /// This statement is the newest one, but its archive or its signatures are missing or damaged.
    /// It is still in its partial file.
    Incomplete(Statement),
}

/// Gives the archive, the statement and the signatures their names. All of them are flushed to the
/// disk before any old file is touched. At every moment, an existing statement has its archive and
/// its signatures: the old statement is removed first and the new one is renamed last, with only
/// renames in between. A run that is killed or fails between them leaves everything that
/// `recover` needs. Delta and hollow archives of another root are removed, and a full one is
/// replaced by a full one only.
///
/// # Errors
/// When a file cannot be written or an old one cannot be removed, when there is a full archive of
/// another root and this one is not full, or when the existing statement is not `before`.
pub fn commit(
    mut car: AtomicFile,
    kind: ArchiveKind,
    root: Cid,
    folder: &Path,
    before: Option<&[u8]>,
    vouching: Option<&SignedStatement>,
) -> Result<(), PublishError> {
    let stale = others(kind, root, folder)?;
    let path = folder.join(car_name(kind));
    car.file().sync_all().map_err(PublishError::at(&path))?;
    // A killed run may have left a statement that this one does not write, and signatures of it.
    for entry in fs::read_dir(folder).map_err(PublishError::at(folder))? {
        let name = entry.map_err(PublishError::at(folder))?.file_name();
        if let Some(left) = partial_of(&name)
            && left != car_name(kind)
        {
            let place = folder.join(left);
            AtomicFile::forget(&place).map_err(PublishError::at(&place))?;
        }
    }
    let mut prepared = Prepared {
        car: Some(car),
        statement: None,
        text: None,
        signatures: Vec::new(),
        stale,
    };
    if let Some(vouching) = vouching {
        for signature in &vouching.signatures {
            let path = folder.join(format!("{STATEMENT}{}", signature.suffix));
            prepared.signatures.push(prepare(&path, &signature.text)?);
        }
        // The statement is last: if its unfinished file is complete, all others are.
        let path = folder.join(STATEMENT);
        prepared.statement = Some(prepare(&path, &vouching.text)?);
        prepared.text = Some(vouching.text.clone());
    }
    sync_directory(&path).map_err(PublishError::at(folder))?;
    // Builds of archives of other kinds hold other locks; this one holds the lock of the statement
    // now.
    check_unchanged(folder, before)?;
    switch(prepared, folder)
}

/// Only renames, after the necessary removals.
fn switch(mut prepared: Prepared, folder: &Path) -> Result<(), PublishError> {
    let statement = folder.join(STATEMENT);
    // An identical statement stays in place, so that a build without changes never removes it.
    let there = statement_in(folder);
    if there.is_none() || there.as_deref() != prepared.text.as_deref().map(str::as_bytes) {
        remove(&statement)?;
        // From here on, only these files record the last sequence.
        if prepared.statement.is_some() {
            prepared.keep();
        }
    }
    for path in &prepared.stale {
        remove(path)?;
    }
    if let Some(car) = prepared.car {
        car.switch().map_err(PublishError::at(folder))?;
    }
    for path in old_signatures(folder, prepared.text.as_deref())? {
        remove(&path)?;
    }
    for signature in prepared.signatures {
        signature.switch().map_err(PublishError::at(folder))?;
    }
    if let Some(file) = prepared.statement {
        file.switch().map_err(PublishError::at(&statement))?;
    }
    sync_directory(&statement).map_err(PublishError::at(folder))
}

/// The signatures in a folder that do not belong to this statement.
fn old_signatures(folder: &Path, text: Option<&str>) -> Result<Vec<PathBuf>, PublishError> {
    let mut old = Vec::new();
    for entry in fs::read_dir(folder).map_err(PublishError::at(folder))? {
        let entry = entry.map_err(PublishError::at(folder))?;
        let name = entry.file_name();
        let is_signature = name
            .to_str()
            .is_some_and(|name| is_signature_of(name, STATEMENT));
        if is_signature && !text.is_some_and(|text| holds(&entry.path(), text)) {
            old.push(entry.path());
        }
    }
    Ok(old)
}

/// Whether a file is a valid signature of a statement.
fn holds(path: &Path, text: &str) -> bool {
    let read = |path| -> io::Result<String> {
        let mut signature = String::new();
        File::open(path)?
            .take(MAXIMUM_SIGNATURE_SIZE as u64)
            .read_to_string(&mut signature)?;
        Ok(signature)
    };
    read(path).is_ok_and(|signature| verify(&signature, text.as_bytes()).is_ok())
}

fn remove(path: &Path) -> Result<(), PublishError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PublishError::Unwritable(path.to_path_buf(), error))
        }
        _ => Ok(()),
    }
}

/// Finishes a build that was killed or failed between the old statement and the new one. All of its
/// files exist, under their final or temporary names. Unusable files are not removed.
///
/// # Errors
/// When a file cannot be read or renamed, or another process is writing it.
pub(super) fn recover(folder: &Path) -> Result<Recovery, PublishError> {
    let path = folder.join(STATEMENT);
    if fs::symlink_metadata(&path).is_ok() || !AtomicFile::is_begun(&path) {
        return Ok(Recovery::Nothing);
    }
    let Some(mut file) = AtomicFile::resume(&path).map_err(PublishError::at(&path))? else {
        return Ok(Recovery::Nothing);
    };
    let text = read(&mut file, MAXIMUM_STATEMENT_SIZE).map_err(PublishError::at(&path))?;
    let Some((statement, text)) = text.and_then(|text| Some((Statement::parse(&text).ok()?, text)))
    else {
        // The statement is written last, so the build had not touched an older one yet.
        return Ok(Recovery::Nothing);
    };
    let mut signatures = Vec::new();
    let mut is_signed = false;
    for entry in fs::read_dir(folder).map_err(PublishError::at(folder))? {
        let name = entry.map_err(PublishError::at(folder))?.file_name();
        let place = partial_of(&name).or(name.to_str());
        let Some(place) = place.filter(|place| is_signature_of(place, STATEMENT)) else {
            continue;
        };
        let place = folder.join(place);
        if folder.join(&name) == place {
            is_signed |= holds(&place, &text);
        } else if let Some(mut file) =
            AtomicFile::resume(&place).map_err(PublishError::at(&place))?
        {
            let signature = read(&mut file, MAXIMUM_SIGNATURE_SIZE);
            let signature = signature.map_err(PublishError::at(&place))?;
            if signature.is_some_and(|signature| verify(&signature, text.as_bytes()).is_ok()) {
                is_signed = true;
                signatures.push(file);
            }
        }
    }
    let Some((car, kind)) = archive_of(statement.root, folder)?.filter(|_| is_signed) else {
        return Ok(Recovery::Incomplete(statement));
    };
    let prepared = Prepared {
        car,
        statement: Some(file),
        text: Some(text),
        signatures,
        stale: others(kind, statement.root, folder)?,
    };
    switch(prepared, folder)?;
    Ok(Recovery::Finished(statement))
}

/// The archive of a root, under its final name, or complete under its temporary name: then the file
/// to rename.
fn archive_of(
    root: Cid,
    folder: &Path,
) -> Result<Option<(Option<AtomicFile>, ArchiveKind)>, PublishError> {
    for kind in ArchiveKind::ALL {
        let path = folder.join(car_name(kind));
        let at = PublishError::at(&path);
        if File::open(&path).is_ok_and(|file| CarReader::root_of(file).is_ok_and(|one| one == root))
        {
            return Ok(Some((None, kind)));
        }
        let Some(mut file) = AtomicFile::resume(&path).map_err(&at)? else {
            continue;
        };
        let is_whole = CarReader::open(file.file().try_clone().map_err(&at)?)
            .and_then(|archive| {
                let is_full = archive.survey()?.kind == ArchiveKind::Full;
                Ok(archive.root() == root && (is_full || kind != ArchiveKind::Full))
            })
            .unwrap_or(false);
        if is_whole {
            return Ok(Some((Some(file), kind)));
        }
    }
    Ok(None)
}

/// The text of an unfinished file; `None` if it does not exist or is too long.
fn read(file: &mut AtomicFile, largest: usize) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let file = file.file();
    file.seek(SeekFrom::Start(0))?;
    file.take(largest as u64 + 1).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).ok();
    Ok(text.filter(|text| text.len() <= largest))
}

/// Whether [`commit`] may put an archive of this kind and root into a folder whose statement was
/// `before`.
///
/// # Errors
/// When there is a full archive of another root and this one is not full, or when the statement has
/// changed.
pub(super) fn check_place(
    kind: ArchiveKind,
    root: Cid,
    folder: &Path,
    before: Option<&[u8]>,
) -> Result<(), PublishError> {
    check_unchanged(folder, before)?;
    others(kind, root, folder).map(|_| ())
}

/// The bytes of the statement in a folder, up to the size limit. A device or a pipe of its name
/// does not count: it may never end.
pub fn statement_in(folder: &Path) -> Option<Vec<u8>> {
    let path = folder.join(STATEMENT);
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(MAXIMUM_STATEMENT_SIZE as u64 + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

/// Two builds that follow the same statement would sign two with the same sequence.
fn check_unchanged(folder: &Path, before: Option<&[u8]>) -> Result<(), PublishError> {
    if statement_in(folder).as_deref() == before {
        Ok(())
    } else {
        Err(PublishError::Changed(folder.join(STATEMENT)))
    }
}

/// The archives of other kinds and another root, which must be removed.
fn others(kind: ArchiveKind, root: Cid, folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut stale = Vec::new();
    for other in ArchiveKind::ALL.into_iter().filter(|other| *other != kind) {
        let path = folder.join(car_name(other));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(PublishError::Unwritable(path, error)),
        };
        // An unreadable file has no root.
        if CarReader::root_of(file).is_ok_and(|other| other == root) {
            continue;
        }
        // A delta is useless without the release that it is based on.
        if other == ArchiveKind::Full {
            let reason = "is the full archive of another release";
            return Err(PublishError::Occupied(path, reason.to_owned()));
        }
        stale.push(path);
    }
    Ok(stale)
}

/// The final name of a temporary file, if it is a statement, a signature or an archive.
fn partial_of(name: &OsStr) -> Option<&str> {
    let place = name.to_str()?.strip_prefix('.')?.strip_suffix(".partial")?;
    let is_car = ArchiveKind::ALL
        .into_iter()
        .any(|kind| car_name(kind) == place);
    (is_car || place == STATEMENT || is_signature_of(place, STATEMENT)).then_some(place)
}

fn prepare(path: &Path, text: &str) -> Result<AtomicFile, PublishError> {
    let mut file = AtomicFile::create(path).map_err(PublishError::at(path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.file().sync_all())
        .map_err(PublishError::at(path))?;
    Ok(file)
}
