//! The relations of a set, indexed by both ends: the only adjacency of the graph.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Index, Range};

use ipwhl_packaging::ProjectName;

use super::relation::{Relation, Statement};

/// The direction in which relations are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From requirers to required projects.
    Required,
    /// From required projects to their requirers.
    Requirers,
}

/// Relations, sorted by requiring project, required project, the text of the requirement and the
/// extra.
#[derive(Debug, Clone, Default)]
pub struct Relations<'r> {
    all: Vec<Relation<'r>>,
    /// The relations from a project; they are adjacent.
    outgoing: HashMap<&'r ProjectName, Range<usize>>,
    /// The relations that name a project.
    incoming: HashMap<&'r ProjectName, Vec<usize>>,
}

impl<'r> Relations<'r> {
    /// An index over these relations, which must be sorted.
    pub(super) fn new(all: Vec<Relation<'r>>) -> Self {
        let mut outgoing: HashMap<&ProjectName, Range<usize>> = HashMap::new();
        let mut incoming: HashMap<&ProjectName, Vec<usize>> = HashMap::new();
        for (index, relation) in all.iter().enumerate() {
            let range = outgoing.entry(&relation.from.project);
            range.or_insert(index..index).end = index + 1;
            incoming.entry(relation.to()).or_default().push(index);
        }
        Self {
            all,
            outgoing,
            incoming,
        }
    }

    /// All relations, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Relation<'r>> {
        self.all.iter()
    }

    /// The requirements of a project.
    pub fn of(&self, project: &ProjectName) -> &[Relation<'r>] {
        let range = self.outgoing.get(project).cloned();
        &self.all[range.unwrap_or_default()]
    }

    /// The requirements that name a project, including its own.
    pub fn naming(&self, project: &ProjectName) -> impl Iterator<Item = &Relation<'r>> {
        let indices = self.incoming.get(project).into_iter().flatten();
        indices.map(|index| &self.all[*index])
    }

    /// The requirements that one project has of another.
    pub fn between(&self, from: &ProjectName, to: &ProjectName) -> &[Relation<'r>] {
        let all = self.of(from);
        let start = all.partition_point(|relation| relation.to() < to);
        let rest = &all[start..];
        &rest[..rest.partition_point(|relation| relation.to() == to)]
    }

    /// The relations of a project in one direction, as indices.
    pub(super) fn indices(
        &self,
        project: &ProjectName,
        direction: Direction,
    ) -> impl Iterator<Item = usize> {
        let (range, list) = match direction {
            Direction::Required => (self.outgoing.get(project).cloned(), None),
            Direction::Requirers => (None, self.incoming.get(project)),
        };
        let list = list.into_iter().flatten().copied();
        range.unwrap_or_default().chain(list)
    }

    /// The other ends of a project's relations, except itself.
    pub fn neighbours(
        &self,
        project: &ProjectName,
        direction: Direction,
    ) -> BTreeSet<&'r ProjectName> {
        let others = self.ends(project, direction);
        others.filter(|other| *other != project).collect()
    }

    fn ends(
        &self,
        project: &ProjectName,
        direction: Direction,
    ) -> impl Iterator<Item = &'r ProjectName> {
        self.indices(project, direction)
            .map(move |index| match direction {
                Direction::Required => self.all[index].to(),
                Direction::Requirers => &self.all[index].from.project,
            })
    }

    /// All projects reachable from these through projects that `through` accepts, including the
    /// starts that it accepts.
    pub fn reach<'n>(
        &self,
        from: impl IntoIterator<Item = &'n ProjectName>,
        direction: Direction,
        through: impl Fn(&ProjectName) -> bool,
    ) -> BTreeSet<&'n ProjectName>
    where
        'r: 'n,
    {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&'n ProjectName> = from.into_iter().collect();
        while let Some(project) = open.pop() {
            if through(project) && reached.insert(project) {
                open.extend(self.ends(project, direction));
            }
        }
        reached
    }

    /// The name of a project that requires or is required, with the lifetime of the set.
    pub fn name(&self, project: &ProjectName) -> Option<&'r ProjectName> {
        let incoming = self.incoming.get_key_value(project);
        let outgoing = || self.outgoing.get_key_value(project);
        incoming
            .map(|(name, _)| *name)
            .or_else(|| outgoing().map(|(name, _)| *name))
    }

    /// The statements of the unsatisfied relations.
    pub(in crate::set) fn unsatisfied_statements(&self) -> Vec<(&Relation<'r>, &Statement<'r>)> {
        in_declared_order(self.iter().filter(|one| one.unsatisfied.is_some()))
    }

    /// The statements that name a project.
    pub(super) fn statements_naming(
        &self,
        project: &ProjectName,
    ) -> Vec<(&Relation<'r>, &Statement<'r>)> {
        in_declared_order(self.naming(project))
    }
}

/// The statements of these relations, by project, then in the order in which the project states
/// them.
fn in_declared_order<'a, 'r: 'a>(
    relations: impl Iterator<Item = &'a Relation<'r>>,
) -> Vec<(&'a Relation<'r>, &'a Statement<'r>)> {
    let mut statements: Vec<(&Relation<'r>, &Statement<'r>)> = relations
        .flat_map(|relation| relation.statements.iter().map(move |one| (relation, one)))
        .collect();
    statements.sort_by_key(|(relation, one)| (&relation.from.project, one.position));
    statements
}

impl<'r> Index<usize> for Relations<'r> {
    type Output = Relation<'r>;

    fn index(&self, index: usize) -> &Relation<'r> {
        &self.all[index]
    }
}

impl<'a, 'r> IntoIterator for &'a Relations<'r> {
    type Item = &'a Relation<'r>;
    type IntoIter = std::slice::Iter<'a, Relation<'r>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
