//! A folder that any static web server serves (FORMATS 9).
//!
//! ```text
//! <path>/.ipwhl                         whose folder it is
//! <path>/<root>/                        the tree of a release, never changed
//! <path>/statements/<sequence>/         release.toml and its signatures
//! <path>/statements/latest -> <sequence>
//! <path>/latest -> <root>
//! ```
//!
//! Names lead to what is whole only: a folder is made under another name and renamed, a link is replaced by renaming another
//! one over it. The statement's link is switched first. Whoever reads between the two finds a statement whose root
//! has its own folder already.

mod files;
mod folder;
mod links;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::context::TargetContext;
use super::history::check_follows;
use super::publication::Publication;
use super::statements::{self, STATEMENTS};
use super::target::{
    Amount, Done, Plan, PublishedRelease, ReadBack, Report, Step, Target, TargetError, Work,
};
use crate::dag::Cid;
use crate::repository::DirectoryTarget;
use crate::signature::SignedStatement;
use crate::source::redacted;
use files::ReleaseFile;
use folder::Folder;
pub(super) use folder::{names, partial};

/// The link to the newest one's, in the folder of statements and beside it.
const LATEST: &str = "latest";

/// A target of the kind `directory`.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    links: bool,
    url: Option<Url>,
    latest: Option<String>,
}

/// What a look at the folder has found.
struct Found {
    held: Option<PublishedRelease>,
    files: Vec<ReleaseFile>,
    /// What would be written, what of it is there with other bytes, and what would be linked.
    written: Amount,
    damaged: Amount,
    linked: Amount,
    changes: Vec<String>,
}

impl Directory {
    pub(super) fn new(
        settings: &DirectoryTarget,
        context: &TargetContext,
    ) -> Result<Self, TargetError> {
        if let Some(name) = &settings.latest
            && (name == STATEMENTS || name.starts_with('.') || name.parse::<Cid>().is_ok())
        {
            return Err(TargetError::refused(format!(
                "`latest` cannot be `{name}`: that name is used already in the folder"
            ))
            .help("choose another name, or \"\" for none"));
        }
        Ok(Self {
            path: context.folder.join(&settings.path),
            links: settings.links,
            url: settings.url.clone(),
            latest: settings.latest.clone(),
        })
    }

    fn tree(&self, root: Cid) -> PathBuf {
        self.path.join(root.to_string())
    }

    /// Looks, and changes nothing.
    fn inspect(&self, release: &Publication) -> Result<Found, TargetError> {
        let state = Folder::look(&self.path, &release.name)?;
        let held = self.held(release)?;
        if let Some(held) = &held {
            check_follows(release, held)?;
        }
        if !release.left_out.is_empty() {
            return Err(TargetError::refused(
                "a folder has files and no blocks, and a delta leaves most of them out",
            )
            .help(format!("make the archive full: `{}`", release.fill_command)));
        }
        let root = release.root();
        let files = files::of(&release.archive)?;
        let tree = self.tree(root);
        let before = self.linkable(release, held);
        // Pages and metadata are small. Wheels are compared where one of the sample shows that it has to be.
        let is_quick =
            |file: &ReleaseFile| file.is_wheel() && !release.sample.wheels.contains_key(&file.path);
        let mut is_whole = true;
        for file in files.iter().filter(|file| !is_quick(file)) {
            is_whole = is_whole && file.is_whole(&release.archive, &tree)?;
        }
        let [mut written, mut damaged, mut linked] = [Amount::of_files(); 3];
        for file in &files {
            let is_there = file.is_at(&tree)?;
            if is_there && (is_whole || file.is_whole(&release.archive, &tree)?) {
                continue;
            }
            let is_linkable = match &before {
                Some(before) if file.is_wheel() => file.is_at(before)?,
                Some(before) => file.is_whole(&release.archive, before)?,
                None => false,
            };
            if is_linkable {
                linked.add_file(file.size);
            } else {
                written.add_file(file.size);
            }
            if is_there {
                damaged.add_file(file.size);
            }
        }
        let mut changes = Vec::new();
        if state == Folder::Absent {
            changes.push(format!("make the folder `{}`", self.path.display()));
        }
        if linked.blocks > 0 {
            let before = held.map(|held| held.root.to_string()).unwrap_or_default();
            changes.push(format!(
                "link {linked} to those of {before}, wheels where their bytes are the same"
            ));
        }
        if damaged.blocks > 0 {
            changes.push(format!(
                "replace {damaged} with other bytes than the release's"
            ));
        }
        if let Some(vouched) = &release.signed {
            let sequence = vouched.statement.sequence;
            let place = self.statement(sequence);
            statements::check_same(&place, sequence, &vouched.text)?;
            if !statements::is_there(&place, vouched)? {
                changes.push(format!("write `{STATEMENTS}/{sequence}`"));
            }
            if self.latest.is_some()
                && links::target(&self.path.join(STATEMENTS), LATEST)?.as_deref()
                    != Some(sequence.to_string().as_str())
            {
                changes.push(format!("point `{STATEMENTS}/{LATEST}` at {sequence}"));
            }
        }
        if let Some(latest) = &self.latest
            && links::target(&self.path, latest)?.as_deref() != Some(root.to_string().as_str())
        {
            changes.push(format!("point `{latest}` at {root}"));
        }
        Ok(Found {
            held,
            files,
            written,
            damaged,
            linked,
            changes,
        })
    }

    fn statement(&self, sequence: u64) -> PathBuf {
        self.path.join(STATEMENTS).join(sequence.to_string())
    }

    /// The newest release of the folder: that of the newest statement, or, where there are none, that of the link.
    fn held(&self, release: &Publication) -> Result<Option<PublishedRelease>, TargetError> {
        let newest = statements::newest(&self.path.join(STATEMENTS), &release.name)?;
        let linked = match &self.latest {
            Some(latest) => links::target(&self.path, latest)?,
            None => None,
        };
        let linked = match linked {
            None => None,
            Some(name) => Some(name.parse::<Cid>().map_err(|_| {
                TargetError::refused(format!(
                    "`{}` leads to `{name}`, which is no release, and so it is not replaced",
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

    /// The tree whose files may be linked to.
    fn linkable(&self, release: &Publication, held: Option<PublishedRelease>) -> Option<PathBuf> {
        let held = held.filter(|held| self.links && held.root != release.root())?;
        Some(self.tree(held.root))
    }

    fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, TargetError> {
        let _lock = Folder::open(&self.path, &release.name)?;
        // Another run may have been here between the plan and the lock.
        let found = self.inspect(release)?;
        let root = release.root();
        let tree = self.tree(root);
        let mut done = Done {
            moved: Amount::of_files(),
            ..Done::default()
        };
        folder::forget_others(&self.path, &root.to_string())?;
        if found.written.blocks + found.linked.blocks > 0 || !is_folder(&tree)? {
            report(Step::Begun {
                what: format!("writing {}", found.written),
                bytes: found.written.bytes,
            });
            let before = self.linkable(release, found.held);
            let made = files::make(
                &release.archive,
                &found.files,
                &tree,
                before.as_deref(),
                report,
            )?;
            done.moved = made.written;
            if found.damaged.blocks > 0 {
                done.changes.push(format!(
                    "replaced {} with other bytes than the release's",
                    found.damaged
                ));
            }
            if made.linked.blocks > 0 {
                done.changes
                    .push(format!("linked {} that were there", made.linked));
            }
        }
        if let Some(vouched) = &release.signed {
            let sequence = vouched.statement.sequence;
            let statements = self.path.join(STATEMENTS);
            if statements::write(&statements, sequence, vouched)? {
                done.changes
                    .push(format!("`{STATEMENTS}/{sequence}` is the statement"));
            }
            if self.latest.is_some() && links::switch(&statements, LATEST, &sequence.to_string())? {
                done.changes
                    .push(format!("`{STATEMENTS}/{LATEST}` is {sequence}"));
            }
        }
        if let Some(latest) = &self.latest
            && links::switch(&self.path, latest, &root.to_string())?
        {
            done.changes.push(format!("`{latest}` is {root}"));
        }
        Ok(done)
    }

    /// Reads as a server would: through the links, where there are any.
    fn verify(&self, release: &Publication) -> Result<ReadBack, TargetError> {
        let root = release.root().to_string();
        let tree = self.path.join(self.latest.as_ref().unwrap_or(&root));
        let changed = |place: &Path| {
            TargetError::world(format!(
                "`{}` is not what was put there: somebody else writes there too",
                place.display()
            ))
        };
        if let Some(latest) = &self.latest
            && links::target(&self.path, latest)?.as_ref() != Some(&root)
        {
            return Err(changed(&tree));
        }
        let files = files::of(&release.archive)?;
        let expected: BTreeSet<&str> = files
            .iter()
            .filter_map(|file| file.path.split('/').next())
            .collect();
        let names = folder::names(&tree)?;
        if !expected.iter().all(|name| names.contains(*name)) {
            return Err(changed(&tree));
        }
        let mut read = Amount::of_files();
        for file in &files {
            let is_wanted =
                !file.path.contains('/') || release.sample.wheels.contains_key(&file.path);
            if !is_wanted {
                continue;
            }
            if !file.is_whole(&release.archive, &tree)? {
                return Err(changed(&tree.join(&file.path)));
            }
            read.add_file(file.size);
        }
        if let Some(vouched) = &release.signed {
            let sequence = vouched.statement.sequence.to_string();
            let name = self.latest.as_ref().map_or(sequence.as_str(), |_| LATEST);
            let place = self.path.join(STATEMENTS).join(name);
            if !statements::is_there(&place, vouched)? {
                return Err(changed(&place));
            }
        }
        let newest = self.latest.clone().into_iter();
        let address = |name: String| {
            let url = redacted(self.url.as_ref()?);
            Some(format!("{}/{name}/", url.trim_end_matches('/')))
        };
        Ok(ReadBack {
            read,
            is_kept: true,
            addresses: newest.chain([root]).filter_map(address).collect(),
            ..ReadBack::default()
        })
    }
}

fn is_folder(path: &Path) -> Result<bool, TargetError> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => Ok(true),
        Ok(_) => Err(TargetError::refused(format!(
            "`{}` is not a folder, and so it is not replaced",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// What the system says of a path.
pub(super) fn unusable(path: &Path, error: &io::Error) -> TargetError {
    TargetError::world(format!("`{}`: {error}", path.display()))
}

impl Target for Directory {
    fn place(&self) -> String {
        format!("`{}`", self.path.display())
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Plan> {
        Box::pin(async {
            let found = self.inspect(release)?;
            Ok(Plan {
                held: found.held,
                moved: found.written,
                changes: found.changes,
                notes: Vec::new(),
            })
        })
    }

    fn holdings<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<PublishedRelease>> {
        Box::pin(async {
            let statements = statements::all(&self.path.join(STATEMENTS), repository)?;
            let mut held = Vec::new();
            for signed in statements {
                if is_folder(&self.tree(signed.statement.root))? {
                    held.push(PublishedRelease {
                        root: signed.statement.root,
                        sequence: Some(signed.statement.sequence),
                    });
                }
            }
            Ok(held)
        })
    }

    fn statements<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<SignedStatement>> {
        Box::pin(async { statements::all(&self.path.join(STATEMENTS), repository) })
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(async move { self.upload(release, report) })
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(async { self.verify(release) })
    }
}
