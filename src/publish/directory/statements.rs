//! The statements in a folder, each with its signatures.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::folder::{names, partial};
use super::unusable;
use crate::environment::{AtomicFile, sync_directory};
use crate::publish::files::STATEMENT;
use crate::publish::target::{PublishedRelease, TargetError};
use crate::signature::{
    MAXIMUM_SIGNATURE_SIZE, MAXIMUM_STATEMENT_SIZE, SignatureFile, SignedStatement, Statement,
    is_signature_of,
};

/// The longest statement or signature that is read, in bytes.
const LONGEST: u64 = (MAXIMUM_STATEMENT_SIZE + MAXIMUM_SIGNATURE_SIZE) as u64;

/// The newest statement's release.
pub(super) fn newest(folder: &Path, name: &str) -> Result<Option<PublishedRelease>, TargetError> {
    let names = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => names(folder)?,
    };
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let sequences = names.iter().filter(|name| is_number(name));
    let Some(sequence) = sequences.filter_map(|name| name.parse::<u64>().ok()).max() else {
        return Ok(None);
    };
    let path = folder.join(sequence.to_string()).join(STATEMENT);
    let damaged = |reason: String| {
        TargetError::refused(format!("`{}` {reason}", path.display()))
            .help("the folder is damaged: put back what was there, or remove that statement")
    };
    let text = read(&path)?;
    let statement = text
        .as_deref()
        .map(Statement::parse)
        .transpose()
        .map_err(|error| damaged(format!("is no statement: {error}")))?
        .ok_or_else(|| damaged("is not there".to_owned()))?;
    if statement.name != name || statement.sequence != sequence {
        return Err(damaged(format!(
            "is of {:?} and has the sequence {}",
            statement.name, statement.sequence
        )));
    }
    Ok(Some(PublishedRelease {
        root: statement.root,
        sequence: Some(sequence),
    }))
}

/// Refuses another statement than the one that has this sequence already: a reader who has that one would not believe
/// this one.
pub(super) fn check_same(folder: &Path, sequence: u64, text: &str) -> Result<(), TargetError> {
    match read(&folder.join(STATEMENT))? {
        Some(there) if there != text => Err(TargetError::refused(format!(
            "it holds another statement with the sequence {sequence}, of the same release: `{}`",
            folder.join(STATEMENT).display()
        ))
        .help("a sequence is used once: `ipwhl build --renew --previous` the statement that is there makes the next one")),
        _ => Ok(()),
    }
}

/// The signatures in a folder; none where there is no folder.
fn held(folder: &Path) -> Result<Vec<SignatureFile>, TargetError> {
    let names = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        _ => names(folder)?,
    };
    let mut held = Vec::new();
    for name in names.iter().filter(|name| is_signature_of(name, STATEMENT)) {
        if let Some(text) = read(&folder.join(name))? {
            let suffix = name[STATEMENT.len()..].to_owned();
            held.push(SignatureFile { suffix, text });
        }
    }
    Ok(held)
}

/// Whether this statement and signatures of all these keys are in a folder.
pub(super) fn is_there(folder: &Path, files: &SignedStatement) -> Result<bool, TargetError> {
    is_whole(folder, &files.united_with(held(folder)?))
}

/// Whether these files are in a folder.
fn is_whole(folder: &Path, files: &SignedStatement) -> Result<bool, TargetError> {
    for (name, text) in files.files(STATEMENT) {
        if read(&folder.join(name))?.as_deref() != Some(text) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a statement and its signatures; whether anything was written. The folder appears whole. A signature that comes
/// later is put beside the others, and none is taken away.
pub(super) fn write(
    folder: &Path,
    sequence: u64,
    files: &SignedStatement,
) -> Result<bool, TargetError> {
    let name = sequence.to_string();
    let place = folder.join(&name);
    let files = &files.united_with(held(&place)?);
    if is_whole(&place, files)? {
        return Ok(false);
    }
    if fs::symlink_metadata(&place).is_ok() {
        for (name, text) in files.files(STATEMENT) {
            let path = place.join(name);
            if read(&path)?.as_deref() != Some(text) {
                AtomicFile::write_whole(&path, text.as_bytes())
                    .map_err(|error| unusable(&path, &error))?;
            }
        }
        return Ok(true);
    }
    let next = folder.join(partial(&name));
    let written = || -> io::Result<()> {
        match fs::remove_dir_all(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(&next)?;
        for (name, text) in files.files(STATEMENT) {
            let mut file = File::create(next.join(name))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
        }
        sync_directory(&next.join(STATEMENT))?;
        fs::rename(&next, &place)?;
        sync_directory(&place)
    };
    written().map_err(|error| unusable(&place, &error))?;
    Ok(true)
}

/// A small text; `None` where there is no such file, or none that can be a statement.
fn read(path: &Path) -> Result<Option<String>, TargetError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable(path, &error))?;
    Ok(String::from_utf8(bytes).ok())
}
