//! What people declare, and whether it holds together. The rooms, in the order in which a value
//! passes through them: each uses only those above it.

pub mod declaration;
pub mod repository;
pub mod migration;
pub mod init;
pub mod gather;
pub mod graph;
pub mod check;
pub mod judgement;
pub mod resolve;
pub mod difference;
pub mod review;
