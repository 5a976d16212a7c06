//! Reads two states of a set for a comparison, each from a repository, a revision or a release, and
//! the members of wheels that differ. The comparison itself is
//! [`difference`](crate::set::difference).

mod members;
mod state;

pub use members::{
    MemberReport, MemberSearch, UnreadMembers, UnreadReason, compare_members, members_key,
};
pub use state::{State, StateDescription, StateKind, StateName, StateReader, comparison_failure};
