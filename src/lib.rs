//! `ipwhl` turns TOML declarations of Python wheels into one signed, content-addressed
//! package index.
//!
//! The boxes, in order. A box uses only the boxes listed before it, and a room in a box only the
//! rooms listed before it:
//!
//! ```text
//! crates      ipwhl-unixfs (CIDs, blocks, archives), ipwhl-packaging (Python's formats)
//! foundation  failures, findings, the environment: for every room
//! source      bytes by address and by CID
//! set         declarations, and the checks of the set
//! release     the tree of a release, its archives, statements and signatures
//! publish     the files of a release, and the targets that get them
//! gateway     the HTTP server
//! command     the arguments, run and output of each subcommand
//! ```
//!
//! `docs/architecture.md` has the glossary and the invariants, `docs/formats.md` the file formats.

pub mod foundation;
pub mod source;
pub mod set;
pub mod release;
pub mod publish;
pub mod gateway;
#[cfg(feature = "cli")]
pub mod command;

pub use ipwhl_packaging as packaging;
pub use ipwhl_unixfs as unixfs;
