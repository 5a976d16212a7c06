//! Removes old releases (`keep`).

use std::collections::BTreeMap;
use std::fs;
use std::io;

use ipwhl_unixfs::Cid;

use super::layout::{Directory, is_folder};
use crate::foundation::environment::sync_directory;
use crate::foundation::failure::Failure;
use crate::foundation::failure::unusable;
use crate::publish::publication::Publication;
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::release::names::FILE_LIST;
use crate::release::statement::folder::partial;

/// A release to be removed, and its statements, which stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outdated {
    pub(super) root: Cid,
    pub(super) sequences: Vec<u64>,
}

impl Directory {
    /// The releases to remove after `release` is published: those that a statement in the folder
    /// names, beyond the newest ones with a tree. A release counts once for each root, by its
    /// newest statement.
    pub(super) fn outdated(&self, release: &Publication) -> Result<Vec<Outdated>, Failure> {
        let (Some(keep), Some(_)) = (self.keep, &release.signed) else {
            return Ok(Vec::new());
        };
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let mut order = vec![release.root()];
        let mut named: BTreeMap<Cid, Vec<u64>> = BTreeMap::new();
        for signed in self.all_statements(&release.name)? {
            let statement = &signed.statement;
            if !order.contains(&statement.root) {
                order.push(statement.root);
            }
            let sequences = named.entry(statement.root).or_default();
            sequences.push(statement.sequence);
        }
        let mut outdated = Vec::new();
        let mut kept = 0;
        for root in order {
            let has_tree = root == release.root() || is_folder(&self.tree(root))?;
            if kept < keep {
                // Some statements are kept only as history.
                kept += usize::from(has_tree);
                continue;
            }
            let sequences = named.remove(&root).unwrap_or_default();
            if has_tree || sequences.iter().any(|sequence| self.has_record(*sequence)) {
                outdated.push(Outdated { root, sequences });
            }
        }
        Ok(outdated)
    }

    /// Whether there is a record of the release beside a statement.
    pub(super) fn has_record(&self, sequence: u64) -> bool {
        let place = self.statement(sequence);
        RECORD.iter().any(|name| place.join(name()).exists())
    }

    /// Removes a release: first its record, then its tree, which is renamed first.
    pub(super) fn remove(&self, outdated: &Outdated) -> Result<(), Failure> {
        for sequence in &outdated.sequences {
            for name in RECORD {
                let path = self.statement(*sequence).join(name());
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(unusable(&path, &error));
                    }
                    _ => {}
                }
            }
        }
        let tree = self.tree(outdated.root);
        if !is_folder(&tree)? {
            return Ok(());
        }
        let gone = self.path.join(partial(&outdated.root.to_string()));
        let remove = || -> io::Result<()> {
            match fs::remove_dir_all(&gone) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::rename(&tree, &gone)?;
            sync_directory(&tree)?;
            fs::remove_dir_all(&gone)
        };
        remove().map_err(|error| unusable(&tree, &error))
    }
}

/// The parts of a record that are removed with the tree, in this order.
const RECORD: [fn() -> &'static str; 2] = [|| FILE_LIST, || car_name(ArchiveKind::Hollow)];

impl Outdated {
    /// The release, in printable form.
    pub(super) fn description(&self) -> String {
        let sequences: Vec<String> = self.sequences.iter().map(u64::to_string).collect();
        format!("`{}`, sequence {}", self.root, sequences.join(" and "))
    }
}
