//! The contents of an archive: the whole release, its new blocks, or everything except wheels.

use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;

use super::cut_run::Writer;
use super::error::PublishError;
use super::files::ArchiveContents;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, OpenRelease, car_name, open_archive};
use crate::release::names::STATEMENT;
use crate::release::reuse::ReusableRelease;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::{Network, all_wheels};
use crate::set::repository::Repository;
use crate::source::Session;

/// The requested kind of archive, and the previous release.
#[derive(Debug, Clone, Copy)]
pub struct ContentsRequest<'r> {
    /// The kind of archive.
    pub kind: ArchiveKind,
    /// The folder of the archive.
    pub folder: &'r Path,
    /// The previous release from the command line: an archive, a root CID or an address.
    pub previous_car: Option<&'r str>,
    /// The previous statement from the command line: a file or an address.
    pub previous: Option<&'r str>,
    /// The root in the previous statement.
    pub previous_root: Option<Cid>,
}

/// Refuses a delta or hollow archive beside the full archive of another release, before anything is
/// fetched. The commit would refuse it at the end. An archive without a declared wheel is certainly
/// of another release.
///
/// # Errors
/// The refusal.
pub fn check_kind(
    repository: &Repository,
    kind: ArchiveKind,
    folder: &Path,
    writer: Writer,
) -> Result<(), Failure> {
    let path = folder.join(car_name(ArchiveKind::Full));
    if kind == ArchiveKind::Full || !path.is_file() {
        return Ok(());
    }
    // An unreadable file is not a release, and may be replaced.
    let Ok(archive) = open_archive(&path) else {
        return Ok(());
    };
    let lacks = |wheel: &&DeclaredWheel| archive.length_of(&wheel.content_id.value).is_none();
    if !all_wheels(repository).iter().any(lacks) {
        return Ok(());
    }
    let reason = "is the full archive of another release".to_owned();
    Err(writer.uncommitted(&PublishError::Occupied(path, reason), folder))
}

impl ContentsRequest<'_> {
    /// The contents of the archive. A delta needs the blocks of the previous release: the named
    /// one, the one beside the previous statement, or a reused one.
    ///
    /// # Errors
    /// When a previous release is named for an archive that is not a delta, when a delta has none,
    /// or when its root is not that of the previous statement.
    pub fn contents(
        &self,
        session: &Session,
        repository: &Repository,
        network: &Network,
        reusable: &[ReusableRelease],
    ) -> Result<ArchiveContents, Failure> {
        if self.previous_car.is_some() && self.kind != ArchiveKind::Delta {
            return Err(Failure::usage("`--previous-car` needs `--car delta`"));
        }
        match self.kind {
            ArchiveKind::Full => Ok(ArchiveContents::Full),
            ArchiveKind::Hollow => Ok(ArchiveContents::Hollow),
            ArchiveKind::Delta => {
                let previous = self.previous_root;
                let opened;
                let base = match self.named(session) {
                    Some(text) => {
                        let gateways = &repository.configuration.gateways;
                        opened = OpenRelease::named(session, network, gateways, &text)?;
                        &opened
                    }
                    None => reused(reusable, previous)?,
                };
                if let Some(previous) = previous.filter(|previous| *previous != base.root) {
                    return Err(Failure::finding(format!(
                        "{} is an archive of {}, and the previous statement vouches for {previous}",
                        base.shown, base.root
                    ))
                    .help("name the previous release's archive with `--previous-car RELEASE`"));
                }
                Ok(ArchiveContents::Delta(base.block_set()?))
            }
        }
    }

    /// The named previous release, else the archive beside the previous statement.
    fn named(&self, session: &Session) -> Option<String> {
        if let Some(release) = self.previous_car {
            return Some(release.to_owned());
        }
        self.previous_root?;
        let statement = match self.previous {
            Some(location) if location.contains("://") => return None,
            Some(location) => session.environment().absolute(Path::new(location)),
            None => self.folder.join(STATEMENT),
        };
        let archive = archive_beside(&statement)?;
        archive.to_str().map(ToOwned::to_owned)
    }
}

/// The reused release that is the previous one; without a previous statement, the first.
fn reused(reusable: &[ReusableRelease], previous: Option<Cid>) -> Result<&OpenRelease, Failure> {
    let mut releases = reusable.iter().map(|one| &one.release);
    let is_previous = |root: Cid| previous.is_none_or(|previous| previous == root);
    releases.find(|release| is_previous(release.root)).ok_or_else(|| {
        Failure::usage("a delta needs the previous release")
            .help("name its archive (full or hollow), its root CID or its URL: `--previous-car RELEASE`")
    })
}

/// The archive of a release beside a file, if there is one.
fn archive_beside(file: &Path) -> Option<PathBuf> {
    let kinds = [ArchiveKind::Full, ArchiveKind::Hollow].into_iter();
    kinds
        .map(|kind| file.with_file_name(car_name(kind)))
        .find(|path| path.is_file())
}
