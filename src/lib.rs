//! `ipwhl` turns TOML declarations of Python wheels into one signed, content-addressed
//! package index.
//!
//! The rooms, in the order in which a value passes through them. A module uses only
//! modules above it in this list:
//!
//! ```text
//! declarations -> repository -> source -> wheel -> check -> release -> dag -> car -> signature -> gateway
//!    (text)        (typed)      (bytes)  (facts) (findings)  (tree)  (blocks) (file)   (trust)    (the world)
//! ```
//!
//! `docs/architecture.md` has the words and the invariants, `docs/formats.md` what each file holds.

// The vocabulary.
pub mod schema;
pub mod python;
pub mod diagnostic;
pub mod environment;
pub mod dag;
pub mod car;
// The pipeline.
pub mod declaration;
pub mod repository;
pub mod source;
pub mod wheel;
pub mod check;
pub mod release;
pub mod difference;
pub mod signature;
pub mod publish;
pub mod gateway;
pub mod command;
