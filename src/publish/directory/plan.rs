//! What a look at the folder finds, and what would be done.

use super::folder::Folder;
use super::layout::{Directory, LATEST, Store};
use super::record::Record;
use super::{files, links};
use crate::foundation::failure::Failure;
use crate::publish::amount::Amount;
use crate::publish::follow::check_follows;
use crate::publish::publication::Publication;
use crate::publish::published_release::PublishedRelease;
use crate::publish::site::{ReleaseFile, release_files};
use crate::release::statement::SignedStatement;
use crate::release::statement::folder::{self as statements, STATEMENTS};

/// What a look at the folder has found.
pub(super) struct Found {
    pub(super) held: Option<PublishedRelease>,
    pub(super) files: Vec<ReleaseFile>,
    /// What would be written, what of it is there with other bytes, and what would be linked.
    pub(super) written: Amount,
    pub(super) damaged: Amount,
    pub(super) linked: Amount,
    pub(super) changes: Vec<String>,
}

impl Directory {
    /// Looks, and changes nothing.
    pub(super) fn inspect(&self, release: &Publication) -> Result<Found, Failure> {
        let state = Folder::look(&self.path, &release.name)?;
        let held = self.held(release)?;
        if let Some(held) = &held {
            check_follows(release, held)?;
        }
        let blocks = self.blocks(release)?;
        let blocks = &*blocks;
        let root = release.root();
        let files = release_files(blocks, &root).map_err(Failure::world)?;
        let tree = self.tree(root);
        let before = self.linkable(release, held);
        // Pages and metadata are small. Wheels are compared where one of the sample shows that it
        // has to be.
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
        if let Some(signed) = &release.signed {
            for between in between(release, held) {
                let sequence = between.statement.sequence;
                if !statements::is_there(&self.statement(sequence), between)? {
                    changes.push(format!("write `{STATEMENTS}/{sequence}`"));
                }
            }
            changes.extend(self.statement_changes(signed, blocks, &files)?);
        }
        if let Some(latest) = &self.latest
            && links::target(&self.path, latest)?.as_deref() != Some(root.to_string().as_str())
        {
            changes.push(format!("point `{latest}` at {root}"));
        }
        if let Some(signed) = &release.signed
            && !statements::is_top(&self.path, &self.united(signed)?)?
        {
            let top = "write `release.toml` and its signatures, the newest statement";
            changes.push(top.to_owned());
        }
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
    /// What would be changed in the folder of statements.
    fn statement_changes(
        &self,
        signed: &SignedStatement,
        blocks: &Store,
        files: &[ReleaseFile],
    ) -> Result<Vec<String>, Failure> {
        let sequence = signed.statement.sequence;
        let place = self.statement(sequence);
        statements::check_same(&place, sequence, &signed.text)?;
        let record = Record {
            directory: self,
            blocks,
            files,
            signed: &self.united(signed)?,
        };
        let mut changes = Vec::new();
        if !statements::is_there(&place, signed)? || !record.is_there()? {
            changes.push(format!("write `{STATEMENTS}/{sequence}`"));
        }
        if self.latest.is_some()
            && links::target(&self.path.join(STATEMENTS), LATEST)?.as_deref()
                != Some(sequence.to_string().as_str())
        {
            changes.push(format!("point `{STATEMENTS}/{LATEST}` at {sequence}"));
        }
        Ok(changes)
    }
}

/// The statements between the release that is held and this one.
pub(super) fn between(
    release: &Publication,
    held: Option<PublishedRelease>,
) -> Vec<&SignedStatement> {
    match (&release.signed, held.and_then(|held| held.sequence)) {
        (Some(signed), known) => release.history.between(known.unwrap_or_default(), signed),
        _ => Vec::new(),
    }
}
