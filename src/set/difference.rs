//! What differs between two states of a set: projects, wheels, what is in the wheels, what a mirror
//! has to move. Pure.
//!
//! A [`Snapshot`] is one state, made from a repository or from a release without declarations;
//! [`difference()`] compares two of them and [`member_changes`] two wheels. It is a room of its
//! own, below `release`, since it asks the graph for platforms, wheels for their members and
//! releases for their blocks, and finds nothing wrong with any of them.

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
pub use settings::{SettingChange, SettingsExtent, setting_changes};
pub use since::{Disguise, EarlierState, Weakening};
pub use snapshot::{Declared, ProjectState, Snapshot, WheelState};
pub use transfer::{Transfer, estimate, transfer};

use serde::Serialize;

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It was not there before.
    Added,
    /// It was there before, and is something else now.
    Changed,
    /// It was there before, and is not any more.
    Removed,
}

impl Kind {
    /// How something differs that was there (`true`) or not, and is there or not.
    fn of(was: bool, is: bool) -> Self {
        match (was, is) {
            (false, _) => Self::Added,
            (true, true) => Self::Changed,
            (true, false) => Self::Removed,
        }
    }
}
