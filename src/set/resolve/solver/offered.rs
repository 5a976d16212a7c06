//! The versions and wheels that an index offers, and what they need.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Requirement, Version, WheelFileName};

use super::platform_set::PlatformSet;
use crate::source::{IndexFile, ProjectPage};

/// The offers of one project.
#[derive(Debug, Default)]
pub(super) struct ProjectOffers {
    /// The versions with wheels that were not yanked, the oldest first.
    pub(super) versions: Vec<Rc<OfferedVersion>>,
    /// The versions whose wheels were all yanked.
    pub(super) yanked: BTreeSet<Version>,
    /// The versions whose wheels are all too young.
    pub(super) young: BTreeSet<Version>,
}

/// A version in the index.
#[derive(Debug)]
pub(super) struct OfferedVersion {
    pub(super) version: Version,
    /// The wheels that were not yanked, in the order of the index.
    pub(super) files: Vec<OfferedFile>,
    /// The platforms that its wheels cover, as far as is known.
    pub(super) coverage: Cell<PlatformSet>,
    pub(super) is_announced: Cell<bool>,
    /// Whether the metadata of each wheel is used, because they differ.
    pub(super) is_exact: Cell<bool>,
    pub(super) needs: RefCell<OnceCell<Result<Rc<Needs>, Unfit>>>,
}

/// A wheel in the index.
#[derive(Debug)]
pub(super) struct OfferedFile {
    /// The page that lists it, and its position there. Pages have thousands of files, and few are
    /// used.
    pub(super) page: Arc<ProjectPage>,
    pub(super) position: usize,
    pub(super) file_name: WheelFileName,
    /// The platforms whose installers accept its tags.
    pub(super) accepted: PlatformSet,
    /// The platforms where its Requires-Python holds, as far as is known.
    pub(super) python: Cell<PlatformSet>,
    /// Requires-Python of its metadata, once that is read, and the platforms where it holds.
    pub(super) stated_python: OnceCell<(PlatformSet, String)>,
}

/// What the chosen wheels of a version require and provide.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// The chosen wheels, as positions among the files of the version.
    pub(super) wheels: Vec<usize>,
    /// The extras that all of them provide.
    pub(super) extras: BTreeSet<ExtraName>,
    /// The requirements that apply without an extra.
    pub(super) plain: Vec<Need>,
    /// The requirements that apply with an extra, and not without it.
    pub(super) by_extra: BTreeMap<ExtraName, Vec<Need>>,
}

/// A requirement and the platforms where it applies; there is at least one.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) requirement: Requirement,
    pub(super) platforms: PlatformSet,
}

/// The reason why a version cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// No choice of wheels covers the platforms without two wheels for one interpreter.
    #[error("every choice of its wheels that covers the platforms has overlapping wheels")]
    Overlap,
    /// Its metadata cannot be used, for this reason.
    #[error("{0}")]
    Metadata(String),
}

impl OfferedFile {
    /// Its entry on the page.
    pub(super) fn file(&self) -> &IndexFile {
        &self.page.files[self.position]
    }

    /// The Requires-Python that does not hold on a platform: that of the metadata, or else that of
    /// the index.
    pub(super) fn python_against(&self, platform: usize) -> String {
        let on = PlatformSet::from_iter([platform]);
        let stated = self.stated_python.get();
        match stated.filter(|(holds, _)| !on.is_subset(*holds)) {
            Some((_, specifiers)) => specifiers.clone(),
            None => self.file().requires_python.clone().unwrap_or_default(),
        }
    }

    /// Whether installers on a platform accept its tags.
    pub(super) fn is_accepted_on(&self, platform: usize) -> bool {
        PlatformSet::from_iter([platform]).is_subset(self.accepted)
    }
}

impl OfferedVersion {
    /// The platforms that its wheels cover, as far as is known.
    pub(super) fn coverage(&self) -> PlatformSet {
        self.coverage.get()
    }

    /// Whether its requirements have been read.
    pub(super) fn is_read(&self) -> bool {
        self.needs.borrow().get().is_some()
    }

    /// Uses the metadata of each chosen wheel from now on. Returns whether that is new.
    pub(super) fn make_exact(&self) -> bool {
        let is_new = !self.is_exact.replace(true);
        if is_new {
            self.needs.replace(OnceCell::new());
        }
        is_new
    }

    /// Recomputes the coverage from the files.
    pub(super) fn cover(&self) {
        let each = self.files.iter();
        let possible = each.fold(PlatformSet::default(), |all, file| {
            all.union(file.accepted.intersection(file.python.get()))
        });
        let usable = self.usable(possible);
        let coverage = usable.iter().fold(PlatformSet::default(), |all, file| {
            all.union(self.files[*file].accepted.intersection(possible))
        });
        self.coverage.set(coverage);
    }

    /// The files whose Requires-Python holds wherever they would be used on these platforms.
    pub(super) fn usable(&self, platforms: PlatformSet) -> Vec<usize> {
        (0..self.files.len())
            .filter(|index| {
                let file = &self.files[*index];
                let used = file.accepted.intersection(platforms);
                !used.is_empty() && used.is_subset(file.python.get())
            })
            .collect()
    }
}
