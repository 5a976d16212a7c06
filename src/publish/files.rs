//! Writes the archive of a release (FORMATS 7).

use std::collections::HashSet;
use std::io::{self, BufWriter, Read};
use std::path::Path;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarSummary, CarWriter};

use super::PublishError;
use super::error::Wheels;
use crate::foundation::environment::{AtomicFile, make_own_folder};
use crate::release::archive::{ArchiveKind, car_name};
use crate::release::tree::Release;
use crate::set::declaration::DeclaredWheel;
use crate::source::Cache;

/// The parts of a release in an archive.
#[derive(Debug, Clone)]
pub enum ArchiveContents {
    /// All blocks.
    Full,
    /// The blocks that are not in this set, the blocks of the previous release.
    Delta(HashSet<Cid>),
    /// All blocks except the leaves of wheels.
    Hollow,
}

impl ArchiveContents {
    /// The kind of the archive.
    pub fn kind(&self) -> ArchiveKind {
        match self {
            Self::Full => ArchiveKind::Full,
            Self::Delta(_) => ArchiveKind::Delta,
            Self::Hollow => ArchiveKind::Hollow,
        }
    }
}

/// The size of the write buffer, in bytes.
const BUFFER: usize = 1024 * 1024;

/// Writes the archive to a temporary file in `folder`. It gets its name when it is committed.
///
/// # Errors
/// When the folder cannot be written, or a wheel of the cache is damaged.
pub fn write_car(
    release: &Release<'_>,
    part: &ArchiveContents,
    cache: &Cache,
    folder: &Path,
) -> Result<(AtomicFile, CarSummary), PublishError> {
    make_own_folder(folder).map_err(PublishError::at(folder))?;
    let path = folder.join(car_name(part.kind()));
    let file = AtomicFile::create(&path).map_err(PublishError::at(&path))?;
    let mut writer = CarWriter::new(BufWriter::with_capacity(BUFFER, file), release.link().cid)
        .map_err(PublishError::at(&path))?;
    if let ArchiveContents::Delta(known) = part {
        writer = writer.without(known.clone());
    }
    let mut wheels = Wheels::new(cache);
    let mut open =
        |wheel: &DeclaredWheel| -> io::Result<Box<dyn Read>> { Ok(Box::new(wheels.open(wheel)?)) };
    let emitted = match part {
        ArchiveContents::Full | ArchiveContents::Delta(_) => release.emit(&mut writer, &mut open),
        ArchiveContents::Hollow => release.emit_hollow(&mut writer),
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
