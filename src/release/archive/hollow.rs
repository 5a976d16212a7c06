//! Writes the hollow archive of a full one.

use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarSummary};

use super::{ArchiveOutput, ReleaseArchive, archive_failure, open_archive};
use crate::foundation::failure::Failure;

/// A written hollow archive.
#[derive(Debug, Clone)]
pub struct HollowReport {
    /// The root of its release.
    pub root: Cid,
    /// Its contents.
    pub summary: CarSummary,
    /// The size of the source archive, in bytes.
    pub length: u64,
}

/// Writes the hollow archive of the archive at `path` to `output`.
///
/// # Errors
/// When the archive cannot be read or lacks a block other than a leaf of a wheel, when the output
/// is the archive itself, or when it cannot be written.
pub fn hollow_archive(path: &Path, output: PathBuf) -> Result<HollowReport, Failure> {
    let reader = open_archive(path)?;
    // A pipe would wait for its reader.
    if output.is_file() && same_file::is_same_file(path, &output).unwrap_or(false) {
        return Err(Failure::usage(format!(
            "`{}` would be overwritten by its own hollow archive",
            path.display()
        ))
        .help("name another file with `--output`"));
    }
    let (output, file) = ArchiveOutput::create(output)?;
    let (file, summary) = reader.hollow(file).map_err(|error| match &error {
        CarError::Missing(_) => {
            archive_failure(path, &error).help("if it is a delta, `ipwhl fill` makes it full")
        }
        _ => output.failed(path, &error),
    })?;
    output.commit(file)?;
    Ok(HollowReport {
        root: reader.root(),
        summary,
        length: reader.byte_length(),
    })
}
