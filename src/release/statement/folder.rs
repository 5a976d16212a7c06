//! The statements in a folder: `<sequence>/release.toml`, each with its signatures beside it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{
    MAXIMUM_STATEMENT_SIZE, SignatureFile, SignedStatement, Statement, is_signature_of,
    read_statement,
};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::{AtomicFile, sync_directory};
use crate::foundation::failure::{Failure, unusable};
use crate::release::names::STATEMENT;
use crate::release::signature::MAXIMUM_SIGNATURE_SIZE;

/// The longest statement or signature that is read, in bytes.
const LONGEST: u64 = (MAXIMUM_STATEMENT_SIZE + MAXIMUM_SIGNATURE_SIZE) as u64;

/// The ending of a folder's or link's name until it is complete.
pub const PARTIAL: &str = ".partial";

/// The names in a folder; names that are not text belong to other programs and are left out.
pub fn names(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(|error| unusable(path, &error))? {
        let entry = entry.map_err(|error| unusable(path, &error))?;
        names.insert(entry.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// The temporary name of something incomplete.
pub fn partial(name: &str) -> String {
    format!(".{name}{PARTIAL}")
}

/// The newest statement.
pub fn newest(folder: &Path, name: &str) -> Result<Option<Statement>, Failure> {
    let names = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => names(folder)?,
    };
    let Some(sequence) = sequences(&names).into_iter().next() else {
        return Ok(None);
    };
    let path = folder.join(sequence.to_string()).join(STATEMENT);
    let damaged = |reason: String| {
        Failure::refused(format!("`{}` {reason}", path.display()))
            .help("the folder is damaged: restore it, or remove that statement")
    };
    let text = read(&path)?;
    let statement = text
        .as_deref()
        .map(Statement::parse)
        .transpose()
        .map_err(|error| damaged(format!("is not a statement: {error}")))?
        .ok_or_else(|| damaged("is missing".to_owned()))?;
    if statement.name != name || statement.sequence != sequence {
        return Err(damaged(format!(
            "is of {:?} and has the sequence {}",
            statement.name, statement.sequence
        )));
    }
    Ok(Some(statement))
}

/// The name of the folder of statements beside an archive, and in a folder that a web server
/// serves.
pub const STATEMENTS: &str = "statements";
/// The path of a file beside the statement with this sequence.
pub fn statement_path(sequence: u64, name: &str) -> String {
    format!("{STATEMENTS}/{sequence}/{name}")
}

/// The most statements that are read.
const MAXIMUM_STATEMENTS: usize = 1000;

/// Keeps the statement of an earlier release beside the archive of a later one. It proves to a
/// target with an even older release that the later one follows.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep_statement(folder: &Path, signed: &SignedStatement) -> Result<(), Failure> {
    let statements = folder.join(STATEMENTS);
    let place = statements.join(signed.statement.sequence.to_string());
    write_with(&statements, &united(&place, signed)?, &|_| Ok(false)).map(|_| ())
}

/// The statements beside an archive, the newest first; that of the archive itself is the first.
pub fn kept_statements(folder: &Path) -> Vec<PathBuf> {
    let kept = folder.join(STATEMENTS);
    let sequences = names(&kept)
        .map(|names| sequences(&names))
        .unwrap_or_default();
    let earlier = sequences.into_iter();
    let earlier = earlier.map(|sequence| kept.join(sequence.to_string()).join(STATEMENT));
    let earlier = earlier
        .filter(|path| path.is_file())
        .take(MAXIMUM_STATEMENTS);
    [folder.join(STATEMENT)]
        .into_iter()
        .chain(earlier)
        .collect()
}

/// The sequences among the names of a folder, the highest first.
fn sequences(names: &BTreeSet<String>) -> Vec<u64> {
    let is_number = |name: &&String| name.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = names.iter().filter(is_number);
    let mut sequences: Vec<u64> = numbers.filter_map(|name| name.parse().ok()).collect();
    sequences.sort_unstable_by(|one, other| other.cmp(one));
    sequences
}

/// Every statement of a folder with its signatures, the newest first. Other files, and statements
/// of other repositories, are left out.
pub fn all(folder: &Path, name: &str) -> Result<Vec<SignedStatement>, Failure> {
    let names = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        _ => names(folder)?,
    };
    let mut all = Vec::new();
    for sequence in sequences(&names) {
        if all.len() == MAXIMUM_STATEMENTS {
            break;
        }
        let place = folder.join(sequence.to_string());
        if let Some(text) = read(&place.join(STATEMENT))?
            && let Ok(signed) = SignedStatement::parse(text, held(&place)?)
            && signed.statement.name == name
            && signed.statement.sequence == sequence
        {
            all.push(signed);
        }
    }
    Ok(all)
}

/// Refuses a statement that differs from the existing one with this sequence: a reader who has that
/// one would refuse this one.
pub fn check_same(folder: &Path, sequence: u64, text: &str) -> Result<(), Failure> {
    match read(&folder.join(STATEMENT))? {
        Some(there) if there != text => Err(Failure::refused(format!(
            "there is another statement with the sequence {sequence}, of the same release: `{}`",
            folder.join(STATEMENT).display()
        ))
        .help(
            "a sequence is used only once: `ipwhl build --renew --previous` with the existing \
               statement makes the next one",
        )),
        _ => Ok(()),
    }
}

/// The signatures in a folder; none if the folder does not exist.
fn held(folder: &Path) -> Result<Vec<SignatureFile>, Failure> {
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
pub fn is_there(folder: &Path, files: &SignedStatement) -> Result<bool, Failure> {
    is_whole(folder, &files.united_with(held(folder)?))
}

/// Whether these files are in a folder.
fn is_whole(folder: &Path, files: &SignedStatement) -> Result<bool, Failure> {
    for (name, text) in files.files(STATEMENT) {
        if read(&folder.join(name))?.as_deref() != Some(text) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a statement, its signatures, and the files that `complete` adds into the given folder;
/// returns whether anything was written. The folder appears atomically. A later signature is added
/// beside the others, and none is removed.
pub fn write_with(
    folder: &Path,
    files: &SignedStatement,
    complete: &dyn Fn(&Path) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let name = files.statement.sequence.to_string();
    let place = folder.join(&name);
    if fs::symlink_metadata(&place).is_ok() {
        let is_new = write_files(&place, files)?;
        return Ok(complete(&place)? || is_new);
    }
    let next = folder.join(partial(&name));
    match fs::remove_dir_all(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(&next, &error));
        }
        _ => {}
    }
    fs::create_dir_all(&next).map_err(|error| unusable(&next, &error))?;
    write_files(&next, files)?;
    complete(&next)?;
    fs::rename(&next, &place)
        .and_then(|()| sync_directory(&place))
        .map_err(|error| unusable(&place, &error))?;
    Ok(true)
}

/// Writes the missing files of a statement; returns whether there were any.
pub fn write_files(folder: &Path, files: &SignedStatement) -> Result<bool, Failure> {
    let mut is_new = false;
    for (name, text) in files.files(STATEMENT) {
        let path = folder.join(name);
        if read(&path)?.as_deref() != Some(text) {
            AtomicFile::write_whole(&path, text.as_bytes())
                .map_err(|error| unusable(&path, &error))?;
            is_new = true;
        }
    }
    Ok(is_new)
}

/// Writes new signatures beside the statement in the folder.
///
/// # Errors
/// When the statement cannot be read, or a signature cannot be written.
pub fn add_signatures(folder: &Path, signed: &SignedStatement) -> Result<(), Failure> {
    let here = read_statement(&folder.join(STATEMENT))?;
    let united = signed.united_with(here.signatures.clone());
    for signature in &united.signatures {
        if here.signatures.contains(signature) {
            continue;
        }
        let path = folder.join(format!("{STATEMENT}{}", signature.suffix));
        AtomicFile::write_whole(&path, signature.text.as_bytes()).map_err(|error| {
            Failure::world(format!(
                "{} cannot be written: {error}",
                shell_word(&path.to_string_lossy())
            ))
        })?;
    }
    Ok(())
}

/// The statement with additional signatures from a folder.
pub fn united(folder: &Path, files: &SignedStatement) -> Result<SignedStatement, Failure> {
    Ok(files.united_with(held(folder)?))
}

/// Updates the copies at the top of the folder to this statement; returns whether one was changed.
/// The statement is written after its signatures, and signatures of other statements are removed
/// last.
pub fn write_top(folder: &Path, files: &SignedStatement) -> Result<bool, Failure> {
    let mut is_new = write_files(folder, files)?;
    for stale in stale(folder, files)? {
        let path = folder.join(stale);
        fs::remove_file(&path).map_err(|error| unusable(&path, &error))?;
        is_new = true;
    }
    Ok(is_new)
}

/// Whether the copies at the top of the folder are exactly those of this statement.
pub fn is_top(folder: &Path, files: &SignedStatement) -> Result<bool, Failure> {
    Ok(is_whole(folder, files)? && stale(folder, files)?.is_empty())
}

/// The signatures at the top of the folder that belong to other statements.
fn stale(folder: &Path, files: &SignedStatement) -> Result<Vec<String>, Failure> {
    let current = files.files(STATEMENT);
    let is_stale = |name: &String| {
        is_signature_of(name, STATEMENT) && !current.iter().any(|(other, _)| other == name)
    };
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Ok(names(folder)?.into_iter().filter(is_stale).collect()),
    }
}

/// A small text; `None` if the file does not exist, or cannot be a statement.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    // Opening a pipe could wait forever.
    let is_file = fs::metadata(path).map(|there| there.is_file());
    let file = match is_file.and_then(|is_file| {
        if is_file {
            File::open(path)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }) {
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
