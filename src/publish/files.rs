//! A release as files: the archive, the statement, its signatures (FORMATS 7).

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::PublishError;
use super::error::Wheels;
use crate::car::{CarReader, CarSummary, CarWriter, Extent};
use crate::dag::Cid;
use crate::declaration::DeclaredWheel;
use crate::environment::AtomicFile;
use crate::release::Release;
use crate::source::Cache;

/// The full archive's name.
pub const CAR: &str = "release.car";
/// The statement's name; its signatures begin with it.
pub const STATEMENT: &str = "release.toml";

/// The name of an archive of this extent.
pub fn car_name(extent: Extent) -> &'static str {
    match extent {
        Extent::Full => CAR,
        Extent::Delta => "release.delta.car",
        Extent::Hollow => "release.hollow.car",
    }
}

/// What of a release goes into its archive.
#[derive(Debug, Clone)]
pub enum Part {
    /// All of it.
    Full,
    /// What is not among these blocks, which the release before it has.
    Delta(HashSet<Cid>),
    /// All but the leaves of wheels.
    Hollow,
}

impl Part {
    /// What the archive is called.
    pub fn extent(&self) -> Extent {
        match self {
            Self::Full => Extent::Full,
            Self::Delta(_) => Extent::Delta,
            Self::Hollow => Extent::Hollow,
        }
    }
}

/// How much is written at once.
const BUFFER: usize = 1024 * 1024;

/// A signature of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFile {
    /// How its file's name goes on after the statement's: `.sig`, or `.<16 hex digits>.sig`.
    pub suffix: String,
    /// Its text.
    pub text: String,
}

impl AsRef<str> for SignatureFile {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// What vouches for a release: the statement's text and its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouching {
    /// The statement.
    pub statement: String,
    /// Who stands behind it.
    pub signatures: Vec<SignatureFile>,
}

/// Whether `other` is a signature of the statement `name`: `<name>.sig` or
/// `<name>.<16 hexadecimal digits>.sig`.
pub fn is_signature_of(other: &str, name: &str) -> bool {
    let Some(middle) = other
        .strip_prefix(name)
        .and_then(|rest| rest.strip_suffix(".sig"))
    else {
        return false;
    };
    let is_digits =
        |digits: &str| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    middle.is_empty() || middle.strip_prefix('.').is_some_and(is_digits)
}

/// Writes the archive beside its place in `folder`. It takes its name when it is committed.
///
/// # Errors
/// When the folder cannot be written, or a wheel of the cache is damaged.
pub fn write_car(
    release: &Release<'_>,
    part: &Part,
    cache: &Cache,
    folder: &Path,
) -> Result<(AtomicFile, CarSummary), PublishError> {
    fs::create_dir_all(folder).map_err(PublishError::at(folder))?;
    let path = folder.join(car_name(part.extent()));
    let file = AtomicFile::create(&path).map_err(PublishError::at(&path))?;
    let mut writer = CarWriter::new(BufWriter::with_capacity(BUFFER, file), release.link().cid)
        .map_err(PublishError::at(&path))?;
    if let Part::Delta(known) = part {
        writer = writer.without(known.clone());
    }
    let mut wheels = Wheels::new(cache);
    let mut open =
        |wheel: &DeclaredWheel| -> io::Result<Box<dyn Read>> { Ok(Box::new(wheels.open(wheel)?)) };
    let emitted = match part {
        Part::Full | Part::Delta(_) => release.emit(&mut writer, &mut open),
        Part::Hollow => release.emit_hollow(&mut writer),
    };
    if let Err(error) = emitted {
        return Err(wheels.explain(error, &path));
    }
    let (buffer, summary) = writer.finish().map_err(PublishError::at(&path))?;
    let file = buffer
        .into_inner()
        .map_err(|error| PublishError::Unwritable(path, error.into_error()))?;
    Ok((file, summary))
}

/// Gives the archive, the statement and the signatures their names. At every moment each of them
/// is whole or absent, and a statement that is there is never beside an archive of another root: delta
/// and hollow archives of another root go, and a full one is replaced by a full one only.
///
/// # Errors
/// When a file cannot be written or an old one not be removed, or a full archive of another root is
/// there and this one is not full.
pub fn commit(
    car: AtomicFile,
    extent: Extent,
    root: Cid,
    folder: &Path,
    vouching: Option<&Vouching>,
) -> Result<(), PublishError> {
    let others = others(extent, root, folder)?;
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
    let entries = fs::read_dir(folder).map_err(PublishError::at(folder))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if name
            .to_str()
            .is_some_and(|name| is_signature_of(name, STATEMENT))
        {
            fs::remove_file(entry.path()).map_err(PublishError::at(&entry.path()))?;
        }
        // What a killed run has left of a file that this one does not write.
        if let Some(left) = partial_of(&name)
            && left != car_name(extent)
            && prepared.iter().all(|(_, path)| !path.ends_with(left))
        {
            let place = folder.join(left);
            AtomicFile::forget(&place).map_err(PublishError::at(&place))?;
        }
    }
    match fs::remove_file(&statement) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(PublishError::Unwritable(statement, error));
        }
        _ => {}
    }
    for path in others {
        fs::remove_file(&path).map_err(PublishError::at(&path))?;
    }
    let path = folder.join(car_name(extent));
    car.commit().map_err(PublishError::at(&path))?;
    for (file, path) in prepared {
        file.commit().map_err(PublishError::at(&path))?;
    }
    Ok(())
}

/// Whether [`commit`] may put an archive of this extent and root into a folder.
///
/// # Errors
/// When a full archive of another root is there and this one is not full.
pub fn check_place(extent: Extent, root: Cid, folder: &Path) -> Result<(), PublishError> {
    others(extent, root, folder).map(|_| ())
}

/// The archives of other extents that are not of this root, and must go.
fn others(extent: Extent, root: Cid, folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut stale = Vec::new();
    for other in Extent::ALL.into_iter().filter(|other| *other != extent) {
        let path = folder.join(car_name(other));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(PublishError::Unwritable(path, error)),
        };
        // What cannot be read is of no root.
        if CarReader::root_of(file).is_ok_and(|other| other == root) {
            continue;
        }
        // A delta is worth nothing without what it is a delta to.
        if other == Extent::Full {
            let reason = "is the full archive of another release";
            return Err(PublishError::Occupied(path, reason.to_owned()));
        }
        stale.push(path);
    }
    Ok(stale)
}

/// The file that this is the unfinished state of, where it is a statement, a signature or an archive.
fn partial_of(name: &OsStr) -> Option<&str> {
    let place = name.to_str()?.strip_prefix('.')?.strip_suffix(".partial")?;
    let is_car = Extent::ALL
        .into_iter()
        .any(|extent| car_name(extent) == place);
    (is_car || place == STATEMENT || is_signature_of(place, STATEMENT)).then_some(place)
}

fn prepare(path: &Path, text: &str) -> Result<AtomicFile, PublishError> {
    let mut file = AtomicFile::create(path).map_err(PublishError::at(path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.file().sync_all())
        .map_err(PublishError::at(path))?;
    Ok(file)
}
