//! What of a release goes into its archive: all of it, what is new, or all but the wheels.

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

/// How much of a release its archive is to have, and which release is before it.
#[derive(Debug, Clone, Copy)]
pub struct ContentsRequest<'r> {
    /// How much of the release.
    pub kind: ArchiveKind,
    /// The folder of the archive.
    pub folder: &'r Path,
    /// The release that is named as the previous one: an archive, a root CID or an address.
    pub previous_car: Option<&'r str>,
    /// The statement that is named as the previous one: a file or an address.
    pub previous: Option<&'r str>,
    /// The root that the previous statement vouches for.
    pub previous_root: Option<Cid>,
}

/// Refuses before anything is fetched what would be refused at the end: a part beside the full
/// archive of another release. It certainly is another one where it lacks a wheel that is declared.
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
    // A file that cannot be read is not a release, and may be replaced.
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
    /// What goes into the archive, with what is known of the release before: the one that is named,
    /// one beside the previous statement, or one that is reused.
    ///
    /// # Errors
    /// When a release before is named and not needed, or needed and not known, or not the one that
    /// the previous statement vouches for.
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

    /// The release that was named, else the archive beside the previous statement.
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

/// The release that is reused and is the previous one; the first, where nothing says which that is.
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
