//! Puts a release where it is wanted: as files, and as a tree of files.
//!
//! What appears here appears whole or not at all; see [`crate::environment::AtomicFile`].

mod error;
mod files;
mod tree;

pub use error::PublishError;
pub use files::{
    CAR, Part, STATEMENT, SignatureFile, Vouching, car_name, commit, is_signature_of, write_car,
};
pub use tree::{resolved, tree_place, write_tree};
