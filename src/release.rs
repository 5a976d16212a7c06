//! What is published: the tree and its pages, archives of it, what is taken over from one that is
//! published, who vouches for it, and whether it
//! holds together. Knows no network. The rooms, in their order: each uses only
//! those above it.

pub mod names;
pub mod tree;
pub mod archive;
pub mod reader;
pub mod reuse;
pub mod signature;
pub mod verify;
