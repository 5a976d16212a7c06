//! The extras that a project requires of itself and that others require of it; finds declared
//! extras that no requirement names.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl_packaging::ExtraName;

use super::own_extras::OwnExtras;
use super::{Graph, Relation, Statement};
use crate::set::declaration::Declaration;

/// Extras that a project declares and no requirement in the set names.
pub(in crate::set) struct UnaskedExtras<'r> {
    pub(in crate::set) extras: BTreeSet<&'r ExtraName>,
    /// The files and lines, from 1, that declare them.
    pub(in crate::set) places: BTreeSet<&'r (Arc<str>, usize)>,
}

impl<'r> Graph<'r> {
    /// The extras that can be removed to end a requirement on the platforms of this statement: all
    /// that the project requires of the other belongs to these extras, and nothing in the set
    /// requires them.
    pub(in crate::set) fn unasked_extras(
        &self,
        relation: &Relation<'r>,
        statement: &Statement<'r>,
    ) -> Option<UnaskedExtras<'_>> {
        relation.extra?;
        let own = self.own_extras(relation.from)?;
        let between = self
            .relations
            .between(&relation.from.project, relation.to());
        if between.iter().any(|other| other.extra.is_none()) {
            return None;
        }
        // The other extras that need the same there, and the requirements for them within the
        // project.
        let mut extras: BTreeSet<&ExtraName> = between
            .iter()
            .filter(|other| other.requirement == relation.requirement)
            .filter(|other| !other.platforms.is_disjoint(&statement.platforms))
            .filter_map(|other| other.extra)
            .collect();
        let mut open: Vec<&ExtraName> = extras.iter().copied().collect();
        while let Some(extra) = open.pop() {
            for caller in own.callers.get(extra).into_iter().flatten() {
                // A requirement without an extra always applies, so the project always requires
                // this extra.
                let caller = (*caller)?;
                if extras.insert(caller) {
                    open.push(caller);
                }
            }
        }
        if extras.iter().any(|extra| own.asked_for.contains(extra)) {
            return None;
        }
        let places = extras
            .iter()
            .filter_map(|extra| own.places.get(extra))
            .flatten()
            .collect();
        Some(UnaskedExtras { extras, places })
    }

    /// The extras that a project requires of itself and that others require of it. Cached, because
    /// each finding about it uses them.
    fn own_extras(&self, declaration: &'r Declaration) -> Option<&OwnExtras<'r>> {
        let known = self.own_extras.get(&declaration.project)?;
        Some(known.get_or_init(|| {
            let project = &declaration.project;
            let mut own = OwnExtras::default();
            for relation in self.relations.between(project, project) {
                for extra in &relation.requirement.extras {
                    own.callers.entry(extra).or_default().push(relation.extra);
                }
            }
            let others = self.relations.naming(project);
            own.asked_for = others
                .filter(|relation| !relation.is_own())
                .flat_map(|relation| &relation.requirement.extras)
                .collect();
            for wheel in &declaration.wheels {
                let text = self.repository.texts.get(&wheel.file);
                for extra in &wheel.extras {
                    let line = text.map_or(1, |text| text.line(extra.span.start));
                    let places = own.places.entry(&extra.value).or_default();
                    places.insert((Arc::clone(&wheel.file), line));
                }
            }
            own
        }))
    }
}
