//! The differences between two states of a set: projects, wheels, the members of wheels, and the
//! blocks that a mirror has to move. Pure.
//!
//! A [`Snapshot`] is one state, made from a repository or from a release without declarations.
//! [`difference()`] compares two of them, and [`member_changes`] two wheels. This room is below
//! `release`, because it uses the graph for platforms, wheels for their members and releases for
//! their blocks. It raises no findings about them.

mod commands;
mod compare;
mod entry_points;
mod findings;
mod members;
mod names;
mod pairs;
mod settings;
mod since;
mod snapshot;
mod transfer;

pub use compare::{Difference, ProjectChange, SetChange, WheelChange, difference, origin};
pub use entry_points::EntryPointChange;
pub use findings::{FindingChanges, finding_changes};
pub use members::{MemberChange, MemberChanges, Risk, member_changes};
pub use names::{
    CommandConflict, NameOwners, Owner, PackageConflict, command_conflicts, package_conflicts,
};
pub use settings::{SettingChange, SettingsExtent};
pub use since::{Disguise, EarlierState, Weakening};
pub use snapshot::{Declared, ProjectState, Snapshot, WheelState};
pub use transfer::{Transfer, estimate, transfer};

use serde::Serialize;

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// New in the new state.
    Added,
    /// In both states, with different contents.
    Changed,
    /// In the old state only.
    Removed,
}

impl Kind {
    /// The kind of change, from presence before and after.
    fn of(was: bool, is: bool) -> Self {
        match (was, is) {
            (false, _) => Self::Added,
            (true, true) => Self::Changed,
            (true, false) => Self::Removed,
        }
    }
}
