//! Two states of a set to be compared, each the files of a repository, a revision or a release, and
//! what is in the wheels that differ. What differs is said by
//! [`difference`](crate::set::difference).

mod members;
mod state;

pub use members::{
    MemberReport, MemberSearch, UnreadMembers, UnreadReason, compare_members, members_key,
};
pub use state::{State, StateDescription, StateKind, StateName, StateReader, comparison_failure};
