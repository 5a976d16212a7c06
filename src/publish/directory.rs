//! A folder that any static web server serves (FORMATS 9).
//!
//! ```text
//! <path>/.ipwhl                         whose folder it is
//! <path>/<root>/                        the tree of a release, never changed
//! <path>/statements/<sequence>/         release.toml and its signatures, release.hollow.car, release.files
//! <path>/statements/latest -> <sequence>
//! <path>/latest -> <root>
//! <path>/release.toml                   and its signatures: copies of the newest statement
//! ```
//!
//! Names lead to what is whole only: a folder is made under another name and renamed, a link is replaced by renaming another
//! one over it. The statement's link is switched first. Whoever reads between the two finds a statement whose root
//! has its own folder already.

mod check;
mod delta;
mod files;
mod folder;
mod links;
mod record;
mod retention;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::context::TargetContext;
use super::history::check_follows;
use super::publication::Publication;
use super::site::{ReleaseFile, release_files};
use super::statements::{self, STATEMENTS};
use super::target::{
    Amount, CheckOrder, Checked, Done, Plan, PublishedRelease, ReadBack, Report, Step, Target,
    TargetError, Work,
};
use crate::car::Blocks;
use crate::dag::Cid;
use crate::repository::DirectoryTarget;
use crate::signature::SignedStatement;
use crate::source::redacted;
use folder::Folder;
pub(super) use folder::{names, partial};
use record::Record;

/// The link to the newest one's, in the folder of statements and beside it.
const LATEST: &str = "latest";

/// The blocks of a release, wherever they are.
type Store = dyn Blocks + Send + Sync;

/// A target of the kind `directory`.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    links: bool,
    url: Option<Url>,
    latest: Option<String>,
    keep: Option<u64>,
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
            && (name == STATEMENTS
                || name.starts_with('.')
                || name.starts_with("release.")
                || name.parse::<Cid>().is_ok())
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
            keep: settings.keep,
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
        let blocks = self.blocks(release)?;
        let blocks = &*blocks;
        let root = release.root();
        let files = release_files(blocks, &root).map_err(TargetError::world)?;
        let tree = self.tree(root);
        let before = self.linkable(release, held);
        // Pages and metadata are small. Wheels are compared where one of the sample shows that it has to be.
        let is_quick =
            |file: &ReleaseFile| file.is_wheel() && !release.sample.wheels.contains_key(&file.path);
        let mut is_whole = true;
        for file in files.iter().filter(|file| !is_quick(file)) {
            is_whole = is_whole && files::is_whole(file, blocks, &tree)?;
        }
        let [mut written, mut damaged, mut linked] = [Amount::of_files(); 3];
        for file in &files {
            let is_there = files::is_at(file, &tree)?;
            if is_there && (is_whole || files::is_whole(file, blocks, &tree)?) {
                continue;
            }
            let is_linkable = match &before {
                Some(before) if file.is_wheel() => files::is_at(file, before)?,
                Some(before) => files::is_whole(file, blocks, before)?,
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
        let mut top = None;
        if let Some(vouched) = &release.signed {
            let sequence = vouched.statement.sequence;
            let place = self.statement(sequence);
            statements::check_same(&place, sequence, &vouched.text)?;
            let signed = &self.united(vouched)?;
            let record = Record {
                directory: self,
                blocks,
                files: &files,
                signed,
            };
            for between in self.between(release, held) {
                let sequence = between.statement.sequence;
                if !statements::is_there(&self.statement(sequence), between)? {
                    changes.push(format!("write `{STATEMENTS}/{sequence}`"));
                }
            }
            if !statements::is_there(&place, vouched)? || !record.is_there()? {
                changes.push(format!("write `{STATEMENTS}/{sequence}`"));
            }
            if !statements::is_top(&self.path, signed)? {
                top = Some(
                    "write `release.toml` and its signatures, the newest statement".to_owned(),
                );
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
        changes.extend(top);
        for outdated in self.outdated(release)? {
            changes.push(format!("remove {}", outdated.shown()));
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

    /// Every statement of the folder, the newest first.
    fn all_statements(&self, name: &str) -> Result<Vec<SignedStatement>, TargetError> {
        statements::all(&self.path.join(STATEMENTS), name)
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

    /// The statements between the release that is held and this one.
    fn between<'r>(
        &self,
        release: &'r Publication,
        held: Option<PublishedRelease>,
    ) -> Vec<&'r SignedStatement> {
        match (&release.signed, held.and_then(|held| held.sequence)) {
            (Some(signed), Some(known)) => release.history.between(known, signed),
            _ => Vec::new(),
        }
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
        let blocks = self.blocks(release)?;
        let blocks = &*blocks;
        if found.written.blocks + found.linked.blocks > 0 || !is_folder(&tree)? {
            report(Step::Begun {
                what: format!("writing {}", found.written),
                bytes: found.written.bytes,
            });
            let before = self.linkable(release, found.held);
            let made = files::make(blocks, &found.files, &tree, before.as_deref(), report);
            let made =
                made.map_err(
                    |error| match error.is_refusal() && !release.left_out.is_empty() {
                        true => self.fillable(release, error),
                        false => error,
                    },
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
            let signed = &self.united(vouched)?;
            let record = Record {
                directory: self,
                blocks,
                files: &found.files,
                signed,
            };
            // Readers follow statements one by one.
            for between in self.between(release, found.held) {
                let place = self.statement(between.statement.sequence);
                let between = statements::united(&place, between)?;
                statements::write_with(&statements, &between, &|_| Ok(false))?;
            }
            if statements::write_with(&statements, signed, &|folder| record.complete(folder))? {
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
        if let Some(vouched) = &release.signed
            && statements::write_top(&self.path, &self.united(vouched)?)?
        {
            done.changes
                .push("`release.toml` is the newest statement".to_owned());
        }
        for outdated in self.outdated(release)? {
            self.remove(&outdated)?;
            done.changes.push(format!("removed {}", outdated.shown()));
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
        let blocks = self.blocks(release)?;
        let files = release_files(&*blocks, &release.root()).map_err(TargetError::world)?;
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
            if !files::is_whole(file, &*blocks, &tree)? {
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
            if !statements::is_top(&self.path, &self.united(vouched)?)? {
                return Err(changed(&self.path.join(super::STATEMENT)));
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

    fn check<'a>(&'a mut self, order: &'a CheckOrder<'a>, report: Report<'a>) -> Work<'a, Checked> {
        Box::pin(async move { self.check_all(order, report).await })
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(async move { self.upload(release, report) })
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(async { self.verify(release) })
    }
}
