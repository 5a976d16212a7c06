//! What is published: the tree and its pages, archives of it, what is taken over from one that is
//! published, who signed for it, and whether it holds together. Nothing here speaks HTTP:
//! statements at addresses and in sites are read through [`source`](crate::source). The rooms, in
//! their order: each uses only those above it.

pub mod names;
pub mod tree;
pub mod archive;
pub mod reader;
pub mod reuse;
pub mod comparison;
pub mod signature;
pub mod statement;
pub mod trust;
pub mod verify;
