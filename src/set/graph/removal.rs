//! The effects of removing projects from the set.
//!
//! Each query walks every requirement at most once, so its cost is linear in the size of the set.

use std::collections::BTreeSet;

use ipwhl_packaging::ProjectName;

use super::{Direction, Relation, Relations};
use crate::set::declaration::Declaration;
use crate::set::repository::Repository;

/// The relations within the set, prepared for queries about removals.
pub struct Removals<'a, 'r> {
    repository: &'r Repository,
    relations: &'a Relations<'r>,
}

type Names<'r> = BTreeSet<&'r ProjectName>;

/// The effects of removing some projects from the set.
#[derive(Debug, Default)]
pub struct Removal<'a, 'r> {
    /// The automatic projects that no remaining project requires.
    pub left_over: BTreeSet<&'r ProjectName>,
    /// Requirements of remaining projects for removed ones.
    pub broken: Vec<&'a Relation<'r>>,
}

impl<'a, 'r> Removals<'a, 'r> {
    /// Prepares queries for a set with these relations.
    pub fn new(repository: &'r Repository, relations: &'a Relations<'r>) -> Self {
        Self {
            repository,
            relations,
        }
    }

    /// The effects of removing the projects `named`. With `with_dependencies`, automatic projects
    /// that are no longer needed are removed too, along with their requirements.
    pub fn removal(
        &self,
        named: &BTreeSet<ProjectName>,
        with_dependencies: bool,
    ) -> Removal<'a, 'r> {
        let below = self.below(named);
        // All other projects stay with everything that they need, even if they are not needed
        // themselves.
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

    /// Those projects among `named` that a remaining project still needs, directly or through
    /// another kept one. Removing the rest breaks nothing.
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

    /// All projects that must be named together with `named`, including these, so that their
    /// removal breaks nothing.
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
        // A wanted project must be named. Automatic projects that are no longer needed are removed
        // with it.
        let mut all: BTreeSet<ProjectName> = named.clone();
        let (requested, automatic): (Vec<ProjectName>, Vec<ProjectName>) = requirers
            .partition(|project| self.declared(project).is_some_and(|found| !found.automatic));
        all.extend(requested);
        let outcome = self.removal(&all, true);
        let stay = automatic.into_iter();
        all.extend(stay.filter(|project| !outcome.left_over.contains(project)));
        all
    }

    /// The automatic projects that the named ones require, directly or through others.
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

    /// The declared projects except these.
    fn others(&self, these: &Names<'r>) -> impl Iterator<Item = &'r ProjectName> {
        let all = self.repository.declarations.keys();
        all.filter(|project| !these.contains(project))
    }

    /// These projects and all that they require, directly or through projects that `through`
    /// accepts.
    fn reach(
        &self,
        from: impl Iterator<Item = &'r ProjectName>,
        through: impl Fn(&ProjectName) -> bool,
    ) -> Names<'r> {
        self.relations.reach(from, Direction::Required, through)
    }
}
