//! What happens to the set when projects are taken out of it.
//!
//! Every answer walks each requirement once, so a set of any shape costs what its size costs.

use std::collections::BTreeSet;

use ipwhl_packaging::ProjectName;

use super::{Direction, Relation, Relations};
use crate::set::declaration::Declaration;
use crate::set::repository::Repository;

/// Who requires whom within the set, ready for questions about removals.
pub struct Removals<'a, 'r> {
    repository: &'r Repository,
    relations: &'a Relations<'r>,
}

type Names<'r> = BTreeSet<&'r ProjectName>;

/// What taking some projects out of the set comes to.
#[derive(Debug, Default)]
pub struct Removal<'a, 'r> {
    /// The automatic projects that only these needed: nothing that stays requires them.
    pub left_over: BTreeSet<&'r ProjectName>,
    /// What would be required by what stays, and not be there.
    pub broken: Vec<&'a Relation<'r>>,
}

impl<'a, 'r> Removals<'a, 'r> {
    /// The removals from a set in which these relations hold.
    pub fn new(repository: &'r Repository, relations: &'a Relations<'r>) -> Self {
        Self {
            repository,
            relations,
        }
    }

    /// What taking the projects `named` out of the set comes to. With `with_dependencies` those
    /// that are left over go too, and so does what they require.
    pub fn removal(
        &self,
        named: &BTreeSet<ProjectName>,
        with_dependencies: bool,
    ) -> Removal<'a, 'r> {
        let below = self.below(named);
        // Whatever else is in the set stays, with all that it needs, even if it is itself not
        // needed.
        let stays = self.reach(self.others(&below), |project| {
            !named.contains(project) && self.declared(project).is_some()
        });
        let left_over: Names<'r> = below
            .into_iter()
            .filter(|project| !named.contains(*project) && !stays.contains(project))
            .collect();
        let goes = |project: &ProjectName| {
            named.contains(project) || (with_dependencies && left_over.contains(project))
        };
        let broken = self
            .relations
            .iter()
            .filter(|relation| goes(relation.to()) && !goes(&relation.from.project))
            .collect();
        Removal { left_over, broken }
    }

    /// Those of the projects `named` that something needs which stays, or which is kept for that
    /// reason: without them the removal of the rest breaks nothing.
    pub fn still_needed(
        &self,
        named: &BTreeSet<ProjectName>,
        with_dependencies: bool,
    ) -> BTreeSet<ProjectName> {
        let goes = if with_dependencies {
            self.below(named)
        } else {
            self.declared_of(named).collect()
        };
        let stays = self.reach(self.others(&goes), |_| true);
        named
            .iter()
            .filter(|project| stays.contains(project))
            .cloned()
            .collect()
    }

    /// The projects that have to be named together with those of `named`, these included, before
    /// their removal breaks nothing.
    pub fn with_requirers(
        &self,
        named: &BTreeSet<ProjectName>,
        with_dependencies: bool,
    ) -> BTreeSet<ProjectName> {
        let requirers = self.relations.reach(named, Direction::Requirers, |_| true);
        let requirers = requirers.into_iter().cloned();
        if !with_dependencies {
            return requirers.collect();
        }
        // What someone asked for has to be named; what is left over then goes by itself.
        let mut all: BTreeSet<ProjectName> = named.clone();
        let (requested, automatic): (Vec<ProjectName>, Vec<ProjectName>) = requirers
            .partition(|project| self.declared(project).is_some_and(|found| !found.automatic));
        all.extend(requested);
        let outcome = self.removal(&all, true);
        let stay = automatic.into_iter();
        all.extend(stay.filter(|project| !outcome.left_over.contains(project)));
        all
    }

    /// What the named ones brought in, by way of automatic projects: nobody asked for these.
    fn below(&self, named: &BTreeSet<ProjectName>) -> Names<'r> {
        self.reach(self.declared_of(named), |project| {
            named.contains(project) || self.declared(project).is_some_and(|found| found.automatic)
        })
    }

    fn declared(&self, project: &ProjectName) -> Option<&'r Declaration> {
        self.repository.declarations.get(project)
    }

    fn declared_of(&self, named: &BTreeSet<ProjectName>) -> impl Iterator<Item = &'r ProjectName> {
        let declarations = &self.repository.declarations;
        named
            .iter()
            .filter_map(|project| Some(declarations.get_key_value(project)?.0))
    }

    /// The declared projects that are not among these.
    fn others(&self, these: &Names<'r>) -> impl Iterator<Item = &'r ProjectName> {
        let all = self.repository.declarations.keys();
        all.filter(|project| !these.contains(project))
    }

    /// What these require, and what that requires, as far as it leads `through` projects; they are
    /// themselves among them.
    fn reach(
        &self,
        from: impl Iterator<Item = &'r ProjectName>,
        through: impl Fn(&ProjectName) -> bool,
    ) -> Names<'r> {
        self.relations.reach(from, Direction::Required, through)
    }
}
