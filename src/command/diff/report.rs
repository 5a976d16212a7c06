//! The known facts about a difference, before they are written in a format.

use crate::release::comparison::{MemberReport, State, UnreadMembers, members_key};
use crate::set::difference::{Difference, FindingChanges, MemberChanges, Transfer, WheelChange};

/// All that is known of the difference.
pub(super) struct Report<'r> {
    /// The state before, and the one after.
    pub(super) states: [&'r State; 2],
    pub(super) difference: Difference<'r>,
    pub(super) members: MemberReport,
    /// `None` where a state has no declarations.
    pub(super) findings: Option<FindingChanges>,
    pub(super) transfer: Transfer,
    /// Whether nothing is to be left out for the sake of brevity.
    pub(super) in_full: bool,
}

impl Report<'_> {
    /// The differences between the members of a wheel; `None` if they were not read.
    pub(super) fn members_of(
        &self,
        wheel: &WheelChange<'_>,
    ) -> Option<&Result<MemberChanges, UnreadMembers>> {
        self.members.members.get(&members_key(wheel)?)
    }

    /// Whether both states are one release: nothing of it can differ.
    pub(super) fn is_one_release(&self) -> bool {
        let roots = self.states.map(|state| &state.description.root);
        matches!(roots, [Some(old), Some(new)] if old == new)
    }

    /// Whether the two states are not the same.
    pub(super) fn differs(&self) -> bool {
        let [old, new] = &self.difference.unreadable;
        let roots = self.states.map(|state| &state.description.root);
        !self.difference.settings.is_empty()
            || !self.difference.projects.is_empty()
            || old != new
            || matches!(roots, [Some(old), Some(new)] if old != new)
    }
}
