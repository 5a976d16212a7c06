//! Changes of a repository's folder since a commit, and texts that reviewers see differently.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Git, Revision, RevisionError};
use crate::foundation::environment::Environment;

/// Attributes that make git or a forge show another text than that of the checkout, or no text: the
/// first two convert the text, `-diff` makes it binary, and generated files are folded away.
const ATTRIBUTES: [&str; 6] = [
    "working-tree-encoding",
    "filter",
    "ident",
    "diff",
    "linguist-generated",
    "gitlab-generated",
];

/// The number of files in one call of git, chosen so that they fit on a command line.
const AT_ONCE: usize = 500;

/// The differences from a commit.
#[derive(Debug, Default)]
pub struct Changes {
    /// Files, named from the repository's folder; those elsewhere in the checkout begin with `../`.
    /// For a submodule, its folder.
    pub files: BTreeSet<String>,
    /// Whether a `.gitattributes`, here or above, differs.
    pub attributes: bool,
}

impl Changes {
    /// Whether the file with this path, from the repository's folder, differs.
    pub fn has(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        folders.chain([path]).any(|part| self.files.contains(part))
    }
}

impl Revision {
    /// The differences from this commit, among the files that git tracks, or tracked then.
    ///
    /// # Errors
    /// When git fails.
    pub fn changes(
        &self,
        environment: &Environment,
        directory: &Path,
    ) -> Result<Changes, RevisionError> {
        let git = Git {
            environment,
            directory,
        };
        let prefix = git.prefix()?;
        let listing = git
            .output(&[
                "diff",
                "--name-only",
                "-z",
                "--no-ext-diff",
                "--no-textconv",
                "--no-renames",
                "--no-relative",
                "--ignore-submodules=dirty",
                &self.commit,
                "--",
            ])?
            .map_err(RevisionError::Failed)?;
        let mut changes = Changes::default();
        for name in listing.split(|byte| *byte == 0) {
            let name = String::from_utf8_lossy(name);
            changes.attributes |= name.rsplit('/').next() == Some(".gitattributes");
            let upwards = "../".repeat(prefix.matches('/').count());
            let name = match name.strip_prefix(&prefix) {
                Some(name) => name.to_owned(),
                None => format!("{upwards}{name}"),
            };
            if !name.is_empty() {
                changes.files.insert(name);
            }
        }
        Ok(changes)
    }
}

/// The attributes that make these files, named from the repository's folder, look different to
/// reviewers, each with the files that have it.
///
/// # Errors
/// When git fails.
pub fn disguises<'f>(
    environment: &Environment,
    directory: &Path,
    files: impl Iterator<Item = &'f str>,
) -> Result<BTreeMap<String, Vec<String>>, RevisionError> {
    let git = Git {
        environment,
        directory,
    };
    let files: Vec<&str> = files.collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for files in files.chunks(AT_ONCE) {
        let arguments = [&["check-attr", "-z"], &ATTRIBUTES[..], &["--"], files].concat();
        let answer = git.output(&arguments)?.map_err(RevisionError::Failed)?;
        let answer = String::from_utf8_lossy(&answer);
        let words: Vec<&str> = answer.split('\0').collect();
        for word in words.chunks_exact(3) {
            let [file, attribute, value] = word else {
                continue;
            };
            // A missing attribute is `unspecified`; `-diff` is `unset`, and that value turns the
            // others off.
            let is_off = match *attribute {
                "diff" => *value != "unset",
                _ => matches!(*value, "unset" | "false"),
            };
            if *value != "unspecified" && !is_off {
                let files = found.entry((*attribute).to_owned()).or_default();
                files.push((*file).to_owned());
            }
        }
    }
    Ok(found)
}
