//! What an index offers: the versions of each project, the platforms that their wheels cover, and
//! what they require. Kept over all attempts of one resolution.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use ipwhl_packaging::{
    CoreMetadata, ExtraName, Marker, MarkerEnvironment, Platform, ProjectName, Tag, Version,
    VersionSpecifiers, WheelFileName, parse_specifiers,
};

use super::catalogue::Catalogue;
use super::offered::{Need, Needs, OfferedFile, OfferedVersion, ProjectOffers, Unfit};
use super::platform_set::PlatformSet;
use super::policy::Policy;
use crate::foundation::failure::Failure;
use crate::set::graph::applies;
use crate::set::resolve::Prefer;
use crate::set::resolve::cover::{Candidate, choose};
use crate::source::ProjectPage;

/// The offers of an index for these platforms.
pub(super) struct Offers<'a> {
    catalogue: &'a dyn Catalogue,
    platforms: &'a [Platform],
    policy: &'a Policy,
    environments: Vec<MarkerEnvironment>,
    tags: RefCell<HashMap<Tag, PlatformSet>>,
    /// By the text of Requires-Python; `None` if it cannot be read.
    pythons: RefCell<HashMap<String, Option<PlatformSet>>>,
    projects: RefCell<HashMap<ProjectName, Option<Rc<ProjectOffers>>>>,
}

impl<'a> Offers<'a> {
    /// The offers of this catalogue.
    pub(super) fn new(
        catalogue: &'a dyn Catalogue,
        platforms: &'a [Platform],
        policy: &'a Policy,
    ) -> Self {
        let environments = platforms.iter().map(MarkerEnvironment::for_platform);
        Self {
            catalogue,
            platforms,
            policy,
            environments: environments.collect(),
            tags: RefCell::default(),
            pythons: RefCell::default(),
            projects: RefCell::default(),
        }
    }

    /// All platforms.
    pub(super) fn everywhere(&self) -> PlatformSet {
        PlatformSet::first(self.platforms.len())
    }

    /// The platforms on which the set may offer a project.
    pub(super) fn offered(&self, project: &ProjectName) -> PlatformSet {
        let limit = self.policy.offered.get(project).copied();
        limit.unwrap_or_else(|| self.everywhere())
    }

    /// The source of the offers.
    pub(super) fn catalogue(&self) -> &'a dyn Catalogue {
        self.catalogue
    }

    /// The platforms, in order.
    pub(super) fn platforms(&self) -> &'a [Platform] {
        self.platforms
    }

    /// Tells that these projects will be asked about, so that they can be fetched together.
    pub(super) fn announce<'n>(&self, projects: impl Iterator<Item = &'n ProjectName>) {
        let known = self.projects.borrow();
        let unknown: Vec<ProjectName> = projects
            .filter(|project| !known.contains_key(*project))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            self.catalogue.announce(&unknown);
        }
    }

    /// The offers of a project; `None` if the index does not have it.
    pub(super) fn project(
        &self,
        project: &ProjectName,
    ) -> Result<Option<Rc<ProjectOffers>>, Failure> {
        if let Some(known) = self.projects.borrow().get(project) {
            return Ok(known.clone());
        }
        let page = self.catalogue.page(project)?;
        let offers = page.map(|page| Rc::new(self.read(project, &page)));
        let mut known = self.projects.borrow_mut();
        known.insert(project.clone(), offers.clone());
        Ok(offers)
    }

    fn read(&self, project: &ProjectName, page: &Arc<ProjectPage>) -> ProjectOffers {
        let mut versions: BTreeMap<Version, Vec<OfferedFile>> = BTreeMap::new();
        let mut yanked = BTreeSet::new();
        let mut young = BTreeSet::new();
        let offered = self.offered(project);
        for (position, file) in page.files.iter().enumerate() {
            // Files that are not wheels, or have invalid names, are ignored.
            let Ok(file_name) = file.file_name.parse::<WheelFileName>() else {
                continue;
            };
            if file_name.name() != project {
                continue;
            }
            let version = file_name.version().clone();
            if file.yanked.is_some() {
                yanked.insert(version);
                continue;
            }
            let uploads = self.policy.uploads;
            let uploads = uploads.filter(|_| !self.policy.of_any_age.contains(project));
            if uploads.is_some_and(|limit| !limit.permits(file.uploaded)) {
                young.insert(version);
                continue;
            }
            let Some(python) = self.python(file.requires_python.as_deref()) else {
                continue;
            };
            versions.entry(version).or_default().push(OfferedFile {
                page: Arc::clone(page),
                position,
                accepted: self.accepted(&file_name).intersection(offered),
                file_name,
                python: Cell::new(python),
                stated_python: OnceCell::new(),
            });
        }
        young.retain(|version| !versions.contains_key(version));
        yanked.retain(|version| !versions.contains_key(version) && !young.contains(version));
        let versions = versions.into_iter().map(|(version, files)| {
            let offered = OfferedVersion {
                version,
                files,
                coverage: Cell::default(),
                is_announced: Cell::new(false),
                is_exact: Cell::new(false),
                needs: RefCell::default(),
            };
            offered.cover();
            Rc::new(offered)
        });
        ProjectOffers {
            versions: versions.collect(),
            yanked,
            young,
        }
    }

    /// The newest final version of a project that is old enough, whatever platforms it covers.
    pub(super) fn newest(&self, project: &ProjectName) -> Result<Option<Version>, Failure> {
        let offers = self.project(project)?.unwrap_or_default();
        let versions = offers.versions.iter().map(|offered| &offered.version);
        Ok(versions
            .filter(|version| !version.any_prerelease())
            .max()
            .cloned())
    }

    /// The platforms whose installers accept a wheel.
    fn accepted(&self, file_name: &WheelFileName) -> PlatformSet {
        let mut known = self.tags.borrow_mut();
        let each = file_name.tags().iter().map(|tag| {
            if let Some(accepted) = known.get(tag) {
                return *accepted;
            }
            let numbered = self.platforms.iter().enumerate();
            let accepted = numbered
                .filter(|(_, platform)| platform.accepts(tag))
                .map(|(index, _)| index)
                .collect();
            known.insert(tag.clone(), accepted);
            accepted
        });
        each.fold(PlatformSet::default(), PlatformSet::union)
    }

    /// The platforms where a Requires-Python holds; `None` if it cannot be read.
    fn python(&self, text: Option<&str>) -> Option<PlatformSet> {
        let Some(text) = text else {
            return Some(self.everywhere());
        };
        let mut known = self.pythons.borrow_mut();
        if let Some(python) = known.get(text) {
            return *python;
        }
        let specifiers = parse_specifiers(text).ok();
        let python = specifiers.map(|specifiers| self.satisfying(&specifiers));
        known.insert(text.to_owned(), python);
        python
    }

    fn satisfying(&self, specifiers: &VersionSpecifiers) -> PlatformSet {
        let numbered = self.platforms.iter().enumerate();
        numbered
            .filter(|(_, platform)| platform.satisfies(specifiers))
            .map(|(index, _)| index)
            .collect()
    }

    /// Tells that the requirements of a version will be asked for.
    pub(super) fn announce_needs(&self, offered: &OfferedVersion, prefer: Prefer) {
        if offered.is_read() || offered.is_announced.replace(true) {
            return;
        }
        let wheel = self.chosen(offered, prefer);
        if let Some(wheel) = wheel.as_ref().and_then(|chosen| chosen.first()) {
            self.catalogue
                .announce_metadata(offered.files[*wheel].file());
        }
    }

    /// What a version requires. If its metadata says more about Python than the index does, its
    /// coverage may change.
    pub(super) fn needs(
        &self,
        offered: &OfferedVersion,
        prefer: Prefer,
    ) -> Result<Result<Rc<Needs>, Unfit>, Failure> {
        if let Some(known) = offered.needs.borrow().get() {
            return Ok(known.clone());
        }
        let found = loop {
            let before = offered.coverage();
            let found = self.read_needs(offered, prefer)?;
            // The metadata has narrowed the coverage, so other wheels may be chosen.
            if before == offered.coverage() || found.is_err() {
                break found.map(Rc::new);
            }
        };
        // Nothing else has filled it meanwhile: there is one thread.
        let _ = offered.needs.borrow().set(found.clone());
        Ok(found)
    }

    fn read_needs(
        &self,
        offered: &OfferedVersion,
        prefer: Prefer,
    ) -> Result<Result<Needs, Unfit>, Failure> {
        let coverage = offered.coverage();
        let Some(wheels) = self.chosen(offered, prefer) else {
            return Ok(Err(Unfit::Overlap));
        };
        let mut read: Vec<(PlatformSet, Arc<CoreMetadata>)> = Vec::new();
        // Usually all wheels of a version have the same metadata. Whether they do is compared once
        // the version is chosen.
        let count = if offered.is_exact.get() {
            wheels.len()
        } else {
            wheels.len().min(1)
        };
        for wheel in wheels.iter().take(count) {
            let file = &offered.files[*wheel];
            let metadata = match self.catalogue.metadata(file.file())? {
                Ok(metadata) => metadata,
                Err(reason) => return Ok(Err(Unfit::Metadata(reason))),
            };
            if let Some(specifiers) = &metadata.requires_python {
                let python = self.satisfying(specifiers);
                let narrow = |file: &OfferedFile| {
                    file.python.set(file.python.get().intersection(python));
                    // The first one stays, which has narrowed the platforms.
                    let _ = file.stated_python.set((python, specifiers.to_string()));
                };
                if offered.is_exact.get() {
                    narrow(file);
                } else {
                    offered.files.iter().for_each(narrow);
                }
            }
            let used = if count == 1 {
                coverage
            } else {
                file.accepted.intersection(coverage)
            };
            read.push((used, metadata));
        }
        offered.cover();
        let mut needs = Needs {
            extras: read.first().map_or_else(BTreeSet::new, |(_, metadata)| {
                metadata.provides_extra.clone()
            }),
            wheels,
            ..Needs::default()
        };
        for (used, metadata) in read {
            needs
                .extras
                .retain(|extra| metadata.provides_extra.contains(extra));
            self.add_needs(&mut needs, &metadata, used.intersection(offered.coverage()));
        }
        Ok(Ok(needs))
    }

    /// Tells that the metadata of each chosen wheel of a version will be asked for.
    pub(super) fn announce_wheels(&self, offered: &OfferedVersion, needs: &Needs) {
        // That of the first has been read.
        for wheel in needs.wheels.iter().skip(1) {
            self.catalogue
                .announce_metadata(offered.files[*wheel].file());
        }
    }

    /// Whether the chosen wheels of a version have different metadata.
    pub(super) fn differ(&self, offered: &OfferedVersion, needs: &Needs) -> Result<bool, Failure> {
        let mut first: Option<Arc<CoreMetadata>> = None;
        for wheel in &needs.wheels {
            let metadata = self.catalogue.metadata(offered.files[*wheel].file())?;
            let Ok(metadata) = metadata else {
                return Ok(true);
            };
            let first = first.get_or_insert_with(|| Arc::clone(&metadata));
            if !same_requirements(first, &metadata) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the requirements of a wheel that is used on these platforms.
    fn add_needs(&self, needs: &mut Needs, metadata: &CoreMetadata, used: PlatformSet) {
        for requirement in &metadata.requires_dist {
            let on = |extra: Option<&ExtraName>, among: PlatformSet| -> PlatformSet {
                among
                    .iter()
                    .filter(|platform| applies(requirement, &self.environments[*platform], extra))
                    .collect()
            };
            let need = |platforms| Need {
                requirement: requirement.clone(),
                platforms,
            };
            let plain = on(None, used);
            if !plain.is_empty() {
                needs.plain.push(need(plain));
            }
            // With an extra that the marker does not name, it evaluates as without one.
            let marker = requirement.marker.as_ref();
            let named = marker.map_or(Some(BTreeSet::new()), Marker::named_extras);
            let extras = metadata.provides_extra.iter().filter(|extra| {
                let named = named.as_ref();
                named.is_none_or(|named| named.contains(extra.as_str()))
            });
            for extra in extras {
                let platforms = on(Some(extra), used.difference(plain));
                if !platforms.is_empty() {
                    let under = needs.by_extra.entry(extra.clone()).or_default();
                    under.push(need(platforms));
                }
            }
        }
    }

    /// The fewest wheels that cover the platforms of a version.
    fn chosen(&self, offered: &OfferedVersion, prefer: Prefer) -> Option<Vec<usize>> {
        let coverage = offered.coverage();
        let platforms: Vec<&Platform> = coverage
            .iter()
            .map(|platform| &self.platforms[platform])
            .collect();
        let usable = offered.usable(coverage);
        let candidates: Vec<Candidate> = usable
            .iter()
            .map(|index| Candidate {
                file_name: offered.files[*index].file_name.clone(),
                size: offered.files[*index].file().size.unwrap_or(0),
            })
            .collect();
        let chosen = choose(&candidates, &platforms, prefer)?;
        Some(chosen.into_iter().map(|index| usable[index]).collect())
    }
}

/// Whether two metadata require and provide the same.
pub(in crate::set::resolve) fn same_requirements(one: &CoreMetadata, other: &CoreMetadata) -> bool {
    one.requires_dist == other.requires_dist
        && one.requires_python == other.requires_python
        && one.provides_extra == other.provides_extra
}
