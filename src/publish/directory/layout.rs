//! The layout of the folder.

use std::io;
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::Blocks;
use url::Url;

use super::links;
use crate::foundation::failure::{Failure, unusable};
use crate::publish::context::TargetContext;
use crate::publish::publication::Publication;
use crate::publish::published_release::PublishedRelease;
use crate::release::statement::SignedStatement;
use crate::release::statement::folder::{self as statements, STATEMENTS};
use crate::set::repository::DirectoryTarget;

/// The link to the newest entry, in the folder of statements and beside it.
pub(super) const LATEST: &str = "latest";

/// The blocks of a release, from any place.
pub(super) type Store = dyn Blocks + Send + Sync;

/// A target of the kind `directory`.
#[derive(Debug)]
pub(in crate::publish) struct Directory {
    pub(super) path: PathBuf,
    pub(super) links: bool,
    pub(super) url: Option<Url>,
    pub(super) latest: Option<String>,
    pub(super) keep: Option<u64>,
}

impl Directory {
    pub(in crate::publish) fn new(
        settings: &DirectoryTarget,
        context: &TargetContext,
    ) -> Result<Self, Failure> {
        if let Some(name) = &settings.latest
            && (name == STATEMENTS
                || name.starts_with('.')
                || name.starts_with("release.")
                || name.parse::<Cid>().is_ok())
        {
            return Err(Failure::refused(format!(
                "`latest` cannot be `{name}`: that name is used already in the folder"
            ))
            .help("choose another name, or \"\" for none"));
        }
        Ok(Self {
            path: context.folder.join(&settings.path),
            links: settings.links,
            url: settings.url.clone(),
            latest: settings.latest.clone(),
            keep: settings.keep,
        })
    }

    pub(super) fn tree(&self, root: Cid) -> PathBuf {
        self.path.join(root.to_string())
    }

    pub(super) fn statement(&self, sequence: u64) -> PathBuf {
        self.path.join(STATEMENTS).join(sequence.to_string())
    }

    /// Every statement of the folder, the newest first.
    pub(super) fn all_statements(&self, name: &str) -> Result<Vec<SignedStatement>, Failure> {
        statements::all(&self.path.join(STATEMENTS), name)
    }

    /// The newest release of the folder: that of the newest statement, or, without statements, that
    /// of the link.
    pub(super) fn held(&self, release: &Publication) -> Result<Option<PublishedRelease>, Failure> {
        let newest = statements::newest(&self.path.join(STATEMENTS), &release.name)?;
        let newest = newest.map(|statement| PublishedRelease {
            root: statement.root,
            sequence: Some(statement.sequence),
        });
        let linked = match &self.latest {
            Some(latest) => links::target(&self.path, latest)?,
            None => None,
        };
        let linked = match linked {
            None => None,
            Some(name) => Some(name.parse::<Cid>().map_err(|_| {
                Failure::refused(format!(
                    "`{}` refers to `{name}`, which is not a release, so it is not replaced",
                    self.path
                        .join(self.latest.as_deref().unwrap_or_default())
                        .display()
                ))
                .help("remove the link, or name another one with `latest`")
            })?),
        };
        Ok(newest.or(linked.map(|root| PublishedRelease {
            root,
            sequence: None,
        })))
    }

    /// The tree with files to link to.
    pub(super) fn linkable(
        &self,
        release: &Publication,
        held: Option<PublishedRelease>,
    ) -> Option<PathBuf> {
        let held = held.filter(|held| self.links && held.root != release.root())?;
        Some(self.tree(held.root))
    }
}

/// Whether this path is a folder.
pub(super) fn is_folder(path: &Path) -> Result<bool, Failure> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => Ok(true),
        Ok(_) => Err(Failure::refused(format!(
            "`{}` is not a folder, so it is not replaced",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unusable(path, &error)),
    }
}
