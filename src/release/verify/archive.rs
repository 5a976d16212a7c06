//! Verifies a whole archive.

use std::io::{Read, Seek};

use ipwhl_unixfs::car::{CarError, CarReader};

use super::contradiction::Contradiction;
use super::count::Count;
use super::pages::check;
use crate::foundation::diagnostic::Code;
use crate::release::archive::{ArchiveKind, ReleaseArchive, Survey};

/// The result of verifying an archive.
#[derive(Debug)]
pub struct ArchiveReport {
    /// The blocks of the archive.
    pub survey: Survey,
    /// The compared projects and wheels.
    pub count: Count,
    /// The contradictions.
    pub contradictions: Vec<Contradiction>,
}

/// The reason why an archive cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It lacks more than the leaves of all wheels. A delta cannot be distinguished from a full
    /// archive that has lost blocks.
    #[error("the archive is a delta, or has lost blocks")]
    Incomplete(Survey),
    /// A block is missing, damaged, or does not belong to the release.
    #[error(transparent)]
    Archive(#[from] CarError),
}

/// Verifies a full or hollow archive: each block against its CID, the whole tree, and its
/// descriptions of itself. Contradictions of the codes `allowed` pass.
///
/// # Errors
/// See [`VerifyError`].
pub fn verify_archive<R: Read + Seek + Send + 'static>(
    archive: &CarReader<R>,
    allowed: &[Code],
) -> Result<ArchiveReport, VerifyError> {
    let survey = archive.survey()?;
    if survey.kind == ArchiveKind::Delta {
        return Err(VerifyError::Incomplete(survey));
    }
    let is_hollow = survey.kind == ArchiveKind::Hollow;
    let (count, contradictions) = check(archive, archive.root(), is_hollow, allowed)?;
    Ok(ArchiveReport {
        survey,
        count,
        contradictions,
    })
}
