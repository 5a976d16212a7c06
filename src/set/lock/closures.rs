//! The closure of every project and extra of the set, on every platform.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use fixedbitset::FixedBitSet;
use ipwhl_packaging::{ExtraName, Marker, Platform, ProjectName};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::set::declaration::Declaration;
use crate::set::graph::{Availability, Graph};

/// What people can ask a lock for: a project, or an extra of it together with the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root<'r> {
    /// The project.
    pub project: &'r ProjectName,
    /// The extra; `None` for the project alone.
    pub extra: Option<&'r ExtraName>,
}

impl fmt::Display for Root<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.extra {
            None => self.project.fmt(formatter),
            Some(extra) => write!(formatter, "{}[{extra}]", self.project),
        }
    }
}

/// A project, and each of its extras, sorted.
pub(super) fn roots_of(declaration: &Declaration) -> impl Iterator<Item = Root<'_>> {
    let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
    let extras: BTreeSet<&ExtraName> = extras.map(|extra| &extra.value).collect();
    let each = std::iter::once(None).chain(extras.into_iter().map(Some));
    each.map(|extra| Root {
        project: &declaration.project,
        extra,
    })
}

/// The platforms on which a root brings a project, as indices into the repository's platforms.
pub type Platforms = BTreeSet<usize>;

/// Roots that bring a project on the same platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The platforms.
    pub platforms: Platforms,
    /// The roots, as indices into those of the closures.
    pub roots: FixedBitSet,
}

/// For each project of the set, the roots that bring it, by the platforms on which they do. A
/// project brings itself. Platforms where the set does not offer the project are left out, unless no
/// marker tells them from others where it is needed.
#[derive(Debug, Default)]
pub struct Closures<'r> {
    /// The roots, sorted.
    pub roots: Vec<Root<'r>>,
    /// The groups of roots for each project, sorted by their platforms.
    pub bringing: BTreeMap<&'r ProjectName, Vec<Group>>,
}

impl<'r> Closures<'r> {
    /// The closures of all projects and extras.
    pub fn of(graph: &Graph<'r>) -> Self {
        let declarations = &graph.repository.declarations;
        let roots: Vec<Root<'r>> = declarations.values().flat_map(roots_of).collect();
        let requirements = requirements(graph, &roots);
        let mut bringing: BTreeMap<&'r ProjectName, Vec<Group>> = BTreeMap::new();
        for alike in alike(graph.platforms) {
            let mut joined = vec![FixedBitSet::with_capacity(roots.len()); roots.len()];
            for platform in &alike {
                let reaching = reaching(&requirements, *platform, roots.len());
                for ((root, reaching), joined) in roots.iter().zip(reaching).zip(&mut joined) {
                    if root.extra.is_none() && is_offered(graph, root.project, *platform) {
                        joined.union_with(&reaching);
                    }
                }
            }
            for (root, joined) in roots.iter().zip(joined) {
                if root.extra.is_none() {
                    split(bringing.entry(root.project).or_default(), &joined, &alike);
                }
            }
        }
        for groups in bringing.values_mut() {
            groups.sort_by(|one, other| one.platforms.cmp(&other.platforms));
        }
        Self { roots, bringing }
    }

    /// The roots, as indices, among these.
    pub(super) fn numbers(&self, roots: &[Root<'_>]) -> FixedBitSet {
        let mut numbers = FixedBitSet::with_capacity(self.roots.len());
        numbers.extend(
            roots
                .iter()
                .filter_map(|root| self.roots.binary_search(root).ok()),
        );
        numbers
    }

    /// The projects that any of these roots brings, on any platform.
    pub fn brought_by(&self, roots: &[Root<'_>]) -> Vec<&'r ProjectName> {
        let roots = self.numbers(roots);
        let is_brought = |groups: &[Group]| groups.iter().any(|one| !one.roots.is_disjoint(&roots));
        let brought = self
            .bringing
            .iter()
            .filter(|(_, groups)| is_brought(groups));
        brought.map(|(project, _)| *project).collect()
    }
}

/// Adds platforms to groups for the roots that bring something there. Groups are split where only
/// some of their roots do.
fn split(groups: &mut Vec<Group>, roots: &FixedBitSet, platforms: &[usize]) {
    let mut new = roots.clone();
    for number in 0..groups.len() {
        let group = &mut groups[number];
        new.difference_with(&group.roots);
        let mut others = group.roots.clone();
        others.difference_with(roots);
        if others.count_ones(..) == group.roots.count_ones(..) {
            continue;
        }
        let before = group.platforms.clone();
        group.roots.intersect_with(roots);
        group.platforms.extend(platforms);
        if !others.is_clear() {
            groups.push(Group {
                platforms: before,
                roots: others,
            });
        }
    }
    if !new.is_clear() {
        groups.push(Group {
            platforms: platforms.iter().copied().collect(),
            roots: new,
        });
    }
}

/// The platforms in groups that no marker tells apart. What one of a group needs, a lock file can
/// only give to all of them.
fn alike(platforms: &[Platform]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, platform) in platforms.iter().enumerate() {
        let is_alike =
            |group: &&mut Vec<usize>| !Marker::tells_apart(&platforms[group[0]], platform);
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

fn is_offered(graph: &Graph<'_>, project: &ProjectName, platform: usize) -> bool {
    !matches!(
        graph.availability(project, platform),
        Availability::NotOffered(_)
    )
}

/// That a root requires another one, as indices, and where.
struct Required<'g> {
    from: u32,
    to: u32,
    /// The platforms; `None` for all.
    platforms: Option<&'g Platforms>,
}

fn requirements<'g, 'r>(graph: &'g Graph<'r>, roots: &[Root<'r>]) -> Vec<Required<'g>> {
    let numbers: HashMap<Root<'r>, u32> = (0..).zip(roots).map(|(n, root)| (*root, n)).collect();
    let number = |project: &'r ProjectName, extra: Option<&'r ExtraName>| {
        numbers.get(&Root { project, extra }).copied()
    };
    let mut requirements = Vec::new();
    for relation in graph.relations() {
        let Some(from) = number(&relation.from.project, relation.extra) else {
            continue;
        };
        let extras = relation.requirement.extras.iter().map(Some);
        let to = std::iter::once(None).chain(extras);
        requirements.extend(to.filter_map(|extra| {
            Some(Required {
                from,
                to: number(relation.to(), extra)?,
                platforms: Some(&relation.platforms),
            })
        }));
    }
    // An extra comes with its project.
    for root in roots.iter().filter(|root| root.extra.is_some()) {
        let ends = number(root.project, root.extra).zip(number(root.project, None));
        requirements.extend(ends.map(|(from, to)| Required {
            from,
            to,
            platforms: None,
        }));
    }
    requirements
}

/// For each of `count` roots, the roots that reach it on a platform, including itself.
fn reaching(required: &[Required<'_>], platform: usize, count: usize) -> Vec<FixedBitSet> {
    let here = required.iter().filter(|one| {
        one.platforms
            .is_none_or(|platforms| platforms.contains(&platform))
    });
    let mut requirements: DiGraph<(), (), u32> = DiGraph::with_capacity(count, required.len());
    for _ in 0..count {
        requirements.add_node(());
    }
    requirements.extend_with_edges(here.map(|one| (one.from, one.to)));
    let mut reaching = vec![FixedBitSet::with_capacity(count); count];
    // The components come in the order in which the required ones precede their requirers.
    for component in tarjan_scc(&requirements).into_iter().rev() {
        let mut roots = FixedBitSet::with_capacity(count);
        for node in &component {
            roots.insert(node.index());
            roots.union_with(&reaching[node.index()]);
        }
        for node in &component {
            for next in requirements.neighbors(*node) {
                reaching[next.index()].union_with(&roots);
            }
        }
        for node in component {
            reaching[node.index()].clone_from(&roots);
        }
    }
    reaching
}
