//! `ipwhl` turns TOML declarations of Python wheels into one signed, content-addressed
//! package index.
//!
//! The boxes. A box uses only the boxes above it in this list, and a room in a box only the rooms
//! above it in the box:
//!
//! ```text
//! crates      ipwhl-unixfs (CIDs, blocks, archives), ipwhl-packaging (Python's formats)
//! foundation  what every room may use
//! source      bytes from the world, by address and by CID
//! set         what people declare, and whether it holds together
//! release     what is published: the tree, its archives, who vouches for it
//! publish     targets that a release is brought to
//! gateway     HTTP
//! command     arguments, one run a subcommand, output
//! ```
//!
//! `docs/architecture.md` has the words and the invariants, `docs/formats.md` what each file holds.

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
