//! The release tree as named entries: index pages in both formats, metadata files. Pure.
//!
//! The tree is a function of declarations, `ipwhl.toml` and wheel bytes (FORMATS 4). A [`Release`]
//! knows the root of its DAG. The blocks of a project are computed when they are emitted and not
//! kept, so that a large set needs little memory.

mod blocks;
mod entries;
mod input;
mod locks;
mod pages;
mod release_json;
mod schema;

pub use blocks::{Release, ReleaseError};
pub use entries::{Content, NamedContent};
pub use input::ReleaseInput;
pub use locks::{LockBytes, TreeLocks, WithoutWhole};
pub use release_json::{PlatformJson, ReleaseJson, ReleaseJsonError, Totals, WaiverJson};
pub use schema::{index_schema, release_schema};
