//! The closure of every project and extra of the set, on every platform.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use fixedbitset::FixedBitSet;
use ipwhl_packaging::{ExtraName, Marker, Platform, ProjectName};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

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

/// The platforms on which a root brings a project, as indices into the repository's platforms.
pub type Platforms = BTreeSet<usize>;

/// For each project of the set, the roots that bring it, by the platforms on which they do. A
/// project brings itself. Platforms where the set does not offer the project are left out, unless no
/// marker tells them from others where it is needed.
#[derive(Debug, Default)]
pub struct Closures<'r> {
    /// The roots, sorted.
    pub roots: Vec<Root<'r>>,
    /// The groups of roots for each project. The roots of a group are sorted.
    pub bringing: BTreeMap<&'r ProjectName, BTreeMap<Platforms, Vec<Root<'r>>>>,
}

impl<'r> Closures<'r> {
    /// The closures of the roots that `is_root` accepts.
    pub fn of(graph: &Graph<'r>, is_root: impl Fn(&Root<'r>) -> bool) -> Self {
        let declarations = &graph.repository.declarations;
        let mut nodes: Vec<Root<'r>> = Vec::new();
        for declaration in declarations.values() {
            let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
            let extras: BTreeSet<&ExtraName> = extras.map(|extra| &extra.value).collect();
            let each = std::iter::once(None).chain(extras.into_iter().map(Some));
            nodes.extend(each.map(|extra| Root {
                project: &declaration.project,
                extra,
            }));
        }
        let numbers: HashMap<Root<'r>, u32> =
            (0..).zip(&nodes).map(|(n, node)| (*node, n)).collect();
        let mut platforms: BTreeMap<&ProjectName, BTreeMap<usize, Platforms>> = BTreeMap::new();
        for alike in alike(graph.platforms) {
            let mut joined = vec![FixedBitSet::with_capacity(nodes.len()); nodes.len()];
            for platform in &alike {
                let reaching = reaching(graph, *platform, &nodes, &numbers);
                for ((node, roots), joined) in nodes.iter().zip(reaching).zip(&mut joined) {
                    if node.extra.is_none() && is_offered(graph, node.project, *platform) {
                        joined.union_with(&roots);
                    }
                }
            }
            for (node, roots) in nodes.iter().zip(joined) {
                let roots = roots.ones().filter(|root| is_root(&nodes[*root]));
                for root in roots {
                    let bringing = platforms.entry(node.project).or_default();
                    bringing.entry(root).or_default().extend(&alike);
                }
            }
        }
        let mut bringing: BTreeMap<_, BTreeMap<Platforms, Vec<Root<'r>>>> = BTreeMap::new();
        for (project, roots) in platforms {
            let groups = bringing.entry(project).or_default();
            for (root, platforms) in roots {
                groups.entry(platforms).or_default().push(nodes[root]);
            }
        }
        let mut roots = nodes;
        roots.retain(|root| is_root(root));
        Self { roots, bringing }
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

/// For each node, the nodes that reach it on a platform, including itself.
fn reaching<'r>(
    graph: &Graph<'r>,
    platform: usize,
    nodes: &[Root<'r>],
    numbers: &HashMap<Root<'r>, u32>,
) -> Vec<FixedBitSet> {
    let number = |project: &'r ProjectName, extra: Option<&'r ExtraName>| {
        numbers.get(&Root { project, extra }).copied()
    };
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for relation in graph.relations() {
        if !relation.platforms.contains(&platform) {
            continue;
        }
        let Some(from) = number(&relation.from.project, relation.extra) else {
            continue;
        };
        let extras = relation.requirement.extras.iter().map(Some);
        let to = std::iter::once(None).chain(extras);
        edges.extend(to.filter_map(|extra| Some((from, number(relation.to(), extra)?))));
    }
    // An extra comes with its project.
    for node in nodes.iter().filter(|node| node.extra.is_some()) {
        let ends = number(node.project, node.extra).zip(number(node.project, None));
        edges.extend(ends);
    }
    let mut requirements: DiGraph<(), (), u32> = DiGraph::with_capacity(nodes.len(), edges.len());
    for _ in nodes {
        requirements.add_node(());
    }
    requirements.extend_with_edges(edges);
    let mut reaching = vec![FixedBitSet::with_capacity(nodes.len()); nodes.len()];
    // The components come in the order in which the required ones precede their requirers.
    for component in tarjan_scc(&requirements).into_iter().rev() {
        let mut roots = FixedBitSet::with_capacity(nodes.len());
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
