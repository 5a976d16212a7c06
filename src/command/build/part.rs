//! The contents of the archive: full, delta or hollow.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use ipwhl_unixfs::Cid;

use super::super::context::Context;
use super::reuse::archive_beside;
use super::{Arguments, uncommitted};
use crate::foundation::failure::Failure;
use crate::publish::{ArchiveContents, PublishError};
use crate::release::archive::{ArchiveKind, OpenRelease, car_name, open_archive};
use crate::release::names::STATEMENT;
use crate::release::reuse::ReusableRelease;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::all_wheels;
use crate::set::repository::Repository;

impl ValueEnum for ArchiveKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Full => "every block",
            Self::Delta => "blocks that the previous release does not have",
            Self::Hollow => "pages, metadata and DAG nodes, without the contents of wheels",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// Refuses before anything is fetched what would be refused at the end: a part beside the full
/// archive of another release. It certainly is another one where it lacks a wheel that is declared.
pub(super) fn check_kind(
    repository: &Repository,
    kind: ArchiveKind,
    folder: &Path,
) -> Result<(), Failure> {
    let path = folder.join(car_name(ArchiveKind::Full));
    if kind == ArchiveKind::Full || !path.is_file() {
        return Ok(());
    }
    // What cannot be read is no release, and in nobody's way.
    let Ok(archive) = open_archive(&path) else {
        return Ok(());
    };
    let lacks = |wheel: &&DeclaredWheel| archive.length_of(&wheel.content_id.value).is_none();
    if !all_wheels(repository).iter().any(lacks) {
        return Ok(());
    }
    let reason = "is the full archive of another release".to_owned();
    Err(uncommitted(&PublishError::Occupied(path, reason), folder))
}

/// What goes into the archive, with what is known of the release before: the one that
/// `--previous-car` names, one beside the previous statement, or one that is reused. `previous` is
/// the root that the previous statement vouches for.
pub(super) fn part(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    folder: &Path,
    previous: Option<Cid>,
    reusable: &[ReusableRelease],
) -> Result<ArchiveContents, Failure> {
    if arguments.previous_car.is_some() && arguments.car != ArchiveKind::Delta {
        return Err(Failure::usage("`--previous-car` needs `--car delta`"));
    }
    match arguments.car {
        ArchiveKind::Full => Ok(ArchiveContents::Full),
        ArchiveKind::Hollow => Ok(ArchiveContents::Hollow),
        ArchiveKind::Delta => {
            let opened;
            let base = match named(context, arguments, folder, previous) {
                Some(text) => {
                    let configuration = &repository.configuration;
                    opened = OpenRelease::named(
                        &context.session,
                        &arguments.network.network(),
                        &configuration.gateways,
                        &text,
                    )?;
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
fn named(
    context: &Context<'_>,
    arguments: &Arguments,
    folder: &Path,
    previous: Option<Cid>,
) -> Option<String> {
    if let Some(release) = &arguments.previous_car {
        return Some(release.clone());
    }
    previous?;
    let statement = match arguments.previous.as_deref() {
        Some(location) if location.contains("://") => return None,
        Some(location) => context.absolute(Path::new(location)),
        None => folder.join(STATEMENT),
    };
    let archive = archive_beside(&statement)?;
    archive.to_str().map(ToOwned::to_owned)
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
