//! The lock files of the tree (FORMATS 4).

use std::collections::BTreeMap;

use ipwhl_packaging::ProjectName;
use rayon::prelude::*;

use crate::foundation::size::HumanBytes;
use crate::set::declaration::{Declaration, DeclaredWheel, FormatVersion, Layout};
use crate::set::graph::Graph;
use crate::set::lock::{Closures, LockError, Part, Places, Pylock, WheelDigest};
use crate::set::repository::Repository;

/// The largest lock file of a whole set in a tree, in bytes.
const LARGEST_WHOLE_LOCK: usize = 1 << 20;

/// The lock files of a tree. They follow from the declarations, the platforms and the digests of
/// the wheels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeLocks {
    /// That of the whole set, at the top.
    pub whole: Option<Vec<u8>>,
    /// Those in the folders of wanted projects, if there is none of the whole set.
    pub projects: BTreeMap<ProjectName, Vec<u8>>,
    /// The reason why there is none of the whole set, in format 2.
    pub without_whole: Option<WithoutWhole>,
}

/// The reason why a tree has no lock file of the whole set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithoutWhole {
    /// It would be larger than a tree may have it: this many bytes.
    #[error("it would have {}, and may have {}", HumanBytes(*.0 as u64), HumanBytes(LARGEST_WHOLE_LOCK as u64))]
    TooLarge(usize),
    /// It cannot be written.
    #[error(transparent)]
    Unwritable(LockError),
}

/// The size of the lock files of a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockBytes {
    /// The number of files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// The bytes of their blocks that the previous release does not have, if that is known.
    pub changed: Option<u64>,
}

impl TreeLocks {
    /// The lock files of a repository: none before format 2. A lock file that cannot be written is
    /// left out.
    pub fn of(
        repository: &Repository,
        digest: &(dyn Fn(&DeclaredWheel) -> Option<WheelDigest> + Sync),
    ) -> Self {
        let is_of_format_2 = format(repository) >= FormatVersion::V2;
        if !is_of_format_2 || repository.configuration.layout == Layout::Ipwhl1 {
            return Self::default();
        }
        let graph = Graph::new(repository);
        let closures = Closures::of(&graph);
        let text = |part, places| -> Result<Vec<u8>, LockError> {
            let pylock = Pylock {
                graph: &graph,
                closures: &closures,
                part,
                places,
                digest,
            };
            pylock.text().map(String::into_bytes)
        };
        let reason = match text(Part::Each, Places::Relative("")) {
            Ok(whole) if whole.len() <= LARGEST_WHOLE_LOCK => {
                return Self {
                    whole: Some(whole),
                    ..Self::default()
                };
            }
            Ok(whole) => WithoutWhole::TooLarge(whole.len()),
            Err(error) => WithoutWhole::Unwritable(error),
        };
        let declarations = repository.declarations.values();
        let wanted: Vec<_> = declarations.filter(|one| !one.automatic).collect();
        let of_project = wanted.into_par_iter().filter_map(|declaration| {
            let project = &declaration.project;
            let text = text(Part::Project(project), Places::Relative("../")).ok()?;
            Some((project.clone(), text))
        });
        Self {
            whole: None,
            projects: of_project.collect(),
            without_whole: Some(reason),
        }
    }

    /// Each lock file, by its folder; the top has no name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let whole = self.whole.iter().map(|text| ("", text.as_slice()));
        let projects = self.projects.iter();
        whole.chain(projects.map(|(project, text)| (project.as_str(), text.as_slice())))
    }
}

/// The oldest version of the formats that has all keys of a repository's declarations.
pub(super) fn format(repository: &Repository) -> FormatVersion {
    let declarations = repository.declarations.values();
    declarations
        .map(Declaration::format)
        .max()
        .unwrap_or_default()
}
