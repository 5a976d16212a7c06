//! What needs what, on which platform and under which extra: the one value that the graph checks read.

mod extras;
mod needed;
mod paths;
mod relations;
mod removal;
mod way;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use ipwhl_packaging::{
    ExtraName, Marker, MarkerEnvironment, Platform, ProjectName, Requirement, Truth, Version,
};
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::{Declaration, DeclaredWheel, Spanned};
use crate::set::repository::Repository;
use extras::Requirer;
use needed::Demand;
pub use needed::Unmet;
pub use paths::{Path, Paths, paths_to};
pub use relations::{Relation, Shortfall};
pub use removal::{Removal, Removals};

/// How a project is to be had on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Availability {
    /// By the wheels of these indices: one, unless the project is ambiguous and somebody answers for
    /// that. Then an installer may take any of them.
    Wheels(Vec<usize>),
    /// A wheel fits the platform, but its Requires-Python does not hold on all patch versions.
    PythonExcluded(usize),
    /// No wheel fits.
    NoWheel,
}

impl Availability {
    /// Whether an installer may take the wheel of this index.
    pub(super) fn has(&self, wheel: usize) -> bool {
        matches!(self, Self::Wheels(indices) if indices.contains(&wheel))
    }
}

/// One requirement that has to be satisfied somewhere.
pub(super) struct Need<'r> {
    /// Who requires.
    pub(super) declaration: &'r Declaration,
    /// Which of its wheels.
    pub(super) wheel: &'r DeclaredWheel,
    /// What it requires.
    pub(super) dependency: &'r Spanned<Requirement>,
    /// The extra under which it does; `None` where it needs none.
    pub(super) extra: Option<&'r ExtraName>,
    /// The platforms on which it does, as indices into [`Graph::platforms`].
    pub(super) platforms: BTreeSet<usize>,
}

/// What the wheels that an installer may take on one platform come to: most often it is one wheel.
pub(super) struct Offer<'r> {
    /// One wheel of each version.
    pub(super) versions: Vec<&'r DeclaredWheel>,
    /// The extras that every one of them has.
    pub(super) extras: BTreeSet<&'r ExtraName>,
    /// All of them.
    pub(super) wheels: Vec<&'r DeclaredWheel>,
}

impl<'r> Offer<'r> {
    fn new(wheels: &[&'r DeclaredWheel]) -> Self {
        let mut versions: BTreeMap<&Version, &'r DeclaredWheel> = BTreeMap::new();
        let mut extras: BTreeMap<&'r ExtraName, usize> = BTreeMap::new();
        for wheel in wheels {
            versions.entry(wheel.file_name.version()).or_insert(wheel);
            for extra in &wheel.extras {
                *extras.entry(&extra.value).or_default() += 1;
            }
        }
        let mut versions: Vec<&DeclaredWheel> = versions.into_values().collect();
        versions.sort_by_key(|wheel| wheel.file_name.as_str());
        Self {
            versions,
            extras: extras
                .into_iter()
                .filter(|(_, count)| *count == wheels.len())
                .map(|(extra, _)| extra)
                .collect(),
            wheels: wheels.to_vec(),
        }
    }
}

/// The declared set as a graph of needs.
pub struct Graph<'r> {
    pub(super) repository: &'r Repository,
    pub(super) platforms: &'r [Platform],
    pub(super) needs: Vec<Need<'r>>,
    /// For each project the needs that name it, as indices into [`Graph::needs`].
    needs_of: BTreeMap<&'r ProjectName, Vec<usize>>,
    /// What the set needs of each project that something requires, as far as it has been asked.
    demands: HashMap<&'r ProjectName, OnceLock<Demand>>,
    /// What each project asks of itself and is asked for, as far as it has been asked.
    requirers: HashMap<&'r ProjectName, OnceLock<Requirer<'r>>>,
    /// What each project of the set offers on each platform, in the order of the platforms.
    offers: HashMap<&'r ProjectName, OnceLock<Vec<Offer<'r>>>>,
    /// Asked for each requirement on each platform, and never in its order.
    availability: HashMap<&'r ProjectName, Vec<Availability>>,
    projects: DiGraph<&'r ProjectName, &'r Requirement>,
    nodes: BTreeMap<&'r ProjectName, NodeIndex>,
}

impl<'r> Graph<'r> {
    /// The graph of a repository's declarations on its platforms.
    pub fn new(repository: &'r Repository) -> Self {
        let platforms = repository.configuration.platforms.as_slice();
        let mut graph = Self {
            repository,
            platforms,
            needs: Vec::new(),
            needs_of: BTreeMap::new(),
            demands: HashMap::new(),
            requirers: HashMap::new(),
            offers: HashMap::new(),
            availability: HashMap::new(),
            projects: DiGraph::new(),
            nodes: BTreeMap::new(),
        };
        let environments: Vec<MarkerEnvironment> = platforms
            .iter()
            .map(MarkerEnvironment::for_platform)
            .collect();
        // Each project for itself, on all processors; what comes of it stays in the projects' order.
        let declarations: Vec<&Declaration> = repository.declarations.values().collect();
        let found: Vec<(Vec<Availability>, Vec<Need<'r>>)> = declarations
            .into_par_iter()
            .map(|declaration| {
                let availability: Vec<Availability> = platforms
                    .iter()
                    .map(|platform| availability(declaration, platform))
                    .collect();
                let needs = needs(declaration, &availability, &environments);
                (availability, needs)
            })
            .collect();
        for (project, (availability, needs)) in repository.declarations.keys().zip(found) {
            graph.availability.insert(project, availability);
            graph.requirers.entry(project).or_default();
            graph.offers.entry(project).or_default();
            graph.needs.extend(needs);
            let node = graph.projects.add_node(project);
            graph.nodes.insert(project, node);
        }
        graph.add_edges();
        graph
    }

    fn add_edges(&mut self) {
        let mut seen = BTreeSet::new();
        for (index, need) in self.needs.iter().enumerate() {
            let requirement = &need.dependency.value;
            self.needs_of
                .entry(&requirement.name)
                .or_default()
                .push(index);
            self.demands.entry(&requirement.name).or_default();
            let from = self.nodes[&need.declaration.project];
            if let Some(to) = self.nodes.get(&requirement.name)
                && from != *to
                && seen.insert((from, *to))
            {
                self.projects.add_edge(from, *to, requirement);
            }
        }
    }

    /// The needs that a project has. They stand together, since the projects were looked at in order.
    pub(super) fn needs_by(&self, project: &ProjectName) -> &[Need<'r>] {
        let start = self
            .needs
            .partition_point(|need| need.declaration.project < *project);
        let rest = &self.needs[start..];
        &rest[..rest.partition_point(|need| need.declaration.project == *project)]
    }

    /// The version of a project that the set has.
    pub fn version(&self, project: &ProjectName) -> Option<&'r Version> {
        let declaration = self.repository.declarations.get(project)?;
        Some(declaration.version())
    }

    /// The needs that name a project.
    pub(super) fn needs_of(&self, project: &ProjectName) -> impl Iterator<Item = &Need<'r>> {
        self.needs_of
            .get(project)
            .into_iter()
            .flatten()
            .map(|index| &self.needs[*index])
    }

    /// How a project of the set is to be had on a platform.
    pub(super) fn availability(&self, project: &ProjectName, platform: usize) -> &Availability {
        self.availability
            .get(project)
            .map_or(&Availability::NoWheel, |all| &all[platform])
    }

    /// The declaration that a need names, if it is in the set.
    pub(super) fn target(&self, need: &Need<'r>) -> Option<&'r Declaration> {
        self.repository
            .declarations
            .get(&need.dependency.value.name)
    }

    /// What a project of the set offers on each platform.
    pub(super) fn offers(&self, declaration: &'r Declaration) -> &[Offer<'r>] {
        self.offers.get(&declaration.project).map_or(&[], |offers| {
            offers.get_or_init(|| {
                let platforms = 0..self.platforms.len();
                platforms
                    .map(|platform| Offer::new(&self.wheels_on(declaration, platform)))
                    .collect()
            })
        })
    }

    /// The wheels of a project that an installer may take on a platform.
    pub(super) fn wheels_on<'d>(
        &self,
        declaration: &'d Declaration,
        platform: usize,
    ) -> Vec<&'d DeclaredWheel> {
        match self.availability(&declaration.project, platform) {
            Availability::Wheels(indices) => indices
                .iter()
                .filter_map(|index| declaration.wheels.get(*index))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The names of platforms, in order.
    pub(super) fn names(&self, platforms: &BTreeSet<usize>) -> Vec<String> {
        platforms
            .iter()
            .map(|platform| self.platforms[*platform].to_string())
            .collect()
    }

    /// A finding about a need on some of its platforms, at the requirement's place, with what a
    /// waiver would name.
    pub(super) fn finding(
        &self,
        need: &Need<'r>,
        code: Code,
        message: String,
        label: &str,
        platforms: &BTreeSet<usize>,
    ) -> Finding {
        let mut finding = Finding::new(code, message)
            .at(&need.wheel.file, need.dependency.span.clone(), label)
            .project(&need.declaration.project)
            .wheel(need.wheel.file_name.as_str());
        finding.subject.required = Some(need.dependency.value.name.to_string());
        finding.subject.requirement = Some(need.dependency.value.to_string());
        finding.subject.platforms = self.names(platforms);
        finding.subject.extra = need.extra.map(ToString::to_string);
        finding.chain = self.chain(need, platforms);
        finding
    }

    /// The findings of `rule` over all needs, those of several wheels with the same text merged into one.
    pub(super) fn each_need(
        &self,
        findings: &mut Vec<Finding>,
        mut rule: impl FnMut(&Need<'r>) -> Option<Finding>,
    ) {
        let mut merged: Vec<Finding> = Vec::new();
        let mut known: HashMap<_, usize> = HashMap::new();
        for need in &self.needs {
            let Some(finding) = rule(need) else { continue };
            let places = finding.labels.iter();
            let places: Vec<_> = places
                .map(|label| {
                    (
                        Arc::clone(&label.file),
                        label.span.clone(),
                        label.text.clone(),
                    )
                })
                .collect();
            let identity = (
                finding.message.clone(),
                places,
                finding.subject.extra.clone(),
            );
            match known.entry(identity) {
                Entry::Vacant(entry) => {
                    entry.insert(merged.len());
                    merged.push(finding);
                }
                Entry::Occupied(entry) => {
                    let twin = &mut merged[*entry.get()];
                    twin.subject.platforms.extend(finding.subject.platforms);
                    twin.subject.platforms.sort();
                    twin.subject.platforms.dedup();
                    // It is about several wheels now, so about none of them alone.
                    twin.subject.wheel = None;
                }
            }
        }
        findings.append(&mut merged);
    }
}

/// What the wheels of one project need, on the platforms where each is used.
fn needs<'r>(
    declaration: &'r Declaration,
    availability: &[Availability],
    environments: &[MarkerEnvironment],
) -> Vec<Need<'r>> {
    let mut all_needs = Vec::new();
    for (index, wheel) in declaration.wheels.iter().enumerate() {
        let used: Vec<usize> = (0..environments.len())
            .filter(|platform| availability[*platform].has(index))
            .collect();
        let own_extras: BTreeMap<&str, &Spanned<ExtraName>> = wheel
            .extras
            .iter()
            .map(|extra| (extra.value.as_str(), extra))
            .collect();
        for dependency in &wheel.dependencies {
            let needed = |platform: usize, extra: Option<&ExtraName>| {
                dependency.value.marker.as_ref().is_none_or(|marker| {
                    // A requirement whose marker is unknown must be satisfied too.
                    marker.evaluate(&environments[platform], extra) != Truth::False
                })
            };
            let plain: BTreeSet<usize> = used
                .iter()
                .copied()
                .filter(|platform| needed(*platform, None))
                .collect();
            // For an extra that the marker does not name it says what it says for none.
            let marker = dependency.value.marker.as_ref();
            let asked_by_name = marker.map_or(Some(BTreeSet::new()), Marker::named_extras);
            let asked: Vec<&Spanned<ExtraName>> = match &asked_by_name {
                Some(names) => names
                    .iter()
                    .filter_map(|name| own_extras.get(name).copied())
                    .collect(),
                None => wheel.extras.iter().collect(),
            };
            let extras = asked.into_iter().map(|extra| {
                let platforms = used
                    .iter()
                    .copied()
                    .filter(|platform| {
                        !plain.contains(platform) && needed(*platform, Some(&extra.value))
                    })
                    .collect();
                (Some(&extra.value), platforms)
            });
            let all: Vec<(Option<&ExtraName>, BTreeSet<usize>)> =
                std::iter::once((None, plain.clone()))
                    .chain(extras)
                    .collect();
            for (extra, platforms) in all {
                if !platforms.is_empty() {
                    all_needs.push(Need {
                        declaration,
                        wheel,
                        dependency,
                        extra,
                        platforms,
                    });
                }
            }
        }
    }
    all_needs
}

fn availability(declaration: &Declaration, platform: &Platform) -> Availability {
    let mut fitting = Vec::new();
    let mut excluded = None;
    for (index, wheel) in declaration.wheels.iter().enumerate() {
        if !wheel.has_tag_for(platform) {
            continue;
        }
        if wheel.allows_python_of(platform) {
            fitting.push(index);
        } else {
            excluded = Some(index);
        }
    }
    match excluded {
        _ if !fitting.is_empty() => Availability::Wheels(fitting),
        Some(index) => Availability::PythonExcluded(index),
        None => Availability::NoWheel,
    }
}
