//! Puts a release where it is wanted: as files, as a tree of files, and to the targets of `[publish.NAME]`.
//!
//! What appears here appears whole or not at all; see [`crate::environment::AtomicFile`]. A [`Target`] is asked what it holds
//! (`plan`), is given what it lacks (`carry_out`), and is asked again (`read_back`).

mod cluster;
mod commit;
mod directory;
mod dnslink;
mod error;
mod files;
mod git;
mod ipns;
mod kubo;
mod context;
mod publication;
mod pinning_service;
mod read;
mod secret;
mod service;
mod target;
mod tree;

pub use commit::{Recovery, check_place, commit, recover, statement_in};
pub use context::{TargetContext, open_target};
pub use error::PublishError;
pub use files::{CAR, Part, STATEMENT, car_name, write_car};
pub use publication::{Publication, Sample};
pub use secret::{Secret, UnusableSecret};
pub use target::{
    Amount, Done, Plan, PublishedRelease, ReadBack, Report, Step, Target, TargetError, Work,
    check_newer,
};
pub use tree::{resolved, tree_place, write_tree};
