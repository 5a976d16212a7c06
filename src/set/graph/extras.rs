//! What a project asks of itself and is asked for: the extras that nothing asks for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, ProjectName};

use super::{Graph, Need};
use crate::set::declaration::Declaration;

/// Extras that a project declares and that nothing in the set asks for.
pub(in crate::set) struct UnaskedExtras<'r> {
    pub(in crate::set) extras: BTreeSet<&'r ExtraName>,
    /// The files and lines, from 1, that declare them.
    pub(in crate::set) places: BTreeSet<&'r (Arc<str>, usize)>,
}

impl<'r> Graph<'r> {
    /// The extras whose absence ends a need, where all of the requirer's need comes under extras and
    /// nothing in the set asks for them.
    pub(in crate::set) fn unasked_extras(&self, need: &Need<'r>) -> Option<UnaskedExtras<'_>> {
        let requirer = self.requirer(need.declaration)?;
        let requirement = &need.dependency.value;
        if requirer.plain.contains(&requirement.name) {
            return None;
        }
        need.extra?;
        // The other extras that need the same there, and what asks for them within the project.
        let alike = requirer.under_extras.get(&requirement.name);
        let own = self.needs_by(&need.declaration.project);
        let mut extras: BTreeSet<&ExtraName> = alike
            .into_iter()
            .flatten()
            .map(|index| &own[*index])
            .filter(|other| other.dependency.value == *requirement)
            .filter(|other| !other.platforms.is_disjoint(&need.platforms))
            .filter_map(|other| other.extra)
            .collect();
        let mut open: Vec<&ExtraName> = extras.iter().copied().collect();
        while let Some(extra) = open.pop() {
            for caller in requirer.callers.get(extra).into_iter().flatten() {
                // Without an extra of its own the project always asks for this one.
                let caller = (*caller)?;
                if extras.insert(caller) {
                    open.push(caller);
                }
            }
        }
        if extras
            .iter()
            .any(|extra| requirer.asked_for.contains(extra))
        {
            return None;
        }
        let places = extras
            .iter()
            .filter_map(|extra| requirer.places.get(extra))
            .flatten()
            .collect();
        Some(UnaskedExtras { extras, places })
    }

    /// What a project asks of itself and is asked for: found out once, since each finding about it
    /// asks.
    fn requirer(&self, declaration: &'r Declaration) -> Option<&Requirer<'r>> {
        let known = self.requirers.get(&declaration.project)?;
        Some(known.get_or_init(|| {
            let project = &declaration.project;
            let mut requirer = Requirer::default();
            for (index, need) in self.needs_by(project).iter().enumerate() {
                let requirement = &need.dependency.value;
                if need.extra.is_none() {
                    requirer.plain.insert(&requirement.name);
                } else {
                    let alike = requirer.under_extras.entry(&requirement.name);
                    alike.or_default().push(index);
                }
                if requirement.name == *project {
                    for extra in &requirement.extras {
                        requirer.callers.entry(extra).or_default().push(need.extra);
                    }
                }
            }
            let others = self.needs_of(project);
            let others = others.filter(|need| need.declaration.project != *project);
            requirer.asked_for = others
                .flat_map(|need| &need.dependency.value.extras)
                .collect();
            for wheel in &declaration.wheels {
                let text = self.repository.texts.get(&wheel.file);
                for extra in &wheel.extras {
                    let line = text.map_or(1, |text| text.line(extra.span.start));
                    let places = requirer.places.entry(&extra.value).or_default();
                    places.insert((Arc::clone(&wheel.file), line));
                }
            }
            requirer
        }))
    }
}

/// What a project asks of itself and is asked for.
#[derive(Default)]
pub(super) struct Requirer<'r> {
    /// The projects that it requires whatever is asked for.
    plain: BTreeSet<&'r ProjectName>,
    /// The needs that it has under extras by what they require, as indices into its own.
    under_extras: HashMap<&'r ProjectName, Vec<usize>>,
    /// The extras that it asks of itself, each with those under which it does.
    callers: HashMap<&'r ExtraName, Vec<Option<&'r ExtraName>>>,
    /// The extras that others ask of it.
    asked_for: BTreeSet<&'r ExtraName>,
    /// The lines where it declares an extra.
    places: HashMap<&'r ExtraName, BTreeSet<(Arc<str>, usize)>>,
}
