//! Reads two states of a set for a comparison, each from a repository, a revision or a release, and
//! the members of wheels that differ. The comparison itself is
//! [`difference`](crate::set::difference).

mod compare;
mod members;
mod state;

pub use compare::Comparison;
pub use members::{MemberReport, MemberSearch, UnreadMembers, UnreadReason, compare_members};
pub use state::{State, StateDescription, StateKind, StateName, StateReader};
