//! An archive, verified whole.

use std::io::{Read, Seek};

use ipwhl_unixfs::car::{CarError, CarReader};

use super::contradiction::Contradiction;
use super::count::Count;
use super::pages::check;
use crate::foundation::diagnostic::Code;
use crate::release::archive::{ArchiveKind, ReleaseArchive, Survey};

/// What the verification of an archive has found.
#[derive(Debug)]
pub struct ArchiveReport {
    /// What the archive has of its release.
    pub survey: Survey,
    /// What was compared.
    pub count: Count,
    /// What contradicts the rest.
    pub contradictions: Vec<Contradiction>,
}

/// Why an archive cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It lacks more than the leaves of all wheels. Nobody can tell a delta from a full archive
    /// that has lost some blocks.
    #[error("the archive is a delta, or has lost blocks")]
    Incomplete(Survey),
    /// A block is not there, is damaged, or does not belong to the release.
    #[error(transparent)]
    Archive(#[from] CarError),
}

/// Verifies a full or hollow archive: each block against its CID, the whole tree, and what it says
/// of itself. Contradictions of the codes `allowed` pass.
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
