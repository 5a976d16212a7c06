//! The comparison of two states: their declarations, the members of their wheels, their findings
//! and their blocks.

use super::members::{MemberReport, MemberSearch, UnreadMembers, compare_members, members_key};
use super::state::{State, StateReader, comparison_failure};
use crate::foundation::failure::Failure;
use crate::release::archive::{OpenRelease, reach};
use crate::set::difference::{
    Difference, FindingChanges, MemberChanges, Transfer, WheelChange, difference, estimate,
    finding_changes, transfer,
};

/// The differences between two states.
pub struct Comparison<'s> {
    /// The old state and the new one.
    pub states: [&'s State; 2],
    /// Settings, projects and wheels.
    pub difference: Difference<'s>,
    /// The members of wheels.
    pub members: MemberReport,
    /// The findings of the set; `None` if a state has no declarations.
    pub findings: Option<FindingChanges>,
    /// The blocks that a mirror of the old state has to transfer.
    pub transfer: Transfer,
}

impl<'s> Comparison<'s> {
    /// Compares the old state with the new one. Without a `search` no wheel is read.
    ///
    /// # Errors
    /// When a release lacks blocks that are counted, there is no cache for the members of wheels,
    /// or the network cannot be used at all.
    pub fn new(
        reader: &StateReader<'_>,
        states: [&'s State; 2],
        search: Option<MemberSearch>,
    ) -> Result<Self, Failure> {
        let [old, new] = states;
        let difference = difference(&old.snapshot, &new.snapshot);
        let members = match search {
            Some(search) => compare_members(reader, states, &difference, search)?,
            None => MemberReport::default(),
        };
        let today = reader.session.today();
        let repositories = old.repository.as_ref().zip(new.repository.as_ref());
        Ok(Self {
            states,
            difference,
            members,
            findings: repositories.map(|(old, new)| finding_changes(old, new, today)),
            transfer: transfer_between(old, new)?,
        })
    }

    /// The differences between the members of a wheel; `None` if they were not read.
    pub fn members_of(
        &self,
        wheel: &WheelChange<'_>,
    ) -> Option<&Result<MemberChanges, UnreadMembers>> {
        self.members.members.get(&members_key(wheel)?)
    }

    /// The number of wheels that differ and were not read.
    pub fn unsearched(&self) -> usize {
        let changes = self.difference.projects.iter().flat_map(|one| &one.wheels);
        changes
            .filter(|wheel| members_key(wheel).is_some() && self.members_of(wheel).is_none())
            .count()
    }

    /// Whether both states are the same release.
    pub fn is_one_release(&self) -> bool {
        let roots = self.states.map(|state| &state.description.root);
        matches!(roots, [Some(old), Some(new)] if old == new)
    }

    /// Whether the states differ in a compared part.
    pub fn differs(&self) -> bool {
        let [old, new] = &self.difference.unreadable;
        let roots = self.states.map(|state| &state.description.root);
        !self.difference.settings.is_empty()
            || !self.difference.projects.is_empty()
            || old != new
            || matches!(roots, [Some(old), Some(new)] if old != new)
    }
}

/// The blocks that a mirror of the old state has to transfer: counted between two releases,
/// estimated otherwise.
fn transfer_between(old: &State, new: &State) -> Result<Transfer, Failure> {
    let (Some(before), Some(after)) = (&old.release, &new.release) else {
        return Ok(estimate(&old.snapshot, &new.snapshot));
    };
    let reached = |release: &OpenRelease| {
        reach(release.blocks(), release.root).map_err(|error| comparison_failure(release, &error))
    };
    Ok(transfer(&reached(before)?, &reached(after)?))
}
