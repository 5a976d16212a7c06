//! Files of a tree held to the hollow archive of their release, read from a folder or over HTTP.

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

/// Takes the bytes of a file of a release, and says whether they are. It keeps none of them.
#[derive(Debug)]
pub struct FileCheck {
    cid: Cid,
    size: u64,
    profile: Profile,
    received: u64,
    hasher: FileHasher,
}

impl FileCheck {
    /// What the blocks say of a file; its leaves need not be there.
    ///
    /// # Errors
    /// When a node of the file cannot be had, or no profile makes such a DAG.
    pub fn new(blocks: &(dyn Blocks + Send + Sync), file: &ReleaseFile) -> Result<Self, CarError> {
        let dag = file_dag(blocks, &file.cid, file.size, Profile::default())?;
        let dag = dag.ok_or_else(|| CarError::Tree {
            cid: file.cid,
            reason: "is a file that no profile makes".to_owned(),
        })?;
        Ok(Self {
            cid: file.cid,
            size: file.size,
            profile: dag.profile(),
            received: 0,
            hasher: FileHasher::new(dag.profile()),
        })
    }

    /// The SHA-256 of the file; `None` where the bytes that came are others.
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

/// Reads a file of a site and holds it to its release: its SHA-256, or `None` where it has other
/// bytes.
///
/// # Errors
/// When it is not there, or cannot be read.
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
    /// What is to be listed of it.
    pub listed: ListedFile,
}

/// Why a release's hollow archive was not had.
#[derive(Debug, thiserror::Error)]
pub enum HollowError {
    /// The site does not have it, or cannot be asked.
    #[error("{0}")]
    Source(SourceProblem),
    /// What is there is not it.
    #[error("`{place}` {reason}")]
    Refused {
        /// The archive, as it may be shown.
        place: String,
        /// Why, as half a sentence.
        reason: String,
    },
}

impl HollowError {
    /// The same, for whoever asked for the archive.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Source(problem) => unreachable(problem),
            Self::Refused { .. } => Failure::finding(self),
        }
    }
}

/// The hollow archive of the release of this sequence, every block of it verified. One of another
/// root is refused at its first bytes. Of a site on the web it is a file without a name, which goes
/// when it is closed.
///
/// # Errors
/// When it cannot be had, or is not the hollow archive of `root`.
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

/// Reads an archive of `root` into a file, after the bytes that an earlier run has left there. One
/// of another root is refused at its first bytes; what else is in it is not looked at.
///
/// # Errors
/// When it cannot be had, is of another root, or has more than `largest` bytes. The file has what
/// came until then.
pub async fn read_archive(
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
        reason: format!("it cannot be kept here: {error}"),
    })
}

const OTHER_ROOT: &str = "is not an archive of the root that the statement names";

/// An archive on its way in.
struct IncomingArchive<'f> {
    file: &'f mut File,
    /// What an archive of the root begins with.
    start: Vec<u8>,
    largest: u64,
    received: u64,
    refusal: Option<String>,
}

impl IncomingArchive<'_> {
    /// Takes over what the file has, where it can be the beginning of the archive.
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
