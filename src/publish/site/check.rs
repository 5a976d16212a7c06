//! Compares files of a tree with the hollow archive of their release, from a folder or over HTTP.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use ipwhl_unixfs::car::{Blocks, CarError, CarReader, archive_start, file_dag};
use ipwhl_unixfs::{Cid, FileHasher, Profile, Sha256Digest};

use super::{LARGEST_HOLLOW, ListedFile, ReleaseFile};
use crate::foundation::failure::Failure;
use crate::release::archive::ArchiveKind;
use crate::release::archive::ReleaseArchive;
use crate::release::archive::car_name;
use crate::release::statement::folder::statement_path;
use crate::release::statement::unreachable;
use crate::source::{Receiver, Site, SourceProblem};

/// Compares a stream of bytes with a file of a release, without keeping them.
#[derive(Debug)]
pub struct FileCheck {
    cid: Cid,
    size: u64,
    profile: Profile,
    received: u64,
    hasher: FileHasher,
}

impl FileCheck {
    /// The expected leaves of a file; the leaves themselves may be missing.
    ///
    /// # Errors
    /// When a node of the file is missing, or no profile makes such a DAG.
    pub fn new(blocks: &(dyn Blocks + Send + Sync), file: &ReleaseFile) -> Result<Self, CarError> {
        let dag = file_dag(blocks, &file.cid, file.size, Profile::default())?;
        let dag = dag.ok_or_else(|| CarError::Tree {
            cid: file.cid,
            reason: "is a file that no profile produces".to_owned(),
        })?;
        Ok(Self {
            cid: file.cid,
            size: file.size,
            profile: dag.profile(),
            received: 0,
            hasher: FileHasher::new(dag.profile()),
        })
    }

    /// The SHA-256 of the file; `None` if the bytes differ.
    pub fn finish(self) -> Option<Sha256Digest> {
        let (dag, sha256) = self.hasher.finish();
        (dag.cid() == self.cid).then_some(sha256)
    }
}

impl Receiver for FileCheck {
    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.received += bytes.len() as u64;
        self.hasher.update(bytes);
        Ok(self.received <= self.size)
    }

    fn restart(&mut self) -> io::Result<()> {
        self.received = 0;
        self.hasher = FileHasher::new(self.profile);
        Ok(())
    }
}

/// Reads a file of a site and compares it with its release: its SHA-256, or `None` if its bytes
/// differ.
///
/// # Errors
/// When it is missing, or cannot be read.
pub async fn check_file(
    site: &Site,
    path: &str,
    mut check: FileCheck,
) -> Result<Option<Sha256Digest>, SourceProblem> {
    site.read(path, &mut check).await?;
    Ok(check.finish())
}

/// The hollow archive of a release on a site.
#[derive(Debug)]
pub struct HollowArchive {
    /// Its path on the site.
    pub path: String,
    /// The archive, every block of it verified.
    pub archive: CarReader<File>,
    /// The entry for it in the list of files.
    pub listed: ListedFile,
}

/// The help for a site whose files do not match its signed statement.
pub const ALTERED: &str =
    "the site is damaged or altered: tell its maintainers, and get the release from another place";

/// The reason why a release's hollow archive is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum HollowError {
    /// The site does not have it, or cannot be reached.
    #[error("{0}")]
    Source(SourceProblem),
    /// The site has another file at this place.
    #[error("`{place}` {reason}")]
    Refused {
        /// The archive, in printable form.
        place: String,
        /// The reason, as a clause.
        reason: String,
    },
}

impl HollowError {
    /// The failure of an operation that needs the archive.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Source(problem) => unreachable(problem),
            Self::Refused { .. } => Failure::finding(self).help(ALTERED),
        }
    }
}

/// The hollow archive of the release of this sequence, every block of it verified. An archive of
/// another root is refused after its header. From a site on the web, it is stored in a file without
/// a name, which disappears when it is closed.
///
/// # Errors
/// When it is unavailable, or is not the hollow archive of `root`.
pub async fn read_hollow(
    site: &Site,
    sequence: u64,
    root: &Cid,
) -> Result<HollowArchive, HollowError> {
    let path = statement_path(sequence, car_name(ArchiveKind::Hollow));
    let mut file = match site.open(&path) {
        Some(opened) => opened.map_err(HollowError::Source)?,
        None => {
            let mut file = tempfile::tempfile().map_err(|error| unkept(site, &path, &error))?;
            read_archive(site, &path, root, &mut file, LARGEST_HOLLOW).await?;
            file
        }
    };
    let refused = |reason: String| HollowError::Refused {
        place: site.shown(&path),
        reason,
    };
    let listed = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| ListedFile::read(&mut file))
        .map_err(|error| refused(format!("cannot be read: {error}")))?;
    let opened = CarReader::open(file).and_then(|archive| Ok((archive.survey()?, archive)));
    let (survey, archive) = opened.map_err(|error| refused(format!("is damaged: {error}")))?;
    if archive.root() != *root {
        return Err(refused(OTHER_ROOT.to_owned()));
    }
    if survey.kind == ArchiveKind::Delta {
        return Err(refused(
            "lacks more blocks than a hollow archive".to_owned(),
        ));
    }
    Ok(HollowArchive {
        path,
        archive,
        listed,
    })
}

/// Reads an archive of `root` into a file, after the bytes that an earlier run has left there. An
/// archive of another root is refused after its header; the rest is not verified.
///
/// # Errors
/// When it is unavailable, has another root, or more than `largest` bytes. The file keeps the bytes
/// received until then.
pub(in crate::publish) async fn read_archive(
    site: &Site,
    path: &str,
    root: &Cid,
    file: &mut File,
    largest: u64,
) -> Result<(), HollowError> {
    let mut incoming = IncomingArchive {
        file,
        start: archive_start(root),
        largest,
        received: 0,
        refusal: None,
    };
    incoming
        .resume()
        .map_err(|error| unkept(site, path, &error))?;
    site.read(path, &mut incoming)
        .await
        .map_err(HollowError::Source)?;
    match incoming.refusal {
        Some(reason) => Err(HollowError::Refused {
            place: site.shown(path),
            reason,
        }),
        None => Ok(()),
    }
}

fn unkept(site: &Site, path: &str, error: &io::Error) -> HollowError {
    HollowError::Source(SourceProblem::Failed {
        place: site.shown(path),
        reason: format!("it cannot be stored here: {error}"),
    })
}

const OTHER_ROOT: &str = "is not an archive of the root that the statement names";

/// An archive that is being received.
struct IncomingArchive<'f> {
    file: &'f mut File,
    /// The first bytes of an archive with the root.
    start: Vec<u8>,
    largest: u64,
    received: u64,
    refusal: Option<String>,
}

impl IncomingArchive<'_> {
    /// Keeps the contents of the file if they can be the beginning of the archive.
    fn resume(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut start = vec![0; self.start.len()];
        let is_begun = self.file.read_exact(&mut start).is_ok() && start == self.start;
        if is_begun {
            self.received = self.file.seek(SeekFrom::End(0))?;
            return Ok(());
        }
        self.restart()
    }
}

impl Receiver for IncomingArchive<'_> {
    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let at = usize::try_from(self.received).unwrap_or(usize::MAX);
        if let Some(expected) = self.start.get(at..) {
            let length = expected.len().min(bytes.len());
            if expected[..length] != bytes[..length] {
                self.refusal = Some(OTHER_ROOT.to_owned());
                return Ok(false);
            }
        }
        if self.received + bytes.len() as u64 > self.largest {
            self.refusal = Some(format!("is larger than {} bytes", self.largest));
            return Ok(false);
        }
        self.file.write_all(bytes)?;
        self.received += bytes.len() as u64;
        Ok(true)
    }

    fn kept(&self) -> u64 {
        self.received
    }

    fn restart(&mut self) -> io::Result<()> {
        self.received = 0;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok(())
    }
}
