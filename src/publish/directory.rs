//! A folder that any static web server serves (FORMATS 9).
//!
//! ```text
//! <path>/.ipwhl whose folder it is <path>/<root>/ the tree of a release, never changed
//! <path>/statements/<sequence>/ release.toml and its signatures, release.hollow.car, release.files
//! <path>/statements/latest -> <sequence> <path>/latest -> <root> <path>/release.toml and its
//! signatures: copies of the newest statement
//! ```
//!
//! Names lead to what is whole only: a folder is made under another name and renamed, a link is
//! replaced by renaming another one over it. The statement's link is switched first. Whoever reads
//! between the two finds a statement whose root has its own folder already.

mod check;
mod delta;
mod files;
mod folder;
mod layout;
mod links;
mod plan;
mod record;
mod retention;

pub(super) use layout::Directory;

use std::collections::BTreeSet;
use std::path::Path;

use ipwhl_unixfs::Cid;

use super::amount::Amount;
use super::place::TargetPlace;
use super::publication::Publication;
use super::published_release::PublishedRelease;
use super::site::release_files;
use super::target::{CheckOrder, Checked, Done, Plan, ReadBack, Report, Step, Target, Work};
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::statement::SignedStatement;
use crate::release::statement::folder::{self as statements, STATEMENTS};
use crate::source::redacted;
use folder::Folder;
use layout::{LATEST, is_folder};
use record::Record;

impl Directory {
    fn upload(&self, release: &Publication, report: Report<'_>) -> Result<Done, Failure> {
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
            let made = made.map_err(|error| {
                if error.is_refusal() && !release.left_out.is_empty() {
                    self.fillable(release, error)
                } else {
                    error
                }
            })?;
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
            for between in plan::between(release, found.held) {
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
    fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let root = release.root().to_string();
        let tree = self.path.join(self.latest.as_ref().unwrap_or(&root));
        let changed = |place: &Path| {
            Failure::world(format!(
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
        let files = release_files(&*blocks, &release.root()).map_err(Failure::world)?;
        let expected: BTreeSet<&str> = files
            .iter()
            .filter_map(|file| file.path.split('/').next())
            .collect();
        let names = statements::names(&tree)?;
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
                return Err(changed(&self.path.join(STATEMENT)));
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

impl Directory {
    /// The releases whose trees and statements are there, the newest first, where the link leads to
    /// the newest; or the one that was published without a statement.
    fn releases(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        let mut held: Vec<PublishedRelease> = Vec::new();
        for signed in statements::all(&self.path.join(STATEMENTS), repository)? {
            let (root, sequence) = (signed.statement.root, signed.statement.sequence);
            if held.iter().all(|one| one.root != root) && is_folder(&self.tree(root))? {
                held.push(PublishedRelease {
                    root,
                    sequence: Some(sequence),
                });
            }
        }
        let Some(latest) = &self.latest else {
            return Ok(held);
        };
        let linked = links::target(&self.path, latest)?;
        let path = self.path.join(latest);
        let wrong = |newest: Cid| {
            let path = path.display();
            let words = match &linked {
                Some(name) => format!("`{path}` leads to `{name}`"),
                None => format!("`{path}` is not there"),
            };
            Failure::refused(format!("{words}, and the newest release is {newest}")).help(
                "find out who has changed it; `ipwhl publish` points it at the newest release",
            )
        };
        match (held.first(), &linked) {
            (Some(newest), linked) if linked.as_ref() != Some(&newest.root.to_string()) => {
                return Err(wrong(newest.root));
            }
            (None, Some(name)) => {
                if let Ok(root) = name.parse()
                    && is_folder(&self.tree(root))?
                {
                    held.push(PublishedRelease {
                        root,
                        sequence: None,
                    });
                }
            }
            _ => {}
        }
        Ok(held)
    }
}

impl Target for Directory {
    fn place(&self) -> TargetPlace {
        TargetPlace::Folder(self.path.clone())
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
        Box::pin(async { self.releases(repository) })
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
