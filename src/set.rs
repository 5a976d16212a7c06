//! The declared set: declarations, their graph, checks and differences.
//!
//! Each room uses only those listed before it.

pub mod declaration;
pub mod licences;
pub mod repository;
pub mod migration;
pub mod init;
pub mod gather;
pub mod graph;
pub mod check;
pub mod advisories;
pub mod lock;
pub mod sbom;
pub mod judgement;
pub mod requested;
pub mod resolve;
pub mod audit;
pub mod difference;
pub mod review;
