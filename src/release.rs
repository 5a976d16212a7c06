//! The release tree as named entries: index pages in both formats, metadata files. Pure.
//!
//! The tree is a function of declarations, `ipwhl.toml` and wheel bytes (FORMATS 4). A
//! [`Release`] knows the root of its DAG; the blocks of a project are made when they are emitted
//! and not kept, so that a large set needs little memory.

mod blocks;
mod carried;
mod pages;
mod published;
mod recall;
mod schema;
mod summary;
mod tree;

pub use blocks::{Release, ReleaseError};
pub use carried::{Carried, PlatformEntry};
pub use published::{Published, PublishedEntry, PublishedProject, PublishedWheel};
pub use recall::{Recalled, Sought};
pub use schema::{index_schema, release_schema};
pub use tree::{Content, NamedContent, RELEASE_FOLDER, ReleaseInput};
