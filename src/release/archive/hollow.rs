//! The hollow archive of a full one, as a file.

use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarSummary};

use super::{ArchiveOutput, ReleaseArchive, archive_failure, open_archive};
use crate::foundation::failure::Failure;

/// A hollow archive that was written.
#[derive(Debug, Clone)]
pub struct HollowReport {
    /// The root of its release.
    pub root: Cid,
    /// What was written.
    pub summary: CarSummary,
    /// How many bytes the archive has that it was made of.
    pub length: u64,
}

/// Writes to `output` the hollow archive of the archive at `path`.
///
/// # Errors
/// When the archive cannot be read or lacks another block than a leaf of a wheel, the output is the
/// archive itself, or it cannot be written.
pub fn hollow_archive(path: &Path, output: PathBuf) -> Result<HollowReport, Failure> {
    let reader = open_archive(path)?;
    if same_file::is_same_file(path, &output).unwrap_or(false) {
        return Err(Failure::usage(format!(
            "`{}` would be replaced by what is left of it",
            path.display()
        ))
        .help("name another file with `--output`"));
    }
    let (output, file) = ArchiveOutput::create(output)?;
    let (file, summary) = reader.hollow(file).map_err(|error| match &error {
        CarError::Missing(_) => {
            archive_failure(path, &error).help("where it is a delta, `ipwhl fill` makes it full")
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
